//! The proof: kills, and then the comparison of what callers were told with what truly happened.

use std::fmt::Write as _;
use std::fs;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use capture_hyper::OrderStatus;
use capture_restate::label;
use capture_sandbox::{Operation, Server};
use reqwest::StatusCode;
use serde_json::Value;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::callers::Callers;
use crate::dice::Dice;
use crate::engine::{Engine, Part};
use crate::operator::kills_a_call;
use crate::world::{ASKED, OTHER, Order, misbehave, pause, sandbox};
use crate::{Failed, Wanted};

/// Which processes are killed, in turn.
const TARGETS: [&[Part]; 3] = [&[Part::Service], &[Part::Server], &[Part::Service, Part::Server]];

const CALLERS: usize = 16;

pub(crate) async fn prove(wanted: &Wanted) -> Result<(), Failed> {
    let sandbox = sandbox(wanted.seed)?;
    misbehave(&sandbox)?;
    let mut engine = Engine::start(wanted, &sandbox).await?;
    let callers = Arc::new(Callers {
        http: engine.http.clone(),
        label: label(&sandbox.environment()),
        ingress: engine.url("", "").trim_end_matches('/').to_owned(),
        sandbox,
        dice: Mutex::new(Dice(wanted.seed)),
        ends: AtomicBool::new(false),
        answered: Mutex::default(),
        asked: Mutex::default(),
        doubts: AtomicUsize::new(0),
    });
    let mut tasks = JoinSet::new();
    (0..CALLERS).for_each(|_| callers.run(&mut tasks));

    let mut dice = Dice(wanted.seed ^ 0x6b69_6c6c);
    let mut killed = [0; TARGETS.len()];
    for kill in 1..=wanted.kills {
        under_way(&callers.sandbox).await;
        sleep(pause(&mut dice)).await;
        let which = dice.below(TARGETS.len() as u64) as usize;
        killed[which] += 1;
        for part in TARGETS[which] {
            engine.kill(*part)?;
        }
        for part in TARGETS[which] {
            engine.run(*part)?;
        }
        engine.is_up().await?;
        if kill % 10 == 0 {
            eprintln!("proof: {kill} kills, {} orders answered", len(&callers.answered));
        }
    }
    callers.ends.store(true, Ordering::Relaxed);
    // A refusal does not clear the doubt of a capture that may have arrived. What does is the order's end.
    for order in callers.asked.lock().expect("no panic").iter().filter(|order| !order.is_good) {
        let _ = callers.sandbox.set_order_status(order.id, OrderStatus::Cancelled);
    }
    // What hangs is lost, and told below.
    let rest = async {
        while let Some(done) = tasks.join_next().await {
            done??;
        }
        Ok::<_, Failed>(())
    };
    let mut problems = Problems::default();
    if let Ok(ended) = timeout(Duration::from_secs(120), rest).await {
        ended?;
    }
    let (orders, doubts) = (callers.asked.lock().expect("no panic").clone(), &callers.doubts);
    let answered = callers.answered.lock().expect("no panic").clone();
    let counts = compare(&callers, &orders, &answered, &mut problems).await;
    if let Err(error) = kills_a_call(&engine, &callers).await {
        problems.add(&error.to_string());
    }
    let log = fs::read_to_string(engine.log(Part::Service))?;
    let resumed = log.matches("was interrupted").count();
    let [service, server, both] = killed;
    println!(
        "figures: {} kills ({service} of the service, {server} of the engine, {both} of both), {} orders: {} captured \
         once, {} not captured, {} lost, {} doubled; {resumed} interrupted and looked up first, {} told unknown at first",
        wanted.kills,
        orders.len(),
        counts.captured,
        counts.not_captured,
        counts.lost,
        counts.doubled,
        doubts.load(Ordering::Relaxed),
    );
    if wanted.kills >= 10 && wanted.broken.is_none() && resumed == 0 {
        problems.add("no kill met a capture on its way: this showed nothing");
    }
    problems.end()
}

/// Waits until captures arrive again: kills that meet nothing prove nothing.
async fn under_way(sandbox: &Server) {
    let captures = || {
        let transcript = sandbox.transcript();
        transcript.iter().filter(|it| it.operation == Some(Operation::Capture)).count()
    };
    let (before, began) = (captures(), Instant::now());
    while captures() == before && began.elapsed() < Duration::from_secs(20) {
        sleep(Duration::from_millis(20)).await;
    }
}

#[derive(Default)]
struct Counts {
    captured: usize,
    not_captured: usize,
    doubled: usize,
    lost: usize,
}

/// Callers, the engine's record and the ledger must tell the same story.
async fn compare(
    callers: &Callers,
    orders: &[Order],
    answered: &[(Order, Value)],
    problems: &mut Problems,
) -> Counts {
    let mut counts = Counts { lost: orders.len() - answered.len(), ..Counts::default() };
    if counts.lost > 0 {
        problems.add(&format!("{} orders were never answered", counts.lost));
    }
    let ledger = callers.sandbox.ledger();
    let mut times = std::collections::HashMap::new();
    for entry in ledger.entries() {
        *times.entry(entry.order).or_insert(0) += 1;
    }
    for order in orders {
        let times = times.get(&order.id).copied().unwrap_or(0);
        counts.doubled += usize::from(times > 1);
        if times > 1 {
            problems.add(&format!("{}: captured {times} times", order.id));
        }
        if times != usize::from(order.is_good) && times <= 1 {
            problems.add(&format!("{}: captured {times} times, good: {}", order.id, order.is_good));
        }
    }
    let asked = callers.sandbox.transcript().last().map(|exchange| exchange.number);
    for (order, told) in answered {
        let times = times.get(&order.id).copied().unwrap_or(0);
        counts.captured += usize::from(times == 1);
        counts.not_captured += usize::from(times == 0);
        let truth = if times == 0 { "not_captured" } else { "captured" };
        if told["outcome"] != truth {
            problems.add(&format!("{}: {truth} by the ledger, but told {told}", order.id));
        }
        for handler in ["outcome", "capture"] {
            let again = callers.ask(*order, handler, ASKED).await;
            if again.as_ref() != Some(&(StatusCode::OK, told.clone())) {
                problems
                    .add(&format!("{}: told {told}, and then by {handler} {again:?}", order.id));
            }
        }
    }
    for (order, told) in answered.iter().take(20) {
        let other = callers.ask(*order, "capture", OTHER).await;
        if other.as_ref().map(|(status, _)| *status) != Some(StatusCode::UNPROCESSABLE_ENTITY) {
            problems.add(&format!("{}: {told}, and with another amount {other:?}", order.id));
        }
    }
    if callers.sandbox.transcript().last().map(|exchange| exchange.number) != asked {
        problems.add("what is recorded was sent again");
    }
    counts
}

/// What was wrong; the first of it in words.
#[derive(Default)]
pub(crate) struct Problems(Vec<String>);

impl Problems {
    pub(crate) fn add(&mut self, problem: &str) {
        self.0.push(problem.to_owned());
    }

    pub(crate) fn end(self) -> Result<(), Failed> {
        if self.0.is_empty() {
            return Ok(());
        }
        let mut text = format!("{} problems", self.0.len());
        for problem in self.0.iter().take(10) {
            let _ = write!(text, "\n  {problem}");
        }
        Err(text.into())
    }
}

fn len<T>(list: &Mutex<Vec<T>>) -> usize {
    list.lock().expect("no panic").len()
}
