//! One thing to measure.

/// An operation, with the names it goes by.
pub struct Benchmark {
    /// For this program. What follows a `/` is the peer: `encode/serde` is in `peers/serde.rs`.
    pub name: &'static str,
    /// For the page.
    pub title: &'static str,
    /// Does it once.
    pub once: Box<dyn FnMut()>,
}

impl Benchmark {
    pub fn new(name: &'static str, title: &'static str, once: impl FnMut() + 'static) -> Self {
        Self { name, title, once: Box::new(once) }
    }
}
