//! The simulated foremen at a small size, and the broken ones.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use capture_core::Outcome;
use capture_core::driver::Now;
use capture_journal::{ClaimId, Fence, Foreman, Held, How, IntentId, Move, Pace, Turned, Work};
use capture_tests::foremen::{Misuse, Trouble, against, calm, hosts, play, serve, share};
use serde_json::json;

use super::store::{at, numbered, unknown};

#[test]
fn every_order_is_captured_once_by_foremen_that_die_at_any_moment() {
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    for seed in 0..60 {
        let report = play(seed, None);
        assert!(report.broken.is_empty(), "seed {seed}: {:#?}", report.broken);
        report
            .counts
            .into_iter()
            .for_each(|(what, times)| *counts.entry(what).or_default() += times);
    }
    // A simulation in which nothing goes wrong proves nothing.
    let happened = [
        "captures begun",
        "captures resumed",
        "deaths",
        "deaths amid a turn",
        "never sent",
        "replies lost",
        "stops",
        "throttled",
    ];
    for what in happened {
        assert!(counts.get(what).is_some_and(|times| *times > 5), "{what}: {counts:#?}");
    }
}

#[test]
fn each_broken_foreman_is_caught() {
    for misuse in Misuse::ALL {
        let rule = misuse.breaks();
        let caught = (0..60).any(|seed| against(misuse, seed).broken.contains_key(&rule));
        assert!(caught, "{misuse:?} does not break {rule:?}");
    }
}

/// Orders arrive all the time, also when nothing else is due, and an outage may last longer than a run waits.
#[test]
fn a_service_stays_and_takes_what_arrives() {
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    for seed in 0..20 {
        for is_calm in [true, false] {
            let report = serve(seed, None, is_calm);
            assert!(report.broken.is_empty(), "seed {seed}, {is_calm}: {:#?}", report.broken);
            let counted = report.counts.into_iter();
            counted.for_each(|(what, times)| *counts.entry(what).or_default() += times);
        }
    }
    for what in ["captures begun", "captures resumed", "deaths", "throttled"] {
        assert!(counts.get(what).is_some_and(|times| *times > 5), "{what}: {counts:#?}");
    }
}

/// Four at once that take 450 ms each, and not a moment longer than the last reply and its record.
#[test]
fn a_run_without_trouble_ends_with_its_last_order() {
    for seed in 0..20 {
        let report = calm(seed);
        assert!(report.broken.is_empty(), "seed {seed}: {:#?}", report.broken);
        let due = Duration::from_millis(118) * report.orders as u32 + Duration::from_millis(2500);
        assert!(report.ended_at < due, "seed {seed}: {report:?}, and not by {due:?}");
    }
}

/// A 503 with a wait that is longer than its capture's deadline leaves that one in doubt; the others wait too.
#[test]
fn what_one_capture_is_asked_to_wait_for_is_waited_for_by_all() {
    let now = |seconds: u64| Now::new(Duration::from_secs(seconds), at(seconds));
    let pace = Pace { concurrency: 2, ..Pace::default() };
    let mut foreman = Foreman::new(pace, now(0));
    let Move::Turn(_) = foreman.next(now(0)) else { panic!("it looks for work") };
    let work = [1, 2, 3].map(|order| Work {
        held: Held { intent: IntentId(order as i64), claim: ClaimId(1) },
        how: How::Fresh(numbered(order)),
    });
    let turned = returned(Vec::new(), work.into());
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

fn returned(told: Vec<Outcome>, work: Vec<Work>) -> Turned {
    let (answers, later) = (Vec::new(), None);
    Turned { told, answers, work, later, sharers: 1, fence: Fence(1), held_for: None }
}

/// Several hosts with leases, whose clocks are off and jump, that die, stand still and are cut off.
#[test]
fn hosts_with_leases_keep_what_is_promised_on_bad_days() {
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    for seed in 0..60 {
        let report = hosts(seed, None, &BTreeSet::new());
        assert!(report.broken.is_empty(), "seed {seed}: {:#?}", report.broken);
        report
            .counts
            .into_iter()
            .for_each(|(what, times)| *counts.entry(what).or_default() += times);
    }
    let happened = ["late captured", "late not captured", "leases that ran out", "captures resumed"];
    println!("{counts:#?}");
    for what in happened.into_iter().chain(Trouble::ALL.map(Trouble::name)) {
        assert!(counts.get(what).is_some_and(|times| *times > 5), "{what}: {counts:#?}");
    }
}

/// Without one kind of trouble some world must go another way, and the broken store or foreman that this kind
/// alone shows must be missed.
#[test]
fn every_trouble_of_hosts_is_missed() {
    let all = BTreeSet::new();
    for trouble in Trouble::ALL {
        let counts = |seed, off: &BTreeSet<Trouble>| {
            let mut counts = hosts(seed, None, off).counts;
            counts.remove(trouble.name());
            counts
        };
        let acts = (0..20).any(|seed| counts(seed, &all) != counts(seed, &[trouble].into()));
        assert!(acts, "{trouble:?} does nothing");
    }
    for misuse in Misuse::ALL.into_iter().filter(|misuse| !misuse.is_shown_by().is_empty()) {
        let off = BTreeSet::from_iter(misuse.is_shown_by().iter().copied());
        for seed in 0..40 {
            let broken = hosts(seed, Some(misuse), &off).broken;
            assert!(broken.is_empty(), "{misuse:?}, seed {seed}: {broken:#?}");
        }
    }
}

/// Ten hosts that come at any moment, leave, die and stand still keep to the rate together: over any time, no
/// more first sends than the rate and a bounded number besides.
#[test]
fn ten_hosts_together_keep_to_the_rate() {
    let mut most: f64 = 0.0;
    for seed in 0..24 {
        let report = share(seed, None, seed % 3 == 0);
        println!("{seed} {:?} {} {:?}", report.begun_at, report.beyond, report.counts);
        assert!(report.broken.is_empty(), "seed {seed}: {:#?}", report.broken);
        most = most.max(report.beyond);
    }
    println!("{most}");
}
