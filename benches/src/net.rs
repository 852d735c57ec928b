//! Each adapter, and the hand-written code on the same client, against the server on loopback.

use std::future::Future;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use capture_core::{Environment, Outcome, Setup};
use cpu_time::ThreadTime;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tokio::runtime::Runtime;
use tokio::task::JoinSet;

use crate::peers::Body;
use crate::{Row, hand, inputs, loopback};

/// How many times each task keeps; a million would be our memory, not the client's.
const SAMPLES: usize = 5_000;

/// What some captures cost the client.
pub struct Cost {
    /// CPU time of the client's threads, per capture.
    pub cpu: Duration,
    /// The median time of one capture.
    pub median: Duration,
}

/// A client that is ready to capture, any number of times, any number at once.
pub struct Subject {
    pub name: &'static str,
    pub what: &'static str,
    drive: Drive,
}

/// How a client is driven: once, and so many captures in all with so many in flight.
struct Drive {
    once: Box<dyn Fn()>,
    many: Box<dyn Fn(usize, usize) -> Cost>,
}

impl Subject {
    pub fn many(&self, in_flight: usize, total: usize) -> Cost {
        (self.drive.many)(in_flight, total)
    }
}

pub const NAMES: [(&str, &str); 8] = [
    ("hyper", "capture-hyper"),
    ("hyper/hand", "hyper-util by hand"),
    ("reqwest", "capture-reqwest"),
    ("reqwest/hand", "reqwest by hand"),
    ("ureq", "capture-ureq"),
    ("ureq/hand", "ureq by hand"),
    ("hyper-h2", "capture-hyper, HTTP/2"),
    ("hyper-h2/hand", "hyper-util by hand, HTTP/2"),
];

pub fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime")
}

/// One request at a time through each client, as rows.
pub fn rows(server: &str) -> Vec<Row> {
    let row = |(name, what)| {
        let subject = subject(name, server);
        Row::new(name, what, subject.drive.once)
    };
    NAMES.into_iter().map(row).collect()
}

/// The client of that name.
pub fn subject(name: &str, server: &str) -> Subject {
    let (name, what) = NAMES.into_iter().find(|known| known.0 == name).expect("a known client");
    let url = format!("http://{server}/v1/capture");
    let token = inputs::token_text();
    let environment: Environment = format!("http://{server}").parse().expect("a URL");
    let setup = || Setup::new(&environment, inputs::token());
    let capture = inputs::capture();
    let body = Body::new();
    let drive = match name {
        "hyper" => {
            let client = Arc::new(capture_hyper::Client::new(setup()).expect("a client"));
            concurrent(move || {
                let client = client.clone();
                async move { captured(&client.capture(&capture).await) }
            })
        }
        "hyper-h2" => {
            let client = Arc::new(capture_hyper::Client::with_connector(setup(), loopback::Http2));
            concurrent(move || {
                let client = client.clone();
                async move { captured(&client.capture(&capture).await) }
            })
        }
        "hyper/hand" | "hyper-h2/hand" => {
            let mut connector = HttpConnector::new();
            connector.set_nodelay(true);
            let mut builder = Client::builder(TokioExecutor::new());
            let client = builder.http2_only(name == "hyper-h2/hand").build(connector);
            let client = Arc::new(hand::Hyper { client, url, token, body });
            concurrent(move || client.clone().capture())
        }
        "reqwest" => {
            let client = Arc::new(capture_reqwest::Client::new(setup()).expect("a client"));
            concurrent(move || {
                let client = client.clone();
                async move { captured(&client.capture(&capture).await) }
            })
        }
        "reqwest/hand" => {
            let tls = capture_tls::client_config().expect("TLS");
            let client = reqwest::Client::builder()
                .tls_backend_preconfigured(tls)
                .timeout(hand::TIMEOUT)
                .build();
            let client =
                Arc::new(hand::Reqwest { client: client.expect("a client"), url, token, body });
            concurrent(move || client.clone().capture())
        }
        "ureq" => {
            let client = capture_ureq::Client::new(setup());
            threaded(move || captured(&client.capture(&capture)))
        }
        _ => {
            let agent =
                ureq::Agent::config_builder().timeout_global(Some(hand::TIMEOUT)).build().into();
            let client = hand::Ureq { agent, url, token, body };
            threaded(move || client.capture())
        }
    };
    Subject { name, what, drive }
}

fn captured(outcome: &Outcome) {
    assert!(matches!(outcome, Outcome::Captured(_)), "{outcome}");
}

/// Runs futures on one thread, so that its CPU time is the client's.
fn concurrent<F, T>(make: F) -> Drive
where
    F: Fn() -> T + Clone + Send + Sync + 'static,
    T: Future<Output = ()> + Send + 'static,
{
    let runtime = Rc::new(runtime());
    let (again, make_one) = (runtime.clone(), make.clone());
    let once = Box::new(move || again.block_on(make_one()));
    let many = Box::new(move |in_flight: usize, total: usize| {
        let began = ThreadTime::now();
        let times = runtime.block_on(async {
            let mut tasks = JoinSet::new();
            for _ in 0..in_flight {
                let make = make.clone();
                tasks.spawn(async move {
                    let mut times = Vec::with_capacity((total / in_flight).min(SAMPLES));
                    for _ in 0..total / in_flight {
                        let time = timed(&make).await;
                        if times.len() < SAMPLES {
                            times.push(time);
                        }
                    }
                    times
                });
            }
            tasks.join_all().await.concat()
        });
        cost(began.elapsed(), total, times)
    });
    Drive { once, many }
}

async fn timed<F: Future<Output = ()>>(make: impl Fn() -> F) -> Duration {
    let began = Instant::now();
    make().await;
    began.elapsed()
}

/// Runs one thread for each capture in flight, and adds up their CPU time.
fn threaded(once: impl Fn() + Clone + Sync + 'static) -> Drive {
    let again = Box::new(once.clone());
    let many = Box::new(move |in_flight: usize, total: usize| {
        let part = || {
            let began = ThreadTime::now();
            let mut times = Vec::with_capacity((total / in_flight).min(SAMPLES));
            for _ in 0..total / in_flight {
                let began = Instant::now();
                once();
                if times.len() < SAMPLES {
                    times.push(began.elapsed());
                }
            }
            (began.elapsed(), times)
        };
        if in_flight == 1 {
            let (cpu, times) = part();
            return cost(cpu, total, times);
        }
        std::thread::scope(|scope| {
            let threads: Vec<_> = (0..in_flight).map(|_| scope.spawn(part)).collect();
            let done = threads.into_iter().map(|thread| thread.join().expect("a capture"));
            let (cpu, times): (Vec<_>, Vec<_>) = done.unzip();
            cost(cpu.into_iter().sum(), total, times.concat())
        })
    });
    Drive { once: again, many }
}

fn cost(cpu: Duration, total: usize, mut times: Vec<Duration>) -> Cost {
    times.sort_unstable();
    let count = u32::try_from(total).expect("a count");
    Cost { cpu: cpu / count, median: times[times.len() / 2] }
}
