//! One foreman by hand: what it waits for, what it starts after a stall, and who shares the rate with it.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use capture_client::Stop;
use capture_core::driver::Now;
use capture_core::{OrderId, Outcome};
use capture_journal::{
    ClaimId, Disk, Fence, Foreman, Held, How, IntentId, Journal, Lost, Memory, Move, News, Pace,
    Round, Story, Turn, Turned, Want, Work, blocking,
};
use capture_sandbox::Sandbox;
use serde_json::json;

use super::run::{setup, written};
use super::store::{at, numbered, unknown};

fn fresh(order: u128) -> Work {
    let held = Held { intent: IntentId(order as i64), claim: ClaimId(1) };
    Work { held, how: How::Fresh(numbered(order)) }
}

fn returned(told: Vec<Outcome>, work: Vec<Work>) -> Turned {
    let (answers, later) = (Vec::new(), None);
    Turned { told, answers, work, later, sharers: 1, fence: Fence(1), held_for: None }
}

fn now(seconds: u64) -> Now {
    Now::new(Duration::from_secs(seconds), at(seconds))
}

fn turn_of(foreman: &mut Foreman, now: Now) -> Turn {
    match foreman.next(now) {
        Move::Turn(turn) => turn,
        other => panic!("{other:?}"),
    }
}

/// One that sends one at a time, has begun the first of three and holds them for 30 seconds.
fn with_a_lease() -> Foreman {
    let mut foreman = Foreman::new(Pace { concurrency: 1, ..Pace::default() }, now(0));
    let _ = turn_of(&mut foreman, now(0));
    let turned = returned(Vec::new(), [1, 2, 3].map(fresh).into());
    let turned = Turned { held_for: Some(Duration::from_secs(30)), ..turned };
    // The lease counts from when the turn was asked for.
    assert!(foreman.turned(turned, now(5)).is_empty());
    assert!(matches!(foreman.next(now(29)), Move::Start(_)));
    foreman
}

/// What was claimed before a stall may be another one's by now: the journal is asked first.
#[test]
fn what_a_stall_may_have_cost_is_asked_for_and_given_back() {
    let renewed = |fence, work| Turned { fence: Fence(fence), ..returned(Vec::new(), work) };
    let later = Now::new(Duration::from_secs(30), at(30));
    // The machine was asleep, and one of its clocks with it.
    let asleep = Now::new(Duration::from_secs(29), at(30));
    let set_back = Now::new(Duration::from_secs(30), at(0));
    for woken in [later, asleep, set_back] {
        let mut foreman = with_a_lease();
        foreman.finished(fresh(1).held, unknown(numbered(1), at(0)), woken);
        let turn = turn_of(&mut foreman, woken);
        assert_eq!(turn.settled.len(), 1);
        assert!(matches!(foreman.next(woken), Move::Wait(_)), "nothing begins meanwhile");
        // It is another one now.
        let told = turn.settled.into_iter().map(|(_, outcome)| outcome).collect();
        let _ = foreman.turned(Turned { told, ..renewed(2, vec![fresh(4)]) }, woken);
        let turn = turn_of(&mut foreman, woken);
        let given_back: Vec<_> = turn.settled.iter().map(|(held, _)| held.intent.0).collect();
        assert_eq!(given_back, [2, 3]);
        let causes = turn.settled.iter().map(|(_, outcome)| outcome.cause());
        assert!(causes.into_iter().all(|cause| cause == Some("stopped")));
        let Move::Start(work) = foreman.next(woken) else { panic!("what it was given now") };
        assert_eq!(work.held, fresh(4).held);
    }
}

#[test]
fn a_lease_that_still_lasts_is_renewed_by_a_turn_that_writes_nothing() {
    let mut foreman = Foreman::new(Pace { concurrency: 2, ..Pace::default() }, now(0));
    let _ = turn_of(&mut foreman, now(0));
    let held_for = Some(Duration::from_secs(30));
    // As many as it may have.
    let work: Vec<_> = (1..=66).map(fresh).collect();
    let _ = foreman.turned(Turned { held_for, ..returned(Vec::new(), work) }, now(0));
    assert!(matches!(foreman.next(now(1)), Move::Start(_)));
    let turn = turn_of(&mut foreman, now(30));
    assert!(turn.is_empty(), "{turn:?}");
    let _ = foreman.turned(Turned { held_for, ..returned(Vec::new(), Vec::new()) }, now(31));
    assert!(matches!(foreman.next(now(31)), Move::Start(_)));
    // Two are on their way: nothing could begin, and nothing is asked.
    assert!(matches!(foreman.next(now(100)), Move::Wait(_)));
}

#[test]
fn the_rate_is_shared_from_the_turn_on_that_says_so() {
    let pace = Pace { concurrency: 80, ahead: 0, per_second: Some(10), ..Pace::default() };
    let mut foreman = Foreman::new(pace, now(0));
    assert!(turn_of(&mut foreman, now(0)).want.shares_rate);
    let work: Vec<_> = (1..=80).map(fresh).collect();
    let _ = foreman.turned(Turned { sharers: 5, ..returned(Vec::new(), work) }, now(0));
    let mut begun = Vec::new();
    let mut at = now(0);
    while begun.len() < 5 {
        match foreman.next(at) {
            Move::Start(work) => begun.push((at.monotonic().as_millis(), work.held)),
            Move::Wait(Some(until)) => at = Now::new(until, super::store::at(0)),
            other => panic!("{other:?}"),
        }
    }
    let times: Vec<_> = begun.iter().map(|(at, _)| *at).collect();
    assert_eq!(times, [0, 500, 1000, 1500, 2000]);
    // One that stops shares it no more.
    foreman.stop();
    assert!(!turn_of(&mut foreman, at).want.shares_rate);
}

