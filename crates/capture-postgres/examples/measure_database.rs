//! Measures the journal in a database without an API: `cargo run --release -p capture-postgres --example measure_database -- URL`.
//!
//! The database should be empty and its server idle. Outcomes are made up, so that nothing but the journal works.

use std::error::Error;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use capture_core::{Capture, Environment, IdempotencyKey, Money, OrderId, Outcome, Proof, Receipt};
use capture_journal::{Journal, Line, Staging, Turn, Want};
use capture_postgres::{Config, Postgres};
use postgres::{Client, NoTls};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() -> Result<()> {
    let url = std::env::args().nth(1).ok_or("give the URL of an empty database")?;
    let (config, environment): (Config, Environment) = (url.parse()?, "sandbox".parse()?);
    let mut journal = Postgres::open(&config, &environment)?;
    let mut client = postgres::Config::from(config.clone()).connect(NoTls)?;
    let mut orders = 0;
    println!(
        "| workers | captures a second | of one worker | for a capture: transactions | statements | waits for a lock |"
    );
    println!("|--:|--:|--:|--:|--:|--:|");
    let mut one = 0.0;
    // The server need not have it.
    let counts = client.batch_execute("CREATE EXTENSION IF NOT EXISTS pg_stat_statements").is_ok();
    for workers in [1, 2, 4, 8] {
        const COUNT: u32 = 40_000;
        plan(&mut journal, &mut orders, COUNT)?;
        let before = commits(&mut client)?;
        let statements = statements(&mut client, counts)?;
        let (took, waits) = watched(&config, || drain(&config, &environment, workers))?;
        let statements = self::statements(&mut client, counts)? - statements;
        let rate = f64::from(COUNT) / took.as_secs_f64();
        if workers == 1 {
            one = rate;
        }
        let commits = commits(&mut client)? - before;
        let each = commits as f64 / f64::from(COUNT);
        let of_one = rate / one;
        let statements = statements as f64 / f64::from(COUNT);
        println!(
            "| {workers} | {rate:.0} | {of_one:.2} | {each:.3} | {statements:.2} | {waits:.1} % |"
        );
    }
    println!("| ready | the next 100, best of 20 | as planned |\n|--:|--:|--:|");
    for ready in [10_000, 100_000, 1_000_000] {
        let missing = ready - left(&mut client)?;
        let began = Instant::now();
        plan(&mut journal, &mut orders, missing)?;
        let planned = began.elapsed();
        client.batch_execute("VACUUM ANALYZE capture.pending")?;
        let mut worker = Postgres::open(&config, &environment)?;
        let best = (0..20).map(|_| wants(&mut worker, 100)).min().unwrap_or_default();
        println!("| {ready} | {best:.1?} | {:.0}/s |", f64::from(missing) / planned.as_secs_f64());
        // They are left interrupted, and are in nobody's way.
    }
    let ready = left(&mut client)?;
    let took = drain(&config, &environment, 4);
    println!("{ready} more by 4 workers: {:.0}/s", f64::from(ready) / took.as_secs_f64());
    bloat(&mut client)?;
    println!("two minutes later:");
    thread::sleep(Duration::from_secs(120));
    bloat(&mut client)
}

fn capture(number: u32) -> Result<Capture> {
    let order =
        OrderId::from_bytes((u128::from(number) * 0x9e37_79b9_7f4a_7c15 + 1).to_be_bytes())?;
    Ok(Capture::new(order, Money::parse("100.00", "USD")?, IdempotencyKey::for_order(order)))
}

/// Writes a list of so many new captures down.
fn plan(journal: &mut Postgres, orders: &mut u32, count: u32) -> Result<()> {
    journal.stage()?;
    let numbers: Vec<u32> = (*orders..*orders + count).collect();
    for some in numbers.chunks(1000) {
        let line = |number: &u32| -> Result<Line> {
            let (line, capture) = (number + 1, capture(*number)?);
            Ok(Line { line, capture, reference: None, capture_before: None })
        };
        journal.stage_lines(&some.iter().map(line).collect::<Result<Vec<_>>>()?)?;
    }
    *orders += count;
    let mut plan = [0; 32];
    plan[..4].copy_from_slice(&orders.to_be_bytes());
    journal.plan("measured", &plan, "")?;
    Ok(())
}

