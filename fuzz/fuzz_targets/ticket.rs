//! Any text as a ticket: it is refused, or reads back the same and can be resumed.
#![no_main]

use std::time::{Instant, SystemTime};

use capture_core::{Api, Capture, Environment, Policy, Step, Ticket};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let _ = serde_json::from_str::<Capture>(text);
    let Ok(ticket) = serde_json::from_str::<Ticket>(text) else { return };
    let again: Ticket = serde_json::from_str(&serde_json::to_string(&ticket).unwrap()).unwrap();
    assert_eq!(again, ticket);
    let api = Api::new(&Environment::Sandbox);
    let step = ticket.resume(&api, &Policy::default(), Instant::now(), SystemTime::UNIX_EPOCH);
    assert!(matches!(step, Step::Authorize(_)), "it begins with a lookup, which needs a token");
});
