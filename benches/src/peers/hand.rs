//! What anybody would write over each HTTP client: the request, the reply, no more.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONNECTION, CONTENT_TYPE};
use http_body_util::{BodyExt as _, Full};
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::Connect;

use crate::peers::serde::{Body, Reply};

pub const TIMEOUT: Duration = Duration::from_secs(30);

/// What is sent, and whether the connection is to end with the reply.
#[derive(Clone)]
pub struct Call {
    pub url: String,
    pub token: String,
    pub body: Body,
    pub closes: bool,
}

pub struct Hyper<C> {
    pub client: legacy::Client<C, Full<Bytes>>,
    pub call: Call,
}

impl<C: Connect + Clone + Send + Sync + 'static> Hyper<C> {
    pub async fn capture(self: Arc<Self>) {
        let body = serde_json::to_vec(&self.call.body).expect("JSON");
        let mut request = http::Request::post(&self.call.url)
            .header(AUTHORIZATION, format!("Bearer {}", self.call.token))
            .header(CONTENT_TYPE, "application/json");
        if self.call.closes {
            request = request.header(CONNECTION, "close");
        }
        let request = request.body(Full::new(Bytes::from(body))).expect("a request");
        let exchange = async {
            let response = self.client.request(request).await.expect("a reply");
            assert!(response.status().is_success());
            response.into_body().collect().await.expect("a body").to_bytes()
        };
        let body = tokio::time::timeout(TIMEOUT, exchange).await.expect("a reply in time");
        check(&serde_json::from_slice(&body).expect("JSON"));
    }
}

pub struct Reqwest {
    pub client: reqwest::Client,
    pub call: Call,
}

impl Reqwest {
    pub async fn capture(self: Arc<Self>) {
        let mut request = self.client.post(&self.call.url).bearer_auth(&self.call.token);
        if self.call.closes {
            request = request.header(CONNECTION, "close");
        }
        let response = request.json(&self.call.body).send().await;
        let response = response.and_then(reqwest::Response::error_for_status);
        check(&response.expect("a reply").json().await.expect("JSON"));
    }
}

#[derive(Clone)]
pub struct Ureq {
    pub agent: ureq::Agent,
    pub call: Call,
}

impl Ureq {
    pub fn capture(&self) {
        let mut request = self.agent.post(&self.call.url);
        request = request.header("Authorization", format!("Bearer {}", self.call.token));
        if self.call.closes {
            request = request.header("Connection", "close");
        }
        let mut response = request.send_json(&self.call.body).expect("a reply");
        check(&response.body_mut().read_json().expect("JSON"));
    }
}

fn check(reply: &Reply) {
    assert!(reply.success && reply.status == "SUCCESS");
}
