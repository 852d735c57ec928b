//! Error bodies: the shapes that the API is known to send, and the two that a server writes.

use http::StatusCode;
use serde_json::{Map, Value, json};

use super::beside::Beside;
pub use super::entries::ApiError;
use super::entries::{entries, read_errors, shown, titled};
use super::json::{self, Names, Scalar, Unreadable};
use super::message::{Response, json_reply};

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
        let found = match json::members(body, const { &MEMBERS }) {
            Ok(found) => found,
            Err(Unreadable::Empty) => return Some(Self::Empty),
            Err(_) => return None,
        };
        let [status_word, success, title, detail, trace_id, errors, message] = found;
        let word = Scalar::read("status", status_word).ok()?;
        let flag = Scalar::read("success", success).ok()?;
        let title = Scalar::read("title", title).ok()?;
        let gateway = Scalar::read("message", message).ok()?;
        let detail = Scalar::read("detail", detail).ok()?;

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
        let beside = Beside::of(body).unwrap_or_default();
        let mut list = beside.add_reasons(read_errors(errors).ok()?);
        if list.is_empty() || detail != Scalar::Nothing {
            let whole = titled(title.text().map(shown), detail.text().map(shown));
            list.extend(whole.map(|message| ApiError { message, ..ApiError::default() }));
        }
        Some(Self::Api(list))
    }
}

const MEMBERS: Names<7> =
    Names::new(["status", "success", "title", "detail", "traceId", "errors", "message"]);

/// A bare map of field names to arrays of text, known by its `TraceId` or by a field of ours.
fn field_map(body: &[u8]) -> Option<Shape> {
    let fields: Map<String, Value> = serde_json::from_str(json::text(body).ok()?).ok()?;
    let is_texts = |value: &Value| value.as_array().is_some_and(|a| a.iter().all(Value::is_string));
    let ours = ["traceid", "idempotencykey", "orderid", "amount", "currency"];
    let is_ours = |name: &String| ours.iter().any(|known| known.eq_ignore_ascii_case(name));
    let recognised = fields.values().all(is_texts) && fields.keys().any(is_ours);
    if recognised { entries(json::text(body).ok()?, true).ok().map(Shape::Api) } else { None }
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
        let coded = |message: &str| (message.to_owned(), Some("2001".to_owned()), None);
        assert_eq!(list(400, e4), [coded("m"), coded("r")]);
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
            r#"{"status":"500","title":"t"}"#, // the same, as text
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
