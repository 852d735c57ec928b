//! What a run over the journal costs beside the plain client:
//! `cargo run --release -p capture-sqlite --example run -- [CAPTURES] [ROUNDS] [URL]`.
//!
//! Each captures as many orders, 64 at once, from a sandbox in this process that answers after a while. The
//! rounds take turns, and the ratios are those of the medians. With the URL of an empty database, a run over that
//! is measured too.

use std::time::{Duration, Instant, SystemTime};

use capture_core::{Capture, IdempotencyKey, Money, OrderId, Outcome, Setup};
use capture_hyper::Client;
use capture_journal::{Ask, Durable, End, Journal, Lost, Pace, Story, Turn, Turned, Want};
use capture_postgres::{Config, Postgres};
use capture_sandbox::{Sandbox, Script, Server};
use capture_sqlite::Sqlite;
use futures_util::StreamExt as _;

type Failure = Box<dyn std::error::Error>;

/// A journal on a slow disk: each turn takes so much longer.
struct Slow(Sqlite, Duration);

impl Journal for Slow {
    fn turn(&mut self, turn: &Turn) -> Result<Turned, Lost> {
        let turned = self.0.turn(turn);
        std::thread::sleep(self.1);
        turned
    }

    fn stories(&mut self, order: OrderId) -> Result<Vec<Story>, Lost> {
        self.0.stories(order)
    }
}

/// A disk that commits 233 times a second.
const SLOW: Duration = Duration::from_micros(4290);

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let mut arguments = std::env::args().skip(1);
    let captures = arguments.next().map_or(Ok(2000), |text| text.parse())?;
    let rounds: usize = arguments.next().map_or(Ok(5), |text| text.parse())?;
    let database: Option<Config> = arguments.next().map(|url| url.parse()).transpose()?;
    println!("latency | at once | disk      | plain/s | file/s | ratio | database/s | ratio");
    for (latency, at_once, disk) in [
        (0, 64, Duration::ZERO),
        (5, 64, Duration::ZERO),
        (20, 64, Duration::ZERO),
        (20, 64, SLOW),
        (5, 1, Duration::ZERO),
    ] {
        let captures = if at_once == 1 { captures / 10 } else { captures };
        // The disk of a database's server is its own.
        let database = database.as_ref().filter(|_| disk.is_zero());
        let [mut plain, mut file, mut base] = [const { Vec::new() }; 3];
        for _ in 0..rounds {
            let (client, _sandbox, orders) = started(latency, captures)?;
            plain.push(rate(&orders, without(&client, &orders, at_once).await));
            let (client, sandbox, orders) = started(latency, captures)?;
            let directory = tempfile::tempdir()?;
            let path = directory.path().join("captures.journal");
            let journal = Slow(Sqlite::open(&path, &sandbox.environment())?, disk);
            file.push(rate(&orders, over(client, journal, &orders, at_once).await?));
            if let Some(config) = database {
                let (client, sandbox, orders) = started(latency, captures)?;
                let journal = Postgres::open(config, &sandbox.environment())?;
                base.push(rate(&orders, over(client, journal, &orders, at_once).await?));
            }
        }
        let (plain, file) = (median(&mut plain), median(&mut file));
        let base = database.map_or_else(
            || "         - |    -".to_owned(),
            |_| format!("{:>10.0} | {:.2}", median(&mut base), median(&mut base) / plain),
        );
        println!(
            "{latency:>4} ms | {at_once:>7} | {:<9} | {plain:>7.0} | {file:>6.0} | {:>5.2} | {base}",
            if disk.is_zero() { "this one" } else { "233/s" },
            file / plain
        );
    }
    Ok(())
}

/// One that answers after a while, with so many orders.
fn started(latency: u64, captures: usize) -> Result<(Client, Server, Vec<Capture>), Failure> {
    let sandbox = Sandbox::start();
    if latency > 0 {
        sandbox.script(Script::delayed(Duration::from_millis(latency)).times(u32::MAX));
    }
    let orders = orders(&sandbox, captures)?;
    let client = Client::new(Setup::new(&sandbox.environment(), sandbox.credentials()))?;
    Ok((client, sandbox, orders))
}

fn rate(captures: &[Capture], took: Duration) -> f64 {
    captures.len() as f64 / took.as_secs_f64()
}

fn orders(sandbox: &Server, count: usize) -> Result<Vec<Capture>, Failure> {
    let money = Money::parse("100.00", "USD")?;
    let orders = (0..count).map(|_| sandbox.create_order(money));
    Ok(orders.map(|id| Capture::new(id, money, IdempotencyKey::for_order(id))).collect())
}

async fn without(client: &Client, captures: &[Capture], at_once: usize) -> Duration {
    let began = Instant::now();
    let outcomes = futures_util::stream::iter(captures).map(|capture| client.capture(capture));
    let outcomes = outcomes.buffer_unordered(at_once);
    outcomes.for_each(async |it| assert!(matches!(it, Outcome::Captured(_)), "{it}")).await;
    began.elapsed()
}

/// They are written down before the clock starts.
async fn over(
    client: Client,
    mut journal: impl Journal + 'static,
    captures: &[Capture],
    at_once: usize,
) -> Result<Duration, Failure> {
    for some in captures.chunks(500) {
        let asks = some.iter().map(|capture| Ask { capture: *capture, now: false }).collect();
        let (at, settled, want) = (SystemTime::now(), Vec::new(), Want::default());
        journal.turn(&Turn { at, settled, asks, want })?;
    }
    let client = Durable::new(client, journal);
    let pace =
        Pace { concurrency: at_once, ahead: at_once * 4, per_second: None, ..Pace::default() };
    let began = Instant::now();
    let end = client.run(&pace, &capture_client::Stop::new(), |_| {}).await?;
    assert_eq!(end, End::Finished);
    Ok(began.elapsed())
}

fn median(rates: &mut [f64]) -> f64 {
    rates.sort_by(f64::total_cmp);
    rates[rates.len() / 2]
}
