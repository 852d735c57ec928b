//! A run that stays: it takes what arrives, survives refusals, shows that it goes round, and is counted.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use capture_client::{Client, Stop};
use capture_core::{Capture, OrderId, OrderStatus, Outcome, Ticket};
use capture_journal::{
    Durable, End, Journal, Lists as _, Lost, News, OpenNow, Pace, Round, Story, Turn, Turned, Wake,
    Want, blocking,
};
use capture_sandbox::{Sandbox, Server};
use capture_sqlite::Sqlite;

use super::run::{runtime, setup, written};
use super::store::{Directory, Store};

const PACE: Pace = Pace {
    concurrency: 8,
    ahead: 16,
    per_second: None,
    one_by_one: 0,
    settle_for: Duration::ZERO,
    give_up_after: Duration::ZERO,
    only_open: false,
    run: None,
    stays: true,
};

fn run(
    is_blocking: bool,
    sandbox: &Server,
    journal: impl Journal + 'static,
    stop: &Stop,
    news: impl FnMut(News<'_>),
) -> End {
    if is_blocking {
        let ureq = capture_ureq::Client::new(setup(sandbox)).unwrap();
        return blocking::Durable::new(ureq, journal).run(&PACE, stop, news).unwrap();
    }
    let hyper: capture_hyper::Client = Client::new(setup(sandbox)).unwrap();
    runtime().block_on(Durable::new(hyper, journal).run(&PACE, stop, news)).unwrap()
}

/// A list that is refused this often is taken for the wrong one; a service has no list.
#[test]
fn a_service_goes_on_after_refusals_and_takes_what_arrives_later() {
    for is_blocking in [false, true] {
        let (sandbox, directory) = (Sandbox::start(), Directory::new());
        let mut journal = directory.open();
        let refused = written(&sandbox, &mut journal, 60);
        for capture in &refused {
            assert!(sandbox.set_order_status(capture.order_id(), OrderStatus::Cancelled));
        }
        let (stop, mut ended, mut late) = (Stop::new(), 0, Vec::<Capture>::new());
        let began = Instant::now();
        let end = run(is_blocking, &sandbox, journal, &stop, |news| match news {
            News::Ended(it) if late.contains(it.outcome.capture()) => {
                assert!(matches!(it.outcome, Outcome::Captured(_)), "{}", it.outcome);
                ended += 1;
            }
            News::Ended(it) => {
                assert!(matches!(it.outcome, Outcome::NotCaptured(_)), "{}", it.outcome);
                ended += 1;
            }
            // Nothing is left, and then another process writes something down.
            News::Round(Round { in_hand: 0, .. }) if ended == 60 && late.is_empty() => {
                late = written(&sandbox, &mut directory.open(), 3);
            }
            News::Round(Round { in_hand: 0, .. }) if ended == 63 => stop.stop(),
            News::Round(_) => assert!(began.elapsed() < Duration::from_secs(60), "{ended} ended"),
            _ => {}
        });
        assert_eq!((end, ended), (End::Stopped, 63));
        assert_eq!(directory.open().open_now().unwrap(), OpenNow::default());
    }
}

/// One of its turns takes long.
struct Hangs {
    journal: Sqlite,
    turns: usize,
    is_hanging: Arc<AtomicBool>,
}

impl Journal for Hangs {
    fn turn(&mut self, turn: &Turn) -> Result<Turned, Lost> {
        self.turns += 1;
        self.is_hanging.store(true, Ordering::SeqCst);
        if self.turns == 3 {
            thread::sleep(Duration::from_millis(2500));
        }
        let turned = self.journal.turn(turn);
        self.is_hanging.store(false, Ordering::SeqCst);
        turned
    }

    fn stories(&mut self, order: OrderId) -> Result<Vec<Story>, Lost> {
        self.journal.stories(order)
    }
}

/// A watchdog is fed by rounds. While a turn is under way there is none, however often its driver wakes.
#[test]
fn a_service_goes_round_each_second_and_never_while_a_turn_hangs() {
    for is_blocking in [false, true] {
        let (sandbox, directory) = (Sandbox::start(), Directory::new());
        let is_hanging = Arc::new(AtomicBool::new(false));
        let journal =
            Hangs { journal: directory.open(), turns: 0, is_hanging: Arc::clone(&is_hanging) };
        let (stop, mut longest, mut last) = (Stop::new(), Duration::ZERO, SystemTime::now());
        let (mut gaps, mut turns) = (Vec::new(), 0);
        let _ = run(is_blocking, &sandbox, journal, &stop, |news| {
            let News::Round(round) = news else { return };
            assert!(!is_hanging.load(Ordering::SeqCst), "a round amid a turn");
            gaps.push(last.elapsed().unwrap());
            last = SystemTime::now();
            longest = longest.max(round.turn.unwrap_or_default());
            turns += usize::from(round.turn.is_some());
            if turns == 5 {
                stop.stop();
            }
        });
        assert!(longest >= Duration::from_millis(2500), "{longest:?}");
        let long = gaps.iter().filter(|gap| **gap > Duration::from_millis(2000)).count();
        assert_eq!(long, 1, "only the turn that hung: {gaps:?}");
    }
}

/// It says during each turn that more may be due.
struct Rings(Sqlite, Wake);

impl Journal for Rings {
    fn turn(&mut self, turn: &Turn) -> Result<Turned, Lost> {
        self.1.wake();
        self.0.turn(turn)
    }

    fn stories(&mut self, order: OrderId) -> Result<Vec<Story>, Lost> {
        self.0.stories(order)
    }

    fn wake(&self) -> Wake {
        self.1.clone()
    }
}

/// By itself it would look 100 times in 100 seconds.
#[test]
fn a_service_that_is_woken_looks_at_once() {
    for is_blocking in [false, true] {
        let (sandbox, directory) = (Sandbox::start(), Directory::new());
        let journal = Rings(directory.open(), Wake::default());
        let (stop, mut turns, began) = (Stop::new(), 0, Instant::now());
        let _ = run(is_blocking, &sandbox, journal, &stop, |news| {
            let News::Round(round) = news else { return };
            assert!(began.elapsed() < Duration::from_secs(50), "{turns} turns");
            turns += usize::from(round.turn.is_some());
            if turns == 100 {
                stop.stop();
            }
        });
        assert!(turns >= 100);
    }
}

/// What those who watch over a journal are told, at each standing.
#[test]
fn what_is_open_is_counted() {
    let (sandbox, directory) = (Sandbox::start(), Directory::new());
    let mut journal = directory.open();
    let _ = written(&sandbox, &mut journal, 5);
    let count = || directory.open().open_now().unwrap();
    assert_eq!(count(), OpenNow { ready: 5, ..OpenNow::default() });
    let at = SystemTime::now();
    let mut turn = |settled, most| {
        let want = Want { most, ..Want::default() };
        journal.turn(&Turn { at, settled, asks: Vec::new(), want }).unwrap()
    };
    let work = turn(Vec::new(), 3).work;
    assert_eq!(count(), OpenNow { ready: 2, claimed: 3, ..OpenNow::default() });
    // One is in doubt since an hour, and one was put back untouched.
    let sent_at = at - Duration::from_secs(3600);
    let doubt = Ticket::interrupted(*work[0].how.capture(), sent_at);
    let settled = vec![
        (work[0].held, Outcome::Unknown(doubt)),
        (work[1].held, work[1].how.clone().untouched()),
    ];
    let _ = turn(settled, 0);
    let open = count();
    assert_eq!((open.ready, open.claimed, open.unknown), (3, 1, 1));
    let age = open.oldest_unknown.unwrap().duration_since(sent_at).unwrap_or_default();
    assert!(age < Duration::from_secs(1), "{open:?}");
    // Looked up by a living holder, a doubt is still a doubt.
    let resumed = turn(Vec::new(), 1).work;
    assert_eq!(resumed[0].held.intent, work[0].held.intent);
    assert_eq!(count(), open);
    // Its holder ends, and what it had claimed is in doubt.
    drop(journal);
    let open = count();
    assert_eq!((open.ready, open.claimed, open.unknown), (3, 0, 2));
    assert!(open.oldest_unknown.unwrap() < at);
}
