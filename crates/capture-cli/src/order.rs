//! `capture order`: one order, one outcome, one exit code.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use capture_client::Stop;
use capture_core::driver::Api;
use capture_core::{
    BearerToken, Capture, ContentType, Environment, IdempotencyKey, Invalid, Money, OrderId,
    Policy, Resend, Setup, one_line, wire,
};
use capture_journal::{
    Answer, Ask, Decision, DurableError, Fence, How, Other, Standing, decide, utc,
};
use serde::Serialize;
use serde_json::value::RawValue;

use crate::args::{self, Order};
use crate::config::{self, BadInput};
use crate::exit::Exit;
use crate::journal;
use crate::output;
use crate::report::{report, report_busy};
use crate::route::Route;
use crate::store::Store;
use crate::told::Told;
use crate::transport::Client;

/// Checks everything, then captures.
pub(crate) fn run(args: &Order) -> Result<Exit, BadInput> {
    let order: OrderId = args.order_id.parse()?;
    let money = money(args, order)?;
    let key = match &args.key {
        Some(key) => key.parse()?,
        None => IdempotencyKey::for_order(order),
    };
    let capture = Capture::new(order, money, key);
    let policy = policy(args)?;
    let content_type = args.content_type.parse()?;
    let environment = config::environment(args.connection.environment.as_deref())?;
    if args.dry_run {
        let api = Api::new(&environment).with_content_type(content_type);
        return Ok(show_request(&api, &capture, args.connection.json));
    }
    match journal::wanted(&args.journal)? {
        Some(place) => {
            let journal = journal::open(&place, &environment)?;
            durably(args, journal, &place.to_string(), &capture, &environment, || {
                connect(args, &environment, policy, content_type)
            })
        }
        None => {
            let client = connect(args, &environment, policy, content_type)?;
            plainly(args, client, &capture, &environment)
        }
    }
}

/// The amount and its currency. A currency that was retired since is good for what was asked for in it.
fn money(args: &Order, order: OrderId) -> Result<Money, Invalid> {
    let active = Money::parse(&args.amount, &args.currency);
    if !active.as_ref().is_err_and(|invalid| invalid.field() == "currency") {
        return active;
    }
    let environment = config::environment(args.connection.environment.as_deref()).ok();
    let asked = environment.map(|environment| journal::asked(&args.journal, &environment, order));
    let mut currencies = asked.iter().flatten().map(|capture| capture.money().currency());
    match currencies.find(|stored| stored.code() == args.currency) {
        Some(stored) => Money::from_decimal(&args.amount, stored),
        None => active,
    }
}

fn policy(args: &Order) -> Result<Policy, BadInput> {
    let (timeout, deadline) = (&args.connection.attempt_timeout, &args.deadline);
    let policy =
        config::policy(timeout.as_deref(), deadline.as_deref(), args.max_sends.as_deref())?;
    let policy = match &args.confirmations {
        Some(text) => policy.with_confirmations(config::count("confirmations", text)?),
        None => policy,
    };
    Ok(policy.with_resend(match args.resend {
        args::Resend::Keyed => Resend::Keyed,
        args::Resend::Never => Resend::Never,
    }))
}

fn connect(
    args: &Order,
    environment: &Environment,
    policy: Policy,
    content_type: ContentType,
) -> Result<Client, BadInput> {
    let route = Route::new(&args.connection, environment)?;
    let tokens = config::tokens(args.connection.credentials.as_deref())?;
    let setup = Setup::new(environment, tokens).with_policy(policy).with_content_type(content_type);
    Client::new(args.connection.transport, setup, &route)
}

