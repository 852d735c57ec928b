//! What a rule does to one request: whether it is carried out, what is answered, and how.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use http::Response;

use crate::faults::action::Action;
use crate::faults::answer::{Answer, put_headers};
use crate::faults::content::Content;
use crate::faults::end::{End, Place};
use crate::faults::framing::Framing;
use crate::faults::members::{self, Case};
use crate::faults::raw::{Drip, Framed, Raw};

/// No request is held for longer.
pub(crate) const LONGEST_DELAY: Duration = Duration::from_secs(3600);

/// What happens to one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Act {
    /// Whether it is carried out.
    pub(crate) effect: bool,
    /// Whether the sandbox keeps the scripted reply under the idempotency key.
    pub(crate) stored: bool,
    pub(crate) said: Said,
    pub(crate) delay: Duration,
    pub(crate) change: Change,
    /// How and where the connection ends, if it does.
    pub(crate) end: Option<(End, Place)>,
}

/// What is answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Said {
    /// The true reply.
    Truth,
    /// Another reply.
    Answer(Answer),
    /// These bytes, which need not be a reply.
    Raw(Content),
}

/// Changes to a reply on its way out.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Change {
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) members: Option<Case>,
    pub(crate) truncate: Option<usize>,
    pub(crate) framing: Framing,
    pub(crate) drip: Option<Drip>,
}

impl Act {
    pub(crate) fn new(effect: bool, said: Said) -> Self {
        let (delay, change) = (Duration::ZERO, Change::default());
        Self { effect, stored: false, said, delay, change, end: None }
    }

    /// Ends the connection without a reply.
    pub(crate) fn ending(effect: bool, end: End) -> Self {
        Self { end: Some((end, Place::AfterReading)), ..Self::new(effect, Said::Truth) }
    }

    /// What its texts take in memory, about.
    pub(crate) fn size(&self) -> usize {
        let said = match &self.said {
            Said::Truth => 0,
            Said::Answer(answer) => {
                header_size(&answer.headers) + answer.body.as_ref().map_or(0, Content::size)
            }
            Said::Raw(content) => content.size(),
        };
        said + header_size(&self.change.headers)
    }

    pub(crate) fn is_before_reading(&self) -> bool {
        matches!(self.end, Some((_, Place::BeforeReading)))
    }

    /// Whether a reply is sent, or a part of one.
    pub(crate) fn has_reply(&self) -> bool {
        self.end.is_none_or(|(_, place)| !place.is_before_reply())
    }

    /// What happens on the wire to this reply.
    pub(crate) fn send(&self, mut response: Response<Bytes>) -> Action {
        let change = &self.change;
        put_headers(response.headers_mut(), &change.headers);
        if let Some(case) = change.members {
            *response.body_mut() = members::respell(response.body(), case).into();
        }
        if let Some(most) = change.truncate {
            response.body_mut().truncate(most);
        }
        if self.end.is_none() && change.drip.is_none() && change.framing == Framing::Length {
            return Action::Respond(response);
        }
        let until = self.end.map(|(_, place)| place);
        let reply = Framed { response, framing: change.framing, until };
        Action::Raw(Raw::reply(reply, change.drip, self.ends()))
    }

    /// What happens on the wire without a reply.
    pub(crate) fn silence(&self) -> Action {
        match (&self.said, self.end) {
            (Said::Raw(content), _) => {
                Action::Raw(Raw::bytes(content.bytes(), self.change.drip, self.ends()))
            }
            (_, None | Some((End::Close, _))) => Action::Close,
            (_, Some((end, _))) => Action::Raw(Raw::bytes(Bytes::new(), None, end)),
        }
    }

    fn ends(&self) -> End {
        self.end.map_or(End::Close, |(end, _)| end)
    }
}

fn header_size(headers: &BTreeMap<String, String>) -> usize {
    let texts = headers.iter().map(|(name, value)| name.len() + value.len());
    texts.map(|length| length + 2 * size_of::<String>()).sum()
}

impl fmt::Display for Act {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts = Vec::new();
        if !self.delay.is_zero() {
            parts.push(format!("delayed {} ms", self.delay.as_millis()));
        }
        let is_true = self.said == Said::Truth && self.has_reply();
        if self.effect && !is_true {
            parts.push("carried out".into());
        }
        match &self.said {
            Said::Truth => {}
            Said::Answer(answer) => parts.push(format!("answered {}", answer.status)),
            Said::Raw(_) => parts.push("answered raw bytes".into()),
        }
        if self.stored {
            parts.push("kept under its key".into());
        }
        parts.extend(self.change.words());
        if let Some((end, place)) = self.end {
            let then = if self.effect { "then " } else { "" };
            let place = if place == Place::AfterReading { "" } else { place.words() };
            parts.push(format!("{then}{} {place}", end.words()).trim_end().into());
        }
        if !self.effect {
            parts.push("not carried out".into());
        }
        f.write_str(&parts.join(", "))
    }
}

impl Change {
    fn words(&self) -> Vec<String> {
        let mut words = Vec::new();
        words.extend(self.headers.keys().map(|name| format!("header {name} changed")));
        words.extend(self.members.map(|case| format!("members in {case:?} case").to_lowercase()));
        words.extend(self.truncate.map(|most| format!("body cut to {most} bytes")));
        match self.framing {
            Framing::Length => {}
            Framing::Announced(length) => words.push(format!("content-length {length}")),
            framing => words.push(format!("framing {framing:?}")),
        }
        words.extend(
            self.drip.map(|drip| format!("{} bytes every {} ms", drip.bytes, drip.every_ms)),
        );
        words
    }
}
