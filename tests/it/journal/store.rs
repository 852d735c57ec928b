//! What every store promises, held to the model in memory and to the real file.

use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use capture_core::{
    Capture, Doubt, IdempotencyKey, Money, Obstacle, OrderId, Outcome, Proof, Reason, Receipt,
    Refusal, Ticket,
};
use capture_journal::{
    Answer, Ask, Disk, Held, How, Journal, Memory, Other, Standing, Story, Turn, Turned, Want, Work,
};
use capture_sqlite::Sqlite;

use super::server::{Database, Opened};

/// A store that can be opened any number of times.
pub(crate) trait Store {
    type Opened: Journal;

    fn new() -> Self;
    fn open(&self) -> Self::Opened;
}

impl Store for Disk {
    type Opened = Memory;

    fn new() -> Self {
        Self::default()
    }

    fn open(&self) -> Memory {
        Self::open(self)
    }
}

/// A file in a directory of its own.
pub(crate) struct Directory(tempfile::TempDir);

impl Directory {
    pub(crate) fn path(&self) -> PathBuf {
        self.0.path().join("captures.journal")
    }
}

impl Store for Directory {
    type Opened = Sqlite;

    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn open(&self) -> Sqlite {
        Sqlite::open(&self.path(), &"sandbox".parse().unwrap()).unwrap()
    }
}

impl Store for Database {
    type Opened = Opened;

    fn new() -> Self {
        Self::create()
    }

    fn open(&self) -> Opened {
        Self::open(self)
    }
}

const ORDER: &str = "5f1a3c5e-7c1d-4e0b-9d6a-0c4f5b6a7d81";

pub(crate) fn at(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000 + seconds)
}

pub(crate) fn capture(amount: &str) -> Capture {
    let order: OrderId = ORDER.parse().unwrap();
    Capture::new(order, Money::parse(amount, "USD").unwrap(), IdempotencyKey::for_order(order))
}

/// The capture of another order.
pub(crate) fn numbered(order: u128) -> Capture {
    let order = OrderId::from_bytes(order.to_be_bytes()).unwrap();
    Capture::new(order, capture("100.00").money(), IdempotencyKey::for_order(order))
}

fn with_key(key: IdempotencyKey) -> Capture {
    Capture::new(capture("100.00").order_id(), capture("100.00").money(), key)
}

pub(crate) fn captured(capture: Capture) -> Outcome {
    Outcome::Captured(Receipt::new(capture, Proof::Reply))
}

pub(crate) fn declined(capture: Capture) -> Outcome {
    Outcome::NotCaptured(Refusal::new(capture, Reason::Declined(Vec::new())))
}

pub(crate) fn never_sent(capture: Capture) -> Outcome {
    Outcome::NotCaptured(Refusal::new(capture, Reason::NeverSent("no route".into())))
}

pub(crate) fn unknown(capture: Capture, first_sent: SystemTime) -> Outcome {
    Outcome::Unknown(Ticket::new(capture, Doubt::NoReply, Obstacle::NotLookedUp, first_sent))
}

pub(crate) fn turn(
    journal: &mut impl Journal,
    seconds: u64,
    settled: &[(Held, Outcome)],
    asks: &[Ask],
    want: usize,
) -> Turned {
    let (settled, asks) = (settled.to_vec(), asks.to_vec());
    journal.turn(&Turn { at: at(seconds), settled, asks, want: Want::most(want) }).unwrap()
}

pub(crate) fn ask(journal: &mut impl Journal, seconds: u64, capture: Capture) -> Answer {
    turn(journal, seconds, &[], &[Ask { capture, now: true }], 0).answers.remove(0)
}

pub(crate) fn work(answer: Answer) -> Work {
    match answer {
        Answer::Work(work) => work,
        other => panic!("no work: {other:?}"),
    }
}

pub(crate) fn settle(
    journal: &mut impl Journal,
    seconds: u64,
    held: Held,
    outcome: Outcome,
) -> Outcome {
    turn(journal, seconds, &[(held, outcome)], &[], 0).told.remove(0)
}

/// The capture of another order that is asked for, and a second later settled so.
pub(crate) fn record(
    journal: &mut impl Journal,
    order: u128,
    seconds: u64,
    outcome: fn(Capture) -> Outcome,
) {
    let held = work(ask(journal, seconds, numbered(order))).held;
    let _ = settle(journal, seconds + 1, held, outcome(numbered(order)));
}

