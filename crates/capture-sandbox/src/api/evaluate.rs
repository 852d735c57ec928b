//! `POST /v1/evaluate`: creates an order the documented way. An authorization waits for its capture;
//! a purchase is charged at once.
//!
//! The live call has many fields. Only those that matter here are read, with names in any case:
//! `idempotencyKey`, `transactionType` (at the root), `transaction.amount` in minor units and
//! `transaction.currency`.

use std::collections::BTreeMap;

use bytes::Bytes;
use capture_core::wire::error::ApiError;
use capture_core::wire::{Response, json_reply};
use capture_core::{IdempotencyKey, Money, OrderId, OrderStatus};
use http::StatusCode;
use serde::Serialize;
use serde_json::Value;

use crate::api::once::{At, once};
use crate::api::replies;
use crate::world::{NewOrder, Operation, World};

struct Evaluation {
    key: IdempotencyKey,
    money: Money,
    is_authorization: bool,
}

/// The reply, its members in the recorded order.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Evaluated {
    order_session_key: OrderId,
    sense_key: Option<&'static str>,
    order_id: OrderId,
    success: bool,
    result: &'static str,
    status: &'static str,
    status_code: Option<&'static str>,
    errors: [&'static str; 0],
    custom_properties: BTreeMap<&'static str, &'static str>,
}

pub(super) fn answer(world: &mut World, body: &Bytes, at: At<'_>) -> Response {
    let Evaluation { key, money, is_authorization } = match read(body) {
        Ok(evaluation) => evaluation,
        Err(errors) => return replies::invalid(&mut world.draw, &errors),
    };
    let (status, word) = if is_authorization {
        (OrderStatus::CaptureRequired, "CAPTUREREQUIRED")
    } else {
        (OrderStatus::Completed, "APPROVED")
    };
    once(world, at, Operation::Evaluate, key, body, |world| {
        let order = world.create_order(NewOrder::new(money).status(status), at.now);
        let reply = Evaluated {
            order_session_key: order,
            sense_key: None,
            order_id: order,
            success: true,
            result: "Success",
            status: word,
            status_code: None,
            errors: [],
            custom_properties: BTreeMap::new(),
        };
        json_reply(StatusCode::OK, &reply)
    })
}

fn read(body: &[u8]) -> Result<Evaluation, Vec<ApiError>> {
    let Ok(body @ Value::Object(_)) = serde_json::from_slice(body) else {
        return Err(vec![ApiError::field("$", "The body is not a JSON object.")]);
    };
    let mut errors = Vec::new();
    let mut reject = |field: &str, value: Option<&Value>| {
        let message = match value {
            None => format!("The {field} field is required."),
            Some(_) => format!("The field {field} is invalid."),
        };
        errors.push(ApiError::field(field, &message));
    };

    let key_value = member(&body, "idempotencyKey");
    let key = key_value.and_then(Value::as_str).and_then(|text| text.parse().ok());
    if key.is_none() {
        reject("IdempotencyKey", key_value);
    }
    let type_value = member(&body, "transactionType");
    let is_authorization = match type_value.map(|value| value.as_str().unwrap_or_default()) {
        None => Some(false), // documented default: purchase
        Some(word) if word.eq_ignore_ascii_case("purchase") => Some(false),
        Some(word) if word.eq_ignore_ascii_case("authorization") => Some(true),
        Some(_) => None,
    };
    if is_authorization.is_none() {
        reject("TransactionType", type_value);
    }
    let transaction = member(&body, "transaction").unwrap_or(&Value::Null);
    let currency_value = member(transaction, "currency");
    let currency = currency_value.and_then(Value::as_str).and_then(|text| text.parse().ok());
    if currency.is_none() {
        reject("Transaction.Currency", currency_value);
    }
    let amount_value = member(transaction, "amount");
    let amount = amount_value.and_then(Value::as_u64);
    let amount = amount
        .and_then(|units| u32::try_from(units).ok())
        .filter(|units| (1..=Money::MAX_MINOR_UNITS).contains(units));
    if amount.is_none() {
        reject("Transaction.Amount", amount_value);
    }
    let money = amount
        .zip(currency)
        .and_then(|(amount, currency)| Money::from_minor(amount, currency).ok());
    match (key, is_authorization, money) {
        (Some(key), Some(is_authorization), Some(money)) => {
            Ok(Evaluation { key, money, is_authorization })
        }
        _ => Err(errors),
    }
}

/// A member that is not null, its name in any case.
fn member<'a>(object: &'a Value, name: &str) -> Option<&'a Value> {
    let members = object.as_object()?.iter();
    let mut known = members.filter(|(known, _)| known.eq_ignore_ascii_case(name));
    known.next().map(|(_, value)| value).filter(|value| !value.is_null())
}
