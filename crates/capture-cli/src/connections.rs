//! The connections of each transport along a [`Route`]: its authorities are trusted, and its proxy is
//! asked for a tunnel.

use std::error::Error;
use std::pin::Pin;
use std::task::{Context, Poll};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use capture_core::driver::CONNECT_TIMEOUT;
use capture_core::http::{HeaderValue, Uri, uri};
use capture_hyper::{Connector, Hyper, client_config};
use capture_reqwest::Reqwest;
use capture_ureq::Ureq;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::proxy::Tunnel;
use percent_encoding::percent_decode_str;
use tokio::time::timeout;
use tower_service::Service;
use ureq::tls::{Certificate, RootCerts};

use crate::route::{Proxy, Route};

type Failed = Box<dyn Error + Send + Sync>;

pub(crate) fn reqwest(route: &Route) -> Result<Reqwest, Failed> {
    let through = |proxy: &Proxy| reqwest::Proxy::all(proxy.expose());
    let proxy = route.proxy.as_ref().map(through).transpose();
    let proxy = proxy.map_err(reqwest::Error::without_url)?;
    Ok(Reqwest::hardened(client_config(&route.authorities)?, proxy)?)
}

pub(crate) fn ureq(route: &Route) -> Result<Ureq, Failed> {
    let through = |proxy: &Proxy| ureq::Proxy::new(proxy.expose());
    let proxy = route.proxy.as_ref().map(through).transpose()?;
    let roots = capture_tls::root_certificates(&route.authorities)?;
    let roots = roots.map_or(RootCerts::PlatformVerifier, |roots| {
        let roots = roots.iter().map(|root| Certificate::from_der(root).to_owned());
        RootCerts::from(roots.collect::<Vec<_>>())
    });
    Ok(Ureq::hardened(roots, proxy))
}

pub(crate) fn hyper(route: &Route) -> Result<Hyper<Connections>, Failed> {
    let tls = client_config(&route.authorities)?;
    Ok(Hyper::over(match &route.proxy {
        None => Connections::Direct(Connector::new(tls)),
        Some(proxy) => {
            let https = HttpsConnectorBuilder::new().with_tls_config(tls).https_only();
            let https = https.enable_http1().enable_http2().wrap_connector(tunnel(proxy)?);
            Connections::Tunnelled(https)
        }
    }))
}

type Https = HttpsConnector<Tunnel<HttpConnector>>;

/// hyper's connections, direct or each inside a tunnel.
#[derive(Clone)]
pub(crate) enum Connections {
    Direct(Connector),
    Tunnelled(Https),
}

impl Service<Uri> for Connections {
    type Response = <Connector as Service<Uri>>::Response;
    type Error = <Connector as Service<Uri>>::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        match self {
            Self::Direct(connector) => connector.poll_ready(context),
            Self::Tunnelled(connector) => connector.poll_ready(context),
        }
    }

    fn call(&mut self, to: Uri) -> Self::Future {
        match self {
            Self::Direct(connector) => connector.call(to),
            Self::Tunnelled(connector) => {
                // The tunnel and TLS inside it: what hangs so long was not sent.
                let connecting = connector.call(to);
                Box::pin(async { timeout(CONNECT_TIMEOUT, connecting).await? })
            }
        }
    }
}

fn tunnel(proxy: &Proxy) -> Result<Tunnel<HttpConnector>, uri::InvalidUri> {
    let url: Uri = proxy.expose().parse()?;
    let authority = url.authority().map_or("", uri::Authority::as_str);
    let (user, address) = authority.rsplit_once('@').unwrap_or(("", authority));
    let mut tcp = HttpConnector::new();
    tcp.set_nodelay(true);
    let tunnel = Tunnel::new(format!("http://{address}").parse()?, tcp);
    Ok(if user.is_empty() { tunnel } else { tunnel.with_auth(basic(user)) })
}

/// RFC 7617: what the URL holds, decoded, in base64.
fn basic(user: &str) -> HeaderValue {
    let (name, password) = user.split_once(':').unwrap_or((user, ""));
    let decoded = |text| percent_decode_str(text).collect::<Vec<u8>>();
    let pair = [&decoded(name)[..], b":", &decoded(password)].concat();
    let header = format!("Basic {}", BASE64_STANDARD.encode(pair));
    header.try_into().expect("base64 is legal in a header")
}