fn story(journal: &mut impl Journal) -> Story {
    journal.stories(ORDER.parse().unwrap()).unwrap().pop().unwrap()
}

pub(crate) fn first_sent(how: &How) -> SystemTime {
    match how {
        How::Resume(ticket) => ticket.first_sent().unwrap(),
        How::Fresh(_) => panic!("a fresh start"),
    }
}

pub(crate) fn a_decided_order_answers_from_the_record<S: Store>() {
    for outcome in [captured, declined] {
        let store = S::new();
        let mut journal = store.open();
        let first = work(ask(&mut journal, 0, capture("100.00")));
        assert_eq!(first.how, How::Fresh(capture("100.00")));
        let told = settle(&mut journal, 1, first.held, outcome(capture("100.00")));
        assert_eq!(told, outcome(capture("100.00")));
        drop(journal);
        let again = ask(&mut store.open(), 9, capture("100.00"));
        assert_eq!(again, Answer::Decided(outcome(capture("100.00")), at(1)));
    }
}

pub(crate) fn a_holder_that_ended_leaves_a_doubt_that_is_as_old_as_its_first_claim<S: Store>() {
    let store = S::new();
    let mut first = store.open();
    let held = work(ask(&mut first, 0, capture("100.00")));
    // While it lives, nobody else sends.
    let Answer::Busy(busy) = ask(&mut store.open(), 1, capture("100.00")) else { panic!("busy") };
    assert_eq!((busy.is_ours, busy.since), (false, at(0)));
    let Answer::Busy(busy) = ask(&mut first, 1, capture("100.00")) else { panic!("busy") };
    assert!(busy.is_ours);
    drop(first);
    let mut second = store.open();
    let resumed = work(ask(&mut second, 2, capture("100.00")));
    assert_eq!(first_sent(&resumed.how), at(0));
    assert_ne!(resumed.held.claim, held.held.claim);
    drop(second);
    assert_eq!(first_sent(&work(ask(&mut store.open(), 3, capture("100.00"))).how), at(0));
}

pub(crate) fn an_unknown_outcome_is_resumed_from_its_own_ticket<S: Store>() {
    let store = S::new();
    let mut journal = store.open();
    let held = work(ask(&mut journal, 0, capture("100.00"))).held;
    let doubt = unknown(capture("100.00"), at(1));
    assert_eq!(settle(&mut journal, 2, held, doubt.clone()), doubt);
    let Outcome::Unknown(ticket) = doubt else { unreachable!() };
    let resumed = work(ask(&mut journal, 3, capture("100.00")));
    assert_eq!(resumed.how, How::Resume(ticket.clone()));
    // Its holder ends without a word: the doubt that was there stays.
    drop(journal);
    let resumed = work(ask(&mut store.open(), 4, capture("100.00")));
    assert_eq!(resumed.how, How::Resume(ticket));
}

pub(crate) fn what_was_never_sent_starts_afresh_unless_somebody_may_have_sent_it<S: Store>() {
    let store = S::new();
    let mut journal = store.open();
    let held = work(ask(&mut journal, 0, capture("100.00"))).held;
    let told = settle(&mut journal, 1, held, never_sent(capture("100.00")));
    assert_eq!(told, never_sent(capture("100.00")));
    let fresh = work(ask(&mut journal, 2, capture("100.00")));
    assert_eq!(fresh.how, How::Fresh(capture("100.00")));
    // This one ends without a word, and the next one gets nowhere.
    drop(journal);
    let mut journal = store.open();
    let resumed = work(ask(&mut journal, 3, capture("100.00")));
    assert_eq!(first_sent(&resumed.how), at(2));
    let told = settle(&mut journal, 4, resumed.held, never_sent(capture("100.00")));
    assert!(matches!(told, Outcome::Unknown(_)), "{told}");
    assert_eq!(first_sent(&work(ask(&mut journal, 5, capture("100.00"))).how), at(2));
}

