//! Second, independent readings of replies, to hold the core's own against.

use std::collections::BTreeMap;
use std::fmt;

use capture_core::wire::Response;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::ORDER;

/// Whether the reply says SUCCESS, with `success: true` and nothing against it.
pub(crate) fn says_success(reply: &Response) -> bool {
    word_and_flag(reply).is_some_and(|(word, flag)| word == "SUCCESS" && flag)
        && members(reply).is_some_and(|members| {
            is_blank(members.get("errors"))
                && !members.iter().any(|(name, value)| denies(name, value))
        })
}

/// Whether the reply says FAILED, whatever its flag.
pub(crate) fn says_failed(reply: &Response) -> bool {
    let states = ["orderstatus", "statusname", "transactionstatus"];
    let captured =
        |value: &Value| text(value).is_some_and(|word| CAPTURED.contains(&&*fold(&word)));
    word_and_flag(reply).is_some_and(|(word, _)| ["FAILED", "FAIL"].contains(&word.as_str()))
        && members(reply).is_some_and(|members| {
            !states.iter().any(|name| members.get(*name).is_some_and(captured))
        })
}

/// Whether the reply shows our order as captured: Returned (6) or Completed (7).
pub(crate) fn shows_captured(reply: &Response) -> bool {
    shown_status(reply).is_some_and(|status| status == 6 || status == 7)
}

/// Whether the reply shows our order as Cancelled (2).
pub(crate) fn shows_cancelled(reply: &Response) -> bool {
    shown_status(reply) == Some(2)
}

/// Whether the reply shows our order as Capturerequired (5), or in another state; else neither.
pub(crate) fn shows_waiting(reply: &Response) -> Option<bool> {
    shown_status(reply).map(|status| status == 5)
}

const STATUS_NAMES: [&str; 8] = [
    "DRAFT",
    "ONHOLD",
    "CANCELLED",
    "PROBLEM",
    "PROCESSING",
    "CAPTUREREQUIRED",
    "RETURNED",
    "COMPLETED",
];

fn shown_status(reply: &Response) -> Option<usize> {
    let members = members(reply)?;
    if !is_our_order(&text(members.get("id")?)?) {
        return None;
    }
    let name = members.get("statusname").and_then(text).map(|name| fold(&name));
    let named = name.and_then(|name| STATUS_NAMES.iter().position(|known| *known == name));
    let number = match members.get("status") {
        None | Some(Value::Null) => return named,
        Some(status) => usize::try_from(status.as_u64()?).ok()?,
    };
    (named.is_none() || named == Some(number)).then_some(number)
}

const CAPTURED: [&str; 6] = ["CAPTURED", "COMPLETED", "SETTLED", "SUCCESS", "RETURNED", "REFUNDED"];

/// Whether a member that the proptests use beside SUCCESS says otherwise, by the values they use.
fn denies(name: &str, value: &Value) -> bool {
    let word = text(value).map(|word| fold(&word)).unwrap_or_default();
    let is_code = name == "responsecode";
    match name {
        "error" | "errorcode" | "declinecode" => match value {
            Value::Null | Value::Bool(false) => false,
            Value::Number(number) => number.as_f64() != Some(0.0),
            Value::String(_) => word != "SUCCESS" && !word.trim_start_matches('0').is_empty(),
            Value::Array(_) | Value::Object(_) => !is_blank(Some(value)),
            Value::Bool(true) => true,
        },
        "result" | "statuscode" | "orderstatus" | "statusname" | "responsecode" => {
            let is_digits = !word.is_empty() && word.bytes().all(|b| b.is_ascii_digit());
            let number = if is_digits { word.parse().ok() } else { value.as_i64() };
            let by_number = number.is_some_and(|number: i64| {
                let class = if number < 1000 { number / 100 } else { number / 100_000 };
                let is_decline = (2000..4000).contains(&number);
                let is_odd = number == 202 || (300..400).contains(&number);
                [4, 5].contains(&class) && number < 600_000
                    || if is_code { is_decline } else { is_odd }
            });
            let approvals = ["00", "08", "11", "16", "85"];
            let by_field_39 =
                is_code && is_digits && word.len() == 2 && !approvals.contains(&&*word);
            let words = ["FAILED", "FAIL", "DECLINED", "DECLINE", "PROCESSING", "RETURNED"];
            *value == Value::Bool(false) || by_number || by_field_39 || words.contains(&&*word)
        }
        _ => false,
    }
}

