//! The simulated foremen at a small size, and the broken ones.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use capture_tests::foremen::{Misuse, Trouble, against, calm, hosts, play, serve, share};

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

/// Several hosts with leases, whose clocks are off and jump, that die, stand still and are cut off.
#[test]
fn hosts_with_leases_capture_once_and_lose_nothing() {
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    for seed in 0..60 {
        let report = hosts(seed, None, &BTreeSet::new());
        assert!(report.broken.is_empty(), "seed {seed}: {:#?}", report.broken);
        let counted = report.counts.into_iter();
        counted.for_each(|(what, times)| *counts.entry(what).or_default() += times);
    }
    let happened =
        ["captures resumed", "late captured", "late not captured", "leases that ran out"];
    for what in happened.into_iter().chain(Trouble::ALL.map(Trouble::name)) {
        assert!(counts.get(what).is_some_and(|times| *times > 5), "{what}: {counts:#?}");
    }
}

/// Without one kind of trouble some world must go another way, and what it alone shows to be broken must be
/// missed.
#[test]
fn each_trouble_of_hosts_is_missed() {
    for trouble in Trouble::ALL {
        let counts = |seed, off: &[Trouble]| {
            let mut counts = hosts(seed, None, &off.iter().copied().collect()).counts;
            counts.remove(trouble.name());
            counts
        };
        let acts = (0..20).any(|seed| counts(seed, &[]) != counts(seed, &[trouble]));
        assert!(acts, "{trouble:?} does nothing");
    }
    for misuse in Misuse::ALL.into_iter().filter(|misuse| !misuse.is_shown_by().is_empty()) {
        let off = misuse.is_shown_by().iter().copied().collect();
        for seed in 0..12 {
            let broken = hosts(seed, Some(misuse), &off).broken;
            assert!(broken.is_empty(), "{misuse:?}, seed {seed}: {broken:#?}");
        }
    }
}

/// Ten hosts that come at any moment, leave, die and stand still: over any time, no more first sends than the
/// rate and what `judge.rs` allows besides. Where all stay, they use what they have.
#[test]
fn ten_hosts_together_keep_to_the_rate() {
    let mut most: f64 = 0.0;
    for seed in 0..12 {
        let is_calm = seed % 4 == 0;
        let report = share(seed, None, is_calm);
        assert!(report.broken.is_empty(), "seed {seed}: {:#?}", report.broken);
        let took = report.begun_at;
        assert!(!is_calm || took < Duration::from_secs(17), "20 a second took {took:?} for 300");
        most = most.max(report.beyond);
    }
    assert!(most > 15.0, "hosts that come together begin with more than their bursts: {most}");
}
