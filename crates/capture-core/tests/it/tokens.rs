//! The token machine: one token for all, one login per refused token.

use std::time::{Duration, SystemTime};

use capture_core::driver::{Now, Step, TokenAction, Tokens, TransportError};
use capture_core::wire::Response;
use capture_core::{
    Attempt, BearerToken, Credentials, Finding, Operation, Outcome, Phase, Policy, TokenError, wire,
};

use crate::driver::Say::{self, Lost, Reply};
use crate::driver::{Replies, drive};
use crate::{api, base, capture, reply, token};

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

/// A caller that waited for another's login before its own: the record shows its own alone.
#[test]
fn a_login_begins_when_it_is_sent() {
    let start = base();
    let at = |seconds| start + Duration::from_secs(seconds);
    let mut tokens = by_login();
    let TokenAction::Login(_, login) = tokens.ask(&api(), None, at(0), at(9)) else {
        panic!("a login is due");
    };
    let (_, attempt) = tokens.logged_in(login, &Ok(granted("first", 600)), at(10));
    assert_eq!((attempt.began_ms, attempt.took_ms), (1_788_000_009_000, 1_000));
    // The token's life counts from then as well.
    assert_eq!(ask(&mut tokens, None, at(578), at(578)), "first");
}

/// Only two refused tokens in a row end a capture: what happens in between shows that one was good.
#[test]
fn refusals_of_a_token_count_only_in_a_row() {
    const UNAUTHORIZED: Say = Reply(401, &[], "");
    const SUCCESS: Say = Reply(200, &[], r#"{"status":"SUCCESS","success":true}"#);
    const WAITING: Say =
        Reply(200, &[], r#"{"id":"5f1a3c5e-7c1d-4e0b-9d6a-0c4f5b6a7d81","status":5}"#);
    let rows: [(&'static [Say], &'static [Say], &str); 3] = [
        (&[UNAUTHORIZED, Reply(429, &[], ""), UNAUTHORIZED, SUCCESS], &[], "A C A C C A C"),
        (&[Lost, UNAUTHORIZED, SUCCESS], &[UNAUTHORIZED, WAITING], "A C L A L C A C"),
        (&[Lost, SUCCESS], &[UNAUTHORIZED, Lost, UNAUTHORIZED, WAITING], "A C L A L L A L C"),
    ];
    for (captures, lookups, trace) in rows {
        let step = capture().start(&api(), &Policy::default(), base());
        let run = drive(step, base(), &mut Replies::new(captures, lookups, &[]));
        assert_eq!(run.line(), format!("captured reply: {trace}"));
    }
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
    const PAGE: &[(&str, &str)] = &[("content-type", "text/html; charset=utf-8")];
    const FORBIDDEN: &str = r#"{"message":"Forbidden"}"#;
    let never = || TransportError::cannot_be_sent("invalid peer certificate: UnknownIssuer");
    let wait = Some(Duration::from_secs(7));
    for (answer, code, lasting, retry_after, says) in [
        (Ok(reply(400, &[], "")), "credentials_refused", true, None, "(status 400)"),
        (Ok(reply(401, &[], "")), "credentials_refused", true, None, "(status 401)"),
        (Ok(reply(400, PAGE, "The plain HTTP")), "login_not_the_api", true, None, "(status 400)"),
        (Ok(reply(401, &[], " <html>")), "login_not_the_api", true, None, "(status 401)"),
        (Ok(reply(403, &[], FORBIDDEN)), "login_blocked", true, None, "(status 403)"),
        (Ok(reply(403, PAGE, "challenge")), "login_blocked", true, None, "a firewall"),
        (Ok(reply(404, &[], "")), "login_not_the_api", true, None, "(status 404)"),
        (Ok(reply(404, PAGE, "<html>")), "login_not_the_api", true, None, "(status 404)"),
        (Ok(reply(405, &[], "")), "login_not_the_api", true, None, "(status 405)"),
        (Ok(reply(302, &[], "")), "login_not_the_api", true, None, "(status 302)"),
        (Ok(reply(408, &[], "")), "login_unavailable", false, None, "status 408"),
        (Ok(reply(429, &[], "")), "login_throttled", false, None, "(status 429)"),
        (Ok(reply(429, OVER, "")), "login_throttled", false, wait, "asks to wait 7 s"),
        (Ok(reply(500, &[], "")), "login_unavailable", false, None, "status 500"),
        (Ok(reply(503, OVER, "")), "login_unavailable", false, wait, "asks to wait 7 s"),
        (Ok(reply(503, PAGE, "challenge")), "login_page", false, None, "a firewall"),
        (Ok(reply(501, &[], "")), "login_not_the_api", true, None, "(status 501)"),
        (Ok(reply(200, &[], "")), "login_without_token", true, None, "no usable token"),
        (Ok(reply(200, &[], "<html>")), "login_not_the_api", true, None, "not the API"),
        (
            Ok(reply(200, &[], r#"{"accessToken":"a\r\nb"}"#)),
            "login_without_token",
            true,
            None,
            "no usable token",
        ),
        (
            Ok(reply(200, &[], r#"{"accessToken":"a","AccessToken":"b"}"#)),
            "login_without_token",
            true,
            None,
            "no usable token",
        ),
        (
            Err(TransportError::not_sent("Connection refused")),
            "login_not_sent",
            false,
            None,
            "was not sent: Connection refused",
        ),
        (Err(TransportError::maybe_sent("reset")), "login_no_reply", false, None, "(reset)"),
        (Err(never()), "login_not_sent", true, None, "cannot be sent: invalid peer certificate"),
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
        assert!(denied.to_string().contains(says), "{denied}");
        assert_eq!((denied.code(), denied.is_lasting()), (code, lasting), "{denied}");
        assert_eq!(denied.retry_after(), retry_after, "{denied}");
        let stored = serde_json::to_string(&denied).unwrap();
        assert_eq!(serde_json::from_str::<TokenError>(&stored).unwrap(), denied);
    }
}

/// The gateway's id finds a login whose reply broke off.
#[test]
fn the_head_of_a_cut_login_is_kept() {
    let (head, _) = reply(504, &[("apigw-requestid", "id-7")], "").into_parts();
    let cut = Err(TransportError::in_reply(head.status, head.headers, "reset"));
    let (_, attempt) = log_in(&mut by_login(), None, (base(), base()), &cut);
    let head = (attempt.phase, attempt.status, attempt.request_id.as_deref());
    assert_eq!(head, (Phase::CutReply, Some(504), Some("id-7")));
}

/// It holds the token, so neither it nor its digest is in the record.
#[test]
fn the_reply_to_a_login_is_not_kept() {
    let answer = Ok(granted("first", 600));
    let (_, attempt) = log_in(&mut by_login(), None, (base(), base()), &answer);
    assert_eq!((attempt.raw_reply(), attempt.reply_sha1()), (None, None));
}

/// Only wrong credentials are called that; the advice follows the cause.
#[test]
fn the_advice_follows_the_cause() {
    let refused = || TransportError::not_sent("tcp connect error: Connection refused");
    for (answer, cause, advice) in [
        (Ok(reply(400, &[], "")), "credentials_refused", "Check the app key and secret"),
        (Ok(reply(404, &[], "")), "login_not_the_api", "Check the environment"),
        (Ok(reply(403, &[], "<")), "login_blocked", "firewall"),
        (Ok(reply(429, &[], "")), "login_throttled", "Wait"),
        (Ok(reply(503, &[], "")), "login_unavailable", "Wait"),
        (Ok(reply(503, &[], "<")), "login_page", "firewall"),
        (Err(refused()), "connection_refused", "nothing listens there"),
        (Err(TransportError::not_sent("dns error")), "name_not_resolved", "host name"),
        (Err(TransportError::not_sent("tls handshake eof")), "not_tls", "Check the port"),
    ] {
        let (now, mut tokens) = (base(), by_login());
        let denied = log_in(&mut tokens, None, (now, now), &answer).0.unwrap_err();
        let is_about_credentials = denied.advice().contains("secret");
        assert_eq!(is_about_credentials, denied.code() == "credentials_refused", "{denied}");
        let outcome = without_token(&denied);
        assert_eq!(outcome.cause(), Some(cause), "{outcome}");
        assert!(outcome.next_step().contains(advice), "{outcome}: {}", outcome.next_step());
        assert!(outcome.next_step().contains("the same key"), "{}", outcome.next_step());
    }
}

/// The outcome of a capture whose login fails like this until the deadline.
fn without_token(error: &TokenError) -> Outcome {
    let mut now = base();
    let mut step = capture().start(&api(), &Policy::default(), now);
    loop {
        step = match step {
            Step::Authorize(need) => need.no_token(error.clone(), now),
            Step::Wait(delay, waiting) => {
                now += delay;
                waiting.elapsed(now)
            }
            Step::Send(..) => panic!("there is no token"),
            Step::Done(outcome) => return outcome,
        }
    }
}

/// A capture that logs in has the login in its record, before what it sends with the token.
#[test]
fn a_login_is_recorded_by_the_capture_that_made_it() {
    let (_, login) = log_in(&mut by_login(), None, (base(), base()), &Ok(granted("first", 600)));
    let step = capture().start(&api(), &Policy::default(), base());
    let Step::Authorize(mut need) = step else { panic!("a token is needed first") };
    need.log_login(login.clone());
    assert_eq!(need.authorized(token("first"), base()).attempts(), [login]);
}
