//! The order's status without a capture: queried once, and once more with another token.

use capture_core::StatusError;
use capture_core::driver::StatusQuery;
use capture_core::wire::order::OrderStatus;

use crate::driver::Say::{self, Lost, Reply};
use crate::{api, order, reply, token};

/// The replies in order, each to its own token; the result in one line.
fn ask(replies: &[Say]) -> String {
    let mut query = StatusQuery::new(&api(), order());
    for (say, name) in replies.iter().zip(["first", "second", "third"]) {
        let request = query.request(token(name));
        assert_eq!(request.headers()["authorization"], format!("Bearer {name}"));
        match query.answered(say.result()) {
            Some(Ok(status)) => return status.to_string(),
            Some(Err(error)) => return error.to_string(),
            None => assert_eq!(query.token_request().refused, Some(&token(name))),
        }
    }
    "another token is wanted".into()
}

#[test]
fn every_reply() {
    const COMPLETED: Say = Reply(200, &[], BODY);
    const BODY: &str = r#"{"id":"5f1a3c5e-7c1d-4e0b-9d6a-0c4f5b6a7d81","status":7}"#;
    const UNAUTHORIZED: Say = Reply(401, &[], "");
    for (replies, expected) in [
        (&[COMPLETED][..], "Completed"),
        (&[UNAUTHORIZED, COMPLETED], "Completed"),
        (&[UNAUTHORIZED], "another token is wanted"),
        (&[UNAUTHORIZED, UNAUTHORIZED], "the API refused the bearer token"),
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

#[test]
fn an_echo_of_the_token_is_masked() {
    const TOKEN: &str = "eyJhbGciOiJIUzI1NiJ9.canary.c2lnbmF0dXJl";
    let mut query = StatusQuery::new(&api(), order());
    let _ = query.request(token(TOKEN));
    let body =
        r#"{"success":false,"status":"FAILED","errors":["it was TOKEN"]}"#.replace("TOKEN", TOKEN);
    match query.answered(Ok(reply(400, &[], body))) {
        Some(Err(error @ StatusError::Refused(..))) => {
            assert!(!format!("{error} {error:?}").contains("canary"), "{error:?}");
        }
        other => panic!("{other:?}"),
    }
}
