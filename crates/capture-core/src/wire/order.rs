//! `GET /v1/orders/{id}`: the definitive status of an order.
//!
//! The reply is full of personal data: only the id, the status and the code of the currency are read,
//! nothing else is kept.

use std::fmt;

use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::json;
use serde_json::value::RawValue;

use super::api::Api;
use super::json::{self, Names, Scalar, Unreadable};
use super::message::{Request, Response, is_plain_json, json_reply};
use crate::text::printable;
use crate::values::{BearerToken, CurrencyCode, OrderId};

/// The status of an order, by the API's integer.
///
/// Source: the official orders page (integers and names), the portal guide (meanings).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum OrderStatus {
    /// 0: taken in, not yet picked up.
    Draft,
    /// 1: suspended for now.
    OnHold,
    /// 2: declined, cancelled or voided, permanently.
    Cancelled,
    /// 3: needs FlexFactor's support.
    Problem,
    /// 4: in progress.
    Processing,
    /// 5: authorised, waiting for its capture.
    CaptureRequired,
    /// 6: was captured, then refunded.
    Returned,
    /// 7: captured.
    Completed,
    /// An integer or a name that is not in the documentation.
    Other(Option<i64>),
}

const NAMES: [(OrderStatus, &str); 8] = [
    (OrderStatus::Draft, "Draft"),
    (OrderStatus::OnHold, "Onhold"),
    (OrderStatus::Cancelled, "Cancelled"),
    (OrderStatus::Problem, "Problem"),
    (OrderStatus::Processing, "Processing"),
    (OrderStatus::CaptureRequired, "Capturerequired"),
    (OrderStatus::Returned, "Returned"),
    (OrderStatus::Completed, "Completed"),
];

impl OrderStatus {
    /// The status with this integer.
    #[must_use]
    pub fn from_number(number: i64) -> Self {
        let known = usize::try_from(number).ok().and_then(|index| NAMES.get(index));
        known.map_or(Self::Other(Some(number)), |(status, _)| *status)
    }

    /// The status with this name, in any case and with any spaces; `None` for an unknown name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        let folded: String = name.chars().filter(|c| !c.is_ascii_whitespace()).collect();
        let known = NAMES.iter().find(|(_, name)| name.eq_ignore_ascii_case(&folded));
        known.map(|(status, _)| *status)
    }

    /// The API's integer; `None` where only an unknown name was given.
    #[must_use]
    pub fn number(self) -> Option<i64> {
        match self {
            Self::Other(number) => number,
            known => (0..).zip(NAMES).find(|(_, (status, _))| *status == known).map(|(n, _)| n),
        }
    }
}

impl fmt::Display for OrderStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = NAMES.iter().find(|(status, _)| status == self).map(|(_, name)| *name);
        match (self, name) {
            (_, Some(name)) => f.write_str(name),
            (Self::Other(Some(number)), None) => write!(f, "status {number}"),
            _ => f.write_str("an unknown status"),
        }
    }
}

/// What is read of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Order {
    /// Its status.
    pub status: OrderStatus,
    /// The code of its currency, if it shows one.
    pub currency: Option<CurrencyCode>,
}

/// The request for one order.
#[must_use]
pub fn request(api: &Api, order: OrderId, token: &BearerToken) -> Request {
    api.lookup(order, token)
}

