//! What a capture became, as text for a person or as JSON for a machine.

use std::borrow::Cow;
use std::time::{Duration, SystemTime};

use capture_core::wire::error::ApiError;
use capture_core::{
    Attempt, Capture, Doubt, Finding, IdempotencyKey, Obstacle, Operation, OrderId, Outcome, Proof,
    Reason, Receipt, printable,
};
use capture_journal::{Busy, unix_ms, utc};
use serde::Serialize;

use crate::exit::Exit;
use crate::output;
use crate::told::Told;

/// Prints what became of a capture.
pub(crate) fn report(told: &Told<'_>, as_json: bool) -> Exit {
    if let Some(why) = &told.unrecorded {
        output::note(&format!(
            "warning: the outcome is not in the journal ({why}); there the capture is in doubt, and the \
             next run looks the order up"
        ));
    }
    if as_json {
        json(told);
    } else {
        text(told);
    }
    told.exit()
}

fn text(told: &Told<'_>) {
    let outcome = told.outcome;
    let (capture, attempts) = (outcome.capture(), outcome.attempts());
    let (order, money, key) = (capture.order_id(), capture.money(), capture.idempotency_key());
    let is_login = |attempt: &&Attempt| attempt.operation == Operation::Login;
    let count = match attempts.len() - attempts.iter().filter(is_login).count() {
        1 => "1 attempt".to_owned(),
        count => format!("{count} attempts"),
    };
    let shown = match outcome {
        Outcome::Captured(receipt) if !receipt.amount_verified() => {
            format!("(asked for {money}; the order's status does not show the amount)")
        }
        _ => money.to_string(),
    };
    let (name, why) = told.says();
    output::line(&format!("{}  {order}  {shown}", name.replace('_', " ")));
    output::line(&format!("  {why}"));
    if let Some(at) = told.recorded_at {
        output::line(&format!("  recorded {}; nothing was sent now", utc(at)));
    }
    if let Some(reply) = unread_reply(outcome) {
        output::line(&format!("  reply: {}", printable(&reply, 500)));
    }
    output::line(&format!("  {count}, key {key}"));
    output::line(&format!("  next: {}", told.next_step()));
    if let Some(key) = new_key(outcome) {
        let (amount, currency) = (money.decimal(), money.currency());
        let options = format!("--amount {amount} --currency {currency} --key {key}");
        output::line(&format!("  again: capture order {order} {options}"));
    }
    if let Some(when) = when(due_at(outcome), outcome.retry_after()) {
        output::line(&format!("  {when}"));
    }
}

fn json(told: &Told<'_>) {
    let outcome = told.outcome;
    let capture = outcome.capture();
    let receipt = if let Outcome::Captured(receipt) = outcome { Some(receipt) } else { None };
    let amount_verified = receipt.is_some_and(Receipt::amount_verified);
    let (name, why) = told.says();
    let reported = |attempt| {
        let attempt: &Attempt = attempt;
        let (says, reply) = (attempt.to_string(), attempt.reply_text());
        ReportedAttempt { attempt, says, reply }
    };
    output::json(&Report {
        cause: outcome.cause(),
        recorded_at_ms: told.recorded_at.map(unix_ms),
        unrecorded: told.unrecorded.as_deref(),
        captured_amount: amount_verified.then_some(capture.money().minor_units()),
        amount_verified,
        proof: receipt.map(Receipt::proof),
        caveat: receipt.and_then(Receipt::caveat).map(|caveat| caveat.code()),
        errors: refusal(outcome).map_or(&[], Reason::errors),
        new_key: new_key(outcome),
        obstacle: match outcome {
            Outcome::Unknown(ticket) => Some(ticket.obstacle()),
            _ => None,
        },
        retry_after_s: outcome.retry_after().map(|wait| wait.as_secs()),
        due_at_ms: due_at(outcome).map(unix_ms),
        attempts: outcome.attempts().iter().map(reported).collect(),
        ..Report::new(capture, name, outcome.code(), &why, told.next_step())
    });
}

/// Prints who is at work on the capture. To this caller it is unknown: money may be moving.
pub(crate) fn report_busy(capture: &Capture, busy: &Busy, as_json: bool) -> Exit {
    let (name, code) = ("unknown", "busy");
    let (holder, since) = (&busy.holder, utc(busy.since));
    let why = format!(
        "{holder} has been working on this order since {since}; nothing was sent by this run"
    );
    let next = "Wait until that process has ended, then run the same command again.";
    if as_json {
        output::json(&Report {
            cause: Some(code),
            ..Report::new(capture, name, code, &why, next.into())
        });
    } else {
        let (order, money, key) = (capture.order_id(), capture.money(), capture.idempotency_key());
        output::line(&format!("{name}  {order}  {money}"));
        output::line(&format!("  {why}"));
        output::line(&format!("  key {key}"));
        output::line(&format!("  next: {next}"));
    }
    Exit::Unknown
}

