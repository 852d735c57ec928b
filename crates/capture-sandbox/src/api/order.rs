//! `GET /v1/orders/{id}`: one order, with the personal data of a person who does not exist.

use std::time::SystemTime;

use capture_core::OrderId;
use capture_core::wire::{Response, date, json_reply};
use http::StatusCode;
use serde::Serialize;

use crate::api::replies;
use crate::world::{Order, World};

/// All personal data in the sandbox's orders, so that a test can show that none of it reaches a log.
pub const PERSONAL_DATA: [&str; 6] = [
    "Firstname-Canary",
    "Lastname-Canary",
    "canary@person.example",
    "+1 555 0100",
    "1 Canary Street",
    "Canaryville",
];

/// The reply to a lookup.
pub(super) fn answer(world: &mut World, order: OrderId, now: SystemTime) -> Response {
    match world.orders.get(order) {
        Some(order) => json_reply(StatusCode::OK, &Shown::new(order, now)),
        None => {
            let title = "The order does not exist";
            replies::problem(&mut world.draw, StatusCode::NOT_FOUND, title)
        }
    }
}

/// An order as recorded at the live service, its members in the documented order. The documentation
/// shows no amount.
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
            order_placed_date: date::write(order.placed),
            expiry_date: order.void_at(now).map(date::write),
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

/// The sign of the most usual currencies; the code of all others.
fn symbol(code: &str) -> String {
    let known = [("USD", "$"), ("EUR", "\u{20ac}"), ("GBP", "\u{a3}"), ("JPY", "\u{a5}")];
    let found = known.iter().find(|(known, _)| *known == code);
    found.map_or(code, |(_, symbol)| symbol).to_owned()
}
