//! `capture demo`: a kept and a lost reply on each transport, and processes that are killed, checked
//! against the ledger.

use std::time::Duration;

use capture_core::{Attempt, Capture, IdempotencyKey, Money, Operation, Policy, Setup, printable};
use capture_sandbox::{Sandbox, Script, Server};
use clap::ValueEnum as _;

use crate::args::Transport;
use crate::config::BadInput;
use crate::exit::Exit;
use crate::killed::{self, Killed, KilledFile};
use crate::output;
use crate::route::Route;
use crate::transport::Client;

/// Runs the demo; it succeeds if everything is as claimed.
pub(crate) fn run() -> Result<Exit, BadInput> {
    let sandbox = Sandbox::builder().start();
    let sandbox = sandbox.map_err(|error| BadInput::new("demo", format!("no sandbox: {error}")))?;
    let url = sandbox.base_url();
    output::line(&format!("An embedded sandbox at {url}: no account, no real money."));

    let mut table = Vec::new();
    for &transport in Transport::value_variants() {
        let policy = Policy::default().with_attempt_timeout(Duration::from_secs(5));
        let setup = Setup::new(&sandbox.environment(), sandbox.credentials());
        let client = Client::new(transport, setup.with_policy(policy), &Route::default())?;
        for story in [Story::Arrives, Story::Lost] {
            table.push(tell(&sandbox, &client, transport, story));
        }
    }
    table.push(kill(&sandbox)?);
    let is_whole = kill_file(&sandbox)?;

    output::line("");
    output::line("client   what happens    outcome   known by      times captured");
    for row in &table {
        let Row { client, story, outcome, code, captured } = row;
        let story = story.name();
        output::line(&format!("{client:<8} {story:<15} {outcome:<9} {code:<13} {captured}"));
    }
    output::line("");
    if is_whole && table.iter().all(Row::is_as_claimed) {
        output::line("Every order was captured exactly once, and each client knows it.");
        Ok(Exit::Yes)
    } else {
        output::line("That is NOT what should have happened.");
        Ok(Exit::No)
    }
}

/// What happens to a capture.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Story {
    Arrives,
    Lost,
    Killed,
}

impl Story {
    fn name(self) -> &'static str {
        match self {
            Self::Arrives => "reply arrives",
            Self::Lost => "reply lost",
            Self::Killed => "process killed",
        }
    }
}

/// How a story ended: what the client says, and what the ledger says.
struct Row {
    client: &'static str,
    story: Story,
    outcome: String,
    code: String,
    captured: usize,
}

impl Row {
    fn is_as_claimed(&self) -> bool {
        let code = match self.story {
            Story::Arrives => "reply",
            Story::Lost | Story::Killed => "order_status",
        };
        (self.captured, &*self.outcome, &*self.code) == (1, "captured", code)
    }
}

fn tell(sandbox: &Server, client: &Client, transport: Transport, story: Story) -> Row {
    let name = transport.name();
    let money = Money::parse("100.00", "USD").expect("a good amount");
    let order = sandbox.create_order(money);
    if story == Story::Lost {
        output::line(&format!("{name}: the money moves, and the reply is lost on its way"));
        sandbox.script(Script::lost_reply());
    } else {
        output::line(&format!("{name}: order {order}, {money}"));
    }
    let outcome = client.capture(&Capture::new(order, money, IdempotencyKey::for_order(order)));
    let attempts = outcome.attempts().iter();
    for attempt in attempts.filter(|attempt| attempt.operation != Operation::Login) {
        show(attempt.operation, attempt.status, &says(attempt));
    }
    let captured = sandbox.ledger().captures(order);
    output::line(&format!("  {outcome}; times in the ledger: {captured}"));
    let (outcome, code) = (outcome.name().to_owned(), outcome.code().to_owned());
    Row { client: name, story, outcome, code, captured }
}

/// The journal of the command remembers what the process cannot.
fn kill(sandbox: &Server) -> Result<Row, BadInput> {
    let order = sandbox.create_order(Money::parse("100.00", "USD").expect("a good amount"));
    let failed = |error| BadInput::new("demo", format!("no second process: {error}"));
    let Killed { process, captured, second } = killed::kill(sandbox, order).map_err(failed)?;
    output::line("capture order: the money moves, and the process is killed before the reply");
    output::line(&format!("  process {process} is killed; times in the ledger: {captured}"));
    output::line("the same command again: its journal says that something may have been sent");
    for sent in second.attempts.iter().filter(|sent| sent.operation != Operation::Login) {
        show(sent.operation, sent.status, &sent.says);
    }
    let captured = sandbox.ledger().captures(order);
    output::line(&format!("  {}; times in the ledger: {captured}", second.says));
    let (client, story) = (Transport::Reqwest.name(), Story::Killed);
    Ok(Row { client, story, outcome: second.outcome, code: second.code, captured })
}

/// The same with a whole file: whether each of its orders is captured once.
fn kill_file(sandbox: &Server) -> Result<bool, BadInput> {
    let money = Money::parse("100.00", "USD").expect("a good amount");
    let orders: Vec<_> = (0..24).map(|_| sandbox.create_order(money)).collect();
    let failed = |error| BadInput::new("demo", format!("no second process: {error}"));
    let KilledFile { captured, second } = killed::kill_file(sandbox, &orders).map_err(failed)?;
    let ledger = sandbox.ledger();
    let once = orders.iter().filter(|order| ledger.captures(**order) == 1).count();
    output::line(&format!(
        "capture run: a file of 24 orders; a reply is lost; killed with {captured} in the ledger"
    ));
    output::line(&format!(
        "  the same command again; captured exactly once, by the ledger: {once}"
    ));
    Ok(once == orders.len() && second.contains("  captured                   24  2400.00 USD"))
}

/// What the HTTP library says about it is in brackets, and is left out.
fn says(attempt: &Attempt) -> String {
    attempt.to_string().split(" (").next().unwrap_or_default().to_owned()
}

/// One request and its reply, cut to the width of a screen.
fn show(operation: Operation, status: Option<u16>, says: &str) {
    let request = match operation {
        Operation::Capture => "POST /v1/capture",
        Operation::Lookup => "GET  /v1/orders/{id}",
        Operation::Login => "POST /v1/oauth2/token",
    };
    let status = status.map_or("---".to_owned(), |status| status.to_string());
    output::line(&printable(&format!("  {request:<20}  {status}  {says}"), 79));
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The demo itself can show only what is as claimed.
    #[test]
    fn one_capture_that_the_client_knows_of_is_claimed() {
        for (story, outcome, code, captured, is_as_claimed) in [
            (Story::Arrives, "captured", "reply", 1, true),
            (Story::Lost, "captured", "order_status", 1, true),
            (Story::Killed, "captured", "order_status", 1, true),
            (Story::Arrives, "captured", "reply", 0, false),
            (Story::Killed, "captured", "order_status", 2, false),
            (Story::Lost, "captured", "reply", 1, false),
            (Story::Lost, "unknown", "no_reply", 1, false),
        ] {
            let (told, by) = (outcome.to_owned(), code.to_owned());
            let row = Row { client: "any", story, outcome: told, code: by, captured };
            assert_eq!(row.is_as_claimed(), is_as_claimed, "{captured} {outcome} {code}");
        }
    }
}
