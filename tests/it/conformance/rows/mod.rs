//! Rows: what the network does, and what must come of it; how a row is run, checked and compared.

mod aside;
mod before;
mod bodies;
mod during;
mod echoes;
mod framing;
mod lookups;
mod report;
mod statuses;
mod tokens;
mod uncarried;

use std::num::NonZeroU32;
use std::time::Duration;

use capture_core::{
    Attempt, BearerToken, Credentials, Environment, Operation as Asked, Outcome, Phase, Policy,
    Setup,
};

use super::drivers::{Driver, side_by_side};
use super::replies::{order, waiting};
use super::wire::{Act, Do, Meet, Operation, Reads, Script, Seen, Server};
use super::{capture, secrets};

use aside::Aside;
pub(crate) use report::{Reports, check, compare, count};
pub(crate) use uncarried::UNCARRIED;

/// One row.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    /// The number of the fault, and what happens.
    pub(crate) name: String,
    pub(crate) script: Script,
    pub(crate) policy: Policy,
    /// Where the client is sent instead of to the server.
    pub(crate) target: Target,
    /// A token of the user's own instead of a login.
    pub(crate) own_token: bool,
    /// How often the capture is made through the one client; the last outcome counts.
    pub(crate) captures: usize,
    pub(crate) expect: Expect,
}

/// Where a client is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Target {
    Server,
    /// A name that resolves to nothing.
    NoName,
    /// A port on which nobody listens.
    Nobody,
    /// A listener that lets no further connection in.
    Full,
}

/// What must come of a row: the same for every adapter.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Expect {
    /// The outcome and its reason, such as `unknown no_reply`.
    pub(crate) outcome: String,
    /// The attempts: `C` a capture, `L` a lookup; `!` not sent, `?` maybe sent, the status, and `~`
    /// after the status of a reply that was cut.
    pub(crate) attempts: String,
    /// The requests that came in: `T` a login, `C`, `L`, `X` anything else.
    pub(crate) wire: String,
}

/// What became of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ran {
    pub(crate) name: String,
    expect: Expect,
    came: Expect,
    /// Each request as it came in, normalised.
    requests: Vec<String>,
    /// What came in at the server that must never hear anything.
    trapped: usize,
}

impl Row {
    /// A capture that meets this, and must end like that.
    pub(crate) fn new(
        name: &str,
        script: Script,
        outcome: &str,
        attempts: &str,
        wire: &str,
    ) -> Self {
        let expect =
            Expect { outcome: outcome.into(), attempts: attempts.into(), wire: wire.into() };
        Self {
            name: name.into(),
            script,
            policy: Policy::default().with_attempt_timeout(Duration::from_secs(20)),
            target: Target::Server,
            own_token: false,
            captures: 1,
            expect,
        }
    }

    /// A hang is the point: the client's own attempt timeout ends it.
    pub(crate) fn hangs(mut self) -> Self {
        self.policy = self.policy.with_attempt_timeout(Duration::from_millis(1500));
        self
    }

    pub(crate) fn own_token(self) -> Self {
        Self { own_token: true, ..self }
    }

    pub(crate) fn to(self, target: Target) -> Self {
        Self { target, ..self }
    }

    pub(crate) fn captures(self, captures: usize) -> Self {
        Self { captures, ..self }
    }

    pub(crate) fn policy(mut self, change: impl FnOnce(Policy) -> Policy) -> Self {
        self.policy = change(self.policy);
        self
    }

    pub(crate) fn sends(self, most: u32) -> Self {
        self.policy(|policy| policy.with_max_sends(NonZeroU32::new(most).expect("not 0")))
    }
}

/// The capture meets this.
pub(crate) fn on_capture(acts: impl Into<Vec<Act>>) -> Script {
    Script { capture: acts.into(), ..Script::default() }
}

/// Two rows for an answer that proves nothing, which the record calls `attempt`. In one the order
/// says no more until tomorrow: the outcome is unknown, for this reason. In the other it still waits:
/// the same bytes are sent again.
pub(crate) fn unclear(name: &str, act: Act, doubt: &str, attempt: &str) -> Vec<Row> {
    let waits = Script {
        capture: vec![act.clone()],
        lookup: vec![Act::say(waiting())],
        ..Script::default()
    };
    vec![
        Row::new(
            name,
            on_capture([act]),
            &format!("unknown {doubt}"),
            &format!("{attempt} L503"),
            "T C L",
        ),
        Row::new(
            &format!("{name}, and the order still waits"),
            waits,
            "captured reply",
            &format!("{attempt} L200 C200"),
            "T C L C",
        ),
    ]
}

