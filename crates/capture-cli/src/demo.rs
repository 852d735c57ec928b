//! `capture demo`: a kept and a lost reply on each transport, checked against the ledger.

use std::time::Duration;

use capture_core::{
    Attempt, Capture, IdempotencyKey, Money, Operation, Outcome, Policy, Setup, printable,
};
use capture_sandbox::{Sandbox, Script, Server};
use clap::ValueEnum as _;

use crate::args::Transport;
use crate::config::BadInput;
use crate::exit::Exit;
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
        output::line("");
        for story in [Story::Arrives, Story::Lost] {
            table.push(tell(&sandbox, &client, transport, story));
        }
    }

    output::line("");
    output::line("client   reply    outcome   known by      times captured");
    for row in &table {
        let Row { transport, story, outcome, captured } = row;
        let (client, reply) = (transport.name(), story.name());
        let (name, reason) = (outcome.name(), outcome.code());
        output::line(&format!("{client:<8} {reply:<8} {name:<9} {reason:<13} {captured}"));
    }
    output::line("");
    if table.iter().all(Row::is_as_claimed) {
        output::line("Every order was captured exactly once, and each client knows it.");
        Ok(Exit::Yes)
    } else {
        output::line("That is NOT what should have happened.");
        Ok(Exit::No)
    }
}

/// What happens to the reply of a capture.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Story {
    Arrives,
    Lost,
}

impl Story {
    fn name(self) -> &'static str {
        match self {
            Self::Arrives => "arrives",
            Self::Lost => "lost",
        }
    }
}

/// How a story ended: what the client says, and what the ledger says.
struct Row {
    transport: Transport,
    story: Story,
    outcome: Outcome,
    captured: usize,
}

impl Row {
    fn is_as_claimed(&self) -> bool {
        let reason = match self.story {
            Story::Arrives => "reply",
            Story::Lost => "order_status",
        };
        self.captured == 1 && (self.outcome.name(), self.outcome.code()) == ("captured", reason)
    }
}

fn tell(sandbox: &Server, client: &Client, transport: Transport, story: Story) -> Row {
    let name = transport.name();
    let money = Money::parse("100.00", "USD").expect("a good amount");
    let order = sandbox.create_order(money);
    output::line(&match story {
        Story::Arrives => format!("{name}: order {order}, {money}"),
        Story::Lost => format!("{name}: the money moves, and the reply is lost on its way"),
    });
    if story == Story::Lost {
        sandbox.script(Script::lost_reply());
    }
    let outcome = client.capture(&Capture::new(order, money, IdempotencyKey::for_order(order)));
    for attempt in outcome.attempts() {
        // What the HTTP library says about it is in brackets, and is left out.
        let says = attempt.to_string();
        show(request(attempt), attempt.status, says.split(" (").next().unwrap_or_default());
    }
    let captured = sandbox.ledger().captures(order);
    output::line(&format!("  {outcome}; times in the ledger: {captured}"));
    Row { transport, story, outcome, captured }
}

fn request(attempt: &Attempt) -> &'static str {
    match attempt.operation {
        Operation::Capture => "POST /v1/capture",
        Operation::Lookup => "GET  /v1/orders/{id}",
        Operation::Login => "POST /v1/oauth2/token",
    }
}

/// One request and its reply, cut to the width of a screen.
fn show(request: &str, status: Option<u16>, says: &str) {
    let status = status.map_or("---".to_owned(), |status| status.to_string());
    output::line(&printable(&format!("  {request:<21}  {status}  {says}"), 79));
}
