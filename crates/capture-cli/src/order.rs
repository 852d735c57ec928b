//! `capture order`: one order, one outcome, one exit code.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};
use std::time::SystemTime;

use capture_client::Stop;
use capture_core::driver::Api;
use capture_core::{
    BearerToken, Capture, Environment, IdempotencyKey, Invalid, Money, OrderId, Outcome, Resend,
    Setup, Ticket, wire,
};
use serde::Serialize;
use serde_json::value::RawValue;

use crate::args::{self, Order};
use crate::config::{self, BadInput};
use crate::exit::Exit;
use crate::output;
use crate::report::report;
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
    let policy = match &args.confirmations {
        Some(text) => policy.with_confirmations(config::count("confirmations", text)?),
        None => policy,
    };
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
