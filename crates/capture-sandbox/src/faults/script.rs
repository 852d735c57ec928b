//! Fault scripts: which requests go wrong, and how.
//!
//! A script is data. The project's `docs/sandbox.md` describes its members:
//!
//! ```json
//! { "seed": 7, "rules": [ {
//!     "on": { "operation": "capture", "order": "5f1a3c5e-7c1d-4e0b-9d6a-0c4f5b6a7d81" },
//!     "skip": 0,
//!     "times": 2,
//!     "do": { "status": 503, "headers": { "retry-after": "1" }, "effect": false }
//! } ] }
//! ```
//!
//! The first rule that matches a request acts on it; the rules after it do not count that request. If
//! the request is carried out, its true answer is kept, so that a repetition with the same
//! idempotency key gets the truth, unless the rule says `stored`.

use std::time::Duration;

use capture_core::OrderId;
use serde::{Deserialize, Serialize};

use crate::faults::act::{Act, LONGEST_DELAY, Said};
use crate::faults::answer::Answer;
use crate::faults::end::End;
use crate::faults::handshake::{Handshake, HandshakeRule};
use crate::faults::on::On;
use crate::faults::path::PathPattern;
use crate::faults::times;
use crate::world::Operation;

/// Rules about which requests go wrong, and how.
///
/// The constructors make a script with one rule about the next capture, the methods change the last
/// rule, and [`Script::then`] appends another script. [`Script::from_json`] can express everything.
///
/// ```
/// use capture_sandbox::{Operation, Script};
/// let script = Script::status(503).times(2).then(Script::lost_reply());
/// let slow_lookup = Script::delayed(std::time::Duration::from_secs(2)).on(Operation::Order);
/// let half_a_reply = Script::from_json(
///     r#"{"rules": [{"do": {"close": "mid-body", "effect": true}}]}"#,
/// )?;
/// let chaos = Script::preset("chaos")?.seed(7);
/// # let _ = (script, slow_lookup, half_a_reply, chaos);
/// # Ok::<(), capture_core::Invalid>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Script {
    /// The seed of the dice for `percent`; by default the sandbox's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) seed: Option<u64>,
    pub(crate) rules: Vec<Rule>,
    /// Handshakes are not requests, so their rules are a list of their own.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) handshakes: Vec<HandshakeRule>,
}

impl Script {
    /// The capture happens, and its reply is lost: the connection closes without one.
    #[must_use]
    pub fn lost_reply() -> Self {
        Self::one(Act::ending(true, End::Close))
    }

    /// The connection closes without a reply, and the capture did not happen.
    #[must_use]
    pub fn close_before() -> Self {
        Self::one(Act::ending(false, End::Close))
    }

    /// Answers with this status; the capture does not happen.
    #[must_use]
    pub fn status(answer: impl Into<Answer>) -> Self {
        Self::one(Act::new(false, Said::Answer(answer.into())))
    }

    /// The capture happens, but the answer is this one, such as a 504.
    #[must_use]
    pub fn captured_but(answer: impl Into<Answer>) -> Self {
        Self::one(Act::new(true, Said::Answer(answer.into())))
    }

    /// The capture happens at once, and its reply arrives late. Until then a repetition with the same
    /// idempotency key gets 409, because the first request is in progress.
    #[must_use]
    pub fn delayed(delay: Duration) -> Self {
        Self::one(Act::new(true, Said::Truth)).delay(delay)
    }

    /// This many TLS handshakes meet this, if the sandbox serves TLS; `u32::MAX` means all of them.
    /// The methods do not change this rule, because it is not about requests.
    #[must_use]
    pub fn handshake(meets: Handshake, times: u32) -> Self {
        let rule = HandshakeRule { skip: 0, times, meets };
        Self { handshakes: vec![rule], ..Self::default() }
    }

    /// The answer of the last rule is kept under the idempotency key, and every repetition gets it.
    /// Without a scripted answer this does nothing.
    #[must_use]
    pub fn stored(self) -> Self {
        self.last(|rule| rule.act.stored = matches!(rule.act.said, Said::Answer(_)))
    }

    /// The last rule acts on this many requests instead of one; `u32::MAX` means all of them.
    #[must_use]
    pub fn times(self, times: u32) -> Self {
        self.last(|rule| rule.times = times)
    }

    /// The last rule lets this many requests pass first.
    #[must_use]
    pub fn skip(self, skip: u32) -> Self {
        self.last(|rule| rule.skip = skip)
    }

    /// The last rule is about this operation instead of captures.
    #[must_use]
    pub fn on(self, operation: Operation) -> Self {
        self.last(|rule| (rule.on.operation, rule.on.path) = (Some(operation), None))
    }

    /// The last rule is about this path instead of an operation, even one that the API does not have:
    /// `/v1/tokenize`, or `/v1/sites/*` for all paths that begin with `/v1/sites/`.
    ///
    /// # Panics
    /// When the path does not begin with `/`, has a query or a `*` before its end, or belongs to the
    /// control surface.
    #[must_use]
    pub fn path(self, path: &str) -> Self {
        let path = PathPattern::new(path).unwrap_or_else(|error| panic!("{error}"));
        self.last(|rule| (rule.on.operation, rule.on.path) = (None, Some(path)))
    }

    /// The last rule is about this order only.
    #[must_use]
    pub fn order(self, order: OrderId) -> Self {
        self.last(|rule| rule.on.order = Some(order))
    }

    /// The last rule acts on this percentage of the requests that it matches, by dice that fall the
    /// same way for the same seed.
    ///
    /// # Panics
    /// Unless it is 1 to 100.
    #[must_use]
    pub fn percent(self, percent: u8) -> Self {
        assert!((1..=100).contains(&percent), "`percent` {percent} must be 1 to 100");
        self.last(|rule| rule.on.percent = Some(percent))
    }

    /// The last rule acts only on requests above this many in the same second of the sandbox's clock,
    /// among those that it matches. See the preset `rate-limit`.
    #[must_use]
    pub fn above(self, most: u32) -> Self {
        self.last(|rule| rule.on.above = Some(most))
    }

    /// What the last rule does is seen after this delay, which is at most an hour.
    #[must_use]
    pub fn delay(self, delay: Duration) -> Self {
        self.last(|rule| rule.act.delay = delay.min(LONGEST_DELAY))
    }

    /// The seed of the dice for [`Script::percent`].
    #[must_use]
    pub fn seed(self, seed: u64) -> Self {
        Self { seed: Some(seed), ..self }
    }

    /// This script followed by the rules of another.
    #[must_use]
    pub fn then(mut self, next: Self) -> Self {
        self.rules.extend(next.rules);
        self.handshakes.extend(next.handshakes);
        self
    }

    fn one(act: Act) -> Self {
        let on = On { operation: Some(Operation::Capture), ..On::default() };
        let rule = Rule { on, skip: 0, times: 1, act };
        Self { rules: vec![rule], ..Self::default() }
    }

    fn last(mut self, change: impl FnOnce(&mut Rule)) -> Self {
        if let Some(rule) = self.rules.last_mut() {
            change(rule);
        }
        self
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Rule {
    #[serde(default)]
    pub(crate) on: On,
    #[serde(default)]
    pub(crate) skip: u32,
    #[serde(default = "times::once", with = "times")]
    pub(crate) times: u32,
    #[serde(rename = "do")]
    pub(crate) act: Act,
}