/// Why a reply is no evidence about an order.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotTheOrder {
    /// The status is not 200.
    #[error("status {0}")]
    Status(u16),
    /// The body is encoded, oddly framed, or said not to be JSON.
    #[error("the body is encoded, oddly framed, or said not to be JSON")]
    NotJson,
    /// The body cannot be read.
    #[error(transparent)]
    Unreadable(#[from] Unreadable),
    /// A member does not say what it should; what it holds, escaped and cut.
    #[error("the member \"{0}\" is {1}, which means nothing here")]
    Member(&'static str, String),
    /// Two members contradict each other; what they hold, escaped and cut.
    #[error("it contradicts itself: {0}")]
    Contradiction(String),
    /// The body shows another order, or no id.
    #[error("it shows another order")]
    Foreign,
}

/// The order in a reply that is evidence about it: a complete 200, shaped as the API shapes an order,
/// with exactly this id. `docs/protocol.md` has the table of what its status says. A currency that is
/// no code is not shown; it does not make the status less true.
///
/// # Errors
/// Why the reply is no evidence.
pub fn read_reply(order: OrderId, response: &Response) -> Result<Order, NotTheOrder> {
    if response.status() != StatusCode::OK {
        return Err(NotTheOrder::Status(response.status().as_u16()));
    }
    if !is_plain_json(response) {
        return Err(NotTheOrder::NotJson);
    }
    let names = const { &Names::new(["id", "status", "statusName", "currencyCode"]) };
    let [id, status, name, currency] = json::members(response.body(), names)?;
    match Scalar::read("id", id)? {
        Scalar::Text(id) if id.parse() == Ok(order) => {}
        _ => return Err(NotTheOrder::Foreign),
    }
    Ok(Order { status: read_status(status, name)?, currency: read_currency(currency) })
}

/// The code of a currency, if that is what is written there.
pub(super) fn read_currency(currency: Option<&RawValue>) -> Option<CurrencyCode> {
    let currency = Scalar::read("currencyCode", currency).unwrap_or_default();
    currency.text().and_then(CurrencyCode::read)
}

pub(super) fn read_status(
    status: Option<&RawValue>,
    name: Option<&RawValue>,
) -> Result<OrderStatus, NotTheOrder> {
    let differ = || {
        let [status, name] = [held(status), held(name)];
        NotTheOrder::Contradiction(format!("status is {status}, statusName is {name}"))
    };
    let named = Scalar::read("statusName", name)?.text().and_then(OrderStatus::from_name);
    match Scalar::read("status", status)? {
        Scalar::Number(Some(number)) => {
            let status = OrderStatus::from_number(number);
            if named.is_some_and(|named| named != status) { Err(differ()) } else { Ok(status) }
        }
        // The API writes a number. Text counts only where the name says the same.
        Scalar::Text(text) => {
            let number = text.trim().parse().map(OrderStatus::from_number).ok();
            match (number.or_else(|| OrderStatus::from_name(&text)), named) {
                (Some(status), Some(named)) if status == named => Ok(status),
                (Some(_), Some(_)) => Err(differ()),
                _ => Err(NotTheOrder::Member("status", held(status))),
            }
        }
        Scalar::Nothing => match (named, name.filter(|name| name.get() != "null")) {
            (Some(named), _) => Ok(named),
            (None, Some(name)) => Err(NotTheOrder::Member("statusName", held(Some(name)))),
            (None, None) => Err(NotTheOrder::Member("status", held(status))),
        },
        _ => Err(NotTheOrder::Member("status", held(status))),
    }
}

/// A member as it is written; of an array or an object, which may hold anything, only that it is one.
fn held(raw: Option<&RawValue>) -> String {
    match raw.map(RawValue::get) {
        None => "missing".into(),
        Some(raw) if raw.starts_with(['[', '{']) => "an array or an object".into(),
        Some(raw) => printable(raw, 60),
    }
}

/// Whether this text could be an order, or a list of them: JSON without the member `success`, which
/// every reply to a capture has.
pub(crate) fn may_be_one(text: &str) -> bool {
    let names = const { &Names::new(["success"]) };
    let is_json = text.trim_start_matches('\u{feff}').trim_start().starts_with(['{', '[']);
    is_json && !matches!(json::members(text.as_bytes(), names), Ok([Some(_)]))
}

/// An order as it was recorded from the service, for servers.
///
/// `details` are further members, such as addresses.
#[must_use]
pub fn shown(
    order: OrderId,
    status: OrderStatus,
    details: serde_json::Map<String, serde_json::Value>,
) -> Response {
    let name = status.to_string().to_ascii_uppercase();
    let mut body = details;
    body.insert("id".into(), json!(order));
    body.insert("status".into(), json!(status.number()));
    body.insert("statusName".into(), json!(name));
    json_reply(StatusCode::OK, &body)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ORDER: &str = "5f1a3c5e-7c1d-4e0b-9d6a-0c4f5b6a7d81";

    fn read(body: &serde_json::Value) -> Option<OrderStatus> {
        let reply = json_reply(StatusCode::OK, body);
        read_reply(ORDER.parse().unwrap(), &reply).ok().map(|order| order.status)
    }

    #[test]
    fn numbers_names_and_spellings() {
        for (number, (status, name)) in (0..).zip(NAMES) {
            assert_eq!(status.number(), Some(number));
            assert_eq!(OrderStatus::from_number(number), status);
            assert_eq!(read(&json!({ "id": ORDER, "status": number })), Some(status));
            let upper = name.to_uppercase();
            assert_eq!(read(&json!({ "Id": ORDER, "statusName": upper })), Some(status));
        }
        let spaced = json!({ "id": ORDER.to_uppercase(), "statusName": "CAPTURE REQUIRED" });
        assert_eq!(read(&spaced), Some(OrderStatus::CaptureRequired));
        let new = json!({ "id": ORDER, "status": 8, "statusName": "Chargeback" });
        assert_eq!(read(&new), Some(OrderStatus::Other(Some(8))));
        // Text counts where both members say the same.
        for status in ["7", " 7 ", "Completed", "COMPLETED"] {
            let agreed = json!({ "id": ORDER, "status": status, "statusName": "Completed" });
            assert_eq!(read(&agreed), Some(OrderStatus::Completed), "{status}");
        }
    }

    /// What cannot be read is named, with what it holds, short and escaped.
    #[test]
    fn the_member_that_cannot_be_read_is_named() {
        let long = "\u{1b}[2J".repeat(100);
        for (members, says) in [
            (json!({ "status": "7" }), r#"the member "status" is "7", which means nothing here"#),
            (
                json!({ "status": "Completed" }),
                r#"the member "status" is "Completed", which means nothing here"#,
            ),
            (
                json!({ "status": "paid", "statusName": "Completed" }),
                r#"the member "status" is "paid", which means nothing here"#,
            ),
            (
                json!({ "status": "7", "statusName": "Paid" }),
                r#"the member "status" is "7", which means nothing here"#,
            ),
            (json!({ "status": 7.5 }), r#"the member "status" is 7.5, which means nothing here"#),
            (json!({ "status": true }), r#"the member "status" is true, which means nothing here"#),
            (
                json!({ "status": { "name": "Jane" } }),
                r#"the member "status" is an array or an object, which means nothing here"#,
            ),
            (
                json!({ "statusName": "Chargeback" }),
                r#"the member "statusName" is "Chargeback", which means nothing here"#,
            ),
            (json!({}), r#"the member "status" is missing, which means nothing here"#),
            (
                json!({ "status": null, "statusName": null }),
                r#"the member "status" is null, which means nothing here"#,
            ),
            (
                json!({ "status": 7, "statusName": "Cancelled" }),
                r#"it contradicts itself: status is 7, statusName is "Cancelled""#,
            ),
            (
                json!({ "status": "7", "statusName": "Cancelled" }),
                r#"it contradicts itself: status is "7", statusName is "Cancelled""#,
            ),
            (
                json!({ "status": 8, "statusName": "Completed" }),
                r#"it contradicts itself: status is 8, statusName is "Completed""#,
            ),
        ] {
            let mut body = members;
            body["id"] = json!(ORDER);
            let reply = json_reply(StatusCode::OK, &body);
            let why = read_reply(ORDER.parse().unwrap(), &reply).expect_err("no evidence");
            assert_eq!(why.to_string(), says);
        }
        let reply = json_reply(StatusCode::OK, &json!({ "id": ORDER, "status": long }));
        let why = read_reply(ORDER.parse().unwrap(), &reply).unwrap_err().to_string();
        assert!(why.len() < 150 && !why.contains('\u{1b}'), "{why}");
    }

    fn read_text(body: String) -> Result<Order, NotTheOrder> {
        read_reply(ORDER.parse().unwrap(), &http::Response::new(body.into()))
    }

    #[test]
    fn the_currency_is_read_and_never_makes_the_status_less_true() {
        for (shown, code) in [
            (r#""currencyCode":"EUR""#, Some("EUR")),
            (r#""CURRENCYCODE":"eur""#, Some("EUR")),
            (r#""currencyCode":"\u0045UR""#, Some("EUR")),
            (r#""currencyCode":null"#, None),
            (r#""currencyCode":978"#, None),
            (r#""currencyCode":"978""#, None),
            (r#""currencyCode":"\ud800""#, None),
            (r#""currencyCode":["EUR"]"#, None),
            (r#""currencySymbol":"EUR""#, None),
            (r#""billing":{"currencyCode":"EUR"}"#, None),
        ] {
            let body = format!(r#"{{"id":"{ORDER}",{shown},"status":7}}"#);
            let order = read_text(body);
            let order = order.unwrap_or_else(|error| panic!("{shown}: {error}"));
            let currency = order.currency.map(String::from);
            assert_eq!(
                (order.status, currency.as_deref()),
                (OrderStatus::Completed, code),
                "{shown}"
            );
        }
        let twice =
            format!(r#"{{"id":"{ORDER}","status":7,"currencyCode":"EUR","currencycode":"USD"}}"#);
        assert_eq!(read_text(twice), Err(Unreadable::Duplicate("currencyCode").into()));
    }

    #[test]
    fn anything_else_is_no_evidence() {
        let other = "11111111-7c1d-4e0b-9d6a-0c4f5b6a7d81";
        for body in [
            json!({}),
            json!({ "status": 7 }),
            json!({ "id": other, "status": 7 }),
            json!({ "id": null, "status": 7 }),
            json!({ "id": ORDER }),
            json!({ "id": ORDER, "status": "7" }),
            json!({ "id": ORDER, "status": 7.5 }),
            json!([{ "id": ORDER, "status": 7 }]),
        ] {
            assert_eq!(read(&body), None, "{body}");
        }
        let order = ORDER.parse().unwrap();
        let body = json!({ "id": ORDER, "status": 7 });
        let accepted = read_reply(order, &json_reply(StatusCode::ACCEPTED, &body));
        assert_eq!(accepted, Err(NotTheOrder::Status(202)));
    }
}