/// So many workers take what is ready, 64 at once, and record it as captured.
fn drain(config: &Config, environment: &Environment, workers: usize) -> Duration {
    let began = Instant::now();
    thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                let mut worker = Postgres::open(config, environment).expect("it opens");
                let (mut settled, mut is_done) = (Vec::new(), false);
                while !is_done || !settled.is_empty() {
                    let want = Want::most(if is_done { 0 } else { 64 });
                    let turn = Turn { at: SystemTime::now(), settled, asks: Vec::new(), want };
                    let work = worker.turn(&turn).expect("a turn").work;
                    is_done = work.is_empty();
                    let captured = |capture| Outcome::Captured(Receipt::new(capture, Proof::Reply));
                    let each = work.into_iter();
                    settled = each.map(|it| (it.held, captured(*it.how.capture()))).collect();
                }
            });
        }
    });
    began.elapsed()
}

fn wants(worker: &mut Postgres, most: usize) -> Duration {
    let (settled, asks) = (Vec::new(), Vec::new());
    let turn = Turn { at: SystemTime::now(), settled, asks, want: Want::most(most) };
    let began = Instant::now();
    let work = worker.turn(&turn).expect("a turn").work;
    assert_eq!(work.len(), most);
    began.elapsed()
}

fn commits(client: &mut Client) -> Result<i64> {
    // What another connection did is counted a moment later.
    thread::sleep(Duration::from_millis(1500));
    let counted = "SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()";
    Ok(client.query_one(counted, &[])?.get(0))
}

/// How many statements were executed so far; 0 if the server does not count them.
fn statements(client: &mut Client, counts: bool) -> Result<i64> {
    let counted = "SELECT sum(calls)::bigint FROM pg_stat_statements JOIN pg_database ON oid = dbid
        WHERE datname = current_database()";
    if counts { Ok(client.query_one(counted, &[])?.get(0)) } else { Ok(0) }
}

/// How long it takes, and in how many of a hundred looks somebody waits for a lock.
fn watched(config: &Config, work: impl FnOnce() -> Duration) -> Result<(Duration, f64)> {
    let waits = "SELECT EXISTS (SELECT FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event_type = 'Lock')";
    let mut client = postgres::Config::from(config.clone()).connect(NoTls)?;
    let (is_done, mut looks, mut waiting) = (AtomicBool::new(false), 0_u32, 0_u32);
    let took = thread::scope(|scope| {
        let looking = scope.spawn(|| {
            while !is_done.load(Ordering::Relaxed) {
                let row = client.query_one(waits, &[]).expect("a look");
                looks += 1;
                waiting += u32::from(row.get::<_, bool>(0));
                thread::sleep(Duration::from_millis(20));
            }
        });
        let took = work();
        is_done.store(true, Ordering::Relaxed);
        looking.join().expect("it looks");
        took
    });
    Ok((took, 100.0 * f64::from(waiting) / f64::from(looks.max(1))))
}

fn left(client: &mut Client) -> Result<u32> {
    let left = "SELECT count(*) FROM capture.pending WHERE fence IS NULL";
    Ok(u32::try_from(client.query_one(left, &[])?.get::<_, i64>(0))?)
}

/// What updates and removals leave behind.
fn bloat(client: &mut Client) -> Result<()> {
    let counted = "SELECT relname, n_tup_upd, n_tup_hot_upd, n_tup_del, n_dead_tup,
            pg_total_relation_size(relid), autovacuum_count
        FROM pg_stat_user_tables WHERE schemaname = 'capture' AND n_tup_ins > 0 ORDER BY 6 DESC";
    println!(
        "| table | updates | of them in place (HOT) | removed | dead now | KiB | autovacuums |"
    );
    println!("|---|--:|--:|--:|--:|--:|--:|");
    for row in client.query(counted, &[])? {
        let number = |at: usize| row.get::<_, i64>(at);
        println!(
            "| {} | {} | {} | {} | {} | {} | {} |",
            row.get::<_, &str>(0),
            number(1),
            number(2),
            number(3),
            number(4),
            number(5) / 1024,
            number(6)
        );
    }
    Ok(())
}
