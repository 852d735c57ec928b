//! Telling a connection that was never established from a request that may have been sent.

use capture_client::{driver::TransportError, one_line};
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
        self.0.connect(to, chained).map_err(|error| Error::Other(Box::new(not_sent(error))))
    }
}

impl Resolver for Marking<DefaultResolver> {
    fn resolve(&self, uri: &Uri, config: &Config, most: transport::NextTimeout) -> Resolved {
        self.0.resolve(uri, config, most).map_err(|error| Error::Other(Box::new(not_sent(error))))
    }
}

/// Only a connection that was never established is "not sent".
pub(crate) fn classify(error: Error) -> TransportError {
    match error {
        Error::Other(it) => it.downcast().map_or_else(TransportError::maybe_sent, |lost| *lost),
        Error::HostNotFound | Error::ConnectProxyFailed(_) => not_sent(error),
        Error::Io(ref io) if capture_tls::is_certificate_error(io) => not_sent(error),
        _ => TransportError::maybe_sent(error),
    }
}

/// ureq's error hides its cause from `source()`; one of ours inside it is about a proxy.
fn not_sent(error: Error) -> TransportError {
    match error {
        Error::Io(error) => capture_tls::not_connected(error),
        Error::Other(it) => TransportError::not_sent(format!("the proxy: {}", one_line(&*it))),
        _ => TransportError::not_sent(error),
    }
}