/// A 503 with a wait that is longer than its capture's deadline leaves that one in doubt; the others wait too.
#[test]
fn what_one_capture_is_asked_to_wait_for_is_waited_for_by_all() {
    let pace = Pace { concurrency: 2, ..Pace::default() };
    let mut foreman = Foreman::new(pace, now(0));
    let Move::Turn(_) = foreman.next(now(0)) else { panic!("it looks for work") };
    let turned = returned(Vec::new(), [1, 2, 3].map(fresh).into());
    assert!(foreman.turned(turned, now(0)).is_empty());
    let Move::Start(first) = foreman.next(now(0)) else { panic!("the first starts") };
    let Move::Start(_) = foreman.next(now(0)) else { panic!("and the second") };
    let mut ticket = serde_json::to_value(unknown(*first.how.capture(), at(0))).unwrap();
    ticket["retry_after_s"] = json!(900);
    foreman.finished(first.held, serde_json::from_value(ticket).unwrap(), now(1));
    loop {
        match foreman.next(now(2)) {
            Move::Turn(_) => {
                let told = vec![unknown(*first.how.capture(), at(1))];
                let _ = foreman.turned(returned(told, Vec::new()), now(2));
            }
            Move::Wait(until) => {
                assert_eq!(until, Some(Duration::from_secs(901)));
                break;
            }
            other => panic!("{other:?}"),
        }
    }
    assert!(matches!(foreman.next(now(901)), Move::Start(_)), "the third begins after the wait");
}

/// A journal that remembers who was said to share the rate.
struct Watched(Memory, Arc<Mutex<Vec<bool>>>);

impl Journal for Watched {
    fn turn(&mut self, turn: &Turn) -> Result<Turned, Lost> {
        self.1.lock().unwrap().push(turn.want.shares_rate);
        self.0.turn(turn)
    }

    fn stories(&mut self, order: OrderId) -> Result<Vec<Story>, Lost> {
        self.0.stories(order)
    }
}

/// What single callers ask for beside it says nothing about one that works off captures; its end does.
#[test]
fn who_works_at_a_rate_shares_it_until_the_work_ends() {
    let (sandbox, seen) = (Sandbox::start(), Arc::default());
    let mut journal = Disk::default().open();
    let [first, second] = written(&sandbox, &mut journal, 2)[..] else { panic!("two") };
    let client = capture_ureq::Client::new(setup(&sandbox)).unwrap();
    let client = blocking::Durable::new(client, Watched(journal, Arc::clone(&seen)));
    let said = || std::mem::take(&mut *seen.lock().unwrap());
    let _ = client.capture(&first).unwrap();
    assert_eq!(said(), [false, false]);
    let (stop, mut is_asked) = (Stop::new(), false);
    let pace = Pace { stays: true, ..Pace::default() };
    let end = client.run(&pace, &stop, |news| match news {
        News::Round(Round { in_hand: 0, .. }) if is_asked => stop.stop(),
        News::Round(Round { in_hand: 0, .. }) => {
            assert!(client.capture(&second).is_ok());
            is_asked = true;
        }
        _ => {}
    });
    end.unwrap();
    // The writer hears of the end by itself.
    while seen.lock().unwrap().last() != Some(&false) {
        std::thread::sleep(Duration::from_millis(5));
    }
    let mut said = said();
    assert_eq!(said.pop(), Some(false));
    assert!(said.len() >= 3 && said.iter().all(|shares| *shares), "{said:?}");
}

#[test]
fn a_journal_counts_the_living_who_share_the_rate() {
    let disk = Disk::default();
    let shares = |journal: &mut Memory, shares_rate| {
        let (settled, asks) = (Vec::new(), Vec::new());
        let want = Want { shares_rate, ..Want::most(1) };
        journal.turn(&Turn { at: at(0), settled, asks, want }).unwrap().sharers
    };
    let (mut one, mut two, mut three) = (disk.open(), disk.open(), disk.open());
    assert_eq!(shares(&mut one, true), 1);
    assert_eq!(shares(&mut two, true), 2);
    assert_eq!(shares(&mut one, true), 2);
    // One that does not share it counts itself, and nobody else does.
    assert_eq!(shares(&mut three, false), 3);
    assert_eq!(shares(&mut one, true), 2);
    assert_eq!(shares(&mut two, false), 2);
    assert_eq!(shares(&mut one, true), 1);
    assert_eq!(shares(&mut two, true), 2);
    drop(two);
    assert_eq!(shares(&mut one, true), 1);
    three.lose_hold();
    assert_eq!(shares(&mut three, true), 2);
    assert_eq!(shares(&mut one, true), 1);
}
