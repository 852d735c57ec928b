//! The client over the journal: once across calls, threads, dropped futures, panics and processes.

use std::pin::pin;
use std::task::{Context, Waker};
use std::time::Duration;

use capture_client::driver::TransportError;
use capture_client::{Client, wire};
use capture_core::{Capture, IdempotencyKey, Money, OrderId, Outcome, Policy, Setup};
use capture_journal::{Disk, DurableError, Journal, Lost, Standing, Story, Turn, Turned, blocking};
use capture_sandbox::{Operation, Sandbox, Server};
use capture_sqlite::Sqlite;

use super::store::{Directory, Store as _};

fn order(sandbox: &Server) -> Capture {
    let money = Money::parse("100.00", "USD").unwrap();
    let order = sandbox.create_order(money);
    Capture::new(order, money, IdempotencyKey::for_order(order))
}

fn setup(sandbox: &Server) -> Setup {
    let policy = Policy::default()
        .with_attempt_timeout(Duration::from_secs(3))
        .with_deadline(Duration::from_secs(6));
    Setup::new(&sandbox.environment(), sandbox.credentials()).with_policy(policy)
}

fn durable(sandbox: &Server, journal: Sqlite) -> blocking::Durable<capture_ureq::Ureq> {
    blocking::Durable::new(capture_ureq::Client::new(setup(sandbox)).unwrap(), journal)
}

fn sent(sandbox: &Server) -> usize {
    let transcript = sandbox.transcript();
    transcript.iter().filter(|exchange| exchange.operation == Some(Operation::Capture)).count()
}

#[test]
fn a_decided_order_needs_no_network() {
    let (sandbox, directory) = (Sandbox::start(), Directory::new());
    let capture = order(&sandbox);
    let client = durable(&sandbox, directory.open());
    let first = client.capture(&capture).unwrap();
    assert!(first.before.is_none() && matches!(first.outcome, Outcome::Captured(_)));
    assert_eq!(sent(&sandbox), 1);
    let unreachable = setup(&sandbox);
    drop((client, sandbox));
    let client = capture_ureq::Client::new(unreachable).unwrap();
    let again = blocking::Durable::new(client, directory.open()).capture(&capture).unwrap();
    assert_eq!(again.outcome, first.outcome);
    assert!(again.before.is_some());
}

#[test]
fn many_callers_of_one_process_send_once() {
    let (sandbox, directory) = (Sandbox::start(), Directory::new());
    let (capture, client) = (order(&sandbox), durable(&sandbox, directory.open()));
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                let recorded = client.capture(&capture).unwrap();
                assert!(matches!(recorded.outcome, Outcome::Captured(_)));
            });
        }
    });
    assert_eq!(sent(&sandbox), 1);
}

/// Its holder stands still after each of its first two turns for longer than it surely holds what they handed out.
struct Stalls(Sqlite, u32);

impl Journal for Stalls {
    fn turn(&mut self, turn: &Turn) -> Result<Turned, Lost> {
        self.1 += 1;
        let held_for = Duration::from_secs(if self.1 < 3 { 0 } else { 60 });
        Ok(Turned { held_for: Some(held_for), ..self.0.turn(turn)? })
    }

    fn stories(&mut self, order: OrderId) -> Result<Vec<Story>, Lost> {
        self.0.stories(order)
    }
}

/// Others may have taken it over by then: it is given back, and asked for again.
#[test]
fn what_was_claimed_before_a_stall_is_not_sent() {
    for is_wanted in [false, true] {
        let (sandbox, directory) = (Sandbox::start(), Directory::new());
        let capture = order(&sandbox);
        if is_wanted {
            assert_eq!(durable(&sandbox, directory.open()).enqueue(&capture).unwrap(), None);
        }
        let client = capture_ureq::Client::new(setup(&sandbox)).unwrap();
        let client = blocking::Durable::new(client, Stalls(directory.open(), 0));
        let recorded = match is_wanted {
            true => client.settle_next().unwrap().unwrap(),
            false => client.capture(&capture).unwrap(),
        };
        assert!(matches!(recorded.outcome, Outcome::Captured(_)), "{}", recorded.outcome);
        assert_eq!(sent(&sandbox), 1);
        let story = client.stories(capture.order_id()).unwrap().remove(0);
        // What is given back may share a turn with what is asked for.
        assert!((2..=3).contains(&story.claims.len()), "{story:?}");
    }
}

