//! What must never be shown: tokens, credentials, and the personal data of an order.

use capture_core::driver::{
    Query, QueryStep, StatusQuery, Step, TokenAction, Tokens, TransportError,
};
use capture_core::wire::Response;
use capture_core::{BearerToken, Credentials, Environment, Outcome, Policy, Resend, Setup, wire};

use crate::driver::Say::{Lost as LOST, Reply};
use crate::driver::{Replies, Say, drive};
use crate::{api, base, capture, order, reply, token};

/// A token as the service makes them, but for a slash, which JSON may escape.
const TOKEN: &str = "eyJhbGciOiJIUzI1NiJ9.canary/token.c2lnbmF0dXJl";

/// The outcome after one reply to the one capture: nothing is looked up or sent again.
fn outcome_of(token: &BearerToken, answer: &Result<Response, TransportError>) -> Outcome {
    let policy = Policy::default().with_lookup(false).with_resend(Resend::Never);
    let policy = policy.with_deadline(std::time::Duration::ZERO);
    let now = base();
    let mut step = capture().start(&api(), &policy, now);
    for _ in 0..9 {
        step = match step {
            Step::Authorize(need) => need.authorized(token.clone(), now),
            Step::Send(_, open) => match answer {
                Ok(reply) => open.received(reply.clone(), now),
                Err(lost) => open.failed(lost, now),
            },
            Step::Wait(delay, open) => open.elapsed(now + delay),
            Step::Done(outcome) => return outcome,
        };
    }
    panic!("no end");
}

/// Everything about an outcome that a person, a log or a file may see, with the strings of
/// its raw replies decoded.
fn everything(outcome: &Outcome) -> String {
    let mut shown = format!("{outcome:?} {outcome:#?} {outcome} {}", outcome.next_step());
    if let Outcome::Unknown(ticket) = outcome {
        shown += &serde_json::to_string(ticket).expect("a ticket is plain");
    }
    for attempt in outcome.attempts() {
        shown += &serde_json::to_string(attempt).expect("an attempt is plain");
        shown += &attempt.reply_text().unwrap_or_default();
        let raw = attempt.raw_reply().unwrap_or_default();
        shown += &String::from_utf8_lossy(raw);
        if let Ok(json) = serde_json::from_slice::<serde_json::Value>(raw) {
            shown += &json.to_string();
        }
    }
    shown.to_ascii_lowercase()
}

fn check_hidden(secret: &str, response: Response) {
    let shown = everything(&outcome_of(&token(TOKEN), &Ok(response)));
    assert!(!shown.contains(&secret.to_ascii_lowercase()), "{shown}");
}

