//! Capture measured beside what people would use instead.

pub mod chart;
pub mod check;
pub mod children;
pub mod clients;
pub mod compile;
pub mod core;
pub mod goals;
pub mod grow;
pub mod hand;
pub mod inputs;
pub mod loopback;
pub mod measure;
pub mod net;
pub mod peers;
pub mod report;
pub mod results;
pub mod server;
#[cfg(feature = "peers")]
pub mod stripe;

/// One thing to measure: the operation, done once.
pub struct Row {
    pub name: &'static str,
    pub what: &'static str,
    pub once: Box<dyn FnMut()>,
}

impl Row {
    pub fn new(name: &'static str, what: &'static str, once: impl FnMut() + 'static) -> Self {
        Self { name, what, once: Box::new(once) }
    }
}

/// Everything that needs no network, then, given a server, one request through each client.
pub fn rows(server: Option<&str>) -> Vec<Row> {
    let mut rows = core::rows();
    rows.extend(peers::rows());
    #[cfg(feature = "peers")]
    rows.extend(stripe::rows());
    rows.extend(server.into_iter().flat_map(net::rows));
    rows
}
