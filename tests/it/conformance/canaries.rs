//! Canaries: tokens, key, secret and personal data are never shown, stored or
//! logged by the whole suite.
//!
//! Every library logs all it can while the suite runs, and each record is searched; so is everything
//! that can be shown of each client and each outcome, and every event that a client reports. Replies that echo secrets are rows like others
//! (85).

use std::collections::BTreeSet;
use std::fmt::{Debug, Write as _};
use std::sync::{Mutex, Once, PoisonError};

use capture_client::Event;
use capture_conformance::replies;
use capture_core::Outcome;
use capture_core::driver::Step;
use capture_sandbox::PERSONAL_DATA;

/// Every secret that the suite uses begins with one of these, or is one of the sandbox's.
const SECRETS: [&str; 7] = [
    "canary-token",
    "canary-own-token",
    "canary-refresh-token",
    "canary/key",
    "canary/secret",
    "sandbox/app+key",
    "sandbox/app+secret",
];

/// Which secrets were shown, and where.
static FOUND: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// The targets that logged anything.
static LOGGED: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

/// Runs a test; it fails if any test has shown a secret by then.
pub(crate) fn watch(test: impl FnOnce()) {
    static LISTENING: Once = Once::new();
    LISTENING.call_once(|| {
        log::set_logger(&Search).expect("the first logger");
        log::set_max_level(log::LevelFilter::Trace);
    });
    test();
    let found = FOUND.lock().unwrap_or_else(PoisonError::into_inner);
    assert!(found.is_empty(), "{} times, first {}", found.len(), found[0]);
}

/// Which targets logged anything so far.
pub(crate) fn logged() -> BTreeSet<String> {
    LOGGED.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

/// Searches everything that can be shown of a client and of an outcome.
pub(crate) fn show(client: &impl Debug, outcome: &Outcome) {
    let mut shown = format!("{client:?} {client:#?} {outcome:?} {outcome:#?} {outcome}");
    let step = Step::Done(outcome.clone());
    let _ = write!(shown, "{} {step:?} {step:#?}", outcome.next_step()); // a String takes every write
    for attempt in outcome.attempts() {
        let json = serde_json::to_string(attempt).expect("plain data");
        let reply = attempt.reply_text().unwrap_or_default();
        let _ = write!(shown, "{attempt:?} {attempt:#?} {json} {reply}");
    }
    if let Outcome::Unknown(ticket) = outcome {
        shown += &serde_json::to_string(ticket).expect("plain data");
    }
    search("an outcome", &shown);
}

/// Searches what an observer is told.
pub(crate) fn see(event: &Event<'_>) {
    search("an event", &format!("{event:?}"));
}

/// Searches a text that a user may see.
pub(crate) fn search(whose: &str, text: &str) {
    for secret in SECRETS.iter().chain(&PERSONAL_DATA).chain(&replies::PERSONAL_DATA) {
        if let Some(at) = text.find(secret) {
            let mut from = at.saturating_sub(200);
            while !text.is_char_boundary(from) {
                from -= 1;
            }
            let found = format!("{whose} shows {secret}: {}", &text[from..at + secret.len()]);
            FOUND.lock().unwrap_or_else(PoisonError::into_inner).push(found);
        }
    }
}

/// Searches every record except those of the wire itself, which `docs/adapters.md` names:
/// ureq logs each byte at trace level, and some headers of a reply at debug level.
struct Search;

impl log::Log for Search {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        let target = record.target();
        let mut logged = LOGGED.lock().unwrap_or_else(PoisonError::into_inner);
        if !logged.contains(target) {
            logged.insert(target.to_owned());
        }
        drop(logged);
        if target == "ureq_proto::util" {
            return;
        }
        let text = record.args().to_string();
        if target != "ureq::run" || !text.starts_with("Response {") {
            search(target, &text);
        }
    }

    fn flush(&self) {}
}
