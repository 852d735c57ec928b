//! Error bodies: every shape seen so far, read into one list, and the two that a server writes.

use std::fmt;

use http::StatusCode;
use serde::de::{self, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use super::json::{self, Name, Scalar, Unreadable};
use super::message::{Response, json_reply};
use crate::text::printable;

/// One entry of an error body.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ApiError {
    /// What the API says, escaped and cut; may be empty.
    pub message: String,
    /// Its code, opaque: no table of codes is public.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// The request field it is about, as the API spells it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
}

impl ApiError {
    /// An entry about a request field.
    #[must_use]
    pub fn field(field: &str, message: &str) -> Self {
        Self { message: shown(message), code: None, field: Some(shown(field)) }
    }

    fn message(message: &str) -> Self {
        Self { message: shown(message), ..Self::default() }
    }
}

/// A body that the API itself, or the gateway in front of it, is known to send for an error.
///
/// An error status with any other body has no provenance: a proxy may have made it up.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Shape {
    /// Problem details, the envelope with `success: false`, or a bare map of fields.
    Api(Vec<ApiError>),
    /// The gateway's `{"message": "..."}`: the request did not reach the API.
    Gateway(String),
    /// No body.
    Empty,
}

impl Shape {
    /// Recognises the body of an error reply; `None` for a body that no known server sends.
    #[must_use]
    pub fn read(status: StatusCode, body: &[u8]) -> Option<Self> {
        let found = match json::members(body, &MEMBERS) {
            Ok(found) => found,
            Err(Unreadable::Empty) => return Some(Self::Empty),
            Err(_) => return None,
        };
        let [status_word, success, title, trace_id, errors, message, response_message] = found;
        let word = Scalar::read("status", status_word).ok()?;
        let flag = Scalar::read("success", success).ok()?;
        let title = Scalar::read("title", title).ok()?;
        let gateway = Scalar::read("message", message).ok()?;
        let response = Scalar::read("responseMessage", response_message).ok()?;

        let is_field_map =
            word == Scalar::Nothing && flag == Scalar::Nothing && title == Scalar::Nothing;
        if is_field_map && errors.is_none() {
            return match gateway.text() {
                Some(message) => Some(Self::Gateway(shown(message))),
                None => field_map(body),
            };
        }
        let same_status = match &word {
            Scalar::Number(number) => *number == Some(i64::from(status.as_u16())),
            Scalar::Text(text) if text.bytes().all(|b| b.is_ascii_digit()) => {
                **text == *status.as_str()
            }
            _ => true,
        };
        let is_problem = title.text().is_some() || (errors.is_some() && trace_id.is_some());
        let is_envelope = flag == Scalar::Bool(false);
        let is_numbered = matches!(word, Scalar::Number(_)) || word.text() == Some(status.as_str());
        let claims_success = flag == Scalar::Bool(true)
            || word.text().is_some_and(|word| word.trim().eq_ignore_ascii_case("success"));
        let known = is_problem || is_envelope || (is_numbered && errors.is_some());
        if !same_status || claims_success || !known {
            return None;
        }
        let mut list = read_errors(errors).ok()?;
        if list.is_empty() {
            list.extend(response.text().or(title.text()).map(ApiError::message));
        }
        Some(Self::Api(list))
    }
}

const MEMBERS: [&str; 7] =
    ["status", "success", "title", "traceid", "errors", "message", "responsemessage"];

/// More entries than this do not help a person.
const MOST_ERRORS: usize = 64;

/// The `errors` member in any of its shapes: absent, null, text, an array of text or of objects, or
/// an object of arrays by field.
pub(crate) fn read_errors(raw: Option<&RawValue>) -> Result<Vec<ApiError>, Unreadable> {
    let Some(raw) = raw.filter(|_| !is_blank(raw)).map(RawValue::get) else {
        return Ok(Vec::new());
    };
    entries(raw).map_err(|_| Unreadable::Type("errors"))
}

fn entries(json: &str) -> serde_json::Result<Vec<ApiError>> {
    let mut list = Vec::with_capacity(8);
    let mut reader = serde_json::Deserializer::from_str(json);
    Entries { list: &mut list, is_top: true }.deserialize(&mut reader)?;
    reader.end()?;
    Ok(list)
}

