//! The server of every network row: a child process that answers each request with the contract's
//! reply, over HTTP/1.1 or HTTP/2 with prior knowledge.

use std::convert::Infallible;
use std::io::{Read as _, Write as _};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use tokio::net::TcpListener;

use crate::inputs;

/// Prints its address, and serves until its standard input is closed.
pub fn serve() {
    std::thread::spawn(|| {
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        std::process::exit(0);
    });
    crate::net::runtime().block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        println!("{}", listener.local_addr().expect("its address"));
        std::io::stdout().flush().expect("stdout");
        loop {
            let (stream, _) = listener.accept().await.expect("a connection");
            stream.set_nodelay(true).expect("a TCP socket");
            tokio::spawn(async {
                let io = TokioIo::new(stream);
                let server = auto::Builder::new(TokioExecutor::new());
                let _ = server.serve_connection(io, service_fn(answer)).await;
            });
        }
    });
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
