//! The rustls settings that the adapters share: one crypto provider (ring), roots by feature.
//!
//! A build that turns on two providers makes rustls panic when it has to guess, so nothing here
//! relies on a process-wide default.

use std::error::Error;
use std::io;
use std::sync::Arc;

use capture_core::driver::TransportError;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

pub use rustls::ClientConfig;

/// Why TLS could not be set up.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TlsError {
    /// rustls refused, or the system's store of roots could not be read.
    #[error("TLS could not be set up")]
    Rustls(#[from] rustls::Error),
    /// Nothing would be trusted: no feature selects roots, and no certificate was given.
    #[error(
        "no root certificate is trusted; turn on the feature webpki-roots or platform-verifier, or give certificates"
    )]
    NoRoots,
    /// The certificates are not in PEM.
    #[error("the certificates cannot be read; give them in PEM (-----BEGIN CERTIFICATE-----)")]
    NotPem(#[source] rustls::pki_types::pem::Error),
    /// The system's roots were chosen, and this TLS stack takes no other certificates with them.
    #[error("no certificates can be added to the system's roots here; use webpki-roots")]
    OnlyTheSystem,
}

/// The crypto provider of every adapter.
#[must_use]
pub fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

/// A client configuration that trusts the roots of the feature `platform-verifier`, else of
/// `webpki-roots`, and the certificates in `pem` as well, which may be empty.
///
/// # Errors
/// When nothing would be trusted, `pem` holds no readable certificate and is not empty, or the
/// platform's store cannot be read.
pub fn client_config(pem: &[u8]) -> Result<ClientConfig, TlsError> {
    let extra = certificates(pem)?;
    let builder =
        ClientConfig::builder_with_provider(provider()).with_safe_default_protocol_versions()?;
    #[cfg(feature = "platform-verifier")]
    let builder = {
        let verifier = rustls_platform_verifier::Verifier::new_with_extra_roots(extra, provider())?;
        builder.dangerous().with_custom_certificate_verifier(Arc::new(verifier))
    };
    #[cfg(not(feature = "platform-verifier"))]
    let builder = builder.with_root_certificates(root_store(extra)?);
    Ok(builder.with_no_client_auth())
}

/// Mozilla's roots, by feature, and these.
#[cfg(not(feature = "platform-verifier"))]
fn root_store(extra: Vec<CertificateDer<'static>>) -> Result<rustls::RootCertStore, TlsError> {
    let mut roots = rustls::RootCertStore::empty();
    #[cfg(feature = "webpki-roots")]
    roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    for certificate in extra {
        roots.add(certificate)?;
    }
    if roots.is_empty() { Err(TlsError::NoRoots) } else { Ok(roots) }
}

/// The same choice for a TLS stack that takes certificates: all that are trusted, or `None` for the
/// system's own.
///
/// # Errors
/// As [`client_config`], and when certificates are given beside the system's roots.
pub fn root_certificates(pem: &[u8]) -> Result<Option<Vec<CertificateDer<'static>>>, TlsError> {
    #[allow(unused_mut, reason = "nothing is added without webpki-root-certs")]
    let mut roots = certificates(pem)?;
    if cfg!(feature = "platform-verifier") {
        return if roots.is_empty() { Ok(None) } else { Err(TlsError::OnlyTheSystem) };
    }
    #[cfg(feature = "webpki-root-certs")]
    roots.extend_from_slice(webpki_root_certs::TLS_SERVER_ROOT_CERTS);
    if roots.is_empty() { Err(TlsError::NoRoots) } else { Ok(Some(roots)) }
}

/// The certificates in a PEM text; none in an empty one.
fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    match certificates.map_err(TlsError::NotPem)? {
        none if none.is_empty() && !pem.trim_ascii().is_empty() => {
            Err(TlsError::NotPem(rustls::pki_types::pem::Error::NoItemsFound))
        }
        certificates => Ok(certificates),
    }
}

/// A connection that was never established: nothing was sent. If the server's certificate did not
/// verify, trying again cannot help.
pub fn not_connected(error: impl Error + Send + Sync + 'static) -> TransportError {
    match is_certificate_error(&error) {
        true => TransportError::cannot_be_sent(error),
        false => TransportError::not_sent(error),
    }
}

/// Whether the server's certificate did not verify.
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
        let trusts_somebody = cfg!(any(feature = "webpki-roots", feature = "platform-verifier"));
        match client_config(b"") {
            Ok(_) => assert!(trusts_somebody),
            Err(error) => {
                assert!(matches!(error, TlsError::NoRoots) && !trusts_somebody, "{error}");
            }
        }
    }

    /// An authority of this test alone.
    #[cfg(not(feature = "platform-verifier"))]
    const OWN: &str = include_str!("../tests/authority.pem");

    /// What is given is trusted beside the public authorities, not instead of them.
    #[cfg(not(feature = "platform-verifier"))]
    #[test]
    fn the_public_authorities_stay_trusted() {
        #[cfg(feature = "webpki-roots")]
        let public = webpki_roots::TLS_SERVER_ROOTS.len();
        #[cfg(not(feature = "webpki-roots"))]
        let public = 0;
        assert_eq!(public > 100, cfg!(feature = "webpki-roots"), "{public}");
        let trusted = |pem: &str| root_store(certificates(pem.as_bytes()).unwrap()).unwrap().len();
        assert_eq!(trusted(OWN), public + 1);
        if public > 0 {
            assert_eq!(trusted(""), public);
        }
    }

    /// The same where a TLS stack takes certificates.
    #[cfg(all(feature = "webpki-root-certs", not(feature = "platform-verifier")))]
    #[test]
    fn the_public_authorities_stay_trusted_as_certificates() {
        let public = webpki_root_certs::TLS_SERVER_ROOT_CERTS;
        let own = certificates(OWN.as_bytes()).unwrap();
        for (pem, extra) in [("", &[][..]), (OWN, &own)] {
            let trusted = root_certificates(pem.as_bytes()).unwrap().unwrap();
            assert!(
                extra.iter().chain(public).all(|root| trusted.contains(root)),
                "{}",
                trusted.len()
            );
            assert_eq!(trusted.len(), public.len() + extra.len());
        }
    }

    #[test]
    fn text_without_a_certificate_is_refused() {
        for pem in [
            "not a certificate",
            "-----BEGIN CERTIFICATE-----\n?\n-----END CERTIFICATE-----\n",
            "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
        ] {
            let error = client_config(pem.as_bytes()).unwrap_err();
            assert!(matches!(error, TlsError::NotPem(_)), "{pem}: {error}");
        }
    }
}
