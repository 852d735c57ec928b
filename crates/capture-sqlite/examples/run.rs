//! What a run over the journal costs beside the plain client:
//! `cargo run --release -p capture-sqlite --example run -- [CAPTURES] [ROUNDS]`.
//!
//! Both capture as many orders, 64 at once, from a sandbox in this process that answers after a while. The
//! rounds take turns, and the ratio is that of the medians.

use std::collections::BTreeMap;
use std::time::{Duration, Instant, SystemTime};

use capture_core::{Capture, IdempotencyKey, Money, OrderId, Outcome, Setup};
use capture_hyper::Client;
use capture_journal::{Ask, Durable, End, Journal, Lost, Pace, Story, Turn, Turned, Want};
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
    println!("latency | at once | disk      | plain/s | journal/s | ratio");
    for (latency, at_once, disk) in [
        (0, 64, Duration::ZERO),
        (5, 64, Duration::ZERO),
        (20, 64, Duration::ZERO),
        (20, 64, SLOW),
        (5, 1, Duration::ZERO),
    ] {
        let captures = if at_once == 1 { captures / 10 } else { captures };
        let mut rates: BTreeMap<bool, Vec<f64>> = BTreeMap::new();
        for round in 0..rounds * 2 {
            let with_journal = round % 2 == 1;
            let sandbox = Sandbox::start();
            if latency > 0 {
                let delay = Duration::from_millis(latency);
                sandbox.script(Script::delayed(delay).times(u32::MAX));
            }
            let captures = orders(&sandbox, captures)?;
            let setup = Setup::new(&sandbox.environment(), sandbox.credentials());
            let client = Client::new(setup)?;
            let took = match with_journal {
                true => journal(client, &captures, at_once, disk).await?,
                false => plain(&client, &captures, at_once).await,
            };
            rates.entry(with_journal).or_default().push(captures.len() as f64 / took.as_secs_f64());
        }
        let [plain, journal] = [false, true].map(|which| median(&mut rates[&which].clone()));
        println!(
            "{latency:>4} ms | {at_once:>7} | {:<9} | {plain:>7.0} | {journal:>9.0} | {:.2}",
            if disk.is_zero() { "this one" } else { "233/s" },
            journal / plain
        );
    }
    Ok(())
}

fn orders(sandbox: &Server, count: usize) -> Result<Vec<Capture>, Failure> {
    let money = Money::parse("100.00", "USD")?;
    let orders = (0..count).map(|_| sandbox.create_order(money));
    Ok(orders.map(|id| Capture::new(id, money, IdempotencyKey::for_order(id))).collect())
}

async fn plain(client: &Client, captures: &[Capture], at_once: usize) -> Duration {
    let began = Instant::now();
    let outcomes = futures_util::stream::iter(captures).map(|capture| client.capture(capture));
    let outcomes = outcomes.buffer_unordered(at_once);
    outcomes.for_each(async |it| assert!(matches!(it, Outcome::Captured(_)), "{it}")).await;
    began.elapsed()
}

async fn journal(
    client: Client,
    captures: &[Capture],
    at_once: usize,
    disk: Duration,
) -> Result<Duration, Failure> {
    let directory = tempfile::tempdir()?;
    let path = directory.path().join("captures.journal");
    let mut journal = Sqlite::open(&path, &"sandbox".parse()?)?;
    let asks = captures.iter().map(|capture| Ask { capture: *capture, now: false }).collect();
    let at = SystemTime::now();
    journal.turn(&Turn { at, settled: Vec::new(), asks, want: Want::default() })?;
    let client = Durable::new(client, Slow(journal, disk));
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
