//! What a capture became, as text for a person or as JSON for a machine.

use std::borrow::Cow;
use std::time::{Duration, SystemTime};

use capture_core::wire::error::ApiError;
use capture_core::{
    Attempt, Doubt, Finding, IdempotencyKey, Obstacle, Operation, OrderId, Outcome, Proof, Reason,
    Receipt, printable,
};
use serde::Serialize;

use crate::exit::Exit;
use crate::output;

/// Prints what became of a capture.
pub(crate) fn report<'a>(outcome: &'a Outcome, json: bool) -> Exit {
    let (capture, attempts) = (outcome.capture(), outcome.attempts());
    let (order, money, key) = (capture.order_id(), capture.money(), capture.idempotency_key());
    let receipt = if let Outcome::Captured(receipt) = outcome { Some(receipt) } else { None };
    let amount_verified = receipt.is_some_and(Receipt::amount_verified);
    let caveat = receipt.and_then(Receipt::caveat);
    let exit = Exit::of(outcome);
    let (name, why) = match outcome {
        Outcome::NotCaptured(refusal) if exit == Exit::Nothing => {
            ("nothing_done", refusal.reason().to_string())
        }
        _ => (outcome.name(), said(outcome)),
    };
    let next_step = match exit {
        Exit::Nothing => format!("{} {EARLIER}", outcome.next_step()).into(),
        _ => outcome.next_step(),
    };
    let new_key = match outcome {
        Outcome::NotCaptured(refusal) => refusal.new_key(),
        _ => None,
    };
    let due_at = match outcome {
        Outcome::Unknown(ticket) => Some(ticket.due_at()),
        _ => None,
    };
    if json {
        let reported = |attempt: &'a Attempt| {
            let (says, reply) = (attempt.to_string(), attempt.reply_text());
            ReportedAttempt { attempt, says, reply }
        };
        output::json(&Report {
            order_id: order,
            outcome: name,
            code: outcome.code(),
            cause: outcome.cause(),
            says: format!("{}: {why}", name.replace('_', " ")),
            idempotency_key: key,
            asked_amount: money.minor_units(),
            asked_currency: money.currency().code(),
            captured_amount: amount_verified.then_some(money.minor_units()),
            amount_verified,
            proof: receipt.map(Receipt::proof),
            caveat: caveat.map(|caveat| caveat.code()),
            errors: refusal(outcome).map_or(&[], Reason::errors),
            new_key,
            obstacle: match outcome {
                Outcome::Unknown(ticket) => Some(ticket.obstacle()),
                _ => None,
            },
            retry_after_s: outcome.retry_after().map(|wait| wait.as_secs()),
            due_at_ms: due_at.map(unix_ms),
            attempts: attempts.iter().map(reported).collect(),
            next_step,
        });
    } else {
        let is_login = |attempt: &&Attempt| attempt.operation == Operation::Login;
        let count = match attempts.len() - attempts.iter().filter(is_login).count() {
            1 => "1 attempt".to_owned(),
            count => format!("{count} attempts"),
        };
        let shown = match (outcome, amount_verified) {
            (Outcome::Captured(_), false) => {
                format!("(asked for {money}; the order's status does not show the amount)")
            }
            _ => money.to_string(),
        };
        output::line(&format!("{}  {order}  {shown}", name.replace('_', " ")));
        output::line(&format!("  {why}"));
        if let Some(reply) = unread_reply(outcome) {
            output::line(&format!("  reply: {}", printable(&reply, 500)));
        }
        output::line(&format!("  {count}, key {key}"));
        output::line(&format!("  next: {next_step}"));
        if let Some(key) = new_key {
            let (amount, currency) = (money.decimal(), money.currency());
            let options = format!("--amount {amount} --currency {currency} --key {key}");
            output::line(&format!("  again: capture order {order} {options}"));
        }
        if let Some(when) = when(due_at, outcome.retry_after()) {
            output::line(&format!("  {when}"));
        }
    }
    exit
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
    idempotency_key: IdempotencyKey,
    /// What the caller asked for, in minor units. It does not prove what was captured.
    asked_amount: u32,
    asked_currency: &'a str,
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
    due_at_ms: Option<u64>,
    attempts: Vec<ReportedAttempt<'a>>,
    next_step: Cow<'static, str>,
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

/// What a run that did nothing cannot know.
const EARLIER: &str = "If an earlier run of this capture ended as unknown, it still is.";

/// The sentence without its first word, which is shown as the name of the outcome.
fn said(outcome: &Outcome) -> String {
    let sentence = outcome.to_string();
    sentence.split_once(": ").map_or_else(String::new, |(_, why)| why.to_owned())
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

fn unix_ms(time: SystemTime) -> u64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
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
