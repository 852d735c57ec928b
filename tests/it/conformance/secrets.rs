//! Canaries: tokens, key, secret and personal data are in nothing that is shown, stored or logged,
//! even where a reply echoes them (fault 85).
//!
//! A child process runs rows with every library's log at its most talkative, and prints all that it
//! can lay hands on; the parent searches all of it.

use std::panic::catch_unwind;
use std::sync::Once;
use std::time::Duration;

use capture_core::{Outcome, Step};
use capture_sandbox::PERSONAL_DATA;

use super::drivers::{Driver, side_by_side};
use super::proxy::{again, is_child, succeeds};
use super::replies::{json, order_body, with};
use super::rows::{self, Row, on_capture, setup};
use super::tls::Authority;
use super::wire::{Act, Do, Script, Server};
use super::{ORDER, capture};

/// Every secret that the rows use begins with one of these.
const SECRETS: [&str; 5] =
    ["canary-token", "canary-own-token", "canary-refresh-token", "canary/key", "canary/secret"];

pub(crate) fn check<D: Driver>(module: &str) {
    if is_child() {
        return show_everything::<D>();
    }
    let printed = succeeds(&mut again(module, "no_secret_is_shown_or_logged"));
    for secret in SECRETS.iter().chain(&PERSONAL_DATA) {
        if let Some(at) = printed.find(secret) {
            let around = |at: usize| (0..=at).rev().find(|at| printed.is_char_boundary(*at));
            let (from, to) =
                (around(at.saturating_sub(300)), around((at + 100).min(printed.len() - 1)));
            let excerpt = &printed[from.unwrap_or(0)..to.unwrap_or(at)];
            panic!("{secret} was shown:\n{excerpt}");
        }
    }
    assert_eq!(printed.contains("the wire itself is logged"), D::LOGS_THE_WIRE);
    // Else nothing was searched.
    for proof in [
        "[log] TRACE rustls",
        "Debug of the client",
        "Captured(Receipt",
        "panicked at",
        "\"doubt\"",
    ] {
        assert!(printed.contains(proof), "nothing printed {proof}");
    }
}

/// Replies that hold our own secrets, in every place that something is shown of.
fn echoes() -> Vec<Row> {
    let token = "canary-token-number-0";
    let say = |reply: Vec<u8>| on_capture([Act::say(reply)]);
    let everywhere = format!("apigw-requestid: {token}\r\nset-cookie: {token}\r\n");
    let failed = format!(r#"{{"status":"FAILED","success":true,"errors":["{token}"]}}"#);
    let word = format!(r#"{{"status":"{token}","success":true}}"#);
    let problem =
        format!(r#"{{"title":"{token}","status":400,"errors":{{"{token}":["{token}"]}}}}"#);
    let login = |reply: Vec<u8>| Script { token: vec![Act::say(reply)], ..Script::default() };
    let order = json(200, &order_body(ORDER, 7));
    [
        ("in the errors", say(json(200, &failed))),
        ("as the word", say(json(200, &word))),
        ("in problem details", say(json(400, &problem))),
        ("in the headers", say(with(500, &everywhere, token))),
        ("in a redirect", say(with(302, &format!("location: https://{token}.example/\r\n"), ""))),
        ("in a page", say(with(200, "content-type: text/html\r\n", token))),
        ("in a chunk size", say(super::replies::chunked(token))),
        (
            "in a header that is none",
            say(format!("HTTP/1.1 200 OK\r\n{token} {token}\r\n\r\n").into()),
        ),
        ("in the status line", say(format!("HTTP/1.1 200 {token}\r\n\r\n").into())),
        ("in a login's refusal", login(json(400, r#"{"message":"canary/key+= canary/secret+="}"#))),
        ("in a login's garbage", login(b"canary/secret+=\r\n\r\n".to_vec())),
        (
            "personal data in the order",
            Script {
                capture: vec![Act::does(vec![Do::Finish])],
                lookup: vec![Act::say(order)],
                ..Script::default()
            },
        ),
    ]
    .into_iter()
    .map(|(name, script)| Row::new(&format!("85 {name}"), script, "", "", ""))
    .collect()
}

fn show_everything<D: Driver>() {
    log::set_logger(&Print).expect("the first logger");
    log::set_max_level(log::LevelFilter::Trace);
    let some = rows::all().into_iter().step_by(11);
    let some = some.filter(|row| row.target == rows::Target::Server);
    let rows: Vec<_> = echoes().into_iter().chain(some).collect();
    side_by_side(&rows, 16, |row| {
        println!("row: {}", row.name);
        let server = Server::start(row.script.clone());
        let setup = setup(&format!("http://{}", server.address()), row.own_token);
        let policy = row.policy.with_attempt_timeout(Duration::from_millis(1500));
        show::<D>(&D::new(setup.with_policy(policy)));
    });
    let authority = Authority::new();
    let server = Server::with(Script::default(), Some(authority.server(&["h2", "http/1.1"])), None);
    let setup = setup(&format!("https://{}", server.address()), true);
    let mut policy = setup.policy;
    policy = policy.with_deadline(Duration::from_secs(1));
    show::<D>(&D::trusting(setup.with_policy(policy), authority.root()));
}

/// One capture, and everything that can be shown of it.
fn show<D: Driver>(client: &D) {
    println!("Debug of the client: {client:?} {client:#?}");
    let outcome = client.capture(&capture());
    println!("{outcome:?} {outcome:#?} {outcome} {}", outcome.next());
    for attempt in outcome.attempts() {
        println!("{attempt:?} {}", serde_json::to_string(attempt).expect("plain data"));
    }
    if let Outcome::Unknown(ticket) = &outcome {
        println!("{}", serde_json::to_string(ticket).expect("plain data"));
    }
    println!("{:?}", client.status(capture().order_id()));
    let panics = catch_unwind(|| {
        let step = Step::Done(outcome);
        panic!("on purpose: {step:?}");
    });
    assert!(panics.is_err());
}

/// Prints every record, but for those that are the wire itself, which `docs/adapters.md` names: ureq
/// logs each byte at trace level, and some headers of a reply at debug level.
struct Print;

static WIRE_IS_LOGGED: Once = Once::new();

impl log::Log for Print {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        let text = record.args().to_string();
        match record.target() {
            "ureq_proto::util" => {
                WIRE_IS_LOGGED.call_once(|| println!("the wire itself is logged"));
            }
            "ureq::run" if text.starts_with("Response {") => {}
            target => println!("[log] {} {target}: {text}", record.level()),
        }
    }

    fn flush(&self) {}
}
