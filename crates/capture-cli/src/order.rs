//! `capture order`: one order, one outcome, one exit code.

use std::collections::BTreeMap;
use std::time::SystemTime;

use capture_core::driver::Api;
use capture_core::wire::error::ApiError;
use capture_core::{
    Attempt, BearerToken, Capture, Environment, Finding, IdempotencyKey, Money, Obstacle,
    Operation, OrderId, Outcome, Resend, Setup, Ticket, printable, wire,
};
use serde::Serialize;
use serde_json::value::RawValue;

use crate::args::{self, Order};
use crate::config::{self, BadInput};
use crate::exit::Exit;
use crate::transport::Client;
use crate::{output, ticket};

/// Checks everything, then captures.
pub(crate) fn run(args: &Order) -> Result<Exit, BadInput> {
    let order: OrderId = args.order_id.parse()?;
    let money = Money::parse(&args.amount, &args.currency)?;
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
    let tokens = config::tokens(args.connection.credentials.as_deref())?;
    let setup =
        Setup::new(&environment, tokens).with_policy(policy).with_content_type(content_type);
    let client = Client::new(args.connection.transport, setup)?;
    send(args, &client, &capture, &environment)
}

/// Captures or resumes. Once the client has started, there is an outcome, whatever happens.
fn send(
    args: &Order,
    client: &Client,
    capture: &Capture,
    environment: &Environment,
) -> Result<Exit, BadInput> {
    let json = args.connection.json;
    let file = args.ticket.as_deref();
    let old = file.map_or(Ok(None), |path| ticket::load(path, capture))?;
    let resumed = old.is_some();
    let open = old.unwrap_or_else(|| Ticket::interrupted(*capture, SystemTime::now()));
    if let Some(path) = file {
        ticket::begin(path, &open)?;
    }
    end_as_unknown_when_interrupted(open.clone(), json)?;

    if environment.base_url() == Environment::Production.base_url() {
        output::note("PRODUCTION: real money");
    }
    let verb = if resumed { "resuming" } else { "capturing" };
    let (order, money, key) = (capture.order_id(), capture.money(), capture.idempotency_key());
    output::note(&format!("{verb} {money} of order {order} at {environment}, key {key}"));
    let outcome = if resumed { client.resume(open) } else { client.capture(capture) };

    output::last_word();
    match (file, &outcome) {
        (Some(path), Outcome::Unknown(ticket)) => ticket::keep(path, ticket),
        (Some(path), _) => ticket::close(path),
        (None, _) => {}
    }
    Ok(report(&outcome, json))
}

/// Ctrl-C or SIGTERM with a request in flight ends the capture as unknown, and says so.
fn end_as_unknown_when_interrupted(open: Ticket, json: bool) -> Result<(), BadInput> {
    ctrlc::set_handler(move || {
        output::last_word();
        let exit = report(&Outcome::Unknown(open.clone()), json);
        std::process::exit(exit as i32);
    })
    .map_err(|error| BadInput::new("signal", format!("Ctrl-C cannot be watched: {error}")))
}

/// What `--json` prints: these keys, in this order, and no others.
#[derive(Serialize)]
struct Report<'a> {
    order_id: OrderId,
    outcome: &'static str,
    code: &'static str,
    /// What happened, in one sentence.
    says: String,
    idempotency_key: IdempotencyKey,
    /// What the caller asked for, in minor units. It does not prove what was captured.
    asked_amount: u32,
    asked_currency: &'a str,
    /// What was captured, if the proof shows it: an order's status does not.
    captured_amount: Option<u32>,
    amount_verified: bool,
    /// All that the API said about a refusal.
    errors: &'a [ApiError],
    /// What keeps an unknown outcome from being decided.
    obstacle: Option<&'a Obstacle>,
    attempts: Vec<ReportedAttempt<'a>>,
    next_step: &'static str,
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
    let amount_verified =
        matches!(outcome, Outcome::Captured(receipt) if receipt.amount_verified());
    let sentence = outcome.to_string();
    if json {
        let said = |attempt: &'a Attempt| {
            let (says, reply) = (attempt.to_string(), attempt.reply_text());
            ReportedAttempt { attempt, says, reply }
        };
        output::json(&Report {
            order_id: order,
            outcome: outcome.name(),
            code: outcome.code(),
            says: sentence,
            idempotency_key: key,
            asked_amount: money.minor_units(),
            asked_currency: money.currency().code(),
            captured_amount: amount_verified.then_some(money.minor_units()),
            amount_verified,
            errors: match outcome {
                Outcome::NotCaptured(refusal) => refusal.reason().errors(),
                _ => &[],
            },
            obstacle: match outcome {
                Outcome::Unknown(ticket) => Some(ticket.obstacle()),
                _ => None,
            },
            attempts: attempts.iter().map(said).collect(),
            next_step: outcome.next_step(),
        });
    } else {
        let (name, why) = sentence.split_once(": ").unwrap_or((&sentence, ""));
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
        output::line(&format!("{name}  {order}  {shown}"));
        output::line(&format!("  {why}"));
        if let Some(reply) = unread_reply(outcome) {
            output::line(&format!("  reply: {}", printable(&reply, 500)));
        }
        output::line(&format!("  {count}, key {key}"));
        output::line(&format!("  next: {}", outcome.next_step()));
    }
    match outcome {
        Outcome::Captured(_) => Exit::Yes,
        Outcome::NotCaptured(_) => Exit::No,
        Outcome::Unknown(_) => Exit::Unknown,
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
