//! What a call may change, and what its client shares all the same.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use capture_client::driver::{Now, TokenRequest, TransportError};
use capture_client::http::{HeaderName, HeaderValue, header};
use capture_client::{Client, Event, Outcome, Policy, Ticket, blocking, wire};

use crate::stub::{Fate, Stub, capture, client, order, setup};

#[test]
fn a_callers_header_is_sent_and_replaces_no_other() {
    let (client, stub) = client(&[]);
    let trace = HeaderName::from_static("traceparent");
    let value = HeaderValue::from_static("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0b1902b7-01");
    let ours = [header::AUTHORIZATION, header::CONTENT_TYPE, header::ACCEPT_ENCODING];
    let mut client = client.with_header(trace.clone(), value.clone());
    for name in ours.clone() {
        client = client.with_header(name, HeaderValue::from_static("theirs"));
    }
    assert!(matches!(client.capture(&capture()), Outcome::Captured(_)));
    let seen = stub.seen.lock().unwrap();
    assert_eq!(seen.len(), 2);
    for request in seen.iter() {
        assert_eq!(request.headers().get(&trace), Some(&value), "{}", request.uri());
    }
    for name in ours {
        assert_ne!(seen[1].headers()[&name], "theirs", "{name}");
    }
    assert!(!format!("{client:?}").contains("4bf92f35"), "a header may be a secret: {client:?}");
}

#[test]
fn every_clone_shares_the_token() {
    let (client, stub) = client(&[]);
    let short = client.with_policy(Policy::default().with_deadline(Duration::from_secs(20)));
    for client in [&client, &short, &client.clone()] {
        assert!(matches!(client.capture(&capture()), Outcome::Captured(_)));
        client.status(order()).unwrap();
    }
    let logins = stub.seen.lock().unwrap();
    let logins = logins.iter().filter(|request| request.uri().path() == "/v1/oauth2/token");
    assert_eq!(logins.count(), 1);
}

/// A resumed capture that must not look is sent again at once.
#[test]
fn every_clone_shares_the_retry_budget() {
    let (client, stub) = client(&[]);
    let blind = client.with_policy(Policy::default().with_lookup(false));
    let other = blind.clone();
    let resume = |client: &blocking::Client<_>| {
        client.resume(Ticket::interrupted(capture(), SystemTime::now()))
    };
    let resent = (0..100).flat_map(|_| [resume(&blind), resume(&other)]);
    let resent = resent.filter(|outcome| matches!(outcome, Outcome::Captured(_))).count();
    assert_eq!((resent, stub.seen.lock().unwrap().len()), (100, 101), "and one login");
    let Outcome::Unknown(ticket) = resume(&blind) else { panic!("without a permit") };
    assert_eq!(ticket.obstacle().code(), "not_sent_again");
    assert!(matches!(client.resume(ticket), Outcome::Captured(_)), "a lookup needs no permit");
}

#[test]
fn each_first_send_earns_a_fifth_of_a_permit() {
    let (client, _) = client(&[]);
    let left = Arc::new(AtomicU64::new(0));
    let note = Arc::clone(&left);
    let client = client.with_observer(move |event: &Event<'_>| {
        if let Event::Ended { permits_left, .. } = event {
            note.store(*permits_left, Ordering::Relaxed);
        }
    });
    for _ in 0..50 {
        assert!(matches!(client.capture(&capture()), Outcome::Captured(_)));
    }
    assert_eq!(left.load(Ordering::Relaxed), 110);
}

#[test]
fn a_policy_for_one_call_changes_no_other_call() {
    let (client, _) = client(&[Fate::Answered, Fate::ReplyLost]);
    let never = Policy::default().with_lookup(false).with_resend(capture_client::Resend::Never);
    let outcome = client.with_policy(never).capture(&capture());
    let Outcome::Unknown(ticket) = outcome else { panic!("{outcome:?}") };
    assert!(matches!(client.resume(ticket), Outcome::Captured(_)), "the client's own policy looks");
}

/// Records how long each request may take.
struct Timed(Mutex<Vec<Duration>>);

impl blocking::Transport for &Timed {
    fn send(&self, _: wire::Request, time: Duration) -> Result<wire::Response, TransportError> {
        self.0.lock().unwrap().push(time);
        Err(TransportError::cannot_be_sent("an expired certificate"))
    }
}

#[test]
fn the_policy_says_how_long_a_request_may_take() {
    let timed: &'static Timed = Box::leak(Box::new(Timed(Mutex::default())));
    let policy = |seconds| Policy::default().with_attempt_timeout(Duration::from_secs(seconds));
    let client = Client::blocking(setup().with_policy(policy(7)), timed);
    let _ = client.capture(&capture());
    let _ = client.with_policy(policy(9)).capture(&capture());
    let _ = client.with_policy(policy(11)).status(order());
    assert_eq!(*timed.0.lock().unwrap(), [7, 9, 11].map(Duration::from_secs));
}

/// The captures of other tasks have used the budget up: this one is not sent again.
#[test]
fn a_budget_that_is_used_up_permits_no_resend() {
    let mut setup = setup();
    let resend = TokenRequest { refused: None, resend: true };
    let now = Now::new(Duration::ZERO, SystemTime::now());
    while setup.shared.permits(resend, now) {}
    let fates = [&[Fate::Answered][..], &[Fate::NeverSent; 9]].concat();
    let stub: &'static Stub = Box::leak(Box::new(Stub::meeting(&fates)));
    let outcome = Client::blocking(setup, stub).capture(&capture());
    assert_eq!(outcome.code(), "never_sent");
    assert_eq!(outcome.attempts().len(), 2, "a login and one capture: {outcome:?}");
}

#[test]
fn many_threads_make_one_login() {
    let (client, stub) = client(&[]);
    std::thread::scope(|scope| {
        for _ in 0..16 {
            scope.spawn(|| assert!(matches!(client.capture(&capture()), Outcome::Captured(_))));
        }
    });
    let seen = stub.seen.lock().unwrap();
    let logins = seen.iter().filter(|request| request.uri().path() == "/v1/oauth2/token").count();
    assert_eq!((logins, seen.len()), (1, 17));
}
