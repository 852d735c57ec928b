//! What anybody would write over each HTTP client: the request, the reply, no more.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http_body_util::{BodyExt as _, Full};
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::Connect;

use crate::peers::serde::{Body, Reply};

pub const TIMEOUT: Duration = Duration::from_secs(30);

pub struct Hyper<C> {
    pub client: legacy::Client<C, Full<Bytes>>,
    pub url: String,
    pub token: String,
    pub body: Body,
}

impl<C: Connect + Clone + Send + Sync + 'static> Hyper<C> {
    pub async fn capture(self: Arc<Self>) {
        let body = serde_json::to_vec(&self.body).expect("JSON");
        let request = http::Request::post(&self.url)
            .header(AUTHORIZATION, format!("Bearer {}", self.token))
            .header(CONTENT_TYPE, "application/json")
            .body(Full::new(Bytes::from(body)))
            .expect("a request");
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
    pub url: String,
    pub token: String,
    pub body: Body,
}

impl Reqwest {
    pub async fn capture(self: Arc<Self>) {
        let request = self.client.post(&self.url).bearer_auth(&self.token).json(&self.body);
        let response = request.send().await.and_then(reqwest::Response::error_for_status);
        check(&response.expect("a reply").json().await.expect("JSON"));
    }
}

#[derive(Clone)]
pub struct Ureq {
    pub agent: ureq::Agent,
    pub url: String,
    pub token: String,
    pub body: Body,
}

impl Ureq {
    pub fn capture(&self) {
        let request =
            self.agent.post(&self.url).header("Authorization", format!("Bearer {}", self.token));
        let mut response = request.send_json(&self.body).expect("a reply");
        check(&response.body_mut().read_json().expect("JSON"));
    }
}

fn check(reply: &Reply) {
    assert!(reply.success && reply.status == "SUCCESS");
}
