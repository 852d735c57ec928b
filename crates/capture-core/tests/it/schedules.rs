//! Arbitrary schedules: whatever the network, the tokens and the clock do, the rules hold.

use std::num::NonZeroU32;
use std::time::Duration;

use capture_core::{Doubt, Operation, Outcome, Policy, Resend, Ticket};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use crate::driver::{Login, Peer, Run, Say, Sent, drive};
use crate::oracle;
use crate::{api, base, capture, cases, wall};

/// One entry serves one step of the driver, whatever that step is.
#[derive(Debug, Clone)]
struct Moment {
    say: Say,
    login: Login,
    /// How long the reply takes, in thousandths of the attempt timeout.
    takes: u32,
    oversleeps: Duration,
}

/// The moments in order; after them every request is lost and every login fails.
struct Schedule<'a> {
    moments: std::slice::Iter<'a, Moment>,
    timeout: Duration,
}

impl Schedule<'_> {
    fn next(&mut self) -> Moment {
        self.moments.next().cloned().unwrap_or(Moment {
            say: Say::Lost,
            login: Login::Unavailable(None),
            takes: 0,
            oversleeps: Duration::ZERO,
        })
    }
}

impl Peer for Schedule<'_> {
    fn answer(&mut self, _: Operation, timeout: Duration) -> (Say, Duration) {
        assert_eq!(timeout, self.timeout);
        let moment = self.next();
        (moment.say, timeout / 1000 * moment.takes)
    }

    fn login(&mut self) -> (Login, Duration) {
        let moment = self.next();
        (moment.login, self.timeout / 1000 * moment.takes)
    }

    fn oversleeps(&mut self) -> Duration {
        self.next().oversleeps.min(self.timeout)
    }
}

