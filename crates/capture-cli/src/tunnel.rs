//! hyper through a proxy: a connector that asks for a tunnel before TLS begins.

use std::pin::Pin;
use std::task::{Context, Poll};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use capture_core::driver::CONNECT_TIMEOUT;
use capture_core::http::{HeaderValue, Uri, uri};
use capture_hyper::ClientConfig;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::proxy::Tunnel;
use percent_encoding::percent_decode_str;
use tokio::time::timeout;
use tower_service::Service;

use crate::route::Proxy;

type Https = HttpsConnector<Tunnel<HttpConnector>>;

/// TCP to the proxy, the tunnel and TLS, in at most [`CONNECT_TIMEOUT`]: what hangs so long was not sent.
#[derive(Clone)]
pub(crate) struct Tunnelled(Https);

impl Tunnelled {
    pub(crate) fn new(tls: ClientConfig, proxy: &Proxy) -> Result<Self, uri::InvalidUri> {
        let proxy: Uri = proxy.expose().parse()?;
        let authority = proxy.authority().map_or("", uri::Authority::as_str);
        let (user, address) = authority.rsplit_once('@').unwrap_or(("", authority));
        let mut tcp = HttpConnector::new();
        tcp.set_nodelay(true);
        let mut tunnel = Tunnel::new(format!("http://{address}").parse()?, tcp);
        if !user.is_empty() {
            tunnel = tunnel.with_auth(basic(user));
        }
        let https = HttpsConnectorBuilder::new().with_tls_config(tls).https_only();
        Ok(Self(https.enable_http1().enable_http2().wrap_connector(tunnel)))
    }
}

/// RFC 7617: what the URL holds, decoded, in base64.
fn basic(user: &str) -> HeaderValue {
    let (name, password) = user.split_once(':').unwrap_or((user, ""));
    let decoded = |text| percent_decode_str(text).collect::<Vec<u8>>();
    let pair = [&decoded(name)[..], b":", &decoded(password)].concat();
    let header = format!("Basic {}", BASE64_STANDARD.encode(pair));
    header.try_into().expect("base64 is legal in a header")
}

impl Service<Uri> for Tunnelled {
    type Response = <Https as Service<Uri>>::Response;
    type Error = <Https as Service<Uri>>::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, to: Uri) -> Self::Future {
        let connecting = self.0.call(to);
        Box::pin(async { timeout(CONNECT_TIMEOUT, connecting).await? })
    }
}
