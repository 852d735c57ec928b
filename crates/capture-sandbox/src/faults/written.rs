//! `do` as it is written in a script, and the rules that it must follow.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use serde::de::value::StrDeserializer;
use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::faults::act::{Act, Change, LONGEST_DELAY, Said};
use crate::faults::answer::{Answer, check_headers, checked_status};
use crate::faults::content::Content;
use crate::faults::end::{End, LastStream, Place};
use crate::faults::error_code::ErrorCode;
use crate::faults::framing::Framing;
use crate::faults::members::Case;
use crate::faults::raw::Drip;

impl<'de> Deserialize<'de> for Act {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Written::deserialize(deserializer)?.try_into().map_err(D::Error::custom)
    }
}

impl Serialize for Act {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Written::from(self.clone()).serialize(serializer)
    }
}

#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Written {
    #[serde(skip_serializing_if = "Option::is_none")]
    effect: Option<bool>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    stored: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    headers: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<Content>,
    #[serde(skip_serializing_if = "Option::is_none")]
    raw: Option<Content>,
    #[serde(skip_serializing_if = "Option::is_none")]
    members: Option<Case>,
    #[serde(skip_serializing_if = "Option::is_none")]
    truncate: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    content_length: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    framing: Option<Framing>,
    #[serde(skip_serializing_if = "Option::is_none")]
    drip: Option<Drip>,
    #[serde(skip_serializing_if = "is_zero")]
    delay_ms: u64,
    #[serde(skip_serializing_if = "Option::is_none", with = "ending")]
    close: Option<Place>,
    #[serde(skip_serializing_if = "Option::is_none", with = "ending")]
    reset: Option<Place>,
    #[serde(skip_serializing_if = "Option::is_none", with = "ending")]
    hang: Option<Place>,
    #[serde(skip_serializing_if = "Option::is_none", with = "ending")]
    rst_stream: Option<Place>,
    #[serde(skip_serializing_if = "Option::is_none", with = "ending")]
    goaway: Option<Place>,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<ErrorCode>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_stream: Option<LastStream>,
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

impl TryFrom<Written> for Act {
    type Error = String;

    fn try_from(written: Written) -> Result<Self, String> {
        let end = written.end()?;
        let effect = written.effect(end)?;
        let change = written.change(end)?;
        let delay = Duration::from_millis(written.delay_ms);
        if delay > LONGEST_DELAY {
            return Err(format!("`delay_ms` {} must be at most 3600000", written.delay_ms));
        }
        if written.stored && written.status.is_none() {
            return refuse("`stored` needs a `status`: it says what is kept under the key");
        }
        if written.body.is_some() && written.status.is_none() {
            return refuse("`body` needs a `status`");
        }
        let said = match (written.status, written.raw) {
            (Some(_), Some(_)) => return refuse("`do` has both `status` and `raw`; give one"),
            (None, None) => Said::Truth,
            (None, Some(raw)) => Said::Raw(raw),
            (Some(status), None) => {
                let (status, headers) = (checked_status(status)?, written.headers);
                Said::Answer(Answer { status, headers, body: written.body })
            }
        };
        Ok(Self { effect, stored: written.stored, said, delay, change, end })
    }
}

impl Written {
    fn end(&self) -> Result<Option<(End, Place)>, String> {
        let rst_stream = End::RstStream(self.code.unwrap_or(ErrorCode::Cancel));
        let code = self.code.unwrap_or(ErrorCode::NoError);
        let goaway = End::GoAway(code, self.last_stream.unwrap_or_default());
        let all = [
            ("close", End::Close, self.close),
            ("reset", End::Reset, self.reset),
            ("hang", End::Hang, self.hang),
            ("rst_stream", rst_stream, self.rst_stream),
            ("goaway", goaway, self.goaway),
        ];
        if self.code.is_some() && self.rst_stream.is_none() && self.goaway.is_none() {
            return refuse("`code` needs `rst_stream` or `goaway`");
        }
        if self.last_stream.is_some() && self.goaway.is_none() {
            return refuse("`last_stream` needs `goaway`");
        }
        let mut given = all.into_iter().filter_map(|(name, end, place)| Some((name, end, place?)));
        let Some((name, end, place)) = given.next() else {
            return Ok(None);
        };
        if let Some((other, ..)) = given.next() {
            return Err(format!("`do` has both `{name}` and `{other}`; give one"));
        }
        let is_part = matches!(place, Place::MidHead | Place::MidBody);
        if self.raw.is_some() && is_part {
            return Err(format!("`{name}`: `raw` has no head and no body; use \"after-reply\""));
        }
        if place.is_before_reply() && (self.status.is_some() || self.raw.is_some()) {
            let what = if self.status.is_some() { "status" } else { "raw" };
            return Err(format!(
                "`do` has both `{what}` and `{name}`; give one, or say where, such as \"mid-body\""
            ));
        }
        Ok(Some((end, place)))
    }

