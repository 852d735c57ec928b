//! Many at a time, for a row is mostly waiting; and a watchdog for rows that never end.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

/// How long a row may take. The longest takes some 20 s, on a machine with nothing else to do.
const PATIENCE: Duration = Duration::from_secs(60);

/// A row that did not end in time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hung {
    row: String,
}

impl fmt::Display for Hung {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the row {:?} hung: it did not end within {} s", self.row, PATIENCE.as_secs())
    }
}

/// Runs each row on a thread of its own, so many at a time. A row that does not end is left behind,
/// and the others go on.
pub fn run_rows<T, R>(
    rows: &Arc<[T]>,
    at_a_time: usize,
    name: fn(&T) -> String,
    act: impl Fn(&T) -> R + Send + Sync + 'static,
) -> Vec<Result<R, Hung>>
where
    T: Send + Sync + 'static,
    R: Send + 'static,
{
    let act = Arc::new(act);
    let places: Vec<usize> = (0..rows.len()).collect();
    side_by_side(&places, at_a_time, |place| {
        let (rows, act, place) = (Arc::clone(rows), Arc::clone(&act), *place);
        let row = name(&rows[place]);
        within(PATIENCE, move || act(&rows[place])).ok_or(Hung { row })
    })
}

/// Fails if any of these rows hung.
pub fn all_ended(results: Vec<Result<(), Hung>>) {
    let hung: Vec<_> = results.into_iter().filter_map(Result::err).collect();
    let names: Vec<_> = hung.iter().map(Hung::to_string).collect();
    assert!(hung.is_empty(), "{}", names.join("\n"));
}

/// The result, unless it takes longer than this.
fn within<R: Send + 'static>(
    patience: Duration,
    act: impl FnOnce() -> R + Send + 'static,
) -> Option<R> {
    let (done, result) = mpsc::channel();
    let running = thread::spawn(move || {
        // The receiver is gone if the patience ran out.
        let _ = done.send(act());
    });
    match result.recv_timeout(patience) {
        Ok(result) => Some(result),
        Err(RecvTimeoutError::Timeout) => None,
        Err(RecvTimeoutError::Disconnected) => match running.join() {
            Err(panic) => std::panic::resume_unwind(panic),
            Ok(()) => unreachable!("a thread that ends has sent its result"),
        },
    }
}

/// Does this for each item on so many threads, and keeps the order.
pub fn side_by_side<T: Sync, R: Send>(
    items: &[T],
    threads: usize,
    act: impl Fn(&T) -> R + Sync,
) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let work = || {
        let mut done = Vec::new();
        while let Some((at, item)) = {
            let at = next.fetch_add(1, Ordering::Relaxed);
            items.get(at).map(|item| (at, item))
        } {
            done.push((at, act(item)));
        }
        done
    };
    let mut done: Vec<_> = thread::scope(|scope| {
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        threads.into_iter().flat_map(|thread| thread.join().expect("no panic")).collect()
    });
    done.sort_by_key(|(at, _)| *at);
    done.into_iter().map(|(_, result)| result).collect()
}
