//! The shop against a PostgreSQL of its own: what is committed is queued, and nothing else.

#[allow(dead_code, reason = "written for the tests of the whole project, which use more of it")]
#[path = "../../../tests/it/journal/server.rs"]
mod server;

use capture_core::Environment;
use capture_sqlx::{Parcel, ship, ship_in};
use server::Database;
use sqlx::PgPool;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::types::Uuid;

const ORDER: Uuid = Uuid::from_u128(0x5f1a_3c5e_7c1d_4e0b_9d6a_0c4f_5b6a_7d81);
const PARCEL: Parcel = Parcel { order: ORDER, amount: 10_000, currency: "USD" };

/// What the server's file calls where there is no server.
fn skipped(why: &str) {
    assert!(std::env::var_os("CI").is_none(), "{why}");
    eprintln!("SKIPPED: {why}");
}

/// The journal's tables, as a worker makes them, and the shop's own.
fn shop() -> Database {
    let database = Database::create();
    drop(database.open());
    let tables = format!(
        "CREATE TABLE orders (id uuid PRIMARY KEY, shipped timestamptz); INSERT INTO orders VALUES ('{ORDER}')"
    );
    database.psql("capture", &tables).unwrap();
    database
}

async fn connect(database: &Database) -> PgPool {
    let url = database.url();
    let part = |name: &str| {
        let parts = url.split(' ').filter_map(|part| part.split_once('='));
        parts.filter(|(found, _)| *found == name).map(|(_, value)| value).next().unwrap()
    };
    let options = PgConnectOptions::new_without_pgpass()
        .socket(part("host"))
        .port(part("port").parse().unwrap())
        .username(part("user"))
        .database(part("dbname"));
    PgPoolOptions::new().max_connections(2).connect_with(options).await.unwrap()
}

#[test]
fn what_is_committed_is_queued_and_nothing_else() {
    if !server::is_there() {
        return;
    }
    // The journal's driver blocks, and so comes before the runtime.
    let database = shop();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(ship_and_compare(&database));
}

async fn ship_and_compare(database: &Database) {
    let pool = connect(database).await;
    let sandbox = Environment::Sandbox.base_url().to_string();
    let standing = || {
        let sql = "SELECT (SELECT count(*) FROM orders WHERE shipped IS NOT NULL), (SELECT count(*) FROM capture.inbox)";
        database.psql("capture", sql).unwrap()
    };

    // Rolled back: neither shipped nor queued.
    let mut transaction = pool.begin().await.unwrap();
    assert_eq!(ship_in(&mut transaction, &sandbox, PARCEL).await.unwrap(), "queued");
    transaction.rollback().await.unwrap();
    assert_eq!(standing(), "0|0");

    // Committed: both. Again: once.
    assert_eq!(ship(&pool, &sandbox, PARCEL).await.unwrap(), "queued");
    assert_eq!(standing(), "1|1");
    assert_eq!(ship(&pool, &sandbox, PARCEL).await.unwrap(), "known");
    assert_eq!(standing(), "1|1");

    // Another amount is an error, and ships nothing.
    database.psql("capture", "UPDATE orders SET shipped = NULL").unwrap();
    let other = Parcel { amount: 5_000, ..PARCEL };
    let error = ship(&pool, &sandbox, other).await.unwrap_err().to_string();
    assert!(error.contains("was written down with other values"), "{error}");
    assert_eq!(standing(), "0|1");

    // An order that the shop does not have is not captured either.
    let foreign = Parcel { order: Uuid::from_u128(7), ..PARCEL };
    assert!(matches!(ship(&pool, &sandbox, foreign).await, Err(sqlx::Error::RowNotFound)));
    assert_eq!(standing(), "0|1");
}
