//! The rustls settings that the adapters share: one crypto provider (ring), roots by feature.
//!
//! A build that turns on two providers makes rustls panic when it has to guess, so nothing here
//! relies on a process-wide default.

use std::error::Error;
use std::io;
use std::sync::Arc;

use rustls::crypto::CryptoProvider;

pub use rustls::ClientConfig;

/// The crypto provider of every adapter.
#[must_use]
pub fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

/// A client configuration that verifies against the roots of the feature `platform-verifier`, else
/// of `webpki-roots`; with neither it trusts nobody.
///
/// # Errors
/// What the platform's store says when it cannot be read.
pub fn client_config() -> Result<ClientConfig, rustls::Error> {
    let builder =
        ClientConfig::builder_with_provider(provider()).with_safe_default_protocol_versions()?;
    #[cfg(feature = "platform-verifier")]
    let builder = {
        use rustls_platform_verifier::BuilderVerifierExt as _;
        builder.with_platform_verifier()?
    };
    #[cfg(not(feature = "platform-verifier"))]
    let builder = {
        #[allow(unused_mut, reason = "stays empty without webpki-roots")]
        let mut roots = rustls::RootCertStore::empty();
        #[cfg(feature = "webpki-roots")]
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
        builder.with_root_certificates(roots)
    };
    Ok(builder.with_no_client_auth())
}

/// Whether the server's certificate did not verify: nothing was sent, and trying again cannot help.
#[must_use]
pub fn is_certificate_error(error: &(dyn Error + 'static)) -> bool {
    let mut next = Some(error);
    while let Some(error) = next {
        // An `io::Error` hides its inner error from `source()`.
        let inner = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        let rustls = error.downcast_ref::<rustls::Error>().or_else(|| inner?.downcast_ref());
        if matches!(rustls, Some(rustls::Error::InvalidCertificate(_))) {
            return true;
        }
        next = match inner {
            Some(inner) => Some(inner),
            None => error.source(),
        };
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_certificate_error_however_deep_it_lies() {
        let bad = || rustls::Error::InvalidCertificate(rustls::CertificateError::UnknownIssuer);
        let wrapped = io::Error::other(io::Error::new(io::ErrorKind::InvalidData, bad()));
        assert!(is_certificate_error(&bad()));
        assert!(is_certificate_error(&wrapped));
        assert!(!is_certificate_error(&io::Error::from(io::ErrorKind::ConnectionReset)));
        assert!(!is_certificate_error(&io::Error::other(rustls::Error::HandshakeNotComplete)));
    }

    #[test]
    fn a_configuration_needs_no_process_default() {
        client_config().unwrap();
    }
}
