//! Building a client that makes its own connections.

use std::error::Error;

use capture_core::Setup;

use crate::Client;

/// A transport that can build its own connections.
pub trait Connect: Sized {
    /// Connections that trust the roots selected by the crate's features, and the certificates in
    /// `pem` as well: any number of them in PEM, or none if it is empty.
    ///
    /// # Errors
    /// When TLS cannot be set up, no root is trusted at all, or `pem` holds no readable certificate
    /// and is not empty.
    fn connect(pem: &[u8]) -> Result<Self, BuildError>;
}

/// A client could not be built: its TLS could not be set up, or it would trust no root.
#[derive(Debug, thiserror::Error)]
#[error("the HTTP client could not be set up")]
pub struct BuildError(#[source] Box<dyn Error + Send + Sync>);

impl BuildError {
    /// A client that could not be built, and why.
    pub fn new(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self(source.into())
    }
}

impl<T: Connect> Client<T> {
    /// A client that makes its own connections, trusting the roots selected by the crate's features.
    ///
    /// # Errors
    /// When TLS cannot be set up, or the features select no roots.
    pub fn new(setup: Setup) -> Result<Self, BuildError> {
        Self::with_extra_roots(setup, b"")
    }

    /// The same, trusting these certificates (PEM) as well: those of a proxy, or of a private CA.
    ///
    /// # Errors
    /// As [`Client::new`], and when `pem` holds no readable certificate and is not empty.
    pub fn with_extra_roots(setup: Setup, pem: &[u8]) -> Result<Self, BuildError> {
        Ok(Self::build(setup, T::connect(pem)?))
    }
}