pub(crate) fn evidence_of_a_holder_that_lost_its_hold<S: Store>(lose: impl Fn(&mut S::Opened)) {
    // What the late holder found; what the other one records, if it does before; what each is told.
    let cases = [
        (captured as fn(Capture) -> Outcome, None, "captured", "captured"),
        (captured, Some(declined as fn(Capture) -> Outcome), "captured", "captured"),
        (declined, None, "unknown", "unknown"),
        (never_sent, None, "unknown", "unknown"),
        (|it| unknown(it, at(0)), None, "unknown", "unknown"),
        (declined, Some(captured), "captured", "captured"),
        (never_sent, Some(declined), "not_captured", "not_captured"),
        (|it| unknown(it, at(0)), Some(declined), "not_captured", "not_captured"),
        (|it| unknown(it, at(0)), Some(captured), "captured", "captured"),
    ];
    for (index, (late, other, told, stands)) in cases.into_iter().enumerate() {
        let store = S::new();
        let mut first = store.open();
        let held = work(ask(&mut first, 0, capture("100.00"))).held;
        lose(&mut first);
        let mut second = store.open();
        let taken = work(ask(&mut second, 1, capture("100.00"))).held;
        if let Some(other) = other {
            let _ = settle(&mut second, 2, taken, other(capture("100.00")));
        }
        let outcome = settle(&mut first, 3, held, late(capture("100.00")));
        assert_eq!(outcome.name(), told, "case {index}");
        let story = story(&mut second);
        assert!(story.entries.last().unwrap().is_note, "case {index}");
        let standing = match story.standing() {
            Standing::Claimed(..) => "unknown",
            standing => standing.name(),
        };
        assert_eq!(standing, stands, "case {index}");
    }
}

pub(crate) fn other_values_are_refused_while_the_order_is_open_or_captured<S: Store>() {
    let (usual, new_key) = (
        capture("100.00"),
        with_key(IdempotencyKey::following(capture("100.00").idempotency_key())),
    );
    let of = |answer: Answer| match answer {
        Answer::Other(Other { capture, standing, .. }) => (capture, standing.name()),
        other => panic!("{other:?}"),
    };
    let store = S::new();
    let mut journal = store.open();
    let held = work(ask(&mut journal, 0, usual)).held;
    for other in [capture("50.00"), new_key] {
        assert_eq!(of(ask(&mut journal, 1, other)), (usual, "claimed"));
    }
    let _ = settle(&mut journal, 2, held, unknown(usual, at(0)));
    for other in [capture("50.00"), new_key] {
        assert_eq!(of(ask(&mut journal, 3, other)), (usual, "unknown"));
    }
    let held = work(ask(&mut journal, 4, usual)).held;
    let _ = settle(&mut journal, 5, held, captured(usual));
    assert_eq!(of(ask(&mut journal, 6, capture("50.00"))), (usual, "captured"));
    // The order is captured, whatever the key.
    assert_eq!(ask(&mut journal, 7, new_key), Answer::Decided(captured(usual), at(5)));
}

pub(crate) fn a_new_key_begins_anew_once_the_order_is_not_captured<S: Store>() {
    let store = S::new();
    let mut journal = store.open();
    let usual = capture("100.00");
    let held = work(ask(&mut journal, 0, usual)).held;
    let _ = settle(&mut journal, 1, held, declined(usual));
    let new = with_key(IdempotencyKey::following(usual.idempotency_key()));
    let second = work(ask(&mut journal, 2, new));
    assert_eq!(second.how, How::Fresh(new));
    // The old one is no longer to be had while the new one is open.
    assert!(matches!(ask(&mut journal, 3, usual), Answer::Other(other) if other.capture == new));
    let _ = settle(&mut journal, 4, second.held, captured(new));
    assert_eq!(ask(&mut journal, 5, usual), Answer::Decided(captured(new), at(4)));
    let stories = journal.stories(usual.order_id()).unwrap();
    let names: Vec<_> = stories.iter().map(|story| story.standing().name()).collect();
    assert_eq!(names, ["not_captured", "captured"]);
}

pub(crate) fn two_who_ask_in_one_turn_get_one_work<S: Store>() {
    let store = S::new();
    let mut journal = store.open();
    let both = [Ask { capture: capture("100.00"), now: true }; 2];
    let turned = turn(&mut journal, 0, &[], &both, 0);
    assert!(
        matches!(turned.answers[..], [Answer::Work(_), Answer::Busy(ref busy)] if busy.is_ours)
    );
}

