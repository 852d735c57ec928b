//! Writing a capture down in a transaction of the merchant's own.

use capture_core::{Capture, Environment, IdempotencyKey};
use capture_journal::environment_name;
use tokio_postgres::Transaction;
use tokio_postgres::error::SqlState;

/// What became of it, once the transaction is committed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Enqueued {
    /// It is written down; a worker captures it.
    Queued,
    /// The same capture is known already.
    Known,
}

/// Why a capture was not written down. PostgreSQL lets nothing more be done in the transaction.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EnqueueError {
    /// The values are none, or the order was asked for with other ones.
    #[error("{0}")]
    Refused(String),
    /// The database failed.
    #[error("the capture could not be written down")]
    Database(#[source] tokio_postgres::Error),
}

/// Writes a capture down, for a worker to do once this transaction is committed; if it is rolled back, nothing was
/// asked for. It is the SQL function `capture.enqueue`, which any language may call.
///
/// # Errors
/// When the order is open or captured with other values, or the database fails.
pub async fn enqueue(
    transaction: &Transaction<'_>,
    environment: &Environment,
    capture: &Capture,
) -> Result<Enqueued, EnqueueError> {
    const ENQUEUE: &str =
        "SELECT capture.enqueue($1::text::uuid, $2::bigint, $3::text, $4::text, $5::text::uuid)";
    let order = capture.order_id();
    let derived = capture.idempotency_key() == IdempotencyKey::for_order(order);
    let key = (!derived).then(|| capture.idempotency_key().to_string());
    let amount = i64::from(capture.money().minor_units());
    let (order, environment) = (order.to_string(), environment_name(environment));
    let currency = capture.money().currency();
    let row = transaction
        .query_one(ENQUEUE, &[&order, &amount, &currency.code(), &environment, &key])
        .await
        .map_err(refused)?;
    Ok(if row.get::<_, &str>(0) == "queued" { Enqueued::Queued } else { Enqueued::Known })
}

fn refused(error: tokio_postgres::Error) -> EnqueueError {
    let is_refusal =
        |code: &SqlState| [SqlState::CHECK_VIOLATION, SqlState::UNIQUE_VIOLATION].contains(code);
    match error.as_db_error() {
        Some(database) if is_refusal(database.code()) => {
            EnqueueError::Refused(database.message().to_owned())
        }
        _ => EnqueueError::Database(error),
    }
}
