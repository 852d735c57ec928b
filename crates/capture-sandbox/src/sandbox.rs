//! The sandbox without IO: its settings, its state, and what a test may do to it.

use std::collections::BTreeMap;
use std::fmt;
use std::time::{Duration, SystemTime};

use capture_core::wire::{self, Response};
use capture_core::{OrderId, OrderStatus};

use crate::control::audit::Claims;
use crate::faults::rules::Rules;
use crate::world::clock;
use crate::world::draw::Draw;
use crate::world::keys::Keys;
use crate::world::orders::Orders;
use crate::world::transcript::Transcript;
use crate::{Claimed, Exchange, Idempotency, Ledger, NewOrder, Report, Script};

/// What a sandbox is like. Every field has a default:
///
/// ```
/// use capture_sandbox::{Idempotency, Settings};
/// let settings = Settings { idempotency: Idempotency::OnlySuccess, ..Settings::default() };
/// # let _ = settings;
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Settings {
    /// The `AppKey` of the one merchant.
    pub app_key: String,
    /// The `AppSecret` of the one merchant.
    pub app_secret: String,
    /// How long a token lives: 10 minutes, as the service's.
    pub token_lifetime: Duration,
    /// How long an order waits for its capture before it is voided: 7 days, the longest that the
    /// service can be configured to.
    pub window: Duration,
    /// What idempotency keys mean.
    pub idempotency: Idempotency,
    /// Whether only an order in *capturerequired* can be captured, once. Without it each request
    /// that is executed takes the money again: the world in which nothing but the client's own
    /// care prevents a double charge.
    pub guard: bool,
    /// Where all ids and tokens come from: the same seed and the same requests, the same replies.
    pub seed: u64,
    /// Whether other machines may use it: then it may listen on any address, and `/_sandbox/`
    /// answers under any host name. Whoever can reach it can then do everything to it, pages that a
    /// browser on its network visits included.
    pub remote: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            app_key: "sandbox/app+key=".into(),
            app_secret: "sandbox/app+secret=".into(),
            token_lifetime: wire::token::LIFETIME,
            window: Duration::from_secs(7 * 24 * 60 * 60),
            idempotency: Idempotency::default(),
            guard: true,
            seed: 0,
            remote: false,
        }
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("token_lifetime", &self.token_lifetime)
            .field("window", &self.window)
            .field("idempotency", &self.idempotency)
            .field("guard", &self.guard)
            .field("seed", &self.seed)
            .field("remote", &self.remote)
            .finish_non_exhaustive()
    }
}

/// The API with memory, as a value: requests and the time go in, replies come out.
///
/// It does no IO, reads no clock and draws no randomness. [`Sandbox::handle`] is all that a
/// simulation needs; [`Sandbox::start`] serves one over a socket. It is `Clone`, so that a checker
/// can branch on it.
#[derive(Clone)]
pub struct Sandbox {
    pub(crate) settings: Settings,
    pub(crate) draw: Draw,
    pub(crate) orders: Orders,
    pub(crate) keys: Keys,
    /// The tokens that were granted, and when each expires.
    pub(crate) tokens: BTreeMap<String, SystemTime>,
    pub(crate) logins: usize,
    pub(crate) ledger: Ledger,
    pub(crate) rules: Rules,
    pub(crate) claims: Claims,
    pub(crate) transcript: Transcript,
    offset: Duration,
}

/// What an action of the sandbox is timed by.
#[derive(Debug, Clone, Copy)]
pub(crate) struct At<'a> {
    /// When the request is executed, by the sandbox's clock.
    pub(crate) now: SystemTime,
    /// When its reply leaves.
    pub(crate) done: SystemTime,
    /// What a script puts in the place of its execution.
    pub(crate) instead: Option<Instead<'a>>,
}

/// An answer that is given and kept in the place of the true one.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Instead<'a> {
    /// Whether the request is carried out all the same.
    pub(crate) effect: bool,
    pub(crate) answer: &'a Response,
}

/// So many orders, keys, captures, tokens or rules are each more than a test can mean.
const MOST: usize = 1_000_000;

