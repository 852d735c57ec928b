//! The token machine: one token for all, one login per refused token.

use std::time::{Duration, SystemTime};

use capture_core::driver::{Now, TokenAction, Tokens, TransportError};
use capture_core::wire::Response;
use capture_core::{Attempt, BearerToken, Credentials, Finding, Operation, TokenError, wire};

use crate::{api, base, reply, token};

fn by_login() -> Tokens {
    Tokens::login(Credentials::new("key", "secret").unwrap())
}

/// A grant at a known date of the server, valid for this many seconds.
fn granted(text: &str, seconds: u64) -> Response {
    let date = SystemTime::UNIX_EPOCH + Duration::from_secs(1_788_000_000);
    let expires = (1_788_000_000 + seconds) * 1000;
    let mut response = wire::token::granted(&token(text), "refresh", expires, "id");
    let date = httpdate::fmt_http_date(date).parse().unwrap();
    response.headers_mut().insert(http::header::DATE, date);
    response
}

/// What the next caller gets, in one word.
fn ask(tokens: &mut Tokens, refused: Option<&BearerToken>, asked: Now, now: Now) -> String {
    match tokens.ask(&api(), refused, asked, now) {
        TokenAction::Use(token) => token.expose().to_owned(),
        TokenAction::Login(..) => "login".into(),
        TokenAction::Fail(why) => format!("denied: {why}"),
    }
}

/// Logs in at one moment, and gets this reply at another.
fn log_in(
    tokens: &mut Tokens,
    refused: Option<&BearerToken>,
    (asked, answered): (Now, Now),
    answer: &Result<Response, TransportError>,
) -> (Result<BearerToken, TokenError>, Attempt) {
    let TokenAction::Login(_, login) = tokens.ask(&api(), refused, asked, asked) else {
        panic!("a login is due");
    };
    tokens.logged_in(login, answer, answered)
}

#[test]
fn a_token_is_used_until_shortly_before_its_end() {
    for (seconds, good_for) in [
        (600, 570), // a margin of 30 s
        (900, 570), // never longer than its documented life
        (100, 80),  // a short life has a small margin
        (10, 8),
    ] {
        let start = base();
        let mut tokens = by_login();
        // The life counts from the request, however long the reply took.
        let arrived = start + Duration::from_secs(3);
        let answer = Ok(granted("first", seconds));
        let first = log_in(&mut tokens, None, (start, arrived), &answer).0.unwrap();
        assert_eq!(first, token("first"));
        let end = start + Duration::from_secs(good_for);
        let before = start + Duration::from_millis(good_for * 1000 - 1);
        assert_eq!(ask(&mut tokens, None, before, before), "first", "{seconds}");
        assert_eq!(ask(&mut tokens, None, end, end), "login", "{seconds}");
    }
}

#[test]
fn a_refused_token_causes_one_login_for_all() {
    let start = base();
    let at = |seconds| start + Duration::from_secs(seconds);
    let (first, second) = (token("first"), token("second"));
    let mut tokens = by_login();
    log_in(&mut tokens, None, (at(0), at(1)), &Ok(granted("first", 600))).0.unwrap();
    for _ in 0..3 {
        assert_eq!(ask(&mut tokens, None, at(1), at(1)), "first");
    }
    log_in(&mut tokens, Some(&first), (at(2), at(4)), &Ok(granted("second", 600))).0.unwrap();
    // These asked during the login, and waited for it.
    for _ in 0..1000 {
        assert_eq!(ask(&mut tokens, Some(&first), at(3), at(4)), "second");
        assert_eq!(ask(&mut tokens, None, at(3), at(4)), "second");
    }
    assert_eq!(ask(&mut tokens, Some(&second), at(5), at(5)), "login");
}

#[test]
fn a_failed_login_is_shared_by_those_who_waited_for_it() {
    let start = base();
    let at = |seconds| start + Duration::from_secs(seconds);
    let mut tokens = by_login();
    let unavailable = Ok(reply(503, &[], ""));
    let why = log_in(&mut tokens, None, (at(0), at(9)), &unavailable).0.unwrap_err();
    for asked in [0, 5, 9] {
        assert_eq!(ask(&mut tokens, None, at(asked), at(9)), format!("denied: {why}"));
    }
    // A later caller tries again.
    log_in(&mut tokens, None, (at(10), at(11)), &Ok(granted("first", 600))).0.unwrap();
    assert_eq!(ask(&mut tokens, None, at(5), at(11)), "first", "success ends the failure");
}

