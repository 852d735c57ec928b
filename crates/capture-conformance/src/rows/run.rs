//! Runs a row through a client, and notes what came of it.

use capture_core::{Capture, Outcome, Setup};

use super::aside::Aside;
use super::row::{Expect, Row, Target};
use crate::fixture::{capture, capture_under_own_key, setup};
use crate::notation::{attempts, ending, words};
use crate::wire::{Dialogue, Endpoint, Seen, Server};

/// The result of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ran {
    pub name: String,
    pub expect: Expect,
    pub came: Expect,
    /// Each request as it came in, normalised.
    requests: Vec<String>,
    /// Connections to the server that must never receive any.
    pub trapped: usize,
}

impl Ran {
    /// A row whose client panicked, or that the watchdog gave up.
    pub(super) fn unfinished(row: &Row, how: &str) -> Self {
        let came = Expect { outcome: how.into(), ..Expect::default() };
        let (name, expect) = (row.name.clone(), row.expect.clone());
        Self { name, expect, came, requests: Vec::new(), trapped: 0 }
    }

    /// What is wrong about it, if anything is.
    pub fn complaint(&self) -> Option<String> {
        let Self { name, expect, came, trapped, .. } = self;
        let mut wrong = Vec::new();
        if came != expect {
            wrong.push(format!("{name}\n    expected {expect:?}\n    came     {came:?}"));
        }
        if *trapped > 0 {
            wrong.push(format!("{name}: a request went to another origin"));
        }
        (!wrong.is_empty()).then(|| wrong.join("\n"))
    }
}

/// Runs one row through the client that `make` makes.
pub(super) fn run<F>(row: &Row, make: impl Fn(Setup) -> F) -> Ran
where
    F: FnMut(&Capture) -> Outcome,
{
    let trap = Server::start(Dialogue::default());
    let server = Server::with(row.dialogue.clone(), None, Some(trap.address()));
    let aside = Aside::new(row.target);
    let url = match row.target {
        Target::Server => format!("http://{}", server.address()),
        // No name server is asked for a label of 70 letters.
        Target::NoName => format!("https://{}.invalid", "a".repeat(70)),
        Target::Nobody | Target::Full => format!("http://{}", aside.address()),
    };
    let capture = if row.own_key { capture_under_own_key() } else { capture() };
    let mut client = make(setup(&url, row.own_token).with_policy(row.policy));
    let mut outcome = client(&capture);
    for _ in 1..row.captures {
        server.wait_until_still();
        outcome = client(&capture);
    }
    drop(client);
    let seen = server.seen();
    Ran {
        name: row.name.clone(),
        expect: row.expect.clone(),
        came: Expect {
            outcome: ending(&outcome),
            attempts: attempts(&outcome),
            wire: words(seen.iter().map(|seen| letter(seen.endpoint).into())),
        },
        requests: seen.iter().map(normalised).collect(),
        trapped: trap.connections(),
    }
}

/// How a request that came in is written.
pub fn letter(endpoint: Endpoint) -> char {
    match endpoint {
        Endpoint::Token => 'T',
        Endpoint::Capture => 'C',
        Endpoint::Lookup => 'L',
        Endpoint::List => 'O',
        Endpoint::Other => 'X',
    }
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