/// Whether the `errors` member holds nothing: absent, `null`, `[]` or `{}`.
pub(crate) fn is_blank(raw: Option<&RawValue>) -> bool {
    let mut text = raw.map_or("null", RawValue::get).bytes().filter(|b| !b.is_ascii_whitespace());
    matches!(
        (text.next(), text.next(), text.next()),
        (Some(b'n'), ..) | (Some(b'['), Some(b']'), None) | (Some(b'{'), Some(b'}'), None)
    )
}

/// Adds what it reads to the list, without a tree of values in between.
struct Entries<'l> {
    list: &'l mut Vec<ApiError>,
    /// Whether an object holds entries by field, or is one entry.
    is_top: bool,
}

impl Entries<'_> {
    fn push(self, error: ApiError) {
        if self.list.len() < MOST_ERRORS {
            self.list.push(error);
        }
    }

    fn inner(&mut self) -> Entries<'_> {
        Entries { list: self.list, is_top: false }
    }
}

impl<'de> DeserializeSeed<'de> for Entries<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Entries<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("errors")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, text: &str) -> Result<(), E> {
        self.push(ApiError::message(text));
        Ok(())
    }

    fn visit_bool<E: de::Error>(self, flag: bool) -> Result<(), E> {
        self.visit_str(&flag.to_string())
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<(), E> {
        self.visit_str(&number.to_string())
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<(), E> {
        self.visit_str(&number.to_string())
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<(), E> {
        self.visit_str(&Value::from(number).to_string())
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut items: A) -> Result<(), A::Error> {
        while items.next_element_seed(self.inner())?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut members: A) -> Result<(), A::Error> {
        if self.is_top {
            while let Some(name) = members.next_key::<String>()? {
                let (before, is_trace) = (self.list.len(), name.eq_ignore_ascii_case("traceid"));
                members.next_value_seed(self.inner())?;
                if is_trace {
                    self.list.truncate(before);
                }
                for error in &mut self.list[before..] {
                    error.field = Some(shown(&name));
                }
            }
            return Ok(());
        }
        let mut error = ApiError::default();
        while let Some(known) = members.next_key_seed(Name(&PARTS))? {
            let Some(known) = known else {
                members.next_value::<IgnoredAny>()?;
                continue;
            };
            let value = Scalar::read("errors", Some(members.next_value()?)).unwrap_or_default();
            match (known, value.text()) {
                (0..=2, Some(text)) => error.message = shown(text),
                (3 | 4, Some(text)) => error.code = Some(shown(text)),
                (_, Some(text)) => error.field = Some(shown(text)),
                (_, None) => {}
            }
        }
        self.push(error);
        Ok(())
    }
}

const PARTS: [&str; 7] = ["item1", "message", "description", "item2", "code", "field", "property"];

/// A bare map of field names to arrays of text, known by its `TraceId` or by a field of ours.
fn field_map(body: &[u8]) -> Option<Shape> {
    let fields: Map<String, Value> = serde_json::from_str(json::text(body).ok()?).ok()?;
    let is_texts = |value: &Value| value.as_array().is_some_and(|a| a.iter().all(Value::is_string));
    let ours = ["traceid", "idempotencykey", "orderid", "amount", "currency"];
    let is_ours = |name: &String| ours.iter().any(|known| known.eq_ignore_ascii_case(name));
    let recognised = fields.values().all(is_texts) && fields.keys().any(is_ours);
    if recognised { entries(json::text(body).ok()?).ok().map(Shape::Api) } else { None }
}

fn shown(text: &str) -> String {
    printable(text, 400)
}

/// The bare map of fields that was recorded from the service for a request it cannot bind (status
/// 400), for servers.
#[must_use]
pub fn model_state(errors: &[ApiError], trace_id: &str) -> Response {
    let mut body = Map::new();
    body.insert("TraceId".into(), json!([trace_id]));
    for error in errors {
        let field = error.field.clone().unwrap_or_default();
        let messages = body.entry(field).or_insert_with(|| json!([]));
        if let Value::Array(messages) = messages {
            messages.push(json!(error.message));
        }
    }
    json_reply(StatusCode::BAD_REQUEST, &body)
}

/// Problem details as the official page shows them, for servers.
#[must_use]
pub fn problem(status: StatusCode, title: &str, trace_id: &str) -> Response {
    let body =
        json!({ "status": status.as_u16(), "title": title, "traceId": trace_id, "errors": {} });
    json_reply(status, &body)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(status: u16, body: &str) -> Option<Shape> {
        Shape::read(StatusCode::from_u16(status).unwrap(), body.as_bytes())
    }

    fn list(status: u16, body: &str) -> Vec<(String, Option<String>, Option<String>)> {
        match read(status, body) {
            Some(Shape::Api(errors)) => {
                errors.into_iter().map(|e| (e.message, e.code, e.field)).collect()
            }
            other => panic!("{body}: {other:?}"),
        }
    }

    #[test]
    fn every_recorded_shape_is_read() {
        let about = |field: &str| vec![("m".to_owned(), None, Some(field.to_owned()))];
        let e1 = r#"{"status":400,"title":"t","traceId":"00-a-b-01","errors":{"OrderId":["m"]}}"#;
        let e2 = r#"{"TraceId":["00-a-b-01"],"IdempotencyKey":["m"]}"#;
        let e3 = r#"{"status":"400","errors":{"OrderId":["m"],"TraceId":["00-a-b-01"]}}"#;
        let e4 = r#"{"responseCode":"2001","responseMessage":"r","transactionId":null,"success":false,"result":null,"status":"FAILED","statusCode":null,"errors":[{"item1":"m","item2":"2001","item3":"2001","item4":true}],"customProperties":{}}"#;
        let e5 = r#"{"success":false,"status":"FAILED","errors":[{}]}"#;
        let e6 = r#"{"success":false,"status":"FAILED","errors":["m"]}"#;
        assert_eq!(list(400, e1), about("OrderId"));
        assert_eq!(list(400, e2), about("IdempotencyKey"));
        assert_eq!(list(400, e3), about("OrderId"));
        assert_eq!(list(400, e4), [("m".into(), Some("2001".into()), None)]);
        assert_eq!(list(400, e5), [(String::new(), None, None)]);
        assert_eq!(list(400, e6), [("m".into(), None, None)]);
        assert_eq!(list(404, r#"{"title":"Not Found","status":404}"#)[0].0, "Not Found");
        assert_eq!(
            read(403, r#"{"message":"Forbidden"}"#),
            Some(Shape::Gateway("Forbidden".into()))
        );
        assert_eq!(read(401, ""), Some(Shape::Empty));
    }

    #[test]
    fn anything_else_has_no_provenance() {
        for body in [
            "<html>Request blocked</html>",
            "[]",
            "{}",
            r#"{"error":"nope"}"#,
            r#"{"status":500,"title":"t"}"#, // another status than the reply's
            r#"{"success":true,"status":"FAILED"}"#, // claims that it worked
            r#"{"success":false,"status":"SUCCESS"}"#, // so does this
            r#"{"status":"FAILED","errors":[]}"#, // no flag
            r#"{"success":false,"Success":false}"#, // duplicate
            r#"{"OrderId":["m"],"x":1}"#,    // not only arrays of text
            r#"{"detail":["blocked"]}"#,     // arrays of text, and no field of ours
            r#"{"order":["m"],"currencies":["m"]}"#, // nor here
            r#"{"TraceId":["00-a-b-01"],"OrderId":"#, // cut
        ] {
            assert_eq!(read(400, body), None, "{body}");
        }
    }

    #[test]
    fn what_a_server_writes_is_recognised() {
        let trace = "00-0-0-01";
        let errors = [ApiError::field("OrderId", "m"), ApiError::field("OrderId", "n")];
        let map = model_state(&errors, trace);
        assert_eq!(Shape::read(map.status(), map.body()), Some(Shape::Api(errors.to_vec())));
        let problem = problem(StatusCode::UNSUPPORTED_MEDIA_TYPE, "t", trace);
        let entries = vec![ApiError::message("t")];
        assert_eq!(Shape::read(problem.status(), problem.body()), Some(Shape::Api(entries)));
    }
}
