//! What a run over the database costs beside one over a file, and beside the plain client:
//! `cargo run --release -p capture-postgres --example run_database -- URL [CAPTURES] [ROUNDS]`.
//!
//! All three capture as many orders, 64 at once, from a sandbox in this process that answers after a while. The
//! rounds take turns, and the ratios are those of the medians. The database should be empty.

use std::time::{Duration, Instant, SystemTime};

use capture_core::{Capture, IdempotencyKey, Money, Outcome, Setup};
use capture_hyper::Client;
use capture_journal::{Ask, Durable, End, Journal, Pace, Turn, Want};
use capture_postgres::{Config, Postgres};
use capture_sandbox::{Sandbox, Script, Server};
use capture_sqlite::Sqlite;
use futures_util::StreamExt as _;

type Failure = Box<dyn std::error::Error>;

const AT_ONCE: usize = 64;

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let mut arguments = std::env::args().skip(1);
    let config: Config = arguments.next().ok_or("give the URL of an empty database")?.parse()?;
    let captures = arguments.next().map_or(Ok(2000), |text| text.parse())?;
    let rounds: usize = arguments.next().map_or(Ok(3), |text| text.parse())?;
    println!(
        "| the API's latency | without a journal | file / without | database / without | database / file |"
    );
    println!("|---|--:|--:|--:|--:|");
    for latency in [0, 5, 20] {
        let mut rates = [const { Vec::new() }; 3];
        for _ in 0..rounds {
            for (which, rates) in rates.iter_mut().enumerate() {
                let sandbox = Sandbox::start();
                if latency > 0 {
                    let delay = Duration::from_millis(latency);
                    sandbox.script(Script::delayed(delay).times(u32::MAX));
                }
                let captures = orders(&sandbox, captures)?;
                let took = round(which, &sandbox, &config, &captures).await?;
                rates.push(captures.len() as f64 / took.as_secs_f64());
            }
        }
        let [plain, file, database] = rates.map(|mut rates| median(&mut rates));
        println!(
            "| {latency} ms | {plain:.0}/s | {:.2} | {:.2} | {:.2} |",
            file / plain,
            database / plain,
            database / file
        );
    }
    Ok(())
}

async fn round(
    which: usize,
    sandbox: &Server,
    config: &Config,
    captures: &[Capture],
) -> Result<Duration, Failure> {
    let environment = sandbox.environment();
    let client = Client::new(Setup::new(&environment, sandbox.credentials()))?;
    let directory = tempfile::tempdir()?;
    match which {
        0 => Ok(plain(&client, captures).await),
        1 => {
            let path = directory.path().join("captures.journal");
            over(client, Sqlite::open(&path, &environment)?, captures).await
        }
        _ => over(client, Postgres::open(config, &environment)?, captures).await,
    }
}

fn orders(sandbox: &Server, count: usize) -> Result<Vec<Capture>, Failure> {
    let money = Money::parse("100.00", "USD")?;
    let orders = (0..count).map(|_| sandbox.create_order(money));
    Ok(orders.map(|id| Capture::new(id, money, IdempotencyKey::for_order(id))).collect())
}

async fn plain(client: &Client, captures: &[Capture]) -> Duration {
    let began = Instant::now();
    let outcomes = futures_util::stream::iter(captures).map(|capture| client.capture(capture));
    let outcomes = outcomes.buffer_unordered(AT_ONCE);
    outcomes.for_each(async |it| assert!(matches!(it, Outcome::Captured(_)), "{it}")).await;
    began.elapsed()
}

/// Written down before the clock starts.
async fn over(
    client: Client,
    mut journal: impl Journal + 'static,
    captures: &[Capture],
) -> Result<Duration, Failure> {
    for some in captures.chunks(500) {
        let asks = some.iter().map(|capture| Ask { capture: *capture, now: false }).collect();
        let (at, settled, want) = (SystemTime::now(), Vec::new(), Want::default());
        journal.turn(&Turn { at, settled, asks, want })?;
    }
    let client = Durable::new(client, journal);
    let pace =
        Pace { concurrency: AT_ONCE, ahead: AT_ONCE * 4, per_second: None, ..Pace::default() };
    let began = Instant::now();
    let end = client.run(&pace, &capture_client::Stop::new(), |_| {}).await?;
    assert_eq!(end, End::Finished);
    Ok(began.elapsed())
}

fn median(rates: &mut [f64]) -> f64 {
    rates.sort_by(f64::total_cmp);
    rates[rates.len() / 2]
}
