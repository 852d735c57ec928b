//! A graceful stop: every capture ends with what is true of it.

use std::future::pending;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use capture_client::driver::TransportError;
use capture_client::{
    Client, Event, Obstacle, Operation, Outcome, Stop, Transport, blocking, http, wire,
};

use crate::stub::{Fate, capture, client, setup};

/// Longer than anything here takes, and shorter than the wait that a stop has to end.
const SOON: Duration = Duration::from_secs(30);

#[test]
fn a_blocking_capture_stops_in_its_wait() {
    // The login gets its reply; the capture is never sent, however often it is tried.
    let (client, _) = client(&[&[Fate::Answered][..], &[Fate::NeverSent; 99]].concat());
    let (waits, waiting) = mpsc::channel();
    let waits = std::sync::Mutex::new(waits);
    let stop = Stop::new();
    let client = client.with_stop(&stop).with_observer(move |event: &Event<'_>| {
        if let Event::Waiting { .. } = event {
            let _ = waits.lock().unwrap().send(());
        }
    });
    let working = std::thread::spawn(move || client.capture(&capture()));
    waiting.recv().unwrap();
    stop.stop();
    let outcome = working.join().unwrap();
    assert_eq!((outcome.name(), outcome.code()), ("not_captured", "never_sent"), "{outcome:?}");
    assert_eq!(outcome.attempts().len(), 2, "one wait was the last one: {outcome:?}");
}

/// The machine asks a driver that does not wait again, and counts how often.
#[test]
fn a_wait_that_nobody_stops_is_waited() {
    let (client, _) = client(&[Fate::Answered, Fate::NeverSent, Fate::Answered]);
    let waits = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&waits);
    let client = client.with_stop(&Stop::new()).with_observer(move |event: &Event<'_>| {
        count.fetch_add(usize::from(matches!(event, Event::Waiting { .. })), Ordering::Relaxed);
    });
    assert!(matches!(client.capture(&capture()), Outcome::Captured(_)));
    assert_eq!(waits.load(Ordering::Relaxed), 1);
}

/// Grants tokens, and asks every capture to come back in a minute.
struct Busy;

impl blocking::Transport for Busy {
    fn send(&self, request: wire::Request, _: Duration) -> Result<wire::Response, TransportError> {
        if request.uri().path() == "/v1/oauth2/token" {
            let token = capture_client::BearerToken::new("token").unwrap();
            return Ok(wire::token::granted(&token, "refresh", 0, "id"));
        }
        let mut reply = wire::capture::captured();
        *reply.status_mut() = http::StatusCode::TOO_MANY_REQUESTS;
        reply.headers_mut().insert("retry-after", "60".parse().unwrap());
        Ok(reply)
    }
}

#[test]
fn a_blocking_wait_ends_at_once() {
    let ((waits, waiting), (ended, end)) = (mpsc::channel(), mpsc::channel());
    let waits = std::sync::Mutex::new(waits);
    let stop = Stop::new();
    let client = Client::blocking(setup(), Busy).with_stop(&stop);
    let client = client.with_observer(move |event: &Event<'_>| {
        if let Event::Waiting { delay, .. } = event {
            let _ = waits.lock().unwrap().send(*delay);
        }
    });
    std::thread::spawn(move || {
        let _ = ended.send(client.capture(&capture()));
    });
    assert_eq!(waiting.recv_timeout(SOON), Ok(Duration::from_secs(60)));
    // Told before it waits: by now it does. Where it does not yet, this shows less, and passes.
    std::thread::sleep(Duration::from_millis(50));
    stop.stop();
    let outcome = end.recv_timeout(SOON).expect("long before the wait is over");
    assert_eq!(outcome.code(), "throttled", "{outcome:?}");
}

/// Replies to logins, and never to anything else.
struct Silent;

impl Transport for Silent {
    async fn send(
        &self,
        request: wire::Request,
        _: Duration,
    ) -> Result<wire::Response, TransportError> {
        if request.uri().path() != "/v1/oauth2/token" {
            pending::<()>().await;
        }
        let token = capture_client::BearerToken::new("token").unwrap();
        Ok(wire::token::granted(&token, "refresh", 0, "id"))
    }

    async fn sleep(&self, _: Duration) {}
}

#[test]
fn an_asynchronous_request_is_dropped_and_stays_in_doubt() {
    let stop = Stop::new();
    let (sends, sending) = mpsc::channel();
    let sends = std::sync::Mutex::new(sends);
    let client = Client::over(setup(), Silent).with_stop(&stop);
    let client = client.with_observer(move |event: &Event<'_>| {
        if let Event::Attempted { attempt, .. } = event {
            let _ = sends.lock().unwrap().send(attempt.operation);
        }
    });
    let working = std::thread::spawn(move || pollster::block_on(client.capture(&capture())));
    assert_eq!(sending.recv_timeout(SOON), Ok(Operation::Login)); // the capture is next
    stop.stop();
    let outcome = working.join().unwrap();
    let told = sending.recv_timeout(SOON);
    assert_eq!(told, Ok(Operation::Capture), "what was dropped is told as well");
    let Outcome::Unknown(ticket) = outcome else { panic!("{outcome:?}") };
    assert_eq!((ticket.doubt().code(), ticket.obstacle()), ("interrupted", &Obstacle::Stopped));
    assert_eq!(ticket.attempts().len(), 2, "the login and the capture");
}

#[test]
fn nothing_starts_after_a_stop() {
    let (client, stub) = client(&[]);
    let stop = Stop::new();
    stop.stop();
    let outcome = client.with_stop(&stop).capture(&capture());
    assert_eq!(outcome.code(), "never_sent");
    assert!(stub.seen.lock().unwrap().is_empty());
}