#[test]
fn a_reply_that_echoes_the_token_is_masked() {
    for (status, body) in [
        (200, r#"{"status":"TOKEN","success":true}"#),
        (200, r#"{"status":"FAILED","success":true,"errors":["it was TOKEN, TOKENTOKEN"]}"#),
        (200, r#"{"status":"FAILED","success":true,"errors":[{"item1":"TOKEN","item2":"TOKEN"}]}"#),
        (200, r#"{"status":"FAILED","success":true,"errors":{"TOKEN":["TOKEN"]}}"#),
        (200, r#"{"status":"SUCCESS","success":true,"result":"TOKEN"}"#),
        (400, r#"{"TraceId":["TOKEN"],"Authorization TOKEN":["TOKEN"]}"#),
        (400, r#"{"status":400,"title":"TOKEN"}"#),
        (403, r#"{"message":"TOKEN"}"#),
        (500, "<html>TOKEN</html>"),
    ] {
        check_hidden(TOKEN, reply(status, &[], body.replace("TOKEN", TOKEN)));
    }
}

/// JSON can spell the same text in many ways.
#[test]
fn an_escaped_echo_of_the_token_is_masked() {
    for spelled in
        [TOKEN.replace('/', r"\/"), TOKEN.replace('c', r"\u0063"), TOKEN.replace('/', r"\u002F")]
    {
        for body in [
            r#"{"status":"FAILED","success":true,"errors":["it was TOKEN"]}"#,
            r#"{"status":"TOKEN","success":true}"#,
            r#"{"status":"SUCCESS","success":true,"result":"TOKEN"}"#,
        ] {
            check_hidden(TOKEN, reply(200, &[], body.replace("TOKEN", &spelled)));
        }
    }
}

#[test]
fn an_echo_of_the_token_in_the_head_is_masked() {
    check_hidden(TOKEN, reply(500, &[("apigw-requestid", TOKEN)], ""));
    let plain = TOKEN.replace('/', "-"); // a host has no slash
    let location = format!("https://{plain}/");
    let response = reply(307, &[("location", &location)], "");
    let shown = everything(&outcome_of(&token(&plain), &Ok(response)));
    assert!(!shown.contains(&plain.to_ascii_lowercase()), "{shown}");
}

/// The head of a reply that broke off may echo it as well.
#[test]
fn an_echo_of_the_token_in_the_head_of_a_cut_reply_is_masked() {
    let headers = reply(200, &[("apigw-requestid", TOKEN)], "").headers().clone();
    let lost = TransportError::in_reply(http::StatusCode::OK, headers, "cut");
    let shown = everything(&outcome_of(&token(TOKEN), &Err(lost)));
    assert!(!shown.contains(&TOKEN.to_ascii_lowercase()), "{shown}");
}

/// A refused token is still a secret once its successor is in use.
#[test]
fn an_echo_of_the_refused_token_is_masked() {
    const OTHER: &str = "another-token-that-is-long";
    let head = |text| reply(401, &[("apigw-requestid", text)], "").headers().clone();
    for second in [
        Ok(reply(500, &[("apigw-requestid", TOKEN)], TOKEN)),
        Err(TransportError::maybe_sent(TOKEN)),
        Err(TransportError::in_reply(http::StatusCode::OK, head(TOKEN), TOKEN)),
    ] {
        let policy = Policy::default().with_lookup(false).with_resend(Resend::Never);
        let (mut answers, mut tokens) = (vec![second, Ok(reply(401, &[], ""))], vec![OTHER, TOKEN]);
        let mut step = capture().start(&api(), &policy, base());
        let outcome = loop {
            step = match step {
                Step::Authorize(need) => {
                    need.authorized(token(tokens.pop().expect("two are enough")), base())
                }
                Step::Send(_, open) => match answers.pop().expect("two are enough") {
                    Ok(reply) => open.received(reply, base()),
                    Err(lost) => open.failed(&lost, base()),
                },
                Step::Wait(..) => panic!("no wait"),
                Step::Done(outcome) => break outcome,
            };
        };
        assert_eq!(outcome.attempts().len(), 2);
        let shown = everything(&outcome);
        assert!(!shown.contains(&TOKEN.to_ascii_lowercase()), "{shown}");
    }
}

/// What [`StatusQuery`] hands out shows no token either, whichever of the two is echoed.
#[test]
fn an_echo_in_the_reply_to_a_status_query_is_masked() {
    const OTHER: &str = "another-token-that-is-long";
    for echo in [TOKEN, OTHER] {
        for answer in [
            Ok(reply(400, &[], format!(r#"{{"status":400,"title":"{echo}"}}"#))),
            Err(TransportError::maybe_sent(format!("bad header: {echo}"))),
        ] {
            let mut query = StatusQuery::new(&api(), order());
            let _ = query.request(token(TOKEN));
            assert!(matches!(query.received(Ok(reply(401, &[], ""))), QueryStep::Again(_)));
            let _ = query.request(token(OTHER));
            let QueryStep::Done(result) = query.received(answer) else { panic!("not a 401") };
            let error = result.expect_err("not an order");
            let shown = format!("{error:?} {error} {}", capture_core::one_line(&error));
            assert!(!shown.contains(echo), "{shown}");
        }
    }
}

/// The text of a transport error is not ours: it may repeat what was sent.
#[test]
fn an_error_that_holds_the_token_is_masked() {
    let text = || format!("bad header: Bearer {TOKEN}");
    for lost in [
        TransportError::maybe_sent(text()),
        TransportError::not_sent(text()),
        TransportError::cannot_be_sent(text()),
    ] {
        let shown = everything(&outcome_of(&token(TOKEN), &Err(lost)));
        assert!(!shown.contains(&TOKEN.to_ascii_lowercase()), "{shown}");
    }
}

/// A token that happens to be a word of the reply hides nothing that matters.
#[test]
fn masking_changes_no_meaning() {
    let contradiction = r#"{"captureStatus":"FAILED","status":"SUCCESS","success":true}"#;
    let success = r#"{"status":"SUCCESS","success":true}"#;
    for short in ["t", "true", "status", "SUCCESS", "captureStatus"] {
        let reason = |body| outcome_of(&token(short), &Ok(reply(200, &[], body))).code();
        assert_eq!(reason(success), "reply", "{short}");
        assert_eq!(reason(contradiction), "contradiction", "{short}");
    }
}

#[test]
fn nothing_that_holds_a_secret_shows_it() {
    let credentials = || Credentials::new("canary-key", "canary-secret").unwrap();
    let now = base();
    let mut tokens = Tokens::login(credentials());
    let login = tokens.ask(&api(), None, now, now);
    assert!(!format!("{login:?}").contains("canary"), "{login:?}");
    let TokenAction::Login(_, began) = login else { panic!("{login:?}") };
    let granted = wire::token::granted(&token("canary-token"), "canary-refresh", 0, "id");
    let grant = wire::token::read_reply(&granted).unwrap();
    let (taken, attempt) = tokens.logged_in(began, &Ok(granted), now);
    let taken = taken.unwrap();
    let mut query = StatusQuery::new(&api(), order());
    let request = query.request(token("canary-token"));
    assert!(matches!(query.received(Ok(reply(401, &[], ""))), QueryStep::Again(_)));
    for shown in [
        format!("{credentials:?}", credentials = credentials()),
        format!("{attempt:?} {}", serde_json::to_string(&attempt).unwrap()),
        format!("{tokens:?}"),
        format!("{:?}", tokens.ask(&api(), None, now, now)),
        format!("{grant:?} {taken:?} {:?}", taken.header()),
        format!("{query:?} {request:?}"),
        format!("{:?}", Setup::new(&Environment::Sandbox, credentials())),
        format!("{:?}", Setup::new(&Environment::Sandbox, token("canary-token"))),
        format!(
            "{:?}",
            TransportError::in_reply(http::StatusCode::OK, request.headers().clone(), "cut")
        ),
    ] {
        assert!(!shown.contains("canary"), "{shown}");
    }
}

/// A secret that a user types where none belongs is not repeated either.
#[test]
fn a_url_with_a_password_is_refused_and_not_shown() {
    for text in [
        "https://user:canary@api.example.com",
        "user:canary@api.example.com",
        "https:/user:canary@api.example.com",
        "HTTPS://canary@api.example.com/v1",
    ] {
        let error = text.parse::<Environment>().unwrap_err();
        assert!(!format!("{error} {error:?}").contains("canary"), "{error}");
    }
}

/// What a capture was answered is shown to an operator: short, escaped, without the token, and never
/// where it could be an order that strayed onto the wrong request.
#[test]
fn the_text_of_a_reply_is_safe_to_show() {
    let text = |status, body: &str| {
        let reply = Ok(reply(status, &[], body.to_owned()));
        outcome_of(&token(TOKEN), &reply).attempts()[0].reply_text()
    };
    let person = r#""firstName":"Canary","email":"canary@example.com""#;
    let order = format!(r#"{{"id":"5f1a3c5e-7c1d-4e0b-9d6a-0c4f5b6a7d81","status":7,{person}}}"#);
    for (status, body, shown) in [
        (500, r#"{"code":"E7","hint":"h"}"#, Some(r#"{"code":"E7","hint":"h"}"#)),
        (404, "<html>gone</html>", Some("<html>gone</html>")),
        (200, "<html>sign in</html>", Some("<html>sign in</html>")),
        (
            200,
            r#"{"status":"FAILED","success":true,"x":"y"}"#,
            Some(r#"{"status":"FAILED","success":true,"x":"y"}"#),
        ),
        (503, "a\nb\u{1b}[2J", Some(r"a\u{a}b\u{1b}[2J")),
        (500, " ", None),
        (200, r#"{"status":"SUCCESS","success":true}"#, None), // nobody needs it
        (200, order.as_str(), None),
        (202, order.as_str(), None),
        (200, &format!("\u{feff} {order}"), None),
        (200, &format!("[{order}]"), None),
        (200, &order[..60], None),
    ] {
        assert_eq!(text(status, body).as_deref(), shown, "{status} {body}");
    }
    let echo = text(500, &format!("refused: {TOKEN}")).unwrap();
    assert!(echo.starts_with("refused: ***") && !echo.contains(TOKEN), "{echo}");
    let long = text(500, &"\u{1b}".repeat(1 << 20)).unwrap();
    assert!(long.chars().count() <= 4096 * 6 + 1, "{}", long.len());
    assert_eq!(text(500, &"a".repeat(1 << 20)).unwrap().chars().count(), 4097);
    let binary = http::Response::builder().status(500).body(vec![0xff; 9].into()).unwrap();
    assert_eq!(outcome_of(&token(TOKEN), &Ok(binary)).attempts()[0].reply_text(), None);
}

/// The order object is full of personal data; an outcome holds its status and nothing else.
#[test]
fn personal_data_of_an_order_is_never_shown() {
    const FAILED: Say = Reply(200, &[], r#"{"status":"FAILED","success":true}"#);
    const PERSON: &str = r#""firstName":"Canary","email":"canary@example.com","billingAddress":{"city":"Canary"},"referenceNumber":"canary""#;
    let orders = [
        r#"{"id":"5f1a3c5e-7c1d-4e0b-9d6a-0c4f5b6a7d81","status":7,PERSON}"#,
        r#"{"id":"5f1a3c5e-7c1d-4e0b-9d6a-0c4f5b6a7d81","status":2,PERSON}"#,
        r#"{"id":"5f1a3c5e-7c1d-4e0b-9d6a-0c4f5b6a7d81","status":3,"statusName":"Odd",PERSON}"#,
        r#"{"id":"5f1a3c5e-7c1d-4e0b-9d6a-0c4f5b6a7d81","statusName":"Odd",PERSON}"#,
        r#"{"id":"canary","status":7,PERSON}"#,
        r#"{"status":400,"title":"canary","errors":{"canary":["canary"]},PERSON}"#,
        "<html>canary",
    ];
    let mut seen = Vec::new();
    for status in [200, 400, 500] {
        for body in orders {
            let body: &'static str = body.replace("PERSON", PERSON).leak();
            let lookups: &'static [Say] = vec![Reply(status, &[], body)].leak();
            for captures in [&[FAILED][..], &[LOST]] {
                let start = base();
                let step = capture().start(&api(), &Policy::default(), start);
                let outcome = drive(step, start, &mut Replies::new(captures, lookups, &[])).outcome;
                let shown = everything(&outcome).replace(crate::driver::CANARY, "");
                assert!(!shown.contains("canary"), "{shown}");
                seen.push(outcome.name());
            }
        }
    }
    for outcome in ["captured", "not_captured", "unknown"] {
        assert!(seen.contains(&outcome), "{outcome}");
    }
}
