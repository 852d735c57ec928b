//! The two GUIDs of a capture: the order it belongs to and the key that makes it happen once.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid_impl::Uuid;

use super::Invalid;

/// The order to capture: the `orderId` that `/evaluate` returned (not the merchant's own number).
///
/// All common spellings are read (hyphens or none, upper case, braces, `urn:uuid:`); on the wire it
/// is always hyphenated lower case. The nil GUID is refused.
///
/// ```
/// use capture_core::OrderId;
/// let order: OrderId = "{5F1A3C5E-7C1D-4E0B-9D6A-0C4F5B6A7D81}".parse()?;
/// assert_eq!(order.to_string(), "5f1a3c5e-7c1d-4e0b-9d6a-0c4f5b6a7d81");
/// # Ok::<(), capture_core::Invalid>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct OrderId(Uuid);

/// The GUID that makes a capture happen once, however often it is sent.
///
/// It belongs to the merchant's intent, not to an attempt: choose it before the first send, store
/// it, and use it again for every retry. Source: the contract's `idempotencyKey`.
///
/// ```
/// use capture_core::{IdempotencyKey, OrderId};
/// let order: OrderId = "5f1a3c5e-7c1d-4e0b-9d6a-0c4f5b6a7d81".parse()?;
/// // The same order gives the same key on every machine and after every crash.
/// assert_eq!(IdempotencyKey::for_order(order), IdempotencyKey::for_order(order));
/// # Ok::<(), capture_core::Invalid>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct IdempotencyKey(Uuid);

/// The 36 ASCII characters of a GUID.
pub(crate) type GuidText = [u8; 36];

/// Namespace of the derived keys: an arbitrary GUID. Changing it
/// would change the key of every order in flight, so it never changes.
const KEY_NAMESPACE: Uuid = Uuid::from_u128(0x8c0c_9b0e_5b0f_5d5c_9d0e_6f1f_6a5a_7e01);

impl OrderId {
    /// The order with these 16 bytes, in network order.
    ///
    /// # Errors
    /// The nil GUID (all zero) is no order.
    pub fn from_bytes(bytes: [u8; 16]) -> Result<Self, Invalid> {
        not_nil("order id", Uuid::from_bytes(bytes)).map(Self)
    }

    /// The 16 bytes, in network order.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 16] {
        self.0.as_bytes()
    }

    pub(crate) fn text<'b>(&self, buffer: &'b mut GuidText) -> &'b str {
        self.0.as_hyphenated().encode_lower(buffer)
    }
}

impl IdempotencyKey {
    /// The key derived from the order (UUIDv5).
    ///
    /// Partial capture is not supported by the API, so one key per order is natural, and two
    /// workers that know nothing of each other still send the same key. After a decided failure that
    /// the server keeps repeating for this key, capture again with a new key.
    ///
    /// It cannot belong to two orders, so SUCCESS counts under it at once; under any other key the order
    /// is looked up first, unless the reply names it.
    #[must_use]
    pub fn for_order(order: OrderId) -> Self {
        Self(Uuid::new_v5(&KEY_NAMESPACE, order.as_bytes()))
    }

    /// The key of a new capture after this one was refused: derived from it (UUIDv5), so that two
    /// people who act on the same refusal use the same key.
    ///
    /// ```
    /// use capture_core::{IdempotencyKey, OrderId};
    /// let order: OrderId = "5f1a3c5e-7c1d-4e0b-9d6a-0c4f5b6a7d81".parse()?;
    /// let first = IdempotencyKey::for_order(order);
    /// let second = IdempotencyKey::following(first);
    /// assert_ne!(first, second);
    /// assert_eq!(second, IdempotencyKey::following(first));
    /// # Ok::<(), capture_core::Invalid>(())
    /// ```
    #[must_use]
    pub fn following(refused: Self) -> Self {
        Self(Uuid::new_v5(&KEY_NAMESPACE, refused.as_bytes()))
    }

    /// A fresh random key (UUIDv4). Store it before the capture is sent.
    #[cfg(feature = "random")]
    #[must_use]
    pub fn random() -> Self {
        Self(Uuid::new_v4())
    }

    /// The key with these 16 bytes, in network order.
    ///
    /// # Errors
    /// The nil GUID (all zero) is no key.
    pub fn from_bytes(bytes: [u8; 16]) -> Result<Self, Invalid> {
        not_nil("idempotency key", Uuid::from_bytes(bytes)).map(Self)
    }

    /// The 16 bytes, in network order.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 16] {
        self.0.as_bytes()
    }

    pub(crate) fn text<'b>(&self, buffer: &'b mut GuidText) -> &'b str {
        self.0.as_hyphenated().encode_lower(buffer)
    }
}

impl FromStr for OrderId {
    type Err = Invalid;
    fn from_str(text: &str) -> Result<Self, Invalid> {
        parse("order id", text).map(Self)
    }
}

impl FromStr for IdempotencyKey {
    type Err = Invalid;
    fn from_str(text: &str) -> Result<Self, Invalid> {
        parse("idempotency key", text).map(Self)
    }
}

#[cfg(feature = "uuid")]
impl TryFrom<Uuid> for OrderId {
    type Error = Invalid;
    fn try_from(uuid: Uuid) -> Result<Self, Invalid> {
        not_nil("order id", uuid).map(Self)
    }
}