/// One row for an answer that proves nothing, where the order then says that it was captured.
pub(crate) fn proven(name: &str, act: Act, attempt: &str) -> Row {
    let script =
        Script { capture: vec![act], lookup: vec![Act::say(order(7))], ..Script::default() };
    let name = format!("{name}, and the order is completed");
    Row::new(&name, script, "captured order_status", &format!("{attempt} L200"), "T C L")
}

/// Every row there is.
pub(crate) fn all() -> Vec<Row> {
    let sections: [fn() -> Vec<Row>; 8] = [
        before::rows,
        during::rows,
        framing::rows,
        statuses::rows,
        bodies::rows,
        tokens::rows,
        lookups::rows,
        echoes::rows,
    ];
    sections.into_iter().flat_map(|rows| rows()).collect()
}

/// Runs every row through this adapter, many at a time: a row is mostly waiting, and each has a
/// server of its own.
pub(crate) fn run_all<D: Driver>() -> Vec<Ran> {
    // The longest first, so that it does not run alone at the end.
    let mut rows = all();
    rows.sort_by_key(|row| row.target != Target::Full);
    side_by_side(&rows, 24, run::<D>)
}

/// Runs one row through this adapter.
pub(crate) fn run<D: Driver>(row: &Row) -> Ran {
    let trap = Server::start(Script::default());
    let server = Server::with(row.script.clone(), None, Some(trap.address()));
    let aside = Aside::new(row.target);
    let url = match row.target {
        Target::Server => format!("http://{}", server.address()),
        // No name server is asked for a label of 70 letters.
        Target::NoName => format!("https://{}.invalid", "a".repeat(70)),
        Target::Nobody | Target::Full => format!("http://{}", aside.address()),
    };
    let client = D::new(setup(&url, row.own_token).with_policy(row.policy));
    let mut outcome = client.capture(&capture());
    for _ in 1..row.captures {
        server.wait_until_still();
        client.settle();
        outcome = client.capture(&capture());
    }
    secrets::show(&client, &outcome);
    drop(client);
    let seen = server.seen();
    Ran {
        name: row.name.clone(),
        expect: row.expect.clone(),
        came: Expect {
            outcome: format!("{} {}", outcome.name(), outcome.code()),
            attempts: attempts(&outcome),
            wire: words(seen.iter().map(|seen| letter(seen.operation).into())),
        },
        requests: seen.iter().map(normalised).collect(),
        trapped: trap.connections(),
    }
}

/// How the client of a row is made.
pub(crate) fn setup(url: &str, own_token: bool) -> Setup {
    let environment = Environment::Custom(url.parse().expect("a base URL"));
    if own_token {
        Setup::new(&environment, BearerToken::new("canary-own-token").expect("a token"))
    } else {
        let credentials = Credentials::new("canary/key+=", "canary/secret+=");
        Setup::new(&environment, credentials.expect("credentials"))
    }
}

/// The attempts of an outcome, in the notation of [`Expect::attempts`]; logins are left out.
pub(crate) fn attempts(outcome: &Outcome) -> String {
    let for_the_order = |attempt: &&Attempt| attempt.operation != Asked::Login;
    words(outcome.attempts().iter().filter(for_the_order).map(|attempt| {
        let letter = if attempt.operation == Asked::Capture { 'C' } else { 'L' };
        let status = attempt.status.map_or(String::new(), |status| status.to_string());
        match attempt.phase {
            Phase::NotSent => format!("{letter}!"),
            Phase::MaybeSent => format!("{letter}?"),
            Phase::CutReply => format!("{letter}{status}~"),
            Phase::Replied => format!("{letter}{status}"),
        }
    }))
}

fn letter(operation: Operation) -> char {
    match operation {
        Operation::Token => 'T',
        Operation::Capture => 'C',
        Operation::Lookup => 'L',
        Operation::Other => 'X',
    }
}

fn words(words: impl Iterator<Item = String>) -> String {
    words.collect::<Vec<_>>().join(" ")
}

/// A request without what may differ: the order of the headers, the port, and what only concerns the
/// connection. Everything else is compared byte by byte.
fn normalised(seen: &Seen) -> String {
    let mut lines = seen.head.trim_end().split("\r\n");
    let request_line = lines.next().unwrap_or_default();
    let connection = |line: &&str| {
        let line = line.to_ascii_lowercase();
        !line.starts_with("connection:") && !line.starts_with("keep-alive:")
    };
    let mut headers: Vec<_> = lines.filter(connection).map(without_port).collect();
    headers.sort();
    format!("{request_line}\n{}\n\n{}", headers.join("\n"), String::from_utf8_lossy(&seen.body))
}

fn without_port(line: &str) -> String {
    match line.split_once(':') {
        Some((name, value)) if name.eq_ignore_ascii_case("host") => {
            format!("{name}:{}", value.rsplit_once(':').map_or(value, |(host, _)| host))
        }
        _ => line.to_owned(),
    }
}
