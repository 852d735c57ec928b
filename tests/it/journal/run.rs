//! A run over the journal: many captures at once, through every adapter, stopped, dropped and on bad days.

use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Waker};
use std::time::{Duration, SystemTime};

use capture_client::driver::TransportError;
use capture_client::{Client, Connect, Stop, Transport, wire};
use capture_core::{Capture, IdempotencyKey, Money, OrderId, Outcome, Policy, Setup};
use capture_journal::{
    Ask, Disk, Durable, End, Journal, Lost, Memory, News, Pace, Story, Turn, Turned, Want, blocking,
};
use capture_sandbox::{Sandbox, Script, Server};
use capture_sqlite::Sqlite;

use super::store::{Directory, Store};

const PACE: Pace = Pace {
    concurrency: 8,
    ahead: 16,
    per_second: None,
    one_by_one: 0,
    settle_for: Duration::from_secs(30),
    give_up_after: Duration::from_secs(60),
    only_open: false,
    run: None,
    stays: false,
};

pub(super) fn setup(sandbox: &Server) -> Setup {
    let policy = Policy::default().with_attempt_timeout(Duration::from_secs(2));
    Setup::new(&sandbox.environment(), sandbox.credentials()).with_policy(policy)
}

/// So many orders, written down.
pub(super) fn written(sandbox: &Server, journal: &mut impl Journal, count: usize) -> Vec<Capture> {
    let money = Money::parse("100.00", "USD").unwrap();
    let captures: Vec<_> = (0..count)
        .map(|_| {
            let order = sandbox.create_order(money);
            Capture::new(order, money, IdempotencyKey::for_order(order))
        })
        .collect();
    let asks = captures.iter().map(|capture| Ask { capture: *capture, now: false }).collect();
    let want = Want::default();
    journal.turn(&Turn { at: SystemTime::now(), settled: Vec::new(), asks, want }).unwrap();
    captures
}

fn standing(journal: &mut impl Journal, capture: &Capture) -> &'static str {
    journal.stories(capture.order_id()).unwrap()[0].standing().name()
}

fn all_captured(sandbox: &Server, journal: &mut impl Journal, captures: &[Capture]) {
    for capture in captures {
        assert_eq!(standing(journal, capture), "captured", "{}", capture.order_id());
        assert_eq!(sandbox.ledger().captures(capture.order_id()), 1);
    }
}

/// Replies are lost, requests are throttled, and the API has short faults.
fn trouble() -> Script {
    let lost = Script::lost_reply().skip(5).times(4);
    let throttled = Script::status(429).skip(9).times(6);
    lost.then(throttled).then(Script::status(503).skip(9).times(2))
}

/// A sandbox with so many orders, written down in a new journal.
fn prepared(count: usize) -> (Server, Directory, Sqlite, Vec<Capture>) {
    let (sandbox, directory) = (Sandbox::start(), Directory::new());
    let mut journal = directory.open();
    let captures = written(&sandbox, &mut journal, count);
    (sandbox, directory, journal, captures)
}

pub(super) fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

fn works_off<T: Transport>(client: impl Fn(Setup) -> Client<T>) {
    let (sandbox, directory, journal, captures) = prepared(60);
    sandbox.script(trouble());
    let client = Durable::new(client(setup(&sandbox)), journal);
    let mut told = 0;
    let count = |news: News<'_>| told += usize::from(matches!(news, News::Ended(_)));
    let end = runtime().block_on(client.run(&PACE, &Stop::new(), count)).unwrap();
    assert_eq!(end, End::Finished);
    assert!(told >= 60, "{told}");
    all_captured(&sandbox, &mut directory.open(), &captures);
}

#[test]
fn every_adapter_works_off_a_list() {
    works_off(|setup| capture_reqwest::Client::new(setup).unwrap());
    works_off(|setup| -> capture_hyper::Client { Client::new(setup).unwrap() });
    let (sandbox, directory, journal, captures) = prepared(60);
    sandbox.script(trouble());
    let client =
        blocking::Durable::new(capture_ureq::Client::new(setup(&sandbox)).unwrap(), journal);
    let mut told = 0;
    let count = |news: News<'_>| told += usize::from(matches!(news, News::Ended(_)));
    assert_eq!(client.run(&PACE, &Stop::new(), count).unwrap(), End::Finished);
    assert!(told >= 60, "{told}");
    all_captured(&sandbox, &mut directory.open(), &captures);
}

