//! `POST /v1/capture`: captures an order that waits in *capturerequired*.

use bytes::Bytes;
use http::StatusCode;
use serde::Serialize;

use super::api::Api;
use super::beside::{self, Beside};
use super::entries::{ApiError, is_blank, read_errors};
use super::json::{self, Names, Scalar, Unreadable};
use super::message::{Empty, Request, Response, json_reply};
use crate::values::{BearerToken, Capture, Currency, IdempotencyKey, Money, OrderId};

/// The body's length without the amount's digits: an exact capacity means one allocation.
const WITHOUT_AMOUNT: usize = 133;

/// The request body, in the contract's order of fields and without white space.
///
/// Every part has a fixed alphabet (GUIDs, digits, three letters), so nothing needs escaping.
#[must_use]
pub fn body(capture: &Capture) -> Bytes {
    let digits = capture.money().minor_units().ilog10() as usize + 1;
    let mut body = Vec::with_capacity(WITHOUT_AMOUNT + digits);
    encode(capture, &mut body);
    body.into()
}

/// Appends the request body to `out`; allocates only if `out` must grow.
pub fn encode(capture: &Capture, out: &mut Vec<u8>) {
    let money = capture.money();
    let (mut key, mut order) = ([0; 36], [0; 36]);
    for part in [
        r#"{"idempotencyKey":""#,
        capture.idempotency_key().text(&mut key),
        r#"","orderId":""#,
        capture.order_id().text(&mut order),
        r#"","amount":"#,
        decimal(money.minor_units(), &mut [0; 10]),
        r#","currency":""#,
        money.currency().code(),
        r#""}"#,
    ] {
        out.extend_from_slice(part.as_bytes());
    }
}

/// The digits of an amount, without the cost of the formatting machinery.
fn decimal(mut units: u32, digits: &mut [u8; 10]) -> &str {
    let mut first = digits.len();
    while units > 0 || first == digits.len() {
        first -= 1;
        digits[first] = b'0' + (units % 10) as u8;
        units /= 10;
    }
    std::str::from_utf8(&digits[first..]).expect("ASCII digits")
}

/// The request that sends this body. The same body goes out again for a retry.
#[must_use]
pub fn request(api: &Api, token: &BearerToken, body: Bytes) -> Request {
    api.capture(token, body)
}

/// Reads a request body, as a server does.
///
/// # Errors
/// Every field at fault, named as the service names it.
pub fn read_request(body: &[u8]) -> Result<Capture, Vec<ApiError>> {
    let names = const { &Names::new(["idempotencyKey", "orderId", "amount", "currency"]) };
    let whole_body = |error: Unreadable| vec![ApiError::field("$", &error.to_string())];
    let [key, order, amount, currency] = json::members(body, names).map_err(whole_body)?;
    let mut errors = Vec::new();
    let mut text = |field: &'static str, raw| match Scalar::read(field, raw) {
        Ok(Scalar::Text(text)) => Some(text),
        Ok(Scalar::Nothing) => {
            errors.push(ApiError::field(field, &format!("The {field} field is required.")));
            None
        }
        _ => {
            errors.push(ApiError::field(field, &format!("The field {field} is invalid.")));
            None
        }
    };
    let key = text("IdempotencyKey", key);
    let order = text("OrderId", order);
    let currency = text("Currency", currency);
    let units = match Scalar::read("Amount", amount) {
        Ok(Scalar::Number(Some(units))) => u32::try_from(units).ok(),
        _ => None,
    };
    let mut checked =
        |field: &'static str, error: String| errors.push(ApiError::field(field, &error));
    let key = key.and_then(|k| {
        k.parse::<IdempotencyKey>().map_err(|e| checked("IdempotencyKey", e.to_string())).ok()
    });
    let order = order
        .and_then(|o| o.parse::<OrderId>().map_err(|e| checked("OrderId", e.to_string())).ok());
    let currency = currency
        .and_then(|c| c.parse::<Currency>().map_err(|e| checked("Currency", e.to_string())).ok());
    // The amount's own range does not depend on the currency.
    if units.is_none_or(|units| !(1..=Money::MAX_MINOR_UNITS).contains(&units)) {
        checked("Amount", "The field Amount is invalid.".into());
    }
    match (key, order, units, currency) {
        (Some(key), Some(order), Some(units), Some(currency)) if errors.is_empty() => {
            let money = Money::from_minor(units, currency).expect("the range was checked");
            Ok(Capture::new(order, money, key))
        }
        _ => Err(errors),
    }
}

/// The reply's body, read tolerantly in shape; what it *means* is for [`crate::driver::Verdict`] to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply<'a> {
    pub(crate) capture_status: Scalar<'a>,
    pub(crate) status: Scalar<'a>,
    pub(crate) success: Scalar<'a>,
    pub(crate) order_id: Scalar<'a>,
    pub(crate) errors: Vec<ApiError>,
    /// Whether `errors` holds anything at all, readable or not.
    pub(crate) has_errors: bool,
    /// The body, if further members in it may speak against the word, or give a reason.
    beside: Option<&'a [u8]>,
}

impl<'a> Reply<'a> {
    /// Reads the body of a 200.
    ///
    /// # Errors
    /// Anything that is not one complete JSON object, or in which a member that matters appears twice.
    pub fn read(body: &'a [u8]) -> Result<Self, Unreadable> {
        let names =
            const { &Names::new(["status", "success", "errors", "captureStatus", "orderId"]) };
        let (found, has_beside) = json::members_and(body, names, &beside::NAMES)?;
        let [status, success, errors, capture_status, order_id] = found;
        Ok(Self {
            capture_status: Scalar::read("captureStatus", capture_status)?,
            status: Scalar::read("status", status)?,
            success: Scalar::read("success", success)?,
            order_id: Scalar::read("orderId", order_id)?,
            has_errors: !is_blank(errors),
            errors: read_errors(errors)?,
            beside: has_beside.then_some(body),
        })
    }

    /// The word in `captureStatus`.
    #[must_use]
    pub fn capture_status(&self) -> Option<&str> {
        self.capture_status.text()
    }

    /// The word in `status`.
    #[must_use]
    pub fn status(&self) -> Option<&str> {
        self.status.text()
    }

    /// The flag `success`, where it is a boolean.
    #[must_use]
    pub fn success(&self) -> Option<bool> {
        if let Scalar::Bool(flag) = self.success { Some(flag) } else { None }
    }

    /// The entries of `errors`.
    #[must_use]
    pub fn errors(&self) -> &[ApiError] {
        &self.errors
    }

    /// The further members that may speak against the word, or give a reason.
    pub(crate) fn beside(&self) -> Result<Option<Beside<'a>>, Unreadable> {
        self.beside.map(Beside::of).transpose()
    }
}

/// The contract's reply for a captured order, for servers.
#[must_use]
pub fn captured() -> Response {
    reply("SUCCESS", &[])
}

/// The contract's reply for an order that could not be captured, for servers: FAILED in a 200.
#[must_use]
pub fn failed(message: &str) -> Response {
    reply("FAILED", &[message])
}

/// The contract's envelope, members in its order.
fn reply(status: &str, errors: &[&str]) -> Response {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Body<'a> {
        status: &'a str,
        success: bool,
        result: (),
        status_code: (),
        errors: &'a [&'a str],
        custom_properties: Empty,
    }
    let (success, result, status_code) = (true, (), ());
    let body = Body { status, success, result, status_code, errors, custom_properties: Empty {} };
    json_reply(StatusCode::OK, &body)
}
