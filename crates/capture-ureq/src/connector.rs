//! Telling a connection that never came about from a request that may have left.

use capture_core::Lost;
use ureq::unversioned::transport::{ConnectionDetails, Connector, DefaultConnector, Transport};
use ureq::{Error, Timeout};

/// ureq's own connector; its failures travel as [`Lost`], because ureq reports a broken handshake and
/// a broken request with the same error.
#[derive(Debug, Default)]
pub(crate) struct Marking(DefaultConnector);

impl Connector for Marking {
    type Out = Box<dyn Transport>;

    fn connect(
        &self,
        details: &ConnectionDetails<'_>,
        chained: Option<()>,
    ) -> Result<Option<Self::Out>, Error> {
        self.0.connect(details, chained).map_err(|error| {
            let lasting = capture_tls::is_certificate_error(&error);
            let lost = if lasting { Lost::not_sent_for_good } else { Lost::not_sent };
            Error::Other(Box::new(lost(error)))
        })
    }
}

/// Only a connection that never came about is "not sent".
pub(crate) fn classify(error: Error) -> Lost {
    match error {
        Error::Other(other) => match other.downcast() {
            Ok(lost) => *lost,
            Err(other) => Lost::maybe_sent(other),
        },
        Error::HostNotFound
        | Error::ConnectionFailed
        | Error::Timeout(Timeout::Resolve | Timeout::Connect) => Lost::not_sent(error),
        _ => Lost::maybe_sent(error),
    }
}
