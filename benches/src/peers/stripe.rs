//! The crate `async-stripe` doing the same kind of work: building a capture request, and reading its
//! reply.
//!
//! Its own clients keep the step from builder to `http::Request` private. Ours sets the headers that
//! Stripe needs, prepared where they can be.

use std::fmt;
use std::hint::black_box;

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, USER_AGENT};
use http::{HeaderName, HeaderValue};
use stripe_client_core::{
    CustomizedStripeRequest, StripeBlockingClient, StripeClientErr, StripeRequest,
};
use stripe_core::payment_intent::CapturePaymentIntent;

use crate::benchmark::Benchmark;
use crate::inputs;

const REPLY: &str = r#"{"id":"pi_3MrPBM2eZvKYlo2C1TEMacFD","object":"payment_intent","amount":10000,"amount_capturable":0,"amount_details":{"tip":{}},"amount_received":10000,"application":null,"application_fee_amount":null,"automatic_payment_methods":null,"canceled_at":null,"cancellation_reason":null,"capture_method":"manual","client_secret":"pi_3MrPBM2eZvKYlo2C1TEMacFD_secret_9J35eTzWlxVmfbbQhmkNbewuL","confirmation_method":"automatic","created":1680807928,"currency":"usd","customer":null,"description":null,"last_payment_error":null,"latest_charge":"ch_3MrPBM2eZvKYlo2C1zTXRyEx","livemode":false,"metadata":{},"next_action":null,"on_behalf_of":null,"payment_method":"pm_1MrPBL2eZvKYlo2CmkV5vXoC","payment_method_options":{},"payment_method_types":["card"],"processing":null,"receipt_email":null,"review":null,"setup_future_usage":null,"shipping":null,"source":null,"statement_descriptor":null,"statement_descriptor_suffix":null,"status":"succeeded","transfer_data":null,"transfer_group":null}"#;

/// A client that builds the request, drops it, and answers at once.
struct Local {
    authorization: HeaderValue,
    key: String,
}

#[derive(Debug)]
struct Broken(#[allow(dead_code, reason = "`expect` shows it")] String);

impl StripeClientErr for Broken {
    fn deserialize_err(why: impl fmt::Display) -> Self {
        Self(why.to_string())
    }
}

impl StripeBlockingClient for Local {
    type Err = Broken;

    fn execute(&self, request: CustomizedStripeRequest) -> Result<Bytes, Broken> {
        drop(black_box(self.request(request)));
        Ok(Bytes::from_static(REPLY.as_bytes()))
    }
}

impl Local {
    fn request(&self, request: CustomizedStripeRequest) -> http::Request<Bytes> {
        let (request, _) = request.into_pieces();
        http::Request::post(format!("https://api.stripe.com/v1{}", request.path))
            .header(AUTHORIZATION, self.authorization.clone())
            .header(USER_AGENT, HeaderValue::from_static("bench"))
            .header(HeaderName::from_static("stripe-version"), "2025-01-01")
            .header(HeaderName::from_static("idempotency-key"), &self.key)
            .header(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"))
            .body(Bytes::from(request.body.unwrap_or_default()))
            .expect("a request")
    }
}

/// Ends once the request is built.
struct Stop(Local);

impl StripeBlockingClient for Stop {
    type Err = Broken;

    fn execute(&self, request: CustomizedStripeRequest) -> Result<Bytes, Broken> {
        drop(black_box(self.0.request(request)));
        Err(Broken(String::new()))
    }
}

pub fn benchmarks() -> Vec<Benchmark> {
    let local = || {
        let authorization = format!("Bearer {}", inputs::token_text());
        let key = inputs::capture().idempotency_key().to_string();
        Local { authorization: authorization.try_into().expect("a header"), key }
    };
    let (stop, whole) = (Stop(local()), local());
    let capture = || {
        let id = black_box("pi_3MrPBM2eZvKYlo2C1TEMacFD");
        CapturePaymentIntent::new(id).amount_to_capture(10_000).customize()
    };
    vec![
        Benchmark::new("encode/stripe", "async-stripe: build a capture request", move || {
            drop(black_box(capture().send_blocking(&stop)));
        }),
        Benchmark::new(
            "machine/stripe",
            "async-stripe: build it and read the reply (1.1 KB)",
            move || {
                drop(black_box(capture().send_blocking(&whole).expect("a payment intent")));
            },
        ),
    ]
}