impl Sandbox {
    /// An empty world.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        Self {
            draw: Draw::new(settings.seed),
            settings,
            orders: Orders::default(),
            keys: Keys::default(),
            tokens: BTreeMap::new(),
            logins: 0,
            ledger: Ledger::default(),
            rules: Rules::default(),
            claims: Claims::default(),
            transcript: Transcript::default(),
            offset: Duration::ZERO,
        }
    }

    /// Creates an order, in *capturerequired* unless said otherwise.
    pub fn create_order(&mut self, new: impl Into<NewOrder>, now: SystemTime) -> OrderId {
        let now = self.clock(now);
        self.add_order(new.into(), now)
    }

    /// The status of an order; `None` for one that does not exist.
    #[must_use]
    pub fn order_status(&self, order: OrderId, now: SystemTime) -> Option<OrderStatus> {
        let order = self.orders.get(order)?;
        Some(order.status(self.clock(now)))
    }

    /// Puts an order into a status, whatever the API would allow, and says whether it exists. An
    /// order put into *capturerequired* gets a whole window from now.
    #[must_use]
    pub fn set_order_status(
        &mut self,
        order: OrderId,
        status: OrderStatus,
        now: SystemTime,
    ) -> bool {
        let now = self.clock(now);
        let found = self.orders.get_mut(order);
        found.map(|order| order.put(status, now)).is_some()
    }

    /// Adds the rules of a script to those that are not spent yet.
    pub fn script(&mut self, script: Script) {
        self.rules.add(script, self.settings.seed);
    }

    /// Forgets all rules.
    pub fn clear_script(&mut self) {
        self.rules = Rules::default();
    }

    /// The rules that are not spent yet.
    #[must_use]
    pub fn rules(&self) -> Script {
        self.rules.left()
    }

    /// Writes down what a client believes of an order, and says whether the order exists. `by` is
    /// the client's name; of several claims by the same name the last counts.
    #[must_use]
    pub fn claim(
        &mut self,
        order: OrderId,
        outcome: Claimed,
        by: Option<&str>,
        now: SystemTime,
    ) -> bool {
        let is_known = self.orders.get(order).is_some();
        if is_known {
            self.claims.record(order, outcome, by, self.clock(now));
        }
        is_known
    }

    /// What the clients claimed, beside what truly happened.
    #[must_use]
    pub fn verdict(&self, now: SystemTime) -> Report {
        self.judge(self.clock(now))
    }

    /// What truly happened.
    #[must_use]
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// The last 10,000 requests, oldest first.
    pub fn transcript(&self) -> impl Iterator<Item = &Exchange> {
        self.transcript.iter()
    }

    /// How many tokens were granted.
    #[must_use]
    pub fn logins(&self) -> usize {
        self.logins
    }

    /// Moves the sandbox's clock ahead of the caller's.
    pub fn advance(&mut self, by: Duration) {
        self.offset = self.offset.saturating_add(by);
    }

    /// Forgets everything but the settings; ids begin anew.
    pub fn reset(&mut self) {
        *self = Self::new(self.settings.clone());
    }

    /// The time in the sandbox.
    pub(crate) fn clock(&self, now: SystemTime) -> SystemTime {
        clock::later(clock::clamp(now), self.offset)
    }

    /// Creates an order; the time is the sandbox's.
    pub(crate) fn add_order(&mut self, new: NewOrder, now: SystemTime) -> OrderId {
        let id = self.draw.order_id();
        self.orders.add(id, new, self.settings.window, now);
        id
    }

    /// Whether the sandbox holds as much as it is willing to.
    pub(crate) fn is_full(&mut self, now: SystemTime) -> bool {
        if self.keys.len() >= MOST {
            self.keys.forget_expired(now);
        }
        let sizes = [
            self.keys.len(),
            self.orders.len(),
            self.ledger.entries().len(),
            self.tokens.len(),
            self.rules.len(),
            self.claims.len(),
        ];
        sizes.into_iter().any(|size| size >= MOST)
    }
}

impl fmt::Debug for Sandbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sandbox")
            .field("settings", &self.settings)
            .field("orders", &self.orders.len())
            .field("captures", &self.ledger.entries().len())
            .field("logins", &self.logins)
            .finish_non_exhaustive()
    }
}
