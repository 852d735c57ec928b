//! What the engine costs: the same captures by the plain client, and through the engine.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use capture_hyper::{Capture, Client, IdempotencyKey, Money, OrderId, Outcome, Setup};
use capture_restate::label;
use capture_sandbox::{Sandbox, Server};
use tokio::task::JoinSet;

use crate::engine::{Engine, Part};
use crate::world::ASKED;
use crate::{Failed, Wanted};

const ORDERS: usize = 2_000;
const ROUNDS: usize = 3;
const AT_A_TIME: usize = 16;

pub(crate) async fn cost(wanted: &Wanted) -> Result<(), Failed> {
    let sandbox = Arc::new(Sandbox::start());
    let engine = Engine::start(wanted, &sandbox).await?;
    let client: Client = Client::new(Setup::new(&sandbox.environment(), sandbox.credentials()))?;
    let http = reqwest::Client::builder().no_proxy().build()?;
    let prefix = format!("{}~", label(&sandbox.environment()));
    let mut ratios = Vec::new();
    for _ in 0..ROUNDS {
        let money = Money::parse("100.00", "USD")?;
        let plain = timed(&sandbox, |order| {
            let client = client.clone();
            async move {
                let capture = Capture::new(order, money, IdempotencyKey::for_order(order));
                matches!(client.capture(&capture).await, Outcome::Captured(_))
            }
        })
        .await?;
        let before = [Part::Server, Part::Service].map(|part| used(engine.id(part)));
        let through = timed(&sandbox, |order| {
            let url = engine.url(&format!("{prefix}{order}"), "capture");
            let request = http.post(url).header("content-type", "application/json").body(ASKED);
            async move { request.send().await.is_ok_and(|reply| reply.status().is_success()) }
        })
        .await?;
        let after = [Part::Server, Part::Service].map(|part| used(engine.id(part)));
        let each = |of: usize| (after[of] - before[of]).as_secs_f64() * 1000.0 / ORDERS as f64;
        let per_second = |took: Duration| ORDERS as f64 / took.as_secs_f64();
        ratios.push(per_second(through) / per_second(plain));
        println!(
            "{ORDERS} captures, {AT_A_TIME} at a time: plain {:.0}/s, through the engine {:.0}/s; CPU for each: engine {:.2} ms, service {:.2} ms",
            per_second(plain),
            per_second(through),
            each(0),
            each(1),
        );
    }
    ratios.sort_by(f64::total_cmp);
    let captured = sandbox.ledger().entries().len();
    println!("figures: {:.3} of the plain client's speed; {captured} captured", ratios[ROUNDS / 2]);
    match captured == 2 * ROUNDS * ORDERS {
        true => Ok(()),
        false => Err("not all were captured once".into()),
    }
}

/// How long these captures take.
async fn timed<F: Future<Output = bool> + Send + 'static>(
    sandbox: &Arc<Server>,
    capture: impl Fn(OrderId) -> F,
) -> Result<Duration, Failed> {
    let money = Money::parse("100.00", "USD")?;
    let orders = sandbox.create_orders((0..ORDERS).map(|_| money));
    let failed = Arc::new(AtomicUsize::new(0));
    let (mut tasks, began) = (JoinSet::new(), Instant::now());
    for order in orders {
        if tasks.len() == AT_A_TIME {
            tasks.join_next().await.transpose()?;
        }
        let (done, failed) = (capture(order), Arc::clone(&failed));
        tasks.spawn(async move {
            if !done.await {
                failed.fetch_add(1, Ordering::Relaxed);
            }
        });
    }
    while tasks.join_next().await.transpose()?.is_some() {}
    let took = began.elapsed();
    match failed.load(Ordering::Relaxed) {
        0 => Ok(took),
        failed => Err(format!("{failed} captures failed").into()),
    }
}

/// The CPU time of a process. The kernel counts in hundredths of a second.
fn used(id: Option<u32>) -> Duration {
    let stat = id.and_then(|id| fs::read_to_string(format!("/proc/{id}/stat")).ok());
    let fields = stat.as_deref().and_then(|stat| stat.rsplit_once(") ")).unwrap_or_default().1;
    let ticks = fields.split(' ').skip(11).take(2).filter_map(|it| it.parse::<u64>().ok());
    Duration::from_millis(10 * ticks.sum::<u64>())
}