/// A refused token is never handed out again, even while there is no other.
#[test]
fn a_refused_token_is_not_handed_out_again() {
    let start = base();
    let at = |seconds| start + Duration::from_secs(seconds);
    let first = token("first");
    let mut tokens = by_login();
    log_in(&mut tokens, None, (at(0), at(0)), &Ok(granted("first", 600))).0.unwrap();
    let unavailable = Ok(reply(503, &[], ""));
    log_in(&mut tokens, Some(&first), (at(1), at(2)), &unavailable).0.unwrap_err();
    assert_eq!(ask(&mut tokens, None, at(3), at(3)), "login");
}

#[test]
fn an_abandoned_login_harms_nobody() {
    let start = base();
    let later = start + Duration::from_secs(100);
    let mut tokens = by_login();
    assert_eq!(ask(&mut tokens, None, start, start), "login");
    log_in(&mut tokens, None, (later, later), &Ok(granted("first", 600))).0.unwrap();
    let almost = later + Duration::from_secs(569);
    assert_eq!(ask(&mut tokens, None, almost, almost), "first");
}

#[test]
fn a_token_of_your_own_cannot_be_renewed() {
    let now = base();
    let year = now + Duration::from_secs(365 * 86_400);
    let own = token("own");
    let mut tokens = Tokens::own(own.clone());
    assert_eq!(ask(&mut tokens, None, now, now), "own");
    assert_eq!(ask(&mut tokens, None, year, year), "own", "it has no known end");
    let denied = format!("denied: {}", TokenError::NoOther);
    assert_eq!(ask(&mut tokens, Some(&own), now, now), denied);
}

#[test]
fn every_reply_to_a_login() {
    const OVER: &[(&str, &str)] = &[("retry-after", "7")];
    let wait = Some(Duration::from_secs(7));
    for (answer, lasting, retry_after, why) in [
        (Ok(reply(400, &[], "")), true, None, "the API refused the credentials (status 400)"),
        (Ok(reply(401, &[], "")), true, None, "(status 401)"),
        (Ok(reply(403, &[], r#"{"message":"Forbidden"}"#)), true, None, "(status 403)"),
        (Ok(reply(404, &[], "")), true, None, "(status 404)"),
        (Ok(reply(408, &[], "")), false, None, "status 408"),
        (Ok(reply(429, OVER, "")), false, wait, "status 429"),
        (Ok(reply(500, &[], "")), false, None, "status 500"),
        (Ok(reply(503, OVER, "")), false, wait, "status 503"),
        (Ok(reply(200, &[], "")), true, None, "no usable token"),
        (Ok(reply(200, &[], "<html>")), true, None, "no usable token"),
        (Ok(reply(200, &[], r#"{"accessToken":"a\r\nb"}"#)), true, None, "no usable token"),
        (
            Ok(reply(200, &[], r#"{"accessToken":"a","AccessToken":"b"}"#)),
            true,
            None,
            "no usable token",
        ),
        (Ok(reply(302, &[], "")), true, None, "status 302"),
        (Err(TransportError::not_sent("refused")), false, None, "was not sent (refused)"),
        (Err(TransportError::maybe_sent("reset")), false, None, "(reset)"),
        (
            Err(TransportError::not_sent_for_good("bad certificate")),
            true,
            None,
            "cannot be sent: bad certificate",
        ),
    ] {
        let now = base();
        let mut tokens = by_login();
        let (result, attempt) = log_in(&mut tokens, None, (now, now), &answer);
        let denied = result.unwrap_err();
        assert_eq!(
            (attempt.operation, &attempt.finding),
            (Operation::Login, &Finding::NoToken(denied.clone()))
        );
        assert_eq!(attempt.status, answer.as_ref().ok().map(|reply| reply.status().as_u16()));
        assert!(denied.to_string().contains(why), "{denied}");
        assert_eq!(denied.is_lasting(), lasting, "{denied}");
        let told = match &denied {
            TokenError::Unavailable { retry_after, .. } => *retry_after,
            _ => None,
        };
        assert_eq!(told, retry_after, "{denied}");
    }
}