/// Everything that can happen to a request, to captures and lookups alike.
const SAYINGS: [Say; 44] = {
    use Say::{Cut, Lost, NeverSent, NotSent, Reply};
    [
        NotSent,
        NotSent,
        NeverSent,
        Lost,
        Lost,
        Cut(200, &[]),
        Cut(401, &[("retry-after", "3")]),
        Reply(200, &[], r#"{"status":"SUCCESS","success":true}"#),
        Reply(200, &[], r#"{"status":"SUCCESS","success":true,"errors":["m"]}"#),
        Reply(200, &[], r#"{"status":"SUCCESS","success":false}"#),
        Reply(200, &[], r#"{"status":"FAILED","success":true}"#),
        Reply(200, &[], r#"{"status":"FAILED","success":false,"errors":["m"]}"#),
        Reply(200, &[], r#"{"status":"PROCESSING","success":true}"#),
        Reply(
            200,
            &[],
            r#"{"status":"FAILED","success":true,"orderId":"11111111-7c1d-4e0b-9d6a-0c4f5b6a7d81"}"#,
        ),
        Reply(200, &[], ""),
        Reply(200, &[("content-type", "text/html")], "<html>"),
        Reply(200, &[], r#"{"id":"5f1a3c5e-7c1d-4e0b-9d6a-0c4f5b6a7d81","status":0}"#),
        Reply(200, &[], r#"{"id":"5f1a3c5e-7c1d-4e0b-9d6a-0c4f5b6a7d81","status":2}"#),
        Reply(200, &[], r#"{"id":"5f1a3c5e-7c1d-4e0b-9d6a-0c4f5b6a7d81","status":3}"#),
        Reply(200, &[], r#"{"id":"5f1a3c5e-7c1d-4e0b-9d6a-0c4f5b6a7d81","status":4}"#),
        Reply(200, &[], r#"{"id":"5f1a3c5e-7c1d-4e0b-9d6a-0c4f5b6a7d81","status":5}"#),
        Reply(200, &[], r#"{"id":"5f1a3c5e-7c1d-4e0b-9d6a-0c4f5b6a7d81","status":5}"#),
        Reply(200, &[], r#"{"id":"5f1a3c5e-7c1d-4e0b-9d6a-0c4f5b6a7d81","status":5}"#),
        Reply(200, &[], r#"{"id":"5f1a3c5e-7c1d-4e0b-9d6a-0c4f5b6a7d81","status":6}"#),
        Reply(200, &[], r#"{"id":"5f1a3c5e-7c1d-4e0b-9d6a-0c4f5b6a7d81","status":7}"#),
        Reply(200, &[], r#"{"id":"11111111-7c1d-4e0b-9d6a-0c4f5b6a7d81","status":7}"#),
        Reply(
            200,
            &[],
            r#"{"id":"5f1a3c5e-7c1d-4e0b-9d6a-0c4f5b6a7d81","status":7,"statusName":"Cancelled"}"#,
        ),
        Reply(200, &[], r#"{"id":"5f1a3c5e-7c1d-4e0b-9d6a-0c4f5b6a7d81","status":2,"status":7}"#),
        Reply(202, &[], ""),
        Reply(307, &[("location", "https://elsewhere.example/")], ""),
        Reply(400, &[], r#"{"TraceId":["t"],"Amount":["m"]}"#),
        Reply(400, &[], "<html>"),
        Reply(401, &[], ""),
        Reply(401, &[], ""),
        Reply(403, &[], r#"{"message":"Forbidden"}"#),
        Reply(404, &[], r#"{"title":"Not Found","status":404}"#),
        Reply(409, &[], ""),
        Reply(409, &[], ""),
        Reply(421, &[], ""),
        Reply(425, &[], ""),
        Reply(429, &[("retry-after", "2")], ""),
        Reply(429, &[], ""),
        Reply(500, &[], ""),
        Reply(503, &[("retry-after", "61")], r#"{"message":"Service Unavailable"}"#),
    ]
};

fn moment() -> impl Strategy<Value = Moment> {
    let logins = vec![
        Login::Fresh,
        Login::Fresh,
        Login::Fresh,
        Login::Fresh,
        Login::Same,
        Login::Denied,
        Login::Unavailable(None),
        Login::Unavailable(Some(3)),
    ];
    let late = prop_oneof![8 => Just(0_u64), 1 => 0..1_000_u64, 1 => 0..100_000_u64];
    (select(SAYINGS.to_vec()), select(logins), 0..=1000_u32, late).prop_map(
        |(say, login, takes, late)| Moment {
            say,
            login,
            takes,
            oversleeps: Duration::from_millis(late),
        },
    )
}

fn policy() -> impl Strategy<Value = Policy> {
    let seconds = |most: u64| (0..=most).prop_map(Duration::from_secs);
    let lookups = (prop::bool::weighted(0.8), 1_u32..5);
    (1_u32..6, any::<bool>(), lookups, seconds(300), seconds(40)).prop_map(
        |(sends, keyed, (lookup, confirmations), deadline, timeout)| {
            Policy::default()
                .with_max_sends(NonZeroU32::new(sends).expect("from 1"))
                .with_resend(if keyed { Resend::Keyed } else { Resend::Never })
                .with_lookup(lookup)
                .with_confirmations(NonZeroU32::new(confirmations).expect("from 1"))
                .with_deadline(deadline)
                .with_attempt_timeout(timeout)
        },
    )
}

/// A first run, or one that resumes a ticket this many milliseconds after its capture was stored.
fn run(moments: &[Moment], policy: &Policy, resumed: Option<u64>) -> Run {
    let start = base();
    let mut world = Schedule { moments: moments.iter(), timeout: policy.attempt_timeout() };
    let step = match resumed {
        None => capture().start(&api(), policy, start),
        Some(age) => {
            let ticket = Ticket::interrupted(capture(), wall() - Duration::from_millis(age));
            ticket.resume(&api(), policy, start)
        }
    };
    drive(step, start, &mut world)
}

fn status(say: Say) -> Option<u16> {
    say.reply().map(|reply| reply.status().as_u16())
}

/// Whether the server may have executed a capture with this result: by the table of outcomes, not by
/// the core's own reading.
fn may_have_been_executed(say: Say) -> bool {
    let Some(reply) = say.reply() else {
        return !matches!(say, Say::NotSent | Say::NeverSent);
    };
    match reply.status().as_u16() {
        200 => !oracle::says_failed(&reply),
        400 => reply.body().starts_with(b"<"),
        401 | 403 | 404 | 421 | 429 => false,
        _ => true,
    }
}

fn check(run: &Run, policy: &Policy, resumed: Option<u64>) -> Result<(), TestCaseError> {
    let replied = |say: Say, is: fn(&_) -> bool| say.reply().is_some_and(|reply| is(&reply));

    // R3, I6: every send is the same but for its token.
    let mut first: Option<(http::HeaderMap, _)> = None;
    for sent in run.captures() {
        let (mut headers, body) = (sent.request.headers().clone(), sent.request.body());
        prop_assert!(headers.remove("authorization").is_some());
        prop_assert_eq!(sent.request.method(), "POST");
        prop_assert_eq!(sent.request.uri(), "https://api-sandbox.flex-charge.com/v1/capture");
        let same = first.get_or_insert_with(|| (headers.clone(), body.clone()));
        prop_assert_eq!((&same.0, &same.1), (&headers, body));
    }

    // R9, I5: sends and time are bounded.
    let free =
        run.captures().filter(|s| matches!(status(s.say), Some(401 | 403 | 409 | 425))).count();
    let most = policy.max_sends().get() as usize;
    prop_assert!(run.captures().count() <= most + free);
    prop_assert!(run.took <= policy.deadline() + policy.attempt_timeout(), "{:?}", run.took);
    prop_assert!(run.sent.iter().all(|sent| sent.at <= policy.deadline()));

    // R2: captured only by evidence, not captured only without doubt or by evidence.
    let mut doubt = resumed.is_some();
    let mut sends_in_doubt = 0;
    for sent in run.captures() {
        sends_in_doubt += usize::from(doubt);
        doubt |= may_have_been_executed(sent.say);
    }
    let cancelled = run.lookups().any(|sent| replied(sent.say, oracle::shows_cancelled));
    let captured = run.captures().any(|sent| replied(sent.say, oracle::says_success))
        || run.lookups().any(|sent| replied(sent.say, oracle::shows_captured));
    let waiting = run.lookups().fold(0, |seen, sent| {
        match sent.say.reply().and_then(|reply| oracle::shows_waiting(&reply)) {
            Some(true) => seen + 1,
            Some(false) => 0,
            None => seen,
        }
    });
    let not_found = |sent: &Sent| status(sent.say) == Some(404);
    let unknown_order = run.captures().any(not_found) && run.lookups().any(not_found);
    match &run.outcome {
        Outcome::Captured(_) => prop_assert!(captured),
        Outcome::NotCaptured(refusal) => {
            prop_assert!(!captured && (!doubt || cancelled));
            let is_refusal = refusal.reason().is_decided() && !cancelled;
            prop_assert!(
                !is_refusal
                    || !policy.lookup()
                    || waiting >= policy.confirmations().get()
                    || unknown_order
            );
        }
        Outcome::Unknown(ticket) => {
            let refused =
                matches!(ticket.doubt(), Doubt::Unconfirmed(reason) if reason.is_decided());
            prop_assert!(!captured && !cancelled && (doubt || refused));
        }
    }

    // R7: in doubt nothing is sent under `Never`, nor with a key of a day.
    prop_assert!(policy.resend() == Resend::Keyed || sends_in_doubt == 0);
    let day = Duration::from_secs(86_400);
    for sent in run.captures().filter(|_| resumed.is_some()) {
        prop_assert!(Duration::from_millis(resumed.unwrap_or(0)) + sent.at < day);
    }
    prop_assert!(policy.lookup() || run.lookups().next().is_none());

    // R10: the record is complete.
    let recorded: Vec<_> = run.outcome.attempts().iter().map(|made| made.operation).collect();
    prop_assert_eq!(recorded, run.recorded());
    Ok(())
}

proptest! {
    #![proptest_config(cases(1024))]

    #[test]
    fn any_schedule_keeps_the_rules(moments in vec(moment(), 0..40), policy in policy()) {
        let first = run(&moments, &policy, None);
        check(&first, &policy, None)?;
        // I17: the same schedule gives the same run.
        let again = run(&moments, &policy, None);
        prop_assert_eq!((first.line(), first.took, first.waits), (again.line(), again.took, again.waits));
        prop_assert_eq!(first.outcome, again.outcome);
    }

    #[test]
    fn any_schedule_after_an_interruption_keeps_the_rules(
        moments in vec(moment(), 0..40),
        policy in policy(),
        age in prop_oneof![0..86_400_000_u64, 86_380_000..86_400_000_u64, 86_400_000..u64::from(u32::MAX)],
    ) {
        check(&run(&moments, &policy, Some(age)), &policy, Some(age))?;
    }

    /// A clock that jumps by hours, as after a suspended laptop, ends the capture and breaks nothing.
    #[test]
    fn any_jump_of_time_is_survived(moments in vec(moment(), 0..20), hours in 0_u64..100, at in 0_usize..20) {
        let mut moments = moments;
        if let Some(moment) = moments.get_mut(at) {
            moment.oversleeps = Duration::from_secs(hours * 3600);
            moment.takes = 1000;
        }
        let policy = Policy::default().with_attempt_timeout(Duration::from_secs(86_400));
        let run = run(&moments, &policy, None);
        prop_assert!(run.sent.iter().all(|sent| sent.at <= policy.deadline()));
    }
}
