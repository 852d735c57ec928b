//! A certificate authority of the tests' own, and servers with its certificates.

use std::sync::Arc;

use capture_conformance::wire::Handshake;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{DEFAULT_VERSIONS, RootCertStore, ServerConfig};

use super::secured::secured;

/// A certificate authority that nobody else trusts.
pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    root: CertificateDer<'static>,
}

impl Authority {
    pub(crate) fn new() -> Self {
        let key = KeyPair::generate().expect("a key");
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let root = params.self_signed(&key).expect("a certificate").der().clone();
        Self { issuer: Issuer::new(params, key), root }
    }

    pub(crate) fn root(&self) -> CertificateDer<'static> {
        self.root.clone()
    }

    /// A server with a good certificate that speaks these protocols.
    pub(crate) fn server(&self, protocols: &[&str]) -> Handshake {
        let mut config = self.config(|_| {}, false, DEFAULT_VERSIONS);
        config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
        secured(config)
    }

    /// A server with a certificate for 127.0.0.1, after this change to it.
    pub(crate) fn config(
        &self,
        change: impl FnOnce(&mut CertificateParams),
        wants_client: bool,
        versions: &[&'static rustls::SupportedProtocolVersion],
    ) -> ServerConfig {
        let key = KeyPair::generate().expect("a key");
        let mut params = CertificateParams::new(["127.0.0.1".to_owned()]).expect("a name");
        change(&mut params);
        let certificate =
            params.signed_by(&key, &self.issuer).expect("a certificate").der().clone();
        let private = PrivateKeyDer::try_from(key.serialize_der()).expect("a key");
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(Arc::clone(&provider));
        let config = config.with_protocol_versions(versions).expect("versions");
        let config = if wants_client {
            let mut roots = RootCertStore::empty();
            roots.add(self.root()).expect("a certificate");
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
            config.with_client_cert_verifier(verifier.build().expect("a verifier"))
        } else {
            config.with_no_client_auth()
        };
        config.with_single_cert(vec![certificate], private).expect("a configuration")
    }
}