    fn effect(&self, end: Option<(End, Place)>) -> Result<bool, String> {
        let has_words = self.status.is_some() || self.raw.is_some();
        match (self.effect, end) {
            (Some(true), Some((_, Place::BeforeReading))) => {
                refuse("`effect`: true needs a request that is read; use \"after-reading\"")
            }
            (None | Some(false), Some((_, Place::BeforeReading))) => Ok(false),
            (None, None) if !has_words => Ok(true),
            (None, _) => refuse(
                "`effect` is missing: say with true or false whether the request is carried out",
            ),
            (Some(false), None) if !has_words => {
                refuse("`effect`: false needs a `status`, `raw`, `close`, `reset` or `hang`")
            }
            (Some(false), Some((_, place))) if !has_words && !place.is_before_reply() => {
                refuse("`effect`: false leaves no reply to send a part of; give a `status`")
            }
            (Some(effect), _) => Ok(effect),
        }
    }

    fn change(&self, end: Option<(End, Place)>) -> Result<Change, String> {
        check_headers(&self.headers)?;
        let whole = [
            ("headers", !self.headers.is_empty()),
            ("members", self.members.is_some()),
            ("truncate", self.truncate.is_some()),
            ("content_length", self.content_length.is_some()),
            ("framing", self.framing.is_some()),
        ];
        let mut given = whole.into_iter().filter_map(|(name, given)| given.then_some(name));
        let is_silent = end.is_some_and(|(_, place)| place.is_before_reply());
        if let Some(name) = given.next() {
            if is_silent {
                return Err(format!("`{name}` changes a reply, and none is sent"));
            }
            if self.raw.is_some() {
                return Err(format!("`{name}` changes a reply, and `raw` is sent as it is"));
            }
        }
        if let Some(drip) = &self.drip {
            if is_silent {
                return refuse("`drip` is about a reply, and none is sent");
            }
            if drip.bytes == 0 || drip.every_ms > 60_000 {
                let Drip { bytes, every_ms } = drip;
                return Err(format!(
                    "`drip` of `bytes` {bytes}, `every_ms` {every_ms} must send at least 1 byte, at least every 60000 ms"
                ));
            }
        }
        let framing = match (self.content_length, self.framing) {
            (Some(_), Some(_)) => return refuse("give either `content_length` or `framing`"),
            (Some(length), None) => Framing::Announced(length),
            (None, framing) => framing.unwrap_or_default(),
        };
        // A scripted reply carries its own headers.
        let headers = if self.status.is_some() { BTreeMap::new() } else { self.headers.clone() };
        let (members, truncate, drip) = (self.members, self.truncate, self.drip);
        Ok(Change { headers, members, truncate, framing, drip })
    }
}

fn refuse<T>(why: &str) -> Result<T, String> {
    Err(why.to_owned())
}

impl From<Act> for Written {
    fn from(act: Act) -> Self {
        let is_plain = act.said == Said::Truth && act.end.is_none();
        let mut written = Self {
            effect: (!is_plain).then_some(act.effect),
            stored: act.stored,
            headers: act.change.headers,
            members: act.change.members,
            truncate: act.change.truncate,
            drip: act.change.drip,
            delay_ms: u64::try_from(act.delay.as_millis()).unwrap_or(u64::MAX),
            ..Self::default()
        };
        match act.said {
            Said::Truth => {}
            Said::Raw(raw) => written.raw = Some(raw),
            Said::Answer(answer) => {
                written.status = Some(answer.status.as_u16());
                written.headers = answer.headers;
                written.body = answer.body;
            }
        }
        match act.change.framing {
            Framing::Length => {}
            Framing::Announced(length) => written.content_length = Some(length),
            framing => written.framing = Some(framing),
        }
        match act.end {
            None => {}
            Some((End::Close, place)) => written.close = Some(place),
            Some((End::Reset, place)) => written.reset = Some(place),
            Some((End::Hang, place)) => written.hang = Some(place),
            Some((End::RstStream(code), place)) => {
                (written.rst_stream, written.code) = (Some(place), Some(code));
            }
            Some((End::GoAway(code, last), place)) => {
                (written.goaway, written.code) = (Some(place), Some(code));
                written.last_stream = Some(last);
            }
        }
        written
    }
}

/// A place by its name, or `true` for "after-reading".
mod ending {
    use super::{Deserializer, Error, Place, Serialize, Serializer, StrDeserializer, Visitor, fmt};
    use serde::Deserialize as _;

    pub(super) fn serialize<S: Serializer>(
        place: &Option<Place>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match place {
            Some(Place::AfterReading) => serializer.serialize_bool(true),
            place => place.serialize(serializer),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Place>, D::Error> {
        struct Reader;
        impl Visitor<'_> for Reader {
            type Value = Option<Place>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("true, or where: before-reading, mid-head, mid-body, after-reply")
            }

            fn visit_bool<E>(self, is_there: bool) -> Result<Self::Value, E> {
                Ok(is_there.then_some(Place::AfterReading))
            }

            fn visit_str<E: Error>(self, place: &str) -> Result<Self::Value, E> {
                Place::deserialize(StrDeserializer::new(place)).map(Some)
            }
        }
        deserializer.deserialize_any(Reader)
    }
}
