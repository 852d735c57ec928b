//! What a client reports to an observer and to `metrics`, and that it never reports a secret.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

use capture_client::{Event, Outcome, Policy, Resend, Ticket};

use crate::stub::{CANARY, Fate, capture, client};

/// A capture whose reply is lost, and what happened to it.
const LOST: [Fate; 2] = [Fate::Answered, Fate::ReplyLost];

#[test]
fn an_observer_gets_everything_in_order() {
    let told = Arc::new(Mutex::new(Vec::new()));
    let (client, _) = client(&LOST);
    let notes = Arc::clone(&told);
    let client = client.with_observer(move |event: &Event<'_>| {
        let note = match event {
            Event::Started { resumed, .. } => format!("started, resumed: {resumed}"),
            Event::Attempted { attempt, resend_count, .. } => {
                format!("{} {resend_count}: {attempt}", attempt.operation.code())
            }
            Event::Waiting { next, .. } => format!("waiting for {}", next.code()),
            Event::Ended { outcome, unknown_for, permits_left, .. } => {
                format!("{outcome}; unknown: {}, {permits_left} left", unknown_for.is_some())
            }
            other => panic!("{other:?}"),
        };
        assert!(!format!("{event:?}").contains(CANARY), "{event:?}");
        notes.lock().unwrap().push(note);
    });
    let outcome = client.capture(&capture());
    assert!(matches!(outcome, Outcome::Captured(_)));
    let expected = [
        "started, resumed: false",
        "login 0: the login gave a token",
        "capture 0: no reply came, and the request may have been sent (reset)",
        "waiting for lookup",
        "lookup 0: the order is Completed",
        "captured: the order is Completed; unknown: false, 100 left",
    ];
    assert_eq!(*told.lock().unwrap(), expected);

    told.lock().unwrap().clear();
    let _ = client.resume(Ticket::interrupted(capture(), SystemTime::now()));
    let expected = [
        "started, resumed: true",
        "lookup 0: the order is Completed",
        "captured: the order is Completed; unknown: false, 100 left",
    ];
    assert_eq!(*told.lock().unwrap(), expected, "earlier attempts are not told again");
}

/// The times are those of this run, however long the client has been there, and of this capture.
#[test]
fn the_times_are_of_this_run_and_of_this_capture() {
    let told = Arc::new(Mutex::new(Vec::new()));
    let (client, _) = client(&LOST);
    let notes = Arc::clone(&told);
    let client = client.with_observer(move |event: &Event<'_>| match event {
        Event::Waiting { delay, .. } => notes.lock().unwrap().push(("waits", *delay)),
        Event::Ended { took, unknown_for, .. } => {
            notes.lock().unwrap().extend([("took", *took)]);
            notes.lock().unwrap().extend(unknown_for.map(|age| ("unknown for", age)));
        }
        _ => {}
    });
    let _ = client.capture(&capture());
    let [("waits", delay), ("took", took)] = told.lock().unwrap()[..] else { panic!("{told:?}") };
    assert!(Duration::from_millis(500) <= delay && delay <= took, "{delay:?} {took:?}");

    told.lock().unwrap().clear();
    let policy = Policy::default().with_lookup(false).with_resend(Resend::Never);
    let hour = Duration::from_secs(3600);
    let ticket = Ticket::interrupted(capture(), SystemTime::now() - hour);
    let began = Instant::now();
    let _ = client.with_policy(policy).resume(ticket);
    let elapsed = began.elapsed();
    let [("took", took), ("unknown for", age)] = told.lock().unwrap()[..] else {
        panic!("{told:?}")
    };
    assert!(took <= elapsed, "the client is older than this run: {took:?}, {elapsed:?}");
    assert!(hour <= age && age < 2 * hour, "{age:?}");
}

/// Statuses count as first sends, a fifth of which may be repeated.
#[test]
fn the_budget_is_earned_by_every_first_send() {
    let left = Arc::new(Mutex::new(0));
    let (client, _) = client(&[]);
    let note = Arc::clone(&left);
    let client = client.with_observer(move |event: &Event<'_>| {
        if let Event::Ended { permits_left, .. } = event {
            *note.lock().unwrap() = *permits_left;
        }
    });
    (0..4).for_each(|_| _ = client.status(crate::stub::order()).unwrap());
    let _ = client.capture(&capture());
    assert_eq!(*left.lock().unwrap(), 101);
}

#[cfg(feature = "metrics")]
#[test]
fn metrics_count_outcomes_attempts_and_unknowns() {
    use metrics_util::debugging::{DebugValue, DebuggingRecorder};

    let began = Instant::now();
    let recorder = DebuggingRecorder::new();
    let snapshotter = recorder.snapshotter();
    metrics::with_local_recorder(&recorder, || {
        let (client, _) = client(&LOST);
        assert!(matches!(client.capture(&capture()), Outcome::Captured(_)));
        let never = Policy::default().with_lookup(false);
        let (client, _) = crate::stub::client(&LOST);
        let never = never.with_resend(Resend::Never);
        assert!(matches!(client.with_policy(never).capture(&capture()), Outcome::Unknown(_)));
    });
    let took = began.elapsed().as_secs_f64();
    let mut told: Vec<String> = Vec::new();
    for (key, _, _, value) in snapshotter.snapshot().into_vec() {
        let labels: Vec<String> =
            key.key().labels().map(|label| format!("{}={}", label.key(), label.value())).collect();
        let value = match value {
            DebugValue::Counter(count) => count.to_string(),
            DebugValue::Gauge(value) => value.to_string(),
            DebugValue::Histogram(values) => {
                let most = values.iter().map(|value| value.0).fold(0.0, f64::max);
                assert!(most <= took, "{}: {most} is more than {took} s", key.key().name());
                format!("{} values", values.len())
            }
        };
        told.push(format!("{} {} {value}", key.key().name(), labels.join(" ")));
    }
    for expected in [
        "capture.outcomes outcome=captured code=order_status 1",
        "capture.outcomes outcome=unknown code=no_reply 1",
        "capture.attempts operation=capture phase=maybe_sent status=none 2",
        "capture.attempts operation=lookup phase=replied status=200 1",
        "capture.attempts operation=login phase=replied status=200 2",
        "capture.attempt.duration operation=capture 2 values",
        "capture.duration outcome=captured 1 values",
        "capture.wait.duration  1 values",
        "capture.unknown.age  1 values",
        "capture.retry_budget.permits  100",
    ] {
        assert!(told.iter().any(|line| line == expected), "{expected}\n{}", told.join("\n"));
    }
    assert!(!told.join("\n").contains(CANARY));
}
