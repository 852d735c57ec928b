//! Any text as a ticket: it is refused, or reads back the same and can be resumed.
#![no_main]

use std::time::{Duration, SystemTime};

use capture_core::driver::{Api, Now, Step};
use capture_core::{Capture, Environment, Policy, Ticket};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let _ = serde_json::from_str::<Capture>(text);
    let Ok(ticket) = serde_json::from_str::<Ticket>(text) else { return };
    let again: Ticket = serde_json::from_str(&serde_json::to_string(&ticket).unwrap()).unwrap();
    assert_eq!(again, ticket);
    let api = Api::new(&Environment::Sandbox);
    let step = ticket.resume(&api, &Policy::default(), Now::new(Duration::ZERO, SystemTime::UNIX_EPOCH));
    assert!(matches!(step, Step::Authorize(_)), "it begins with a lookup, which needs a token");
});