pub(crate) fn work_that_is_due_is_handed_out_once_and_oldest_first<S: Store>() {
    let store = S::new();
    let mut first = store.open();
    let queued: Vec<_> = (1..=5).map(|n| Ask { capture: numbered(n), now: false }).collect();
    let turned = turn(&mut first, 0, &[], &queued, 0);
    assert!(turned.answers.iter().all(|answer| *answer == Answer::Queued));
    let all = |turned: &Turned| -> Vec<_> {
        turned.work.iter().map(|work| work.how.capture().order_id()).collect()
    };
    let ids = |numbers: &[u128]| -> Vec<_> {
        numbers.iter().map(|n| OrderId::from_bytes(n.to_be_bytes()).unwrap()).collect()
    };
    let given = turn(&mut first, 1, &[], &[], 3);
    assert_eq!(all(&given), ids(&[1, 2, 3]));
    let [one, two, three] = [0, 1, 2].map(|n| given.work[n].held);
    // One is decided, one put back, one in doubt; each is due after its own wait.
    let settled = [
        (one, captured(numbered(1))),
        (two, never_sent(numbered(2))),
        (three, unknown(numbered(3), at(20))),
    ];
    let _ = turn(&mut first, 2, &settled, &[], 0);
    let mut second = store.open();
    assert_eq!(all(&turn(&mut second, 3, &[], &[], 1)), ids(&[4]));
    assert_eq!(all(&turn(&mut first, 3, &[], &[], 9)), ids(&[5]));
    assert_eq!(all(&turn(&mut first, 21, &[], &[], 9)), ids(&[3]));
    assert_eq!(all(&turn(&mut first, 40, &[], &[], 9)), ids(&[2]));
    // The second one ends with the fourth in hand.
    drop(second);
    let late = turn(&mut first, 41, &[], &[], 9);
    assert_eq!(all(&late), ids(&[4]));
    assert_eq!(first_sent(&late.work[0].how), at(3));
    assert_eq!(all(&turn(&mut first, 99, &[], &[], 9)), ids(&[]));
}

fn wants(
    journal: &mut impl Journal,
    seconds: u64,
    want: Want,
    settled: &[(Held, Outcome)],
) -> Turned {
    let (settled, asks) = (settled.to_vec(), Vec::new());
    journal.turn(&Turn { at: at(seconds), settled, asks, want }).unwrap()
}

/// Many are claimed at once, and a holder that wants more learns when there may be more.
pub(crate) fn what_is_wanted_says_when_more_is_due<S: Store>() {
    let store = S::new();
    let mut journal = store.open();
    let queued: Vec<_> = (1..=100).map(|n| Ask { capture: numbered(n), now: false }).collect();
    let _ = turn(&mut journal, 0, &[], &queued, 0);
    // Nothing is open that may have been sent.
    let open = Want { only_open: true, ..Want::most(9) };
    let given = wants(&mut journal, 0, open, &[]);
    assert_eq!((given.work.len(), given.later), (0, None));
    let first = wants(&mut journal, 1, Want::most(70), &[]);
    assert_eq!((first.work.len(), first.later), (70, None));
    let mut other = store.open();
    let second = wants(&mut other, 1, Want::most(70), &[]);
    assert_eq!((second.work.len(), second.later), (30, Some(at(6))));
    let all: Vec<_> = first.work.iter().chain(&second.work).map(|work| work.how.clone()).collect();
    let expected: Vec<_> = (1..=100).map(|n| How::Fresh(numbered(n))).collect();
    assert_eq!(all, expected);
    // One is in doubt, one was put back, one given back; the others are captured.
    let settled: Vec<_> = first
        .work
        .iter()
        .map(|work| {
            let capture = *work.how.capture();
            let outcome = match work.held.intent {
                it if it == first.work[4].held.intent => unknown(capture, at(40)),
                it if it == first.work[5].held.intent => never_sent(capture),
                it if it == first.work[6].held.intent => work.how.clone().untouched(),
                _ => captured(capture),
            };
            (work.held, outcome)
        })
        .collect();
    let next = wants(&mut journal, 2, Want::most(9), &settled);
    assert_eq!(next.work.len(), 1, "what was given back is due at once");
    assert_eq!(next.work[0].how, How::Fresh(numbered(7)));
    let given = [(next.work[0].held, captured(numbered(7)))];
    // Another process still holds thirty.
    assert_eq!(wants(&mut journal, 3, Want::most(9), &given).later, Some(at(8)));
    drop(other);
    let taken = wants(&mut journal, 4, Want { only_open: true, ..Want::most(99) }, &[]);
    assert_eq!(taken.work.len(), 30);
    assert!(taken.work.iter().all(|work| first_sent(&work.how) == at(1)));
    let settled: Vec<_> =
        taken.work.iter().map(|work| (work.held, captured(*work.how.capture()))).collect();
    assert_eq!(wants(&mut journal, 5, Want::most(9), &settled).later, Some(at(32)));
    assert_eq!(wants(&mut journal, 6, open, &[]).later, Some(at(40)));
    assert_eq!(wants(&mut journal, 33, open, &[]).work.len(), 0);
    let last = wants(&mut journal, 41, Want::most(9), &[]).work;
    let last: Vec<_> = last.iter().map(|it| (it.held, captured(*it.how.capture()))).collect();
    assert_eq!(last.len(), 2);
    assert_eq!(wants(&mut journal, 42, Want::most(9), &last).later, None);
}