fn word_and_flag(reply: &Response) -> Option<(String, bool)> {
    let members = members(reply)?;
    match members.get("orderid") {
        None | Some(Value::Null) => {}
        Some(id) if is_our_order(&text(id)?) => {}
        Some(_) => return None,
    }
    let word = |name: &str| match members.get(name) {
        None | Some(Value::Null) => Some(None),
        Some(value) => Some(Some(fold(&text(value)?))),
    };
    let word = match (word("capturestatus")?, word("status")?) {
        (Some(first), Some(second)) if first != second => return None,
        (first, second) => first.or(second)?,
    };
    Some((word, members.get("success")?.as_bool()?))
}

/// The members of the one complete JSON object in a plain 200, by lower-case name; `None` as well
/// where a name appears twice in any case.
fn members(reply: &Response) -> Option<BTreeMap<String, Value>> {
    let headers = reply.headers();
    let is_old = matches!(reply.version(), http::Version::HTTP_09 | http::Version::HTTP_10);
    let has = |name: &str| headers.contains_key(name);
    let is_odd = is_old || (has("transfer-encoding") && has("content-length"));
    let is_plain = headers.get_all(CONTENT_ENCODING).iter().all(|coding| coding == "identity");
    let is_json = headers.get_all(CONTENT_TYPE).iter().all(|media_type| {
        let media_type = media_type.to_str().unwrap_or("?").to_ascii_lowercase();
        let essence = media_type.split(';').next().unwrap_or_default().trim();
        ["application/json", "text/json"].contains(&essence) || essence.ends_with("+json")
    });
    if reply.status() != 200 || is_odd || !is_plain || !is_json {
        return None;
    }
    let body = reply.body();
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    let Pairs(pairs) = serde_json::from_slice(body).ok()?;
    let mut members = BTreeMap::new();
    for (name, value) in pairs {
        let known = ["capturestatus", "status", "success", "orderid", "errors", "id"];
        let name = name.to_ascii_lowercase();
        if known.contains(&&*name) || BESIDE.contains(&&*name) {
            let value = match serde_json::from_str(value.get()) {
                Ok(value) => value,
                // A text or a number that cannot be read says nothing, but a number is an error's code.
                Err(_) if BESIDE.contains(&&*name) && value.get().starts_with('"') => Value::Null,
                Err(_) if BESIDE.contains(&&*name) => Value::from(1),
                Err(_) => return None,
            };
            if members.insert(name, value).is_some() {
                return None;
            }
        }
    }
    Some(members)
}

/// The members beside the word that may deny it.
const BESIDE: [&str; 14] = [
    "result",
    "statuscode",
    "responsecode",
    "responsemessage",
    "message",
    "data",
    "orderstatus",
    "statusname",
    "transactionstatus",
    "error",
    "errorcode",
    "errormessage",
    "declinecode",
    "declinereason",
];

fn is_blank(errors: Option<&Value>) -> bool {
    match errors {
        None | Some(Value::Null) => true,
        Some(Value::Array(items)) => items.is_empty(),
        Some(Value::Object(fields)) => fields.is_empty(),
        Some(_) => false,
    }
}

fn is_our_order(id: &str) -> bool {
    let id = id.to_ascii_lowercase();
    let spellings = [
        ORDER.to_owned(),
        ORDER.replace('-', ""),
        format!("{{{ORDER}}}"),
        format!("urn:uuid:{ORDER}"),
    ];
    spellings.contains(&id)
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

fn fold(word: &str) -> String {
    word.split_ascii_whitespace().collect::<String>().to_ascii_uppercase()
}

/// A JSON object as it is, duplicates included.
struct Pairs(Vec<(String, Box<RawValue>)>);

impl<'de> Deserialize<'de> for Pairs {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = Pairs;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Pairs, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                Ok(Pairs(pairs))
            }
        }
        deserializer.deserialize_map(Object)
    }
}
