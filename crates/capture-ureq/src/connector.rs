//! Telling a connection that never came about from a request that may have left.

use capture_core::TransportError;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{self, ConnectionDetails, Connector, DefaultConnector};
use ureq::{Error, config::Config, http::Uri};

/// ureq's own resolver or connector; its failures travel as [`TransportError`], because ureq reports an
/// unknown name, a broken handshake and a broken request with the same error.
#[derive(Debug, Default)]
pub(crate) struct Marking<T>(T);

type Connected = Result<Option<Box<dyn transport::Transport>>, Error>;
type Resolved = Result<ResolvedSocketAddrs, Error>;

impl Connector for Marking<DefaultConnector> {
    type Out = Box<dyn transport::Transport>;

    fn connect(&self, to: &ConnectionDetails<'_>, chained: Option<()>) -> Connected {
        self.0.connect(to, chained).map_err(mark)
    }
}

impl Resolver for Marking<DefaultResolver> {
    fn resolve(&self, uri: &Uri, config: &Config, most: transport::NextTimeout) -> Resolved {
        self.0.resolve(uri, config, most).map_err(mark)
    }
}

fn mark(error: Error) -> Error {
    let lost = if is_lasting(&error) {
        TransportError::not_sent_for_good
    } else {
        TransportError::not_sent
    };
    Error::Other(Box::new(lost(error)))
}

/// Only a connection that never came about is "not sent".
pub(crate) fn classify(error: Error) -> TransportError {
    match error {
        Error::Other(other) => {
            other.downcast().map_or_else(TransportError::maybe_sent, |lost| *lost)
        }
        Error::HostNotFound | Error::ConnectProxyFailed(_) => TransportError::not_sent(error),
        error if is_lasting(&error) => TransportError::not_sent_for_good(error),
        _ => TransportError::maybe_sent(error),
    }
}

/// A certificate did not verify; ureq's error hides its cause from `source()`.
fn is_lasting(error: &Error) -> bool {
    matches!(error, Error::Io(error) if capture_tls::is_certificate_error(error))
}
