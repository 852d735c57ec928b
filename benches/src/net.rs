//! Each adapter, and the hand-written code on the same client, against the server on loopback.

use std::fmt;
use std::future::Future;
use std::net::SocketAddr;
use std::rc::Rc;
use std::str::FromStr;
use std::time::{Duration, Instant};

use cpu_time::ProcessTime;
use tokio::runtime::Runtime;
use tokio::task::JoinSet;

use crate::{Row, clients};

/// Every client by name. What stands after `/` is the other side of the comparison; `tls` and `h2`
/// say what the connection is; `pool` keeps every idle connection.
pub const NAMES: [(&str, &str); 20] = [
    ("hyper", "capture-hyper"),
    ("hyper/hand", "hyper-util by hand"),
    ("reqwest", "capture-reqwest"),
    ("reqwest/hand", "reqwest by hand"),
    ("ureq", "capture-ureq"),
    ("ureq/hand", "ureq by hand"),
    ("ureq-pool", "capture-ureq, large pool"),
    ("ureq-pool/hand", "ureq by hand, large pool"),
    ("hyper-h2", "capture-hyper, HTTP/2"),
    ("hyper-h2/hand", "hyper-util by hand, HTTP/2"),
    ("hyper-tls", "capture-hyper, TLS"),
    ("hyper-tls/hand", "hyper-util by hand, TLS"),
    ("reqwest-tls", "capture-reqwest, TLS"),
    ("reqwest-tls/hand", "reqwest by hand, TLS"),
    ("ureq-pool-tls", "capture-ureq, TLS"),
    ("ureq-pool-tls/hand", "ureq by hand, TLS"),
    ("hyper-tls-h2", "capture-hyper, TLS, HTTP/2"),
    ("hyper-tls-h2/hand", "hyper-util by hand, TLS, HTTP/2"),
    ("reqwest-tls-h2", "capture-reqwest, TLS, HTTP/2"),
    ("reqwest-tls-h2/hand", "reqwest by hand, TLS, HTTP/2"),
];

/// The gate does without TLS, whose instructions depend on the processor, and without what says the
/// same twice.
pub fn is_gated(name: &str) -> bool {
    !name.contains("-tls") && !name.contains("-pool")
}

pub fn is_net(name: &str) -> bool {
    NAMES.iter().any(|known| known.0 == name)
}

/// Where the server is, and the certificate to trust there.
pub struct Place {
    pub plain: SocketAddr,
    pub tls: SocketAddr,
    pub certificate: Vec<u8>,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{},{},", self.plain, self.tls)?;
        self.certificate.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl FromStr for Place {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut words = text.trim().splitn(3, ',');
        let mut next = || words.next().ok_or("a place is ADDRESS,ADDRESS,HEXADECIMAL");
        let mut address = || next()?.parse().map_err(|_| "not an address");
        let (plain, tls) = (address()?, address()?);
        let pairs = next()?.as_bytes().chunks(2);
        let byte = |pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
        let certificate = pairs.map(byte).collect::<Option<_>>().ok_or("not hexadecimal")?;
        Ok(Self { plain, tls, certificate })
    }
}

/// What some captures cost the client.
pub struct Cost {
    /// CPU time of the client's process, per capture.
    pub cpu: Duration,
    /// The median time of one capture.
    pub median: Duration,
}

/// A client that is ready to capture, any number of times, any number at once.
pub struct Drive {
    pub once: Box<dyn Fn()>,
    /// So many captures in all, with so many in flight.
    pub many: Box<dyn Fn(usize, usize) -> Cost>,
}

pub fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime")
}

/// One capture at a time through each client, as rows.
pub fn rows(place: &str) -> Vec<Row> {
    NAMES.into_iter().filter_map(|(name, _)| row(name, place)).collect()
}

/// The row of that name, if there is one.
pub fn row(name: &str, place: &str) -> Option<Row> {
    let (name, what) = NAMES.into_iter().find(|known| known.0 == name)?;
    Some(Row::new(name, what, clients::drive(name, place).once))
}

/// How many times each task keeps; a million would be our memory, not the client's.
const SAMPLES: usize = 5_000;

/// Runs futures on one thread.
pub fn concurrent<F, T>(make: F) -> Drive
where
    F: Fn() -> T + Clone + Send + Sync + 'static,
    T: Future<Output = ()> + Send + 'static,
{
    let runtime = Rc::new(runtime());
    let (again, make_one) = (runtime.clone(), make.clone());
    let once = Box::new(move || again.block_on(make_one()));
    let many = Box::new(move |in_flight: usize, total: usize| {
        let began = ProcessTime::now();
        let times = runtime.block_on(async {
            let mut tasks = JoinSet::new();
            for _ in 0..in_flight {
                let make = make.clone();
                tasks.spawn(async move {
                    let mut times = Vec::with_capacity((total / in_flight).min(SAMPLES));
                    for _ in 0..total / in_flight {
                        let began = Instant::now();
                        make().await;
                        note(&mut times, began);
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

/// Runs one thread for each capture in flight.
pub fn threaded(once: impl Fn() + Clone + Sync + 'static) -> Drive {
    let again = Box::new(once.clone());
    let many = Box::new(move |in_flight: usize, total: usize| {
        let part = || {
            let mut times = Vec::with_capacity((total / in_flight).min(SAMPLES));
            for _ in 0..total / in_flight {
                let began = Instant::now();
                once();
                note(&mut times, began);
            }
            times
        };
        let began = ProcessTime::now();
        let times = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..in_flight).map(|_| scope.spawn(part)).collect();
            let done = threads.into_iter().map(|thread| thread.join().expect("a capture"));
            done.collect::<Vec<_>>().concat()
        });
        cost(began.elapsed(), total, times)
    });
    Drive { once: again, many }
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