/// Whatever the number of polls after which the future is dropped, the next call finds the truth, and it
/// looks before it sends if anything may have been sent.
#[test]
fn a_dropped_future_is_resumed() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    for polls in 0..40 {
        let (sandbox, directory) = (Sandbox::start(), Directory::new());
        let capture = order(&sandbox);
        let client: capture_hyper::Client = Client::new(setup(&sandbox)).unwrap();
        let client = capture_journal::Durable::new(client, directory.open());
        let is_ready = runtime.block_on(async {
            let mut future = pin!(client.capture(&capture));
            for _ in 0..polls {
                let polled = future.as_mut().poll(&mut Context::from_waker(Waker::noop()));
                if polled.is_ready() {
                    return true;
                }
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            false
        });
        let sent_before = sent(&sandbox);
        let recorded = runtime.block_on(client.capture(&capture)).unwrap();
        assert!(matches!(recorded.outcome, Outcome::Captured(_)), "{polls}: {recorded:?}");
        assert!(recorded.before.is_some() || !is_ready, "{polls}");
        assert_eq!(sandbox.ledger().captures(capture.order_id()), 1, "{polls}");
        if sent_before > 0 && recorded.before.is_none() {
            let first = &recorded.outcome.attempts()[0];
            assert!(
                first.to_string().contains("lookup")
                    || first.operation != capture_core::Operation::Capture,
                "{polls}: {first}"
            );
        }
    }
}

/// Panics in the middle of the request.
struct Panics;

impl capture_client::blocking::Transport for Panics {
    fn send(&self, _: wire::Request, _: Duration) -> Result<wire::Response, TransportError> {
        panic!("in the middle of a request")
    }
}

#[test]
fn a_panic_leaves_a_doubt() {
    let (sandbox, disk) = (Sandbox::start(), Disk::default());
    let capture = order(&sandbox);
    let client = blocking::Durable::new(Client::blocking(setup(&sandbox), Panics), disk.open());
    let panicking = client.clone();
    std::thread::spawn(move || panicking.capture(&capture)).join().unwrap_err();
    let stories = client.stories(capture.order_id()).unwrap();
    assert!(matches!(stories[0].standing(), Standing::Unknown(_)), "{stories:?}");
    let other = client.clone();
    drop(client);
    let ureq = capture_ureq::Client::new(setup(&sandbox)).unwrap();
    let recorded = blocking::Durable::new(ureq, disk.open()).capture(&capture).unwrap();
    assert!(matches!(recorded.outcome, Outcome::Captured(_)));
    drop(other);
}

#[test]
fn what_was_written_down_is_done_by_a_caller_who_wants_work() {
    let (sandbox, directory) = (Sandbox::start(), Directory::new());
    let captures: Vec<_> = (0..5).map(|_| order(&sandbox)).collect();
    let client = durable(&sandbox, directory.open());
    for capture in &captures {
        assert_eq!(client.enqueue(capture).unwrap(), None);
    }
    assert_eq!(sent(&sandbox), 0);
    drop(client);
    let client = durable(&sandbox, directory.open());
    let mut done = Vec::new();
    while let Some(recorded) = client.settle_next().unwrap() {
        assert!(matches!(recorded.outcome, Outcome::Captured(_)));
        done.push(*recorded.outcome.capture());
    }
    assert_eq!(done, captures);
    assert!(client.enqueue(&captures[0]).unwrap().is_some(), "it is decided");
}

#[test]
fn nothing_is_sent_without_the_journal() {
    let (sandbox, directory) = (Sandbox::start(), Directory::new());
    let client = durable(&sandbox, directory.open());
    std::fs::remove_file(directory.path()).unwrap();
    let capture = order(&sandbox);
    let error = client.capture(&capture).unwrap_err();
    assert!(matches!(&error, DurableError::Lost(lost) if matches!(**lost, Lost::Replaced)));
    // It stays closed: a second flush may lie.
    let error = client.capture(&capture).unwrap_err();
    assert!(matches!(&error, DurableError::Lost(lost) if matches!(**lost, Lost::Closed)));
    assert_eq!(sent(&sandbox), 0);
}

/// Takes the journal away while its request is on the way.
struct Thief(Directory, capture_ureq::Ureq);

impl capture_client::blocking::Transport for Thief {
    fn send(
        &self,
        request: wire::Request,
        most: Duration,
    ) -> Result<wire::Response, TransportError> {
        let _ = std::fs::remove_file(self.0.path());
        capture_client::blocking::Transport::send(&self.1, request, most)
    }
}

#[test]
fn an_outcome_that_could_not_be_recorded_is_not_told_as_recorded() {
    let (sandbox, directory) = (Sandbox::start(), Directory::new());
    let (capture, journal) = (order(&sandbox), directory.open());
    let ureq = capture_ureq::Ureq::hardened(ureq::tls::RootCerts::WebPki, None);
    let client = Client::blocking(setup(&sandbox), Thief(directory, ureq));
    let error = blocking::Durable::new(client, journal).capture(&capture).unwrap_err();
    let DurableError::Unrecorded(outcome, _) = &error else { panic!("{error:?}") };
    assert!(matches!(**outcome, Outcome::Captured(_)));
}