/// A capture that stays in doubt is looked at less and less often, and never given up.
pub(crate) fn one_that_stays_in_doubt_waits_longer_each_time<S: Store>() {
    let store = S::new();
    let mut journal = store.open();
    let _ = turn(&mut journal, 0, &[], &[Ask { capture: numbered(1), now: false }], 0);
    let mut given = wants(&mut journal, 0, Want::most(1), &[]).work;
    let mut now = 0;
    for wait in [0, 60, 300, 900, 3600, 3600] {
        let settled = [(given[0].held, unknown(numbered(1), at(0)))];
        let early = wants(&mut journal, now, Want::most(1), &settled);
        given = match wait {
            0 => early.work,
            wait => {
                assert_eq!(early.later, Some(at(now + wait)));
                now += wait;
                wants(&mut journal, now, Want::most(1), &[]).work
            }
        };
        assert_eq!(given.len(), 1, "after {wait} s");
    }
    // Another process leaves it alone, until this one has ended.
    let settled = [(given[0].held, unknown(numbered(1), at(0)))];
    let _ = wants(&mut journal, now, Want::default(), &settled);
    let mut other = store.open();
    assert_eq!(wants(&mut other, now, Want::most(1), &[]).later, Some(at(now + 3600)));
    drop(journal);
    // The one that looked before sees at once that it has ended.
    assert_eq!(wants(&mut other, now, Want::most(1), &[]).work.len(), 1);
}

/// The server did not read the body, so that it saw no key either.
pub(crate) fn a_body_that_was_not_read_is_sent_again_under_its_key<S: Store>() {
    let store = S::new();
    let mut journal = store.open();
    let usual = capture("100.00");
    let unread = Outcome::NotCaptured(Refusal::unread(usual, Reason::Rejected(415, Vec::new())));
    let held = work(ask(&mut journal, 0, usual)).held;
    assert_eq!(settle(&mut journal, 1, held, unread.clone()), unread);
    // Nobody sends it again without being asked.
    let queued = turn(&mut journal, 2, &[], &[Ask { capture: usual, now: false }], 9);
    assert!(matches!(queued.answers[..], [Answer::Decided(..)]) && queued.work.is_empty());
    let again = work(ask(&mut journal, 3, usual));
    assert_eq!(again.how, How::Fresh(usual));
    // Its holder ends without a word: from now on it may have been sent, and a holder that wants work finds it.
    drop(journal);
    let found = wants(&mut store.open(), 4, Want::most(1), &[]).work;
    assert_eq!(first_sent(&found[0].how), at(3));
    let mut journal = store.open();
    let resumed = work(ask(&mut journal, 4, usual));
    assert_eq!(first_sent(&resumed.how), at(3));
    let _ = settle(&mut journal, 5, resumed.held, captured(usual));
    assert_eq!(ask(&mut journal, 6, usual), Answer::Decided(captured(usual), at(5)));
}

/// The refusal stood in doubt until a second run confirmed it. What a third one sends is another matter.
pub(crate) fn a_confirmed_refusal_does_not_explain_a_later_send<S: Store>() {
    let store = S::new();
    let mut journal = store.open();
    let usual = capture("100.00");
    let reason = Reason::Rejected(415, Vec::new());
    let doubt = Doubt::Unconfirmed(Box::new(reason.clone()));
    let unconfirmed = Ticket::new(usual, doubt, Obstacle::NotLookedUp, at(0));
    let held = work(ask(&mut journal, 0, usual)).held;
    let _ = settle(&mut journal, 1, held, Outcome::Unknown(unconfirmed));
    let held = work(ask(&mut journal, 2, usual)).held;
    let _ = settle(&mut journal, 3, held, Outcome::NotCaptured(Refusal::unread(usual, reason)));
    assert_eq!(work(ask(&mut journal, 4, usual)).how, How::Fresh(usual));
    // Its holder ends without a word: it may have been captured, and only evidence clears that.
    drop(journal);
    let how = work(ask(&mut store.open(), 5, usual)).how;
    assert_eq!(how, How::Resume(Ticket::interrupted(usual, at(4))));
}
