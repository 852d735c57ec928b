//! The server that every client talks to: a child process that answers each request with the
//! contract's reply, over HTTP/1.1 or HTTP/2, plain or with TLS.

use std::convert::Infallible;
use std::io::{Read as _, Write as _};
use std::sync::Arc;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use rustls::pki_types::PrivateKeyDer;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use crate::endpoint::Endpoint;
use crate::{inputs, measure, subject};

/// Prints its [`Endpoint`], and serves until its standard input is closed.
pub fn serve() {
    std::thread::spawn(|| {
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        std::process::exit(0);
    });
    measure::pin(1);
    let (acceptor, certificate) = tls();
    subject::runtime().block_on(async {
        let listen = || TcpListener::bind("127.0.0.1:0");
        let (plain, secret) = (listen().await.expect("a port"), listen().await.expect("a port"));
        let endpoint = Endpoint {
            plain: plain.local_addr().expect("its address"),
            tls: secret.local_addr().expect("its address"),
            certificate,
        };
        println!("{endpoint}");
        std::io::stdout().flush().expect("stdout");
        tokio::spawn(async move {
            loop {
                tokio::spawn(exchange(accepted(&plain).await));
            }
        });
        loop {
            let (stream, acceptor) = (accepted(&secret).await, acceptor.clone());
            tokio::spawn(async move {
                if let Ok(stream) = acceptor.accept(stream).await {
                    exchange(stream).await;
                }
            });
        }
    });
}

async fn accepted(listener: &TcpListener) -> TcpStream {
    let (stream, _) = listener.accept().await.expect("a connection");
    stream.set_nodelay(true).expect("a TCP socket");
    stream
}

/// A certificate for this run alone, with its key; TLS 1.3 or 1.2, HTTP/2 or HTTP/1.1.
fn tls() -> (TlsAcceptor, Vec<u8>) {
    let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).expect("a certificate");
    let certificate = made.cert.der().clone();
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).expect("a key");
    let config = rustls::ServerConfig::builder_with_provider(capture_tls::provider());
    let config = config.with_safe_default_protocol_versions().expect("versions");
    let config = config.with_no_client_auth().with_single_cert(vec![certificate.clone()], key);
    let mut config = config.expect("a configuration");
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    (TlsAcceptor::from(Arc::new(config)), certificate.to_vec())
}

async fn exchange(stream: impl AsyncRead + AsyncWrite + Unpin + 'static) {
    let server = auto::Builder::new(TokioExecutor::new());
    let _ = server.serve_connection(TokioIo::new(stream), service_fn(answer)).await;
}

async fn answer(
    request: http::Request<Incoming>,
) -> Result<http::Response<Full<Bytes>>, Infallible> {
    let whole = request.into_body().collect().await.is_ok_and(|body| body.to_bytes().len() > 130);
    let status = if whole { 200 } else { 400 };
    let response = http::Response::builder()
        .status(status)
        .header("content-type", "application/json; charset=utf-8")
        .body(Full::new(Bytes::from_static(inputs::SMALL.as_bytes())));
    Ok(response.expect("a response"))
}
