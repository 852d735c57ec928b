//! A client under load: any number of captures, any number at once.

use std::future::Future;
use std::rc::Rc;
use std::time::{Duration, Instant};

use cpu_time::ProcessTime;
use tokio::runtime::Runtime;
use tokio::task::JoinSet;

/// A client that is ready to capture.
pub struct Subject {
    /// One capture.
    pub once: Box<dyn Fn()>,
    /// The number in flight, then the total.
    pub many: Box<dyn Fn(usize, usize) -> Cost>,
}

/// What some captures cost the client.
pub struct Cost {
    /// CPU time of the client's process, per capture.
    pub cpu: Duration,
    /// The median time of one capture.
    pub median: Duration,
}

/// How many times each task keeps; a million would be our memory, not the client's.
const SAMPLES: usize = 5_000;

/// Runs futures on one thread.
pub fn concurrent<F, T>(capture: F) -> Subject
where
    F: Fn() -> T + Clone + Send + Sync + 'static,
    T: Future<Output = ()> + Send + 'static,
{
    let runtime = Rc::new(runtime());
    let (runtime_of_one, capture_one) = (runtime.clone(), capture.clone());
    let once = Box::new(move || runtime_of_one.block_on(capture_one()));
    let many = Box::new(move |in_flight: usize, total: usize| {
        let began = ProcessTime::now();
        let times = runtime.block_on(async {
            let mut tasks = JoinSet::new();
            for _ in 0..in_flight {
                let capture = capture.clone();
                tasks.spawn(async move {
                    let mut times = Vec::with_capacity((total / in_flight).min(SAMPLES));
                    for _ in 0..total / in_flight {
                        let began = Instant::now();
                        capture().await;
                        note(&mut times, began);
                    }
                    times
                });
            }
            tasks.join_all().await.concat()
        });
        cost(began.elapsed(), total, times)
    });
    Subject { once, many }
}

/// Runs one thread for each capture in flight.
pub fn threaded(capture: impl Fn() + Clone + Sync + 'static) -> Subject {
    let once = Box::new(capture.clone());
    let many = Box::new(move |in_flight: usize, total: usize| {
        let share = || {
            let mut times = Vec::with_capacity((total / in_flight).min(SAMPLES));
            for _ in 0..total / in_flight {
                let began = Instant::now();
                capture();
                note(&mut times, began);
            }
            times
        };
        let began = ProcessTime::now();
        let times = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..in_flight).map(|_| scope.spawn(share)).collect();
            let done = threads.into_iter().map(|thread| thread.join().expect("a capture"));
            done.collect::<Vec<_>>().concat()
        });
        cost(began.elapsed(), total, times)
    });
    Subject { once, many }
}

/// One thread, with timers and sockets.
pub fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime")
}

fn note(times: &mut Vec<Duration>, began: Instant) {
    if times.len() < SAMPLES {
        times.push(began.elapsed());
    }
}

fn cost(cpu: Duration, total: usize, mut times: Vec<Duration>) -> Cost {
    times.sort_unstable();
    let count = u32::try_from(total).expect("a count");
    Cost { cpu: cpu / count, median: times[times.len() / 2] }
}
