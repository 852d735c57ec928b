//! What a transport owes the core: one reply, or an honest account of how it was lost.

use std::error::Error;
use std::fmt;
use std::time::Duration;

use http::header::{ACCEPT_ENCODING, USER_AGENT};
use http::{HeaderMap, HeaderValue};

use crate::text;
use crate::values::BearerToken;
use crate::wire::Request;

/// The most bytes of a reply body that a transport reads: 1 MiB. A longer one is a cut reply.
pub const MAX_BODY: usize = 1024 * 1024;

/// How long a transport may take to open a connection, unless its user says otherwise.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Adds the headers that belong to the transport, not to the contract: who is calling, and that
/// content coding is not wanted (an encoded reply would be ambiguous).
pub fn add_headers(request: &mut Request) {
    const AGENT: HeaderValue =
        HeaderValue::from_static(concat!("capture/", env!("CARGO_PKG_VERSION")));
    const IDENTITY: HeaderValue = HeaderValue::from_static("identity");
    request.headers_mut().insert(USER_AGENT, AGENT);
    request.headers_mut().insert(ACCEPT_ENCODING, IDENTITY);
}

/// How much of the request may have left this machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    /// Provably nothing: the connection never came about.
    NotSent,
    /// Something, or all of it; a transport that cannot tell says so.
    MaybeSent,
}

/// A request that got no complete reply.
///
/// Only a failure to resolve, to connect or to shake hands may be called *not sent*. An end of file
/// or a reset after that, even "before the message completed", may come after the server read and
/// executed everything: it is *maybe sent*.
///
/// ```
/// use capture_core::{TransportError, Delivery};
/// let refused = std::io::Error::from(std::io::ErrorKind::ConnectionRefused);
/// assert_eq!(TransportError::not_sent(refused).delivery(), Delivery::NotSent);
/// ```
pub struct TransportError {
    delivery: Delivery,
    lasting: bool,
    head: Option<Box<(http::StatusCode, HeaderMap)>>,
    source: Box<dyn Error + Send + Sync>,
}

impl TransportError {
    /// Nothing left; trying again may help (name resolution, connect, handshake cut).
    pub fn not_sent(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { delivery: Delivery::NotSent, lasting: false, head: None, source: source.into() }
    }

    /// Nothing left, and trying again cannot help (a certificate that does not verify).
    pub fn not_sent_for_good(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { lasting: true, ..Self::not_sent(source) }
    }

    /// Something may have left, and no reply came.
    pub fn maybe_sent(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { delivery: Delivery::MaybeSent, ..Self::not_sent(source) }
    }

    /// A reply began, with this status and these headers, and its body broke or was too long.
    pub fn in_reply(
        status: http::StatusCode,
        headers: HeaderMap,
        source: impl Into<Box<dyn Error + Send + Sync>>,
    ) -> Self {
        Self { head: Some(Box::new((status, headers))), ..Self::maybe_sent(source) }
    }

    /// How much may have left.
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
    pub fn head(&self) -> Option<(http::StatusCode, &HeaderMap)> {
        self.head.as_ref().map(|head| (head.0, &head.1))
    }

    /// The error and its causes in one escaped line, without these tokens.
    pub(crate) fn detail<'a>(&self, tokens: impl Iterator<Item = &'a BearerToken>) -> String {
        text::one_line_without(&*self.source, tokens.map(BearerToken::expose))
    }

    /// The same with that line as its only cause.
    pub(crate) fn without<'a>(self, tokens: impl Iterator<Item = &'a BearerToken>) -> Self {
        Self { source: self.detail(tokens).into(), ..self }
    }
}

/// A transport's answer to one request.

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
            (Delivery::NotSent, _) => "the request did not leave",
            (Delivery::MaybeSent, None) => "no reply came, and the request may have left",
            (Delivery::MaybeSent, Some(_)) => "the reply broke off",
        })
    }
}

impl Error for TransportError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&*self.source)
    }
}
