//! The two meanings of a 409, told by its words: the key is in progress, or was used before.

use super::error::{ApiError, Shape};
use super::message::{Response, is_plain_json};

/// What a 409 says, if it says that the key was used for another payload.
///
/// Anything less clear means that the key is in progress: that is looked into, and costs no money.
pub(crate) fn key_used(response: &Response) -> Option<Vec<ApiError>> {
    let shape = Shape::read(response.status(), response.body());
    let errors = match shape.filter(|_| is_plain_json(response))? {
        Shape::Api(errors) => errors,
        Shape::Gateway(message) => vec![ApiError::message(&message)],
        Shape::Empty => return None,
    };
    let texts = || errors.iter().flat_map(|error| [Some(&error.message), error.code.as_ref()]);
    let words: String = texts().flatten().flat_map(|text| text.chars().chain([' '])).collect();
    let words = words.to_lowercase().replace(['_', '-'], " ");
    let says = |known: &[&str]| known.iter().any(|known| words.contains(known));
    (says(&USED) && !says(&IN_PROGRESS)).then_some(errors)
}

const USED: [&str; 12] = [
    "already used",
    "already been used",
    "another payload",
    "another request",
    "different body",
    "different parameters",
    "different payload",
    "different request",
    "does not match",
    "key reuse",
    "mismatch",
    "used with another",
];

const IN_PROGRESS: [&str; 6] =
    ["concurrent", "in flight", "in progress", "pending", "processing", "still being"];

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    #[test]
    fn only_clear_words_say_that_a_key_was_used() {
        for (body, used) in [
            (r#"{"status":409,"title":"The idempotency key was used with another payload"}"#, true),
            (
                r#"{"status":409,"title":"t","detail":"Keys can't be used for a different request"}"#,
                true,
            ),
            (r#"{"message":"Idempotency key already used with different parameters"}"#, true),
            (r#"{"status":409,"errors":[{"code":"idempotency_key_reuse"}]}"#, true),
            (
                r#"{"status":409,"title":"A request with this idempotency key is in progress"}"#,
                false,
            ),
            (
                r#"{"status":409,"title":"Key already used by a request that is still processing"}"#,
                false,
            ),
            (r#"{"status":409,"title":"Conflict"}"#, false),
            (r#"{"reason":"another payload"}"#, false), // nobody known says it like this
            (r#"<html>another payload</html>"#, false),
            ("", false),
        ] {
            let mut reply = http::Response::new(Bytes::from_static(body.as_bytes()));
            *reply.status_mut() = http::StatusCode::CONFLICT;
            assert_eq!(key_used(&reply).is_some(), used, "{body}");
        }
    }
}
