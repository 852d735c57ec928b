//! `capture order`: one order, one outcome, one exit code.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, SystemTime};

use capture_client::Stop;
use capture_core::driver::Api;
use capture_core::wire::error::ApiError;
use capture_core::{
    Attempt, BearerToken, Capture, Environment, Finding, IdempotencyKey, Invalid, Money, Obstacle,
    Operation, OrderId, Outcome, Proof, Receipt, Resend, Setup, Ticket, printable, wire,
};
use serde::Serialize;
use serde_json::value::RawValue;

use crate::args::{self, Order};
use crate::config::{self, BadInput};
use crate::exit::Exit;
use crate::output;
use crate::route::Route;
use crate::ticket::{self, TicketFile};
use crate::transport::Client;

/// Checks everything, then captures.
pub(crate) fn run(args: &Order) -> Result<Exit, BadInput> {
    let order: OrderId = args.order_id.parse()?;
    let money = money(args)?;
    let key = match &args.key {
        Some(key) => key.parse()?,
        None => IdempotencyKey::for_order(order),
    };
    let capture = Capture::new(order, money, key);
    let (timeout, deadline) = (&args.connection.attempt_timeout, &args.deadline);
    let policy =
        config::policy(timeout.as_deref(), deadline.as_deref(), args.max_sends.as_deref())?;
    let policy = policy.with_resend(match args.resend {
        args::Resend::Keyed => Resend::Keyed,
        args::Resend::Never => Resend::Never,
    });
    let content_type = args.content_type.parse()?;
    let environment = config::environment(args.connection.environment.as_deref())?;
    if args.dry_run {
        let api = Api::new(&environment).with_content_type(content_type);
        return Ok(show_request(&api, &capture, args.connection.json));
    }
    let route = Route::new(&args.connection, &environment)?;
    let tokens = config::tokens(args.connection.credentials.as_deref())?;
    let setup =
        Setup::new(&environment, tokens).with_policy(policy).with_content_type(content_type);
    let client = Client::new(args.connection.transport, setup, &route)?;
    send(args, client, &capture, &environment)
}

/// The amount and its currency. A currency that was retired since is good for resuming its ticket.
fn money(args: &Order) -> Result<Money, Invalid> {
    let active = Money::parse(&args.amount, &args.currency);
    let ticket = match (&active, &args.ticket) {
        (Err(invalid), Some(path)) if invalid.field() == "currency" => ticket::peek(path),
        _ => return active,
    };
    let stored = ticket.map(|ticket| ticket.capture().money().currency());
    match stored.filter(|stored| stored.code() == args.currency) {
        Some(stored) => Money::from_decimal(&args.amount, stored),
        None => active,
    }
}

/// Captures or resumes. Once the client has started, there is an outcome, whatever happens.
fn send(
    args: &Order,
    client: Client,
    capture: &Capture,
    environment: &Environment,
) -> Result<Exit, BadInput> {
    let json = args.connection.json;
    let opened = args.ticket.as_deref().map(|path| TicketFile::open(path, capture)).transpose()?;
    let (mut file, old) = opened.map_or((None, None), |(file, old)| (Some(file), old));
    let resumed = old.is_some();
    let open = old.unwrap_or_else(|| Ticket::interrupted(*capture, SystemTime::now()));
    if let Some(file) = &mut file {
        file.begin(&open)?;
    }
    let (stop, decided) = (Stop::new(), Arc::new(OnceLock::new()));
    stop_when_interrupted(stop.clone(), decided.clone())?;

    if environment.is_production() {
        output::note("PRODUCTION: real money");
    }
    let verb = if resumed { "resuming" } else { "capturing" };
    let (order, money, key) = (capture.order_id(), capture.money(), capture.idempotency_key());
    output::note(&format!("{verb} {money} of order {order} at {environment}, key {key}"));
    let client = client.with_stop(&stop);
    let outcome = if resumed { client.resume(open) } else { client.capture(capture) };
    drop(client);

    let _ = decided.set(Exit::of(&outcome));
    match (file, &outcome) {
        (Some(mut file), Outcome::Unknown(ticket)) => file.keep(ticket),
        (Some(file), _) => file.close(),
        (None, _) => {}
    }
    Ok(report(&outcome, json))
}

/// Ctrl-C or SIGTERM ends the capture gracefully, with its outcome and attempts. The next one ends
/// the process at once, should it hang in a file or a pipe.
fn stop_when_interrupted(stop: Stop, decided: Arc<OnceLock<Exit>>) -> Result<(), BadInput> {
    ctrlc::set_handler(move || {
        if stop.is_stopped() {
            std::process::exit(*decided.get().unwrap_or(&Exit::Unknown) as i32);
        }
        stop.stop();
    })
    .map_err(|error| BadInput::new("signal", format!("Ctrl-C cannot be watched: {error}")))
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

fn report<'a>(outcome: &'a Outcome, json: bool) -> Exit {
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
            errors: match outcome {
                Outcome::NotCaptured(refusal) => refusal.reason().errors(),
                _ => &[],
            },
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
        if let Some(when) = when(due_at, outcome.retry_after()) {
            output::line(&format!("  {when}"));
        }
    }
    exit
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

/// The request as it would go out, with the token masked.
fn show_request(api: &Api, capture: &Capture, json: bool) -> Exit {
    #[derive(Serialize)]
    struct Shown<'a> {
        method: &'a str,
        url: String,
        headers: BTreeMap<String, String>,
        body: &'a RawValue,
    }
    let nobody = BearerToken::new("none").expect("four letters are a token");
    let request = wire::capture::request(api, &nobody, wire::capture::body(capture));
    let headers = request.headers().iter().map(|(name, value)| {
        let shown = if value.is_sensitive() { "Bearer ***" } else { value.to_str().unwrap_or("?") };
        (name.to_string(), shown.to_owned())
    });
    let (method, url) = (request.method().as_str(), request.uri().to_string());
    let body = std::str::from_utf8(request.body()).expect("the body is ASCII");
    if json {
        let (headers, body) = (headers.collect(), serde_json::from_str(body));
        output::json(&Shown { method, url, headers, body: body.expect("the body is JSON") });
    } else {
        let headers: String = headers.map(|(name, value)| format!("{name}: {value}\n")).collect();
        output::print(&format!("{method} {url}\n{headers}\n{body}\n"));
    }
    Exit::Yes
}
