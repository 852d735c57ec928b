//! What a transport owes the core: one reply, or an honest account of why there is none.

use std::error::Error;
use std::fmt;
use std::time::Duration;

use http::header::TRANSFER_ENCODING;
use http::{HeaderMap, StatusCode};

/// The most bytes of a reply body that a transport reads: 1 MiB. A longer one is a cut reply.
pub const MAX_BODY: usize = 1024 * 1024;

/// How long a transport may take to open a connection, unless configured otherwise.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// How often an HTTP/2 connection is asked whether it still lives, also while nothing is under way.
pub const PING_INTERVAL: Duration = Duration::from_secs(10);

/// An HTTP/2 connection that does not answer a ping for this long is dead.
pub const PING_TIMEOUT: Duration = Duration::from_secs(10);

/// The most headers of a reply over HTTP/1.1 that a transport reads. A reply with more is no reply.
pub const MAX_HEADERS: usize = 128;

/// How much of the request may have been sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    /// Provably nothing: no connection was established.
    NotSent,
    /// Something, or all of it; a transport that cannot tell says so.
    MaybeSent,
}

/// A request that got no complete reply.
///
/// Only a failure to resolve, to connect or to shake hands may be called *not sent*. An end of file
/// or a reset after that, even "before the message completed", may come after the server read and
/// executed everything: it is *maybe sent*. An error that was *maybe sent* stays so, whatever it is
/// wrapped in.
///
/// ```
/// use capture_core::driver::{Delivery, TransportError};
/// let refused = std::io::Error::from(std::io::ErrorKind::ConnectionRefused);
/// assert_eq!(TransportError::not_sent(refused).delivery(), Delivery::NotSent);
/// let lost = TransportError::maybe_sent("the connection was reset");
/// assert_eq!(TransportError::not_sent(lost).delivery(), Delivery::MaybeSent);
/// ```
pub struct TransportError {
    delivery: Delivery,
    lasting: bool,
    head: Option<Box<(StatusCode, HeaderMap)>>,
    source: Box<dyn Error + Send + Sync>,
}

impl TransportError {
    /// Nothing was sent; trying again may help (name resolution, connect, handshake cut).
    pub fn not_sent(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        let source = source.into();
        let delivery =
            if was_maybe_sent(&*source) { Delivery::MaybeSent } else { Delivery::NotSent };
        Self { delivery, lasting: false, head: None, source }
    }

    /// Nothing was sent, and trying again cannot help (a certificate that does not verify).
    pub fn cannot_be_sent(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        let error = Self::not_sent(source);
        Self { lasting: error.delivery == Delivery::NotSent, ..error }
    }

    /// Something may have been sent, and no reply came.
    pub fn maybe_sent(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { delivery: Delivery::MaybeSent, lasting: false, head: None, source: source.into() }
    }

    /// A reply began, with this status and these headers, and its body broke off or was too long.
    pub fn in_reply(
        status: StatusCode,
        headers: HeaderMap,
        source: impl Into<Box<dyn Error + Send + Sync>>,
    ) -> Self {
        Self { head: Some(Box::new((status, headers))), ..Self::maybe_sent(source) }
    }

    /// How much may have been sent.
    #[must_use]
    pub fn delivery(&self) -> Delivery {
        self.delivery
    }

    /// Whether trying again cannot help.
    #[must_use]
    pub fn is_lasting(&self) -> bool {
        self.lasting
    }

    /// The head of the reply that broke off.
    #[must_use]
    pub fn head(&self) -> Option<(StatusCode, &HeaderMap)> {
        self.head.as_ref().map(|head| (head.0, &head.1))
    }

    pub(crate) fn cause(&self) -> &(dyn Error + 'static) {
        &*self.source
    }

    pub(crate) fn with_cause(self, source: String) -> Self {
        Self { source: source.into(), ..self }
    }
}

/// Whether the body that follows this head can be read. One in a transfer coding other than *chunked*
/// ends with its connection only (RFC 9112 section 6.3), which may take as long as the attempt.
///
/// # Errors
/// Why it cannot.
pub fn check_framing(headers: &HeaderMap) -> Result<(), &'static str> {
    let Some(codings) = headers.get_all(TRANSFER_ENCODING).iter().next_back() else {
        return Ok(());
    };
    let last = codings.as_bytes().rsplit(|byte| *byte == b',').next().unwrap_or_default();
    match last.trim_ascii().eq_ignore_ascii_case(b"chunked") {
        true => Ok(()),
        false => Err("its transfer coding is unknown"),
    }
}

/// Whether an error, or one of its causes, is a request that may have been sent.
fn was_maybe_sent(error: &(dyn Error + 'static)) -> bool {
    let mut next = Some(error);
    while let Some(error) = next {
        // An `io::Error` hides its inner error from `source()`.
        let inner = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        let inner = inner.map(|inner| inner as &(dyn Error + 'static));
        if let Some(lost) = error.downcast_ref::<TransportError>() {
            if lost.delivery == Delivery::MaybeSent {
                return true;
            }
        }
        next = inner.or_else(|| error.source());
    }
    false
}

impl fmt::Debug for TransportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let status = self.head.as_ref().map(|head| head.0.as_u16());
        f.debug_struct("TransportError")
            .field("delivery", &self.delivery)
            .field("lasting", &self.lasting)
            .field("status", &status)
            .field("source", &self.source)
            .finish()
    }
}

impl fmt::Display for TransportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match (self.delivery, &self.head) {
            (Delivery::NotSent, _) => "the request was not sent",
            (Delivery::MaybeSent, None) => "no reply came, and the request may have been sent",
            (Delivery::MaybeSent, Some(_)) => "the reply broke off",
        })
    }
}

impl Error for TransportError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&*self.source)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_chunks_end_by_themselves() {
        let framing = |codings: &[&'static str]| {
            let mut headers = HeaderMap::new();
            for coding in codings {
                headers.append(TRANSFER_ENCODING, http::HeaderValue::from_static(coding));
            }
            check_framing(&headers).is_ok()
        };
        for known in
            [&[][..], &["chunked"], &["Chunked "], &["gzip, chunked"], &["gzip", "chunked"]]
        {
            assert!(framing(known), "{known:?}");
        }
        for unknown in [&["identity"][..], &["chunked, gzip"], &["chunked", "identity"], &[""]] {
            assert!(!framing(unknown), "{unknown:?}");
        }
    }

    #[test]
    fn maybe_sent_survives_every_wrapping() {
        let lost = || TransportError::maybe_sent("reset");
        for wrapped in [
            TransportError::not_sent(lost()),
            TransportError::cannot_be_sent(lost()),
            TransportError::not_sent(std::io::Error::other(lost())),
            TransportError::not_sent(std::io::Error::other(std::io::Error::other(lost()))),
        ] {
            assert_eq!((wrapped.delivery(), wrapped.is_lasting()), (Delivery::MaybeSent, false));
        }
        let refused = TransportError::cannot_be_sent(TransportError::not_sent("refused"));
        assert_eq!((refused.delivery(), refused.is_lasting()), (Delivery::NotSent, true));
        assert_eq!(refused.source().unwrap().source().unwrap().to_string(), "refused");
    }
}
