//! Whether a server seems not to have read the body of a capture at all.
//!
//! Express, Fastify and prism read `application/json`, and no body under the contract's literal
//! `application/*+json`. What they say then looks like a mistake in the request, while another
//! content type is what helps. Nothing is decided by it: it chooses the advice.

use memchr::memmem;

use crate::reason::{Doubt, Reason};
use crate::verdict::Verdict;
use crate::wire::error::ApiError;

/// One clause of advice.
pub(crate) const ADVICE: &str = "Send the body as application/json (ContentType::Json, --content-type application/json), because a server that does not read application/*+json, as Express, Fastify and prism do not, sees no body";

/// Whether this reply to a complete capture complains of a body that is missing, or of its type.
pub(crate) fn seems_unread(verdict: &Verdict, body: &[u8]) -> bool {
    match verdict {
        Verdict::Refused(Reason::Rejected(415, _)) | Verdict::Ambiguous(Doubt::Status(415), _) => {
            true
        }
        Verdict::Refused(Reason::Rejected(400 | 422, errors) | Reason::Declined(errors)) => {
            is_about_the_body(errors)
        }
        // JSON that the API is not known to send: that of another stack.
        Verdict::Ambiguous(Doubt::Status(400 | 422), _) => {
            body.trim_ascii_start().starts_with(b"{")
        }
        // What Node says where code takes a body apart that is not there.
        Verdict::Ambiguous(Doubt::Status(500), _) => {
            ["Cannot destructure property", "Cannot read property", "Cannot read properties"]
                .iter()
                .any(|says| memmem::find(body, says.as_bytes()).is_some())
        }
        _ => false,
    }
}

/// Both ids are in every body and are well-formed: where both are refused, neither was read.
fn is_about_the_body(errors: &[ApiError]) -> bool {
    let names = |name: &str| {
        let has = |text: &str| text.to_ascii_lowercase().contains(name);
        errors.iter().any(|error| error.field.as_deref().is_some_and(has) || has(&error.message))
    };
    let lacks_body = errors.iter().any(|error| {
        let says = error.message.to_ascii_lowercase();
        let is_missing = ["required", "empty", "missing", "no "].iter().any(|it| says.contains(it));
        is_missing && (says.contains("request body") || says.contains("non-empty"))
    });
    lacks_body || (names("orderid") && names("idempotencykey"))
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::{Response, StatusCode};

    use super::*;
    use crate::values::{Capture, IdempotencyKey, Money};

    #[test]
    fn the_words_of_other_stacks() {
        let order = "5f1a3c5e-7c1d-4e0b-9d6a-0c4f5b6a7d81".parse().unwrap();
        let money = Money::parse("100.00", "USD").unwrap();
        let capture = Capture::new(order, money, IdempotencyKey::for_order(order));
        for (status, body, unread) in [
            // prism
            (415, r#"{"title":"Invalid content type","status":415}"#, true),
            (
                422,
                r#"{"title":"Invalid request","status":422,"errors":["Request body is required"]}"#,
                true,
            ),
            // Fastify
            (
                415,
                r#"{"statusCode":415,"message":"Unsupported Media Type: application/*+json"}"#,
                true,
            ),
            (400, r#"{"statusCode":400,"message":"body must be object"}"#, true),
            // Express, with whatever checks the fields
            (400, r#"{"error":"orderId is required"}"#, true),
            (
                500,
                "<pre>TypeError: Cannot destructure property 'orderId' of 'req.body'</pre>",
                true,
            ),
            (500, "<pre>TypeError: Cannot read property 'orderId' of undefined</pre>", true),
            (500, "<pre>TypeError: Cannot read properties of undefined</pre>", true),
            (500, "<pre>Internal Server Error</pre>", false),
            (400, "<html>Request blocked</html>", false),
            // ASP.NET
            (400, r#"{"TraceId":["t"],"":["A non-empty request body is required."]}"#, true),
            (400, r#"{"TraceId":["t"],"OrderId":["m"],"IdempotencyKey":["m"]}"#, true),
            (400, r#"{"TraceId":["t"],"OrderId":["m"]}"#, false),
            (422, r#"{"title":"t","status":422,"errors":{"Amount":["is required"]}}"#, false),
            (404, r#"{"title":"Not Found","status":404}"#, false),
            (
                200,
                r#"{"status":"FAILED","success":true,"errors":["orderId and idempotencyKey are required"]}"#,
                true,
            ),
            (200, r#"{"status":"FAILED","success":true,"errors":["card expired"]}"#, false),
            (200, r#"{"status":"SUCCESS","success":true}"#, false),
        ] {
            let mut reply = Response::new(Bytes::from_static(body.as_bytes()));
            *reply.status_mut() = StatusCode::from_u16(status).unwrap();
            let verdict = Verdict::of(&capture, &reply);
            assert_eq!(
                seems_unread(&verdict, body.as_bytes()),
                unread,
                "{status} {body}: {verdict}"
            );
        }
    }
}