/// What `--json` prints: these keys, in this order, and no others.
#[derive(Serialize)]
struct Report<'a> {
    order_id: OrderId,
    outcome: &'static str,
    code: &'static str,
    /// What stands in the way.
    cause: Option<&'static str>,
    /// What happened, in one sentence.
    says: String,
    /// When an earlier run recorded the outcome; this one sent nothing.
    recorded_at_ms: Option<i64>,
    /// Why the outcome is not in the journal.
    unrecorded: Option<&'a str>,
    idempotency_key: IdempotencyKey,
    /// What the caller asked for, in minor units. It does not prove what was captured.
    asked_amount: u32,
    asked_currency: String,
    /// What was captured, if the proof shows it: an order's status does not.
    captured_amount: Option<u32>,
    amount_verified: bool,
    /// What an outcome of captured rests on; an order shows its currency here.
    proof: Option<Proof>,
    /// Why the goods must not be shipped although the order was captured.
    caveat: Option<&'static str>,
    /// All that the API said about a refusal.
    errors: &'a [ApiError],
    /// The key of the next capture, where this one must not be used again.
    new_key: Option<IdempotencyKey>,
    /// What keeps an unknown outcome from being decided.
    obstacle: Option<&'a Obstacle>,
    /// How long the API asked to wait.
    retry_after_s: Option<u64>,
    /// When it makes sense to resume an unknown outcome, in milliseconds since the Unix epoch.
    due_at_ms: Option<i64>,
    attempts: Vec<ReportedAttempt<'a>>,
    next_step: Cow<'static, str>,
}

impl<'a> Report<'a> {
    /// What every report has.
    fn new(
        capture: &'a Capture,
        name: &'static str,
        code: &'static str,
        why: &str,
        next_step: Cow<'static, str>,
    ) -> Self {
        Self {
            order_id: capture.order_id(),
            outcome: name,
            code,
            cause: None,
            says: format!("{}: {why}", name.replace('_', " ")),
            recorded_at_ms: None,
            unrecorded: None,
            idempotency_key: capture.idempotency_key(),
            asked_amount: capture.money().minor_units(),
            asked_currency: capture.money().currency().to_string(),
            captured_amount: None,
            amount_verified: false,
            proof: None,
            caveat: None,
            errors: &[],
            new_key: None,
            obstacle: None,
            retry_after_s: None,
            due_at_ms: None,
            attempts: Vec::new(),
            next_step,
        }
    }
}

#[derive(Serialize)]
struct ReportedAttempt<'a> {
    #[serde(flatten)]
    attempt: &'a Attempt,
    says: String,
    /// The reply to a capture that was no SUCCESS.
    #[serde(skip_serializing_if = "Option::is_none")]
    reply: Option<String>,
}

/// Why the API refused, whether that was confirmed or not.
fn refusal(outcome: &Outcome) -> Option<&Reason> {
    match outcome {
        Outcome::NotCaptured(refusal) => Some(refusal.reason()),
        Outcome::Unknown(ticket) => match ticket.doubt() {
            Doubt::Unconfirmed(reason) => Some(reason),
            _ => None,
        },
        Outcome::Captured(_) => None,
    }
}

fn new_key(outcome: &Outcome) -> Option<IdempotencyKey> {
    match outcome {
        Outcome::NotCaptured(refusal) => refusal.new_key(),
        _ => None,
    }
}

/// When it makes sense to look again.
fn due_at(outcome: &Outcome) -> Option<SystemTime> {
    match outcome {
        Outcome::Unknown(ticket) => Some(ticket.due_at()),
        _ => None,
    }
}

/// When to come back, for a person.
fn when(due_at: Option<SystemTime>, asked: Option<Duration>) -> Option<String> {
    let asked = asked.map(|wait| format!("the API asked to wait {} s", wait.as_secs()));
    match (due_at.map(httpdate::fmt_http_date), asked) {
        (Some(date), Some(asked)) => Some(format!("look again after {date}: {asked}")),
        (Some(date), None) => Some(format!("look again after {date}")),
        (None, asked) => asked,
    }
}

/// The last reply to a capture of an undecided or refused one, if nothing of its reason could be read.
fn unread_reply(outcome: &Outcome) -> Option<String> {
    let is_capture = |attempt: &&Attempt| attempt.operation == Operation::Capture;
    let last = outcome.attempts_this_run().iter().rfind(is_capture)?;
    let is_unread = match (outcome, &last.finding) {
        (Outcome::Captured(_), _) => false,
        (_, Finding::Refused(reason)) => reason.errors().iter().all(ApiError::is_blank),
        _ => true,
    };
    last.reply_text().filter(|_| is_unread)
}
