//! The tables: made by the program that opens the journal first, and brought up to date by one at a time.

use capture_core::Currency;
use postgres::Client;

use crate::open::OpenError;

/// One step for each version.
const SCHEMA: [&str; 2] = [include_str!("schema-1.sql"), include_str!("schema-2.sql")];

const ENQUEUE: &str = include_str!("enqueue.sql");

pub(crate) const VERSION: i32 = SCHEMA.len() as i32;

/// "Capt" in ASCII: no two programs change the tables at the same time.
const LOCK: i64 = 0x4361_7074;

pub(crate) fn migrate(client: &mut Client) -> Result<(), OpenError> {
    // A role that may only work need not be able to make tables.
    if version(client)? != Some(VERSION) {
        let mut transaction = client.transaction().map_err(OpenError::Database)?;
        let patience = "SET LOCAL lock_timeout = '5min'";
        transaction.batch_execute(patience).map_err(OpenError::Database)?;
        let lock = "SELECT pg_advisory_xact_lock($1)";
        transaction.execute(lock, &[&LOCK]).map_err(OpenError::Database)?;
        let known = version(&mut transaction)?.unwrap_or_default();
        if known > VERSION {
            return Err(OpenError::Newer(known));
        }
        if known == 0 {
            let schema = "CREATE SCHEMA IF NOT EXISTS capture";
            transaction.batch_execute(schema).map_err(OpenError::Database)?;
        }
        if known > 0 {
            // In the order in which a turn takes them, so that neither waits for the other.
            let tables = "LOCK TABLE capture.lease, capture.pending, capture.intent, capture.inbox IN ACCESS EXCLUSIVE MODE";
            transaction.batch_execute(tables).map_err(OpenError::Database)?;
        }
        for step in SCHEMA.iter().skip(known.try_into().unwrap_or_default()) {
            transaction.batch_execute(step).map_err(OpenError::Database)?;
        }
        transaction.batch_execute(ENQUEUE).map_err(OpenError::Database)?;
        let now = "UPDATE capture.version SET version = $1";
        transaction.execute(now, &[&VERSION]).map_err(OpenError::Database)?;
        currencies(&mut transaction)?;
        transaction.commit().map_err(OpenError::Database)?;
    }
    Ok(())
}

pub(crate) fn version(client: &mut impl postgres::GenericClient) -> Result<Option<i32>, OpenError> {
    // By its snapshot: `to_regclass` may remember that there was none before this program waited.
    let there =
        "SELECT EXISTS (SELECT FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
        WHERE nspname = 'capture' AND relname = 'version')";
    let there = client.query_one(there, &[]).map_err(OpenError::Database)?;
    if !there.get::<_, bool>(0) {
        return Ok(None);
    }
    let row = client.query_one("SELECT version FROM capture.version", &[]);
    row.map(|row| Some(row.get(0))).map_err(OpenError::Database)
}

/// Every code that is one: there is no list of them but the parser.
fn currencies(client: &mut impl postgres::GenericClient) -> Result<(), OpenError> {
    let letters = || 'A'..='Z';
    let codes = letters().flat_map(|a| {
        letters().flat_map(move |b| letters().map(move |c| String::from_iter([a, b, c])))
    });
    let known = codes.filter_map(|code| code.parse::<Currency>().ok());
    let (codes, exponents): (Vec<String>, Vec<i16>) =
        known.map(|it| (it.code().to_owned(), i16::from(it.exponent()))).unzip();
    let insert = "INSERT INTO capture.currency SELECT * FROM unnest($1::text[], $2::smallint[])
        ON CONFLICT DO NOTHING";
    client.execute(insert, &[&codes, &exponents]).map(drop).map_err(OpenError::Database)
}
