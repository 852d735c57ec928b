//! `capture status`: the definitive status of one order.

use capture_core::{OrderId, OrderStatus, Setup, StatusError, printable};
use serde::Serialize;

use crate::args::Status;
use crate::config::{self, BadInput};
use crate::exit::Exit;
use crate::journal::{self, Noted};
use crate::output;
use crate::route::Route;
use crate::transport::Client;

/// Reads the status once.
pub(crate) fn run(args: &Status) -> Result<Exit, BadInput> {
    let order: OrderId = args.order_id.parse()?;
    let connection = &args.connection;
    let policy = config::policy(connection.attempt_timeout.as_deref(), None, None)?;
    let environment = config::environment(connection.environment.as_deref())?;
    let route = Route::new(connection, &environment)?;
    let tokens = config::tokens(connection.credentials.as_deref())?;
    let setup = Setup::new(&environment, tokens).with_policy(policy);
    let client = Client::new(connection.transport, setup, &route)?;
    let place = journal::wanted(&args.journal)?;
    let asked = client.status(order);
    let noted = place.and_then(|place| journal::noted(&place, &environment, order));
    let exit = match asked {
        Ok(status) => {
            report(order, status, noted.as_ref(), connection.json);
            Exit::Yes
        }
        Err(error) => {
            report_failure(&explain(order, &error), &error, noted.as_ref(), connection.json);
            Exit::No
        }
    };
    Ok(exit)
}

/// What `--json` prints.
#[derive(Serialize)]
struct Report<'a> {
    order_id: OrderId,
    status: Option<i64>,
    status_name: String,
    next_step: &'static str,
    journal: Option<&'a Noted>,
}

fn report(order_id: OrderId, status: OrderStatus, journal: Option<&Noted>, json: bool) {
    let (status_name, next_step) = (status.to_string(), next_step(status, journal));
    if json {
        let status = status.number();
        output::json(&Report { order_id, status, status_name, next_step, journal });
    } else {
        output::line(&format!("{status_name}  {order_id}  {next_step}"));
        if let Some(noted) = journal {
            output::line(&format!("  {noted}"));
        }
    }
}

fn next_step(status: OrderStatus, journal: Option<&Noted>) -> &'static str {
    let is_open = |it: &Noted| matches!(it.standing, "claimed" | "interrupted" | "unknown");
    match status {
        // The status may lag behind what is on its way.
        OrderStatus::CaptureRequired if journal.is_some_and(is_open) => {
            "The journal has a capture of it in doubt; run the same capture again, which looks first."
        }
        OrderStatus::CaptureRequired => "Not captured yet; capture it before its window ends.",
        OrderStatus::Completed => "It is captured.",
        OrderStatus::Returned => "It was captured and has since been refunded.",
        OrderStatus::Cancelled => "It is cancelled or voided and can no longer be captured.",
        OrderStatus::Problem => "It needs FlexFactor's support.",
        OrderStatus::Draft | OrderStatus::OnHold | OrderStatus::Processing => {
            "It is not decided yet; ask again later."
        }
        _ => "This version does not know the status; ask FlexFactor's support.",
    }
}

fn explain(order: OrderId, error: &StatusError) -> String {
    let mut text =
        format!("the status of order {order} could not be read: {}", capture_core::one_line(error));
    if let StatusError::Refused(_, errors) = error {
        let said = || errors.iter().filter(|error| !error.is_blank());
        for error in said().take(3) {
            text.push_str(&format!("; the API says: {error}"));
        }
        match said().count().saturating_sub(3) {
            0 => {}
            more => text.push_str(&format!(", and {more} more")),
        }
    }
    text
}

/// What `--json` prints where there is no status.
#[derive(Serialize)]
struct Failure<'a> {
    error: String,
    field: Option<&'a str>,
    cause: &'static str,
    retry_after_s: Option<u64>,
    next_step: &'a str,
    journal: Option<&'a Noted>,
}

fn report_failure(sentence: &str, error: &StatusError, journal: Option<&Noted>, json: bool) {
    let next_step = format!("{}, then ask again.", error.advice());
    output::note(&format!("error: {sentence}"));
    output::note(&format!("next: {next_step}"));
    if let Some(noted) = journal {
        output::note(&noted.to_string());
    }
    if json {
        output::json(&Failure {
            error: printable(sentence, 2000),
            field: None,
            cause: error.cause(),
            retry_after_s: error.retry_after().map(|wait| wait.as_secs()),
            next_step: &next_step,
            journal,
        });
    }
}
