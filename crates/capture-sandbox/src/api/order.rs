//! `GET /v1/orders/{id}`: one order, with the personal data of a person who does not exist.

use std::time::SystemTime;

use capture_core::OrderId;
use capture_core::wire::{Response, json_reply};
use http::StatusCode;
use serde::Serialize;

use crate::api::replies as reply;
use crate::sandbox::Sandbox;
use crate::world::clock;
use crate::world::orders::Order;

/// Every piece of personal data that the sandbox's orders hold, so that a test can show that none
/// of it reaches a log.
pub const PERSONAL_DATA: [&str; 6] = [
    "Firstname-Canary",
    "Lastname-Canary",
    "canary@person.example",
    "+1 555 0100",
    "1 Canary Street",
    "Canaryville",
];

impl Sandbox {
    /// The reply to a lookup.
    pub(crate) fn order(&mut self, order: OrderId, now: SystemTime) -> Response {
        match self.orders.get(order) {
            Some(order) => json_reply(StatusCode::OK, &Shown::new(order, now)),
            None => reply::problem(self, StatusCode::NOT_FOUND, "The order does not exist"),
        }
    }
}

/// An order as the service was recorded to show it, in the documented order of members. The
/// documentation shows no amount.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Shown {
    id: OrderId,
    correlation_id: OrderId,
    reference_number: Option<&'static str>,
    status: Option<i64>,
    status_name: String,
    order_placed_date: String,
    expiry_date: Option<String>,
    billing_address: Address,
    shipping_address: Option<Address>,
    first_name: &'static str,
    last_name: &'static str,
    email: &'static str,
    phone: &'static str,
    secondary_email: Option<&'static str>,
    currency_code: String,
    currency_symbol: String,
}

#[derive(Serialize)]
struct Address {
    street: &'static str,
    city: &'static str,
    zipcode: &'static str,
    state: &'static str,
    country: &'static str,
}

impl Shown {
    pub(crate) fn new(order: &Order, now: SystemTime) -> Self {
        let [first_name, last_name, email, phone, street, city] = PERSONAL_DATA;
        let status = order.status(now);
        let currency_code = order.money.currency().to_string();
        Self {
            id: order.id,
            correlation_id: order.id,
            reference_number: None,
            status: status.number(),
            status_name: status.to_string().to_ascii_uppercase(),
            order_placed_date: clock::iso(order.placed),
            expiry_date: order.void_at(now).map(clock::iso),
            billing_address: Address { street, city, zipcode: "00000", state: "CA", country: "US" },
            shipping_address: None,
            first_name,
            last_name,
            email,
            phone,
            secondary_email: None,
            currency_symbol: symbol(&currency_code),
            currency_code,
        }
    }
}

/// The sign of the currencies that sandboxes are mostly used with; the code of all others.
fn symbol(code: &str) -> String {
    let known = [("USD", "$"), ("EUR", "\u{20ac}"), ("GBP", "\u{a3}"), ("JPY", "\u{a5}")];
    let found = known.iter().find(|(known, _)| *known == code);
    found.map_or(code, |(_, symbol)| symbol).to_owned()
}
