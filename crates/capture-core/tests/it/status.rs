//! The order's status without a capture: queried once, and up to twice more if the token is refused.

use std::time::Duration;

use capture_core::driver::{Query, QueryStep, StatusQuery};
use capture_core::wire::order::OrderStatus;
use capture_core::{StatusError, TokenError};

use crate::driver::Say::{self, Lost, NotSent, Reply};
use crate::{api, order, reply, token};

/// The replies in order; the result in one line. Another token is wanted once, and its clock may be
/// ahead.
fn ask(replies: &[Say]) -> String {
    let mut query = StatusQuery::new(&api(), order());
    let pauses = [0, 2].map(Duration::from_secs);
    for (n, say) in replies.iter().enumerate() {
        let name = ["first", "second", "second"][n];
        let request = query.request(token(name));
        assert_eq!(request.headers()["authorization"], format!("Bearer {name}"));
        match query.received(say.result()) {
            QueryStep::Done(Ok(order)) => return order.status.to_string(),
            QueryStep::Done(Err(error)) => return error.to_string(),
            QueryStep::Again(delay) => assert_eq!(delay, pauses[n]),
        }
        let refused = (n == 0).then(|| token("first"));
        assert_eq!(query.token_request().refused, refused.as_ref());
    }
    "another token is wanted".into()
}

/// A token of one's own may be so new that the API's clock has not reached it.
#[test]
fn the_only_token_is_tried_once_more() {
    let mut query = StatusQuery::new(&api(), order());
    let _ = query.request(token("own"));
    let again = query.received(Reply(401, &[], "").result());
    assert!(matches!(again, QueryStep::Again(Duration::ZERO)));
    let again = query.no_token(TokenError::NoOther);
    assert!(matches!(again, QueryStep::Again(delay) if delay == Duration::from_secs(2)));
    assert_eq!(query.token_request().refused, None);
    let _ = query.request(token("own"));
    let end = query.received(Reply(401, &[], "").result());
    assert!(matches!(end, QueryStep::Done(Err(StatusError::Unauthorized))));
    assert!(matches!(query.no_token(TokenError::NoOther), QueryStep::Done(Err(_))));
}

#[test]
fn every_reply() {
    const COMPLETED: Say = Reply(200, &[], BODY);
    const BODY: &str = r#"{"id":"5f1a3c5e-7c1d-4e0b-9d6a-0c4f5b6a7d81","status":7}"#;
    const UNAUTHORIZED: Say = Reply(401, &[], "");
    const FORBIDDEN: Say = Reply(403, &[], r#"{"message":"Forbidden"}"#);
    for (replies, expected) in [
        (&[COMPLETED][..], "Completed"),
        (&[UNAUTHORIZED, COMPLETED], "Completed"),
        (&[UNAUTHORIZED], "another token is wanted"),
        (&[UNAUTHORIZED, UNAUTHORIZED], "another token is wanted"),
        (&[UNAUTHORIZED, UNAUTHORIZED, COMPLETED], "Completed"),
        (&[UNAUTHORIZED, UNAUTHORIZED, UNAUTHORIZED], "the API refused the bearer token"),
        (&[FORBIDDEN, COMPLETED], "Completed"),
        (&[FORBIDDEN, FORBIDDEN, FORBIDDEN], "(status 403) does not describe"),
        (&[Lost], "no complete reply came"),
        (&[Reply(404, &[], r#"{"title":"t","status":404}"#)], "refused the request (status 404)"),
        (&[Reply(404, &[], r#"{"message":"Not Found"}"#)], "(status 404) does not describe"),
        (&[Reply(500, &[], r#"{"title":"t","status":500}"#)], "shows no order now (status 500)"),
        (&[Reply(429, &[("retry-after", "900")], "")], "(status 429); it asks to wait 900 s"),
        (&[Reply(202, &[], BODY)], "(status 202) does not describe"),
        (&[Reply(200, &[], r#"{"status":7}"#)], "(status 200) does not describe"),
        (
            &[Reply(
                200,
                &[],
                r#"{"id":"5f1a3c5e-7c1d-4e0b-9d6a-0c4f5b6a7d81","status":"7","statusName":"Paid"}"#,
            )],
            r#"the reply is unreadable: the member "status" is "7", which means nothing here"#,
        ),
        (&[Reply(200, &[("content-encoding", "gzip")], BODY)], "does not describe"),
    ] {
        let line = ask(replies);
        assert!(line.contains(expected), "{expected}: {line}");
    }
    assert_eq!(OrderStatus::Other(Some(9)).to_string(), "status 9");
}

/// Each error has a name for machines, advice for people, and the wait that the API asked for.
#[test]
fn every_error_names_its_cause_and_what_to_do() {
    let ended = |reply: Say| {
        let mut query = StatusQuery::new(&api(), order());
        let _ = query.request(token("own"));
        match query.received(reply.result()) {
            QueryStep::Done(Err(error)) => error,
            other => panic!("{other:?}"),
        }
    };
    let throttled = TokenError::Throttled { retry_after: Some(Duration::from_secs(9)) };
    for (error, cause, wait, advice) in [
        (ended(Lost), "no_reply", None, "Check the network to the API"),
        (ended(NotSent), "connection_refused", None, "Check the host and the port"),
        (ended(Reply(429, &[("retry-after", "900")], "")), "throttled", Some(900), "Wait until"),
        (ended(Reply(500, &[], "")), "unavailable", None, "Wait until the API works again"),
        (ended(Reply(204, &[], "")), "not_the_order", None, "URL leads to the API"),
        (
            ended(Reply(404, &[], r#"{"title":"t","status":404}"#)),
            "refused",
            None,
            "Check the order id",
        ),
        (throttled.into(), "login_throttled", Some(9), "Wait until the API accepts logins"),
        (StatusError::Unauthorized, "unauthorized", None, "Check the credentials"),
    ] {
        let told = (error.cause(), error.retry_after().map(|wait| wait.as_secs()));
        assert_eq!(told, (cause, wait), "{error}");
        assert!(error.advice().contains(advice), "{error}: {}", error.advice());
    }
}

#[test]
fn an_echo_of_the_token_is_masked() {
    const TOKEN: &str = "eyJhbGciOiJIUzI1NiJ9.canary.c2lnbmF0dXJl";
    let mut query = StatusQuery::new(&api(), order());
    let _ = query.request(token(TOKEN));
    let body =
        r#"{"success":false,"status":"FAILED","errors":["it was TOKEN"]}"#.replace("TOKEN", TOKEN);
    match query.received(Ok(reply(400, &[], body))) {
        QueryStep::Done(Err(error @ StatusError::Refused(..))) => {
            assert!(!format!("{error} {error:?}").contains("canary"), "{error:?}");
        }
        other => panic!("{other:?}"),
    }
}
