//! Every benchmark, by name.

use crate::benchmark::Benchmark;
use crate::{clients, core, peers};

/// What needs no network.
pub fn local() -> Vec<Benchmark> {
    let mut benchmarks = core::benchmarks();
    benchmarks.extend(peers::serde::benchmarks());
    benchmarks.extend(peers::value::benchmarks());
    benchmarks.extend(peers::oauth2::benchmarks());
    #[cfg(feature = "peers")]
    benchmarks.extend(peers::stripe::benchmarks());
    benchmarks
}

/// What needs the server at this endpoint: one capture at a time through each client.
pub fn network(endpoint: &str) -> impl Iterator<Item = Benchmark> {
    clients::NAMES
        .into_iter()
        .map(|(name, title)| Benchmark::new(name, title, clients::subject(name, endpoint).once))
}

/// The benchmark of that name.
pub fn find(name: &str, endpoint: &str) -> Option<Benchmark> {
    // One client at a time: the others would add their own set-up to its instructions.
    let is_wanted = |known: &&(&str, &str)| known.0 == name;
    if let Some((name, title)) = clients::NAMES.iter().find(is_wanted) {
        return Some(Benchmark::new(name, title, clients::subject(name, endpoint).once));
    }
    local().into_iter().find(|benchmark| benchmark.name == name)
}