#[cfg(feature = "uuid")]
impl TryFrom<Uuid> for IdempotencyKey {
    type Error = Invalid;
    fn try_from(uuid: Uuid) -> Result<Self, Invalid> {
        not_nil("idempotency key", uuid).map(Self)
    }
}

#[cfg(feature = "uuid")]
impl From<OrderId> for Uuid {
    fn from(id: OrderId) -> Self {
        id.0
    }
}

#[cfg(feature = "uuid")]
impl From<IdempotencyKey> for Uuid {
    fn from(key: IdempotencyKey) -> Self {
        key.0
    }
}

impl TryFrom<String> for OrderId {
    type Error = Invalid;
    fn try_from(text: String) -> Result<Self, Invalid> {
        text.parse()
    }
}

impl TryFrom<String> for IdempotencyKey {
    type Error = Invalid;
    fn try_from(text: String) -> Result<Self, Invalid> {
        text.parse()
    }
}

impl From<OrderId> for String {
    fn from(id: OrderId) -> Self {
        id.to_string()
    }
}

impl From<IdempotencyKey> for String {
    fn from(key: IdempotencyKey) -> Self {
        key.to_string()
    }
}

impl fmt::Display for OrderId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.as_hyphenated().fmt(f)
    }
}

impl fmt::Display for IdempotencyKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.as_hyphenated().fmt(f)
    }
}

impl fmt::Debug for OrderId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OrderId({self})")
    }
}

impl fmt::Debug for IdempotencyKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "IdempotencyKey({self})")
    }
}

fn parse(field: &'static str, text: &str) -> Result<Uuid, Invalid> {
    if text.trim().is_empty() {
        return Err(Invalid::new(field, text, "is empty; give a GUID"));
    }
    let uuid = Uuid::try_parse(text).map_err(|_| {
        Invalid::new(
            field,
            text,
            "is not a GUID; write it like 5f1a3c5e-7c1d-4e0b-9d6a-0c4f5b6a7d81",
        )
    })?;
    not_nil(field, uuid)
}

fn not_nil(field: &'static str, uuid: Uuid) -> Result<Uuid, Invalid> {
    if uuid.is_nil() {
        return Err(Invalid::new(field, &uuid.to_string(), "is the nil GUID, which names nothing"));
    }
    Ok(uuid)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(feature = "uuid")]
    #[test]
    fn uuids_convert_both_ways() {
        let uuid = Uuid::from_u128(7);
        assert_eq!(Uuid::from(OrderId::try_from(uuid).unwrap()), uuid);
        assert_eq!(Uuid::from(IdempotencyKey::try_from(uuid).unwrap()), uuid);
        assert!(OrderId::try_from(Uuid::nil()).is_err());
        assert!(IdempotencyKey::try_from(Uuid::nil()).is_err());
    }

    #[test]
    fn the_derived_key_never_changes() {
        let order: OrderId = "5f1a3c5e-7c1d-4e0b-9d6a-0c4f5b6a7d81".parse().unwrap();
        assert_eq!(
            IdempotencyKey::for_order(order).to_string(),
            "fe01d52b-4545-5e48-9327-be11f353a985"
        );
    }

    /// Word processors and chats replace hyphens: the text looks right, so the code point is named.
    #[test]
    fn characters_that_look_right_are_named() {
        for hyphen in ['\u{2010}', '\u{2011}', '\u{2012}', '\u{2013}', '\u{2212}', '\u{ad}'] {
            let text = "5f1a3c5e-7c1d-4e0b-9d6a-0c4f5b6a7d81".replace('-', &hyphen.to_string());
            let ends = format!("; it has U+{:04X}, which is not ASCII", u32::from(hyphen));
            for error in [
                text.parse::<OrderId>().unwrap_err().to_string(),
                text.parse::<IdempotencyKey>().unwrap_err().to_string(),
            ] {
                assert!(error.ends_with(&ends), "{error}");
            }
        }
        let plain = "5f1a3c5e".parse::<OrderId>().unwrap_err().to_string();
        assert!(!plain.contains("ASCII"), "{plain}");
    }

    #[test]
    fn refusals_name_field_value_and_rule() {
        for (text, rule) in [
            ("", "is empty"),
            ("  ", "is empty"),
            ("ORD-17", "is not a GUID"),
            (" 5f1a3c5e-7c1d-4e0b-9d6a-0c4f5b6a7d81", "is not a GUID"),
            ("5f1a3c5e-7c1d-4e0b-9d6a-0c4f5b6a7d8\u{0661}", "is not a GUID"),
            ("5f1a3c5e-7c1d-4e0b-9d6a-0c4f5b6a7d8\u{ff11}", "is not a GUID"),
            ("00000000-0000-0000-0000-000000000000", "nil GUID"),
            ("{00000000000000000000000000000000}", "is not a GUID"),
        ] {
            let error = text.parse::<OrderId>().unwrap_err();
            assert!(error.to_string().starts_with("order id \""), "{error}");
            assert!(error.rule().contains(rule), "{text}: {error}");
            assert!(text.parse::<IdempotencyKey>().is_err());
        }
    }
}