/// What is on its way ends, the rest is given back, and a later run goes on at once.
#[test]
fn a_stopped_run_goes_on_later() {
    let (sandbox, directory, journal, captures) = prepared(60);
    sandbox.script(Script::delayed(Duration::from_millis(20)).times(u32::MAX));
    let hyper: capture_hyper::Client = Client::new(setup(&sandbox)).unwrap();
    let client = Durable::new(hyper, journal);
    let (stop, mut told) = (Stop::new(), 0);
    let stopping = |news: News<'_>| {
        told += usize::from(
            matches!(news, News::Ended(ended) if matches!(ended.outcome, Outcome::Captured(_))),
        );
        if told == 20 {
            stop.stop();
        }
    };
    let end = runtime().block_on(client.run(&PACE, &stop, stopping)).unwrap();
    assert_eq!(end, End::Stopped);
    assert!((20..=40).contains(&told), "{told}");
    let mut other = directory.open();
    let of = |name: &str, journal: &mut Sqlite| {
        captures.iter().filter(|capture| standing(journal, capture) == name).count()
    };
    assert_eq!((of("captured", &mut other), of("ready", &mut other)), (told, 60 - told));
    // Nothing was sent of what was given back.
    assert_eq!(
        captures.iter().filter(|it| sandbox.ledger().captures(it.order_id()) > 0).count(),
        told
    );
    let end = runtime().block_on(client.run(&PACE, &Stop::new(), |_| {})).unwrap();
    assert_eq!(end, End::Finished);
    all_captured(&sandbox, &mut other, &captures);
}

/// Whenever the future is dropped: what was on its way is looked up, and nothing is lost or sent twice.
#[test]
fn a_dropped_run_leaves_doubts_and_loses_nothing() {
    for polls in 0..12 {
        let (sandbox, directory, journal, captures) = prepared(30);
        let hyper: capture_hyper::Client = Client::new(setup(&sandbox)).unwrap();
        let client = Durable::new(hyper, journal);
        runtime().block_on(async {
            let stop = Stop::new();
            let mut run = pin!(client.run(&PACE, &stop, |_| {}));
            for _ in 0..polls {
                let _ = run.as_mut().poll(&mut Context::from_waker(Waker::noop()));
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        });
        // The same holder goes on: nothing stayed claimed.
        let end = runtime().block_on(client.run(&PACE, &Stop::new(), |_| {})).unwrap();
        assert_eq!(end, End::Finished, "{polls}");
        all_captured(&sandbox, &mut directory.open(), &captures);
    }
}

/// Fails after so many turns.
struct Fails(Memory, usize);

impl Journal for Fails {
    fn turn(&mut self, turn: &Turn) -> Result<Turned, Lost> {
        self.1 = self.1.checked_sub(1).ok_or(Lost::Closed)?;
        self.0.turn(turn)
    }

    fn stories(&mut self, order: OrderId) -> Result<Vec<Story>, Lost> {
        self.0.stories(order)
    }
}

/// Nothing more is started, what was on its way is handed back, and none of it counts as recorded.
#[test]
fn a_journal_that_fails_ends_the_run() {
    for is_blocking in [false, true] {
        let (sandbox, disk) = (Sandbox::start(), Disk::default());
        let captures = written(&sandbox, &mut disk.open(), 60);
        let mut told = Vec::new();
        let news = |news: News<'_>| {
            if let News::Ended(ended) = news {
                told.push(*ended.outcome.capture());
            }
        };
        let journal = Fails(disk.open(), 3);
        let error = if is_blocking {
            let ureq = capture_ureq::Client::new(setup(&sandbox)).unwrap();
            blocking::Durable::new(ureq, journal).run(&PACE, &Stop::new(), news).unwrap_err()
        } else {
            let hyper: capture_hyper::Client = Client::new(setup(&sandbox)).unwrap();
            let client = Durable::new(hyper, journal);
            runtime().block_on(client.run(&PACE, &Stop::new(), news)).unwrap_err()
        };
        let sent =
            captures.iter().filter(|it| sandbox.ledger().captures(it.order_id()) > 0).count();
        assert!(sent < 60 && !error.unrecorded.is_empty(), "{sent}");
        assert_eq!(told.len() + error.unrecorded.len(), sent, "every one is accounted for");
        for outcome in &error.unrecorded {
            assert!(!told.contains(outcome.capture()));
        }
    }
}

/// Panics at the tenth request with a body.
struct Panics(capture_ureq::Ureq, AtomicUsize);

impl capture_client::blocking::Transport for Panics {
    fn send(
        &self,
        request: wire::Request,
        timeout: Duration,
    ) -> Result<wire::Response, TransportError> {
        if self.1.fetch_add(1, Ordering::Relaxed) == 10 {
            panic!("in the middle of a request");
        }
        self.0.send(request, timeout)
    }
}

#[test]
fn a_panic_leaves_one_doubt_and_everything_else_recorded() {
    let (sandbox, directory, journal, captures) = prepared(60);
    let ureq = <capture_ureq::Ureq as Connect>::connect(&[]).unwrap();
    let panics = Panics(ureq, AtomicUsize::new(0));
    let client = blocking::Durable::new(Client::blocking(setup(&sandbox), panics), journal);
    let running = || client.run(&PACE, &Stop::new(), |_| {});
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(running)).unwrap_err();
    let mut other = directory.open();
    let names: Vec<_> = captures.iter().map(|capture| standing(&mut other, capture)).collect();
    assert_eq!(names.iter().filter(|name| **name == "unknown").count(), 1, "{names:?}");
    assert!(!names.contains(&"claimed"), "{names:?}");
    client.run(&PACE, &Stop::new(), |_| {}).unwrap();
    all_captured(&sandbox, &mut other, &captures);
}
