//! Telling a connection that never came about from a request that may have left.

use capture_core::Lost;
use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{
    ConnectionDetails, Connector, DefaultConnector, NextTimeout, Transport,
};
use ureq::{Error, Timeout};

/// ureq's own resolver or connector; its failures travel as [`Lost`], because ureq reports an
/// unknown name, a broken handshake and a broken request with the same error.
#[derive(Debug, Default)]
pub(crate) struct Marking<T>(T);

impl Connector for Marking<DefaultConnector> {
    type Out = Box<dyn Transport>;

    fn connect(
        &self,
        details: &ConnectionDetails<'_>,
        chained: Option<()>,
    ) -> Result<Option<Self::Out>, Error> {
        self.0.connect(details, chained).map_err(mark)
    }
}

impl Resolver for Marking<DefaultResolver> {
    fn resolve(
        &self,
        uri: &Uri,
        config: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, Error> {
        self.0.resolve(uri, config, timeout).map_err(mark)
    }
}

fn mark(error: Error) -> Error {
    let lost = if is_certificate_error(&error) { Lost::not_sent_for_good } else { Lost::not_sent };
    Error::Other(Box::new(lost(error)))
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
        | Error::ConnectProxyFailed(_)
        | Error::Timeout(Timeout::Resolve | Timeout::Connect) => Lost::not_sent(error),
        // A certificate is looked at before anything is sent, whoever's connector it was.
        error if is_certificate_error(&error) => Lost::not_sent_for_good(error),
        _ => Lost::maybe_sent(error),
    }
}

/// ureq's error hides its cause from `source()`.
fn is_certificate_error(error: &Error) -> bool {
    match error {
        Error::Io(error) => capture_tls::is_certificate_error(error),
        Error::Rustls(error) => capture_tls::is_certificate_error(error),
        _ => false,
    }
}
