//! A shop over sqlx: it ships an order and asks for its capture in one transaction.

use sqlx::types::Uuid;
use sqlx::{PgPool, Postgres, Transaction};

/// An order of the shop's own, ready to be shipped.
#[derive(Debug, Clone, Copy)]
pub struct Parcel {
    pub order: Uuid,
    /// In minor units: 100.00 USD is 10000.
    pub amount: i64,
    pub currency: &'static str,
}

/// Ships: the order is marked and its capture queued, or neither. A worker captures it later; it is
/// captured once, however often this is called.
///
/// # Errors
/// What the database says: for instance that the order was queued with another amount. Nothing is
/// shipped then.
pub async fn ship(pool: &PgPool, environment: &str, parcel: Parcel) -> Result<String, sqlx::Error> {
    let mut transaction = pool.begin().await?;
    let answer = ship_in(&mut transaction, environment, parcel).await?;
    transaction.commit().await?; // without it nothing has happened
    Ok(answer)
}

/// The same within a transaction that does more than this.
///
/// # Errors
/// As [`ship`].
pub async fn ship_in(
    transaction: &mut Transaction<'_, Postgres>,
    environment: &str,
    parcel: Parcel,
) -> Result<String, sqlx::Error> {
    let shipped = sqlx::query("UPDATE orders SET shipped = now() WHERE id = $1")
        .bind(parcel.order)
        .execute(&mut **transaction)
        .await?;
    if shipped.rows_affected() != 1 {
        return Err(sqlx::Error::RowNotFound);
    }
    sqlx::query_scalar("SELECT capture.enqueue($1, $2, $3, $4)")
        .bind(parcel.order)
        .bind(parcel.amount)
        .bind(parcel.currency)
        .bind(environment)
        .fetch_one(&mut **transaction)
        .await
}
