//! Values that are right by construction: parse, don't validate.

mod capture;
mod credentials;
mod currency;
mod currency_code;
mod environment;
mod guid;
mod invalid;
mod money;
mod retired;

pub use capture::Capture;
pub use credentials::{BearerToken, Credentials};
pub use currency::Currency;
pub use currency_code::CurrencyCode;
pub use environment::{BaseUrl, Environment};
pub use guid::{IdempotencyKey, OrderId};
pub use invalid::Invalid;
pub use money::Money;
pub(crate) use money::{decimal, minor_digits};
