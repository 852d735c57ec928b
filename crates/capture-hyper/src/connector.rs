//! TCP and TLS under one timeout: what hangs before a request can be written counts as not sent.

use std::pin::Pin;
use std::task::{Context, Poll};

use capture_client::driver::CONNECT_TIMEOUT;
use capture_tls::ClientConfig;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use tokio::time::timeout;
use tower_service::Service;

type Https = HttpsConnector<HttpConnector>;

/// HTTP/1.1 or HTTP/2, no proxies, and at most [`CONNECT_TIMEOUT`] to connect.
#[derive(Debug, Clone)]
pub struct Connector(Https);

impl Connector {
    /// A connector with these TLS settings.
    #[must_use]
    pub fn new(tls: ClientConfig) -> Self {
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true); // without it HTTP/2 waits for delayed acknowledgements
        tcp.set_connect_timeout(Some(CONNECT_TIMEOUT)); // shared by the addresses of a host
        let tls = HttpsConnectorBuilder::new().with_tls_config(tls);
        Self(tls.https_or_http().enable_http1().enable_http2().wrap_connector(tcp))
    }
}

impl Service<http::Uri> for Connector {
    type Response = <Https as Service<http::Uri>>::Response;
    type Error = <Https as Service<http::Uri>>::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, to: http::Uri) -> Self::Future {
        let connecting = self.0.call(to);
        Box::pin(async { timeout(CONNECT_TIMEOUT, connecting).await? })
    }
}
