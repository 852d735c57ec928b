//! The suite as the author of a transport runs it: every row, except those that are left out by name.

use std::io::Write as _;

use capture_core::{Capture, Outcome, Setup};

use crate::rows;

/// Runs every row through the client that `make` makes from a setup; see [`Suite::check`].
///
/// # Panics
/// With a list of the rows that did not end as expected.
pub fn check<F>(make: impl Fn(Setup) -> F + Send + Sync + 'static)
where
    F: FnMut(&Capture) -> Outcome,
{
    Suite::new().check(make);
}

/// The rows to run.
///
/// ```no_run
/// # use std::time::Duration;
/// # use capture_client::{Capture, Client, blocking, driver::TransportError, wire};
/// # struct MyTransport;
/// # impl blocking::Transport for MyTransport {
/// #     fn send(&self, _: wire::Request, _: Duration) -> Result<wire::Response, TransportError> {
/// #         unimplemented!()
/// #     }
/// # }
/// use capture_conformance::Suite;
///
/// Suite::new()
///     .without("32 gzip", "the library decodes, and cannot be told not to")
///     .check(|setup| {
///         let client = Client::blocking(setup, MyTransport);
///         move |capture: &Capture| client.capture(capture)
///     });
/// ```
#[derive(Debug, Clone, Default)]
pub struct Suite {
    left_out: Vec<(String, String)>,
}

impl Suite {
    /// Every row.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Leaves out the rows whose names begin like this, because the transport does not claim them. The
    /// reason is printed, so that nobody takes the suite for complete.
    #[must_use]
    pub fn without(mut self, rows: &str, why: &str) -> Self {
        self.left_out.push((rows.into(), why.into()));
        self
    }

    /// Runs the rows through the client that `make` makes from a setup. Each row has a client of its
    /// own, and many run at a time. What `make` returns captures, perhaps more than once through one
    /// client; an asynchronous client brings its runtime along and blocks on it.
    ///
    /// # Panics
    /// With a list of the rows that did not end as expected, or did not end within a minute; or because
    /// rows were left out that do not exist, or without a reason.
    pub fn check<F>(&self, make: impl Fn(Setup) -> F + Send + Sync + 'static)
    where
        F: FnMut(&Capture) -> Outcome,
    {
        let ran = rows::run(self.rows(), make);
        let wrong: Vec<_> = ran.iter().filter_map(rows::Ran::complaint).collect();
        let (failed, all) = (wrong.len(), ran.len());
        assert!(wrong.is_empty(), "{failed} of {all} rows failed\n{}", wrong.join("\n"));
    }

    fn rows(&self) -> Vec<rows::Row> {
        let mut rows = rows::all();
        for (prefix, why) in &self.left_out {
            assert!(!why.trim().is_empty(), "say why the rows {prefix:?} are left out");
            let before = rows.len();
            rows.retain(|row| !row.name.starts_with(prefix));
            let count = before - rows.len();
            assert!(count > 0, "no row begins with {prefix:?}; nothing needs to be left out");
            // Not by a macro: the harness would capture it.
            let _ = writeln!(std::io::stderr(), "conformance: without {count} x {prefix:?}: {why}");
        }
        assert!(!rows.is_empty(), "every row is left out: this would prove nothing");
        rows
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;
    use std::time::Duration;

    use capture_client::driver::TransportError;
    use capture_client::{Client, blocking, wire};

    use super::*;

    /// Opens no connection, and says so; a lie where the server would have met one.
    struct NeverSends;

    impl blocking::Transport for NeverSends {
        fn send(&self, _: wire::Request, _: Duration) -> Result<wire::Response, TransportError> {
            Err(TransportError::not_sent("a connection that was never made"))
        }
    }

    /// The row of this name, with one send, through this client.
    fn complaint<F>(name: &str, make: impl Fn(Setup) -> F + Send + Sync + 'static) -> Option<String>
    where
        F: FnMut(&Capture) -> Outcome,
    {
        let row = rows::all().into_iter().find(|row| row.name == name).expect("a row");
        let once = row.policy.with_max_sends(NonZeroU32::MIN);
        let [ran] = &rows::run(vec![rows::Row { policy: once, ..row }], make)[..] else {
            panic!("one row, one result");
        };
        ran.complaint()
    }

    #[test]
    fn a_transport_that_lies_is_named_with_its_row() {
        let never_sends = |setup| {
            let client = Client::blocking(setup, NeverSends);
            move |capture: &Capture| client.capture(capture)
        };
        assert_eq!(complaint("3 the connection is refused, at login", never_sends), None);
        let said = complaint("14 end, and nothing was read", never_sends).expect("a complaint");
        for part in
            ["14 end, and nothing was read\n", "unknown no_reply", "not_captured never_sent"]
        {
            assert!(said.contains(part), "{part:?} is not in {said}");
        }
    }

    #[test]
    fn a_client_that_panics_is_named_with_its_row() {
        let panics = |_| |_: &Capture| -> Outcome { panic!("on purpose") };
        let said = complaint("14 end, and nothing was read", panics).expect("a complaint");
        assert!(said.contains("panicked"), "{said}");
    }

    #[test]
    fn rows_are_left_out_by_the_beginning_of_their_names() {
        let rows = Suite::new().without("32 gzip", "decodes").without("9 ", "has no pool").rows();
        assert!(rows.iter().any(|row| row.name.starts_with("32 brotli")));
        assert!(rows.iter().any(|row| row.name.starts_with("90 ")));
        assert!(!rows.iter().any(|row| row.name.starts_with("32 gzip")));
    }

    #[test]
    #[should_panic(expected = "no row begins with \"32 gzap\"")]
    fn leaving_out_what_does_not_exist_is_an_error() {
        let _ = Suite::new().without("32 gzap", "a slip").rows();
    }

    #[test]
    #[should_panic(expected = "say why")]
    fn leaving_out_without_a_reason_is_an_error() {
        let _ = Suite::new().without("32 gzip", " ").rows();
    }

    #[test]
    #[should_panic(expected = "every row is left out")]
    fn leaving_out_everything_is_an_error() {
        let _ = Suite::new().without("", "none of it works").rows();
    }
}