/// Captures, resumes, or shows the recorded outcome, which needs neither network nor credentials.
fn durably(
    args: &Order,
    mut journal: Store,
    place: &str,
    capture: &Capture,
    environment: &Environment,
    connect: impl FnOnce() -> Result<Client, BadInput>,
) -> Result<Exit, BadInput> {
    let json = args.connection.json;
    let stories = journal::stories(&mut journal, capture.order_id())?;
    // Who is alive is decided later, when the capture is claimed.
    let resumes = match decide(&stories, &Ask { capture: *capture, now: true }, Fence(0), |_| false)
    {
        Decision::Answer(Answer::Decided(outcome, at)) => {
            output::note(&format!("journal {place}"));
            return Ok(report(&Told::recorded(&outcome, at), json));
        }
        Decision::Answer(Answer::Other(other)) => return Err(refused(capture, &other)),
        Decision::Claim(_, How::Resume(_)) => true,
        _ => journal.restored_at().is_some(),
    };
    let client = connect()?;
    let (stop, decided) = (Stop::new(), Arc::new(OnceLock::new()));
    stop_when_interrupted(stop.clone(), decided.clone())?;
    let verb = if resumes { "resuming" } else { "capturing" };
    announce(verb, capture, environment, Some(place));
    let client = client.with_stop(&stop);
    let result = client.durably(journal, capture);
    drop(client);
    let told = match &result {
        Ok(recorded) => match recorded.before {
            Some(at) => Told::recorded(&recorded.outcome, at),
            None => Told::new(&recorded.outcome),
        },
        Err(DurableError::Unrecorded(outcome, lost)) => {
            Told::unrecorded(outcome, one_line(&**lost))
        }
        Err(DurableError::Busy(busy)) => return Ok(report_busy(capture, busy, json)),
        Err(DurableError::Other(other)) => return Err(refused(capture, other)),
        Err(DurableError::Lost(lost)) => return Err(journal::failed(lost)),
        // What this version does not know may have happened after a send.
        Err(error) => {
            output::error(json, &one_line(error), Some("journal"));
            return Ok(Exit::Unknown);
        }
    };
    let _ = decided.set(told.exit());
    Ok(report(&told, json))
}

/// Captures as if nobody had done so before.
fn plainly(
    args: &Order,
    client: Client,
    capture: &Capture,
    environment: &Environment,
) -> Result<Exit, BadInput> {
    let (stop, decided) = (Stop::new(), Arc::new(OnceLock::new()));
    stop_when_interrupted(stop.clone(), decided.clone())?;
    announce("capturing without a journal:", capture, environment, None);
    let client = client.with_stop(&stop);
    let outcome = client.capture(capture);
    drop(client);
    let told = Told::without_journal(&outcome);
    let _ = decided.set(told.exit());
    Ok(report(&told, args.connection.json))
}

/// Names the journal and the key before either is used.
fn announce(verb: &str, capture: &Capture, environment: &Environment, journal: Option<&str>) {
    if environment.is_production() {
        output::note("PRODUCTION: real money");
    }
    if let Some(place) = journal {
        output::note(&format!("journal {place}"));
    }
    let (order, money, key) = (capture.order_id(), capture.money(), capture.idempotency_key());
    output::note(&format!("{verb} {money} of order {order} at {environment}, key {key}"));
}

/// The order was asked for before, with another amount or under another key.
fn refused(asked: &Capture, other: &Other) -> BadInput {
    let (before, order) = (&other.capture, asked.order_id());
    let (was, is) = (before.money(), asked.money());
    let (field, was, is) = if was == is {
        let key = |capture: &Capture| format!("key {}", capture.idempotency_key());
        ("key", key(before), key(asked))
    } else {
        let field = if was.currency() == is.currency() { "amount" } else { "currency" };
        (field, was.to_string(), is.to_string())
    };
    let (asked_at, next) = (utc(other.asked_at), next_step(before, &other.standing));
    BadInput::new(
        field,
        format!(
            "{field}: order {order} was asked for with {was} on {asked_at}, not with {is}; nothing was sent; {next}"
        ),
    )
}

/// What to do about the capture that stands in the way.
fn next_step(before: &Capture, standing: &Standing) -> String {
    let (money, key) = (before.money(), before.idempotency_key());
    match standing {
        Standing::Captured(_, at) => format!("it is captured with {money} (recorded {})", utc(*at)),
        Standing::NotCaptured(refusal, at) => {
            let why = format!("that was not captured (recorded {})", utc(*at));
            match refusal.new_key() {
                Some(key) => format!("{why}; to capture another amount, give --key {key}"),
                None => format!("{why}; run the command with {money} to see why"),
            }
        }
        Standing::Ready | Standing::Claimed(..) | Standing::Unknown(_) => {
            format!(
                "it is not decided yet; run the command with {money} and --key {key} until it is"
            )
        }
    }
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
