//! What the journal costs: `cargo run --release -p capture-sqlite --example measure -- [CAPTURES]`.
//!
//! It writes captures that are asked for and then captured, so many in a turn, to a file in the
//! directory for temporary files. Each needs two turns, and each turn one flush.

use std::time::{Duration, Instant, SystemTime};

use capture_core::{Capture, IdempotencyKey, Money, OrderId, Outcome, Proof, Receipt};
use capture_journal::{Answer, Ask, Journal as _, Turn, Want, Work};
use capture_sqlite::Sqlite;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let captures: u128 = std::env::args().nth(1).map_or(Ok(100_000), |text| text.parse())?;
    println!(
        "in a turn | captures/s | bytes of each | opening | first work of {captures} | chain walked"
    );
    for in_a_turn in [1, 16, 256] {
        // One flush for each takes its time.
        let captures = if in_a_turn == 1 { captures / 50 } else { captures.min(100_000) };
        let directory = tempfile::tempdir()?;
        let path = directory.path().join("captures.journal");
        let mut journal = Sqlite::open(&path, &"sandbox".parse()?)?;
        let took = fill(&mut journal, captures, in_a_turn)?;
        drop(journal);
        let bytes = std::fs::metadata(&path)?.len() as f64 / captures as f64;
        let (mut journal, opening) = timed(|| Ok(Sqlite::open(&path, &"sandbox".parse()?)?))?;
        let want = Turn {
            at: SystemTime::now(),
            settled: Vec::new(),
            asks: Vec::new(),
            want: Want::most(1),
        };
        let (_, first) = timed(|| Ok(journal.turn(&want)?))?;
        let (verified, walked) = timed(|| Ok(journal.verify(None)?))?;
        assert_eq!((verified.records, verified.broken_at), (i64::try_from(captures)?, None));
        let rate = captures as f64 / took.as_secs_f64();
        println!(
            "{in_a_turn:>9} | {rate:>10.0} | {bytes:>13.0} | {opening:>7.1?} | {first:.1?} | {walked:.1?}"
        );
    }
    run(captures.try_into()?)
}

/// Captures that were written down before, claimed ahead of what is settled, as a foreman does it.
fn run(captures: usize) -> Result<(), Box<dyn std::error::Error>> {
    let directory = tempfile::tempdir()?;
    let path = directory.path().join("captures.journal");
    let mut journal = Sqlite::open(&path, &"sandbox".parse()?)?;
    let at = SystemTime::now();
    let money = Money::parse("100.00", "USD")?;
    let (_, written) = timed(|| {
        for first in (1..=captures as u128).step_by(1024) {
            let asks = (first..(first + 1024).min(captures as u128 + 1)).map(|n| {
                let order = OrderId::from_bytes((n.wrapping_mul(SCATTER)).to_be_bytes())?;
                let capture = Capture::new(order, money, IdempotencyKey::for_order(order));
                Ok(Ask { capture, now: false })
            });
            let asks = asks.collect::<Result<_, Box<dyn std::error::Error>>>()?;
            journal.turn(&Turn { at, settled: Vec::new(), asks, want: Want::default() })?;
        }
        Ok(())
    })?;
    for in_a_turn in [64, 256] {
        let (mut held, mut settled, mut done) = (Vec::new(), Vec::new(), 0);
        let (_, took) = timed(|| {
            while done < captures / 2 - 256 {
                done += settled.len();
                let want = Want::most(in_a_turn);
                let turn =
                    Turn { at, settled: std::mem::take(&mut settled), asks: Vec::new(), want };
                let work = std::mem::replace(&mut held, journal.turn(&turn)?.work);
                let captured = |work: Work| {
                    let receipt = Receipt::new(*work.how.capture(), Proof::Reply);
                    (work.held, Outcome::Captured(receipt))
                };
                settled = work.into_iter().map(captured).collect();
            }
            Ok(())
        })?;
        println!(
            "{in_a_turn:>4} in a turn, claimed ahead: {:.1} us for each (written down before in {:.1} us)",
            took.as_secs_f64() * 1e6 / done as f64,
            written.as_secs_f64() * 1e6 / captures as f64
        );
    }
    drop(journal);
    let (mut journal, opening) = timed(|| Ok(Sqlite::open(&path, &"sandbox".parse()?)?))?;
    let want = Turn { at, settled: Vec::new(), asks: Vec::new(), want: Want::most(64) };
    let (turned, first) = timed(|| Ok(journal.turn(&want)?))?;
    println!(
        "opened again in {opening:.1?}, the first {} in {first:.1?}; peak memory {}",
        turned.work.len(),
        peak_memory()
    );
    Ok(())
}

/// On Linux.
fn peak_memory() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    peak.map_or_else(|| "unknown".to_owned(), |peak| peak.trim().to_owned())
}

fn fill(
    journal: &mut Sqlite,
    captures: u128,
    in_a_turn: u128,
) -> Result<Duration, Box<dyn std::error::Error>> {
    let money = Money::parse("100.00", "USD")?;
    let began = Instant::now();
    let (mut settled, mut next) = (Vec::new(), 1);
    while next <= captures || !settled.is_empty() {
        let mut asks = Vec::new();
        while next <= captures && (asks.len() as u128) < in_a_turn {
            // As scattered as real ones.
            let order = OrderId::from_bytes((next.wrapping_mul(SCATTER)).to_be_bytes())?;
            let capture = Capture::new(order, money, IdempotencyKey::for_order(order));
            asks.push(Ask { capture, now: true });
            next += 1;
        }
        let turn = Turn { at: SystemTime::now(), settled, asks, want: Want::default() };
        let answers = journal.turn(&turn)?.answers;
        settled = answers
            .into_iter()
            .filter_map(|answer| match answer {
                Answer::Work(work) => {
                    let receipt = Receipt::new(*work.how.capture(), Proof::Reply);
                    Some((work.held, Outcome::Captured(receipt)))
                }
                _ => None,
            })
            .collect();
    }
    Ok(began.elapsed())
}

const SCATTER: u128 = 0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835;

fn timed<T>(
    work: impl FnOnce() -> Result<T, Box<dyn std::error::Error>>,
) -> Result<(T, Duration), Box<dyn std::error::Error>> {
    let began = Instant::now();
    Ok((work()?, began.elapsed()))
}
