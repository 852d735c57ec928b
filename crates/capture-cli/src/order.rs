//! `capture order`: one order, one outcome, one exit code.

use std::collections::BTreeMap;
use std::time::SystemTime;

use capture_core::driver::Api;
use capture_core::{
    Attempt, BearerToken, Capture, Environment, IdempotencyKey, Invalid, Money, Obstacle,
    Operation, OrderId, Outcome, Proof, Receipt, Resend, Setup, Ticket, wire,
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
    send(args, &client, &capture, &environment)
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
    client: &Client,
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
    end_as_unknown_when_interrupted(open.clone(), json)?;

    if environment.is_production() {
        output::note("PRODUCTION: real money");
    }
    let verb = if resumed { "resuming" } else { "capturing" };
    let (order, money, key) = (capture.order_id(), capture.money(), capture.idempotency_key());
    output::note(&format!("{verb} {money} of order {order} at {environment}, key {key}"));
    let outcome = if resumed { client.resume(open) } else { client.capture(capture) };

    output::last_word();
    match (file, &outcome) {
        (Some(mut file), Outcome::Unknown(ticket)) => file.keep(ticket),
        (Some(file), _) => file.close(),
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
    /// What an outcome of captured rests on; an order shows its currency here.
    proof: Option<Proof>,
    /// Why the goods must not be shipped although the order was captured.
    caveat: Option<&'static str>,
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
}

fn report(outcome: &Outcome, json: bool) -> Exit {
    let (capture, attempts) = (outcome.capture(), outcome.attempts());
    let (order, money, key) = (capture.order_id(), capture.money(), capture.idempotency_key());
    let receipt = if let Outcome::Captured(receipt) = outcome { Some(receipt) } else { None };
    let amount_verified = receipt.is_some_and(Receipt::amount_verified);
    let caveat = receipt.and_then(Receipt::caveat);
    let sentence = outcome.to_string();
    if json {
        let said = |attempt| ReportedAttempt { attempt, says: attempt.to_string() };
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
            proof: receipt.map(Receipt::proof),
            caveat: caveat.map(|caveat| caveat.code()),
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
        output::line(&format!("  {count}, key {key}"));
        output::line(&format!("  next: {}", outcome.next_step()));
    }
    match outcome {
        // Neither "ship" nor "not captured": hold the goods, and look.
        Outcome::Captured(_) if caveat.is_some() => Exit::Unknown,
        Outcome::Captured(_) => Exit::Yes,
        Outcome::NotCaptured(_) => Exit::No,
        Outcome::Unknown(_) => Exit::Unknown,
    }
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
