//! How outcomes are stored: one JSON object with a version, for receipts, refusals and tickets alike.
//!
//! This is version 2. A field is never added, removed or renamed without a new version, and every
//! version that was ever written can be read. A newer version, and a field that this one does not
//! know, are refused: a program that drops what it does not understand could drop a doubt.

use std::time::{Duration, SystemTime};

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::attempt::{Attempt, unix_ms};
use crate::outcome::{Outcome, Receipt, Refusal};
use crate::proof::Proof;
use crate::reason::{Doubt, Obstacle, Reason};
use crate::record::Record;
use crate::ticket::Ticket;
use crate::values::{Capture, Currency, IdempotencyKey, Invalid, Money, OrderId};

/// The version that is written.
const VERSION: u32 = 2;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    /// First, so that a newer version is reported before anything else in it fails to parse.
    #[serde(deserialize_with = "known_version")]
    version: u32,
    /// Version 1 had tickets only, and no name for them.
    #[serde(default)]
    outcome: Kind,
    order_id: OrderId,
    idempotency_key: IdempotencyKey,
    amount: u32,
    currency: String,
    exponent: u8,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    proof: Option<Proof>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reason: Option<Reason>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    doubt: Option<Doubt>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    obstacle: Option<Obstacle>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    first_sent_ms: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    due_at_ms: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    retry_after_s: Option<u64>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    is_unread: bool,
    /// How many of the attempts were made before the last run.
    #[serde(default)]
    earlier_attempts: usize,
    attempts: Vec<Attempt>,
}

#[derive(Serialize, Deserialize, Default)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Captured,
    NotCaptured,
    #[default]
    Unknown,
}

impl Stored {
    fn new(outcome: Kind, capture: &Capture, record: &Record) -> Self {
        let (money, currency) = (capture.money(), capture.money().currency());
        Self {
            version: VERSION,
            outcome,
            order_id: capture.order_id(),
            idempotency_key: capture.idempotency_key(),
            amount: money.minor_units(),
            currency: currency.code().to_owned(),
            exponent: currency.exponent(),
            proof: None,
            reason: None,
            doubt: None,
            obstacle: None,
            first_sent_ms: None,
            due_at_ms: None,
            retry_after_s: None,
            is_unread: false,
            earlier_attempts: record.earlier(),
            attempts: record.all().to_vec(),
        }
    }

    fn capture(&self) -> Result<Capture, Invalid> {
        let currency = Currency::stored(&self.currency, self.exponent)?;
        let money = Money::from_minor(self.amount, currency)?;
        Ok(Capture::new(self.order_id, money, self.idempotency_key))
    }
}

impl From<&Receipt> for Stored {
    fn from(receipt: &Receipt) -> Self {
        let stored = Self::new(Kind::Captured, &receipt.capture, &receipt.record);
        Self { proof: Some(receipt.proof), ..stored }
    }
}

impl From<&Refusal> for Stored {
    fn from(refusal: &Refusal) -> Self {
        let stored = Self::new(Kind::NotCaptured, &refusal.capture, &refusal.record);
        Self { reason: Some(refusal.reason.clone()), is_unread: refusal.is_unread, ..stored }
    }
}

impl From<&Ticket> for Stored {
    fn from(ticket: &Ticket) -> Self {
        Self {
            doubt: Some(ticket.doubt.clone()),
            obstacle: Some(ticket.obstacle.clone()),
            first_sent_ms: ticket.first_sent.map(unix_ms),
            due_at_ms: Some(unix_ms(ticket.due_at)),
            retry_after_s: ticket.retry_after.map(|wait| wait.as_secs()),
            is_unread: ticket.is_unread,
            ..Self::new(Kind::Unknown, &ticket.capture, &ticket.record)
        }
    }
}

impl From<&Outcome> for Stored {
    fn from(outcome: &Outcome) -> Self {
        match outcome {
            Outcome::Captured(receipt) => receipt.into(),
            Outcome::NotCaptured(refusal) => refusal.into(),
            Outcome::Unknown(ticket) => ticket.into(),
        }
    }
}

impl TryFrom<Stored> for Outcome {
    type Error = String;

    fn try_from(stored: Stored) -> Result<Self, String> {
        let capture = stored.capture().map_err(|invalid| invalid.to_string())?;
        let missing = |field: &str| format!("the field {field} is missing");
        let record = Record::stored(stored.attempts, stored.earlier_attempts);
        Ok(match stored.outcome {
            Kind::Captured => {
                let proof = stored.proof.ok_or_else(|| missing("proof"))?;
                Self::Captured(Receipt { capture, proof, record })
            }
            Kind::NotCaptured => {
                let reason = stored.reason.ok_or_else(|| missing("reason"))?;
                Self::NotCaptured(Refusal { capture, reason, is_unread: stored.is_unread, record })
            }
            Kind::Unknown => {
                let first_sent = stored.first_sent_ms.map(moment).transpose()?;
                let due_at = stored.due_at_ms.map(moment).transpose()?;
                Self::Unknown(Ticket {
                    capture,
                    doubt: stored.doubt.ok_or_else(|| missing("doubt"))?,
                    obstacle: stored.obstacle.unwrap_or(Obstacle::NotLookedUp),
                    first_sent,
                    // Version 1 did not say when it was due: at once.
                    due_at: due_at.or(first_sent).unwrap_or(SystemTime::UNIX_EPOCH),
                    retry_after: stored.retry_after_s.map(Duration::from_secs),
                    is_unread: stored.is_unread,
                    record,
                })
            }
        })
    }
}

fn moment(unix_ms: u64) -> Result<SystemTime, String> {
    let moment = SystemTime::UNIX_EPOCH.checked_add(Duration::from_millis(unix_ms));
    moment.ok_or_else(|| format!("{unix_ms} ms are out of range"))
}

fn known_version<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    match u32::deserialize(deserializer)? {
        known @ 1..=VERSION => Ok(known),
        other => {
            Err(D::Error::custom(format!("version {other} is not known here; update Capture")))
        }
    }
}

impl Serialize for Outcome {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Stored::from(self).serialize(serializer)
    }
}

impl Serialize for Receipt {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Stored::from(self).serialize(serializer)
    }
}

impl Serialize for Refusal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Stored::from(self).serialize(serializer)
    }
}

impl Serialize for Ticket {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Stored::from(self).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Outcome {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::try_from(Stored::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

impl<'de> Deserialize<'de> for Receipt {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Outcome::deserialize(deserializer)? {
            Outcome::Captured(receipt) => Ok(receipt),
            other => Err(is_not("a receipt", &other)),
        }
    }
}

impl<'de> Deserialize<'de> for Refusal {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Outcome::deserialize(deserializer)? {
            Outcome::NotCaptured(refusal) => Ok(refusal),
            other => Err(is_not("a refusal", &other)),
        }
    }
}

impl<'de> Deserialize<'de> for Ticket {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Outcome::deserialize(deserializer)? {
            Outcome::Unknown(ticket) => Ok(ticket),
            other => Err(is_not("a ticket", &other)),
        }
    }
}

fn is_not<E: serde::de::Error>(wanted: &str, outcome: &Outcome) -> E {
    E::custom(format!("this is not {wanted}: the outcome is {}", outcome.name()))
}
