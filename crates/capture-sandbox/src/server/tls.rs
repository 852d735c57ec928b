//! TLS: an authority made for one server, its valid certificate, and three that no client may accept.

use std::io;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};
use rustls::crypto::ring::default_provider;
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use rustls::{DEFAULT_VERSIONS, ServerConfig};
use socket2::Socket;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use crate::faults::{End, Handshake};
use crate::server::io::{REQUEST_TIMEOUT, end};
use crate::server::shared::Shared;
use crate::server::{http1, http2};

/// The names of this machine, as a client may spell them.
const NAMES: [&str; 3] = ["localhost", "127.0.0.1", "::1"];

pub(crate) struct Tls {
    /// The certificate that a client must trust.
    pub(crate) authority: CertificateDer<'static>,
    pub(crate) authority_pem: String,
    good: TlsAcceptor,
    unknown_authority: TlsAcceptor,
    expired: TlsAcceptor,
    wrong_host: TlsAcceptor,
}

impl Tls {
    /// A new authority, which nobody can have trusted before.
    pub(crate) fn new() -> io::Result<Self> {
        Self::generate().map_err(io::Error::other)
    }

    fn generate() -> Result<Self, rcgen::Error> {
        let (ours, unknown) = (authority("Capture sandbox")?, authority("Nobody")?);
        let mut expired = params(&NAMES)?;
        expired.not_before = date_time_ymd(2019, 1, 1);
        expired.not_after = date_time_ymd(2020, 1, 1);
        Ok(Self {
            authority: ours.der().clone(),
            authority_pem: ours.pem(),
            good: acceptor(params(&NAMES)?, &ours)?,
            unknown_authority: acceptor(params(&NAMES)?, &unknown)?,
            expired: acceptor(expired, &ours)?,
            wrong_host: acceptor(params(&["example.invalid"])?, &ours)?,
        })
    }

    /// Serves a connection that begins with a TLS handshake.
    pub(crate) async fn serve(&self, mut tcp: TcpStream, socket: &Socket, shared: &Arc<Shared>) {
        let meets = shared.sandbox().handshake(shared.now());
        match meets {
            Some(Handshake::Close) => return end(&mut tcp, socket, End::Close).await,
            Some(Handshake::Reset) => return end(&mut tcp, socket, End::Reset).await,
            Some(Handshake::Hang) => return end(&mut tcp, socket, End::Hang).await,
            Some(Handshake::UnknownAuthority | Handshake::Expired | Handshake::WrongHost)
            | None => {}
        }
        let accepted = timeout(REQUEST_TIMEOUT, self.acceptor(meets).accept(tcp)).await;
        let Ok(Ok(io)) = accepted else { return };
        match io.get_ref().1.alpn_protocol() {
            Some(b"h2") => http2::serve(io, socket, shared).await,
            _ => http1::serve(io, socket, shared).await,
        }
    }

    /// The acceptor with the certificate for this handshake.
    fn acceptor(&self, meets: Option<Handshake>) -> &TlsAcceptor {
        match meets {
            Some(Handshake::UnknownAuthority) => &self.unknown_authority,
            Some(Handshake::Expired) => &self.expired,
            Some(Handshake::WrongHost) => &self.wrong_host,
            _ => &self.good,
        }
    }
}

fn authority(name: &str) -> Result<CertifiedIssuer<'static, KeyPair>, rcgen::Error> {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(rcgen::DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    CertifiedIssuer::self_signed(params, KeyPair::generate()?)
}

/// A server's certificate for these names, valid from yesterday for a year: Apple's verifier accepts
/// no more than 825 days, whatever the authority.
fn params(names: &[&str]) -> Result<CertificateParams, rcgen::Error> {
    const DAY: Duration = Duration::from_secs(24 * 60 * 60);
    let names: Vec<_> = names.iter().copied().map(str::to_owned).collect();
    let mut params = CertificateParams::new(names)?;
    let now = SystemTime::now();
    params.not_before = (now - DAY).into();
    params.not_after = (now + 365 * DAY).into();
    Ok(params)
}

fn acceptor(
    mut params: CertificateParams,
    authority: &CertifiedIssuer<'static, KeyPair>,
) -> Result<TlsAcceptor, rcgen::Error> {
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    // Strict verifiers, such as Python's, require it.
    params.use_authority_key_identifier_extension = true;
    let key = KeyPair::generate()?;
    let certificate = params.signed_by(&key, authority)?;
    let key = PrivatePkcs8KeyDer::from(key.serialize_der());
    let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_protocol_versions(DEFAULT_VERSIONS)
        .and_then(|config| {
            config
                .with_no_client_auth()
                .with_single_cert(vec![certificate.der().clone()], key.into())
        });
    let mut config = config.expect("ring accepts the key that it made");
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Arc::new(config).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_is_valid_for_as_long_as_verifiers_allow() {
        let params = params(&NAMES).unwrap();
        let [from, to] = [params.not_before, params.not_after].map(SystemTime::from);
        let days = to.duration_since(from).unwrap().as_secs() / (24 * 60 * 60);
        assert!(from < SystemTime::now() && to > SystemTime::now() && days <= 825, "{days} days");
    }
}
