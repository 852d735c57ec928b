//! The sandbox without IO: its state, the faults that wait, and what a test may do to both.

use std::fmt;
use std::ops::RangeInclusive;
use std::time::{Duration, SystemTime};

use capture_core::{OrderId, OrderStatus};

use crate::faults::{Rules, Script};
use crate::world::{DrawnOrder, Exchange, Ledger, NewOrder, Settings, World};

/// The API with memory, as a value: requests and the time go in, replies come out.
///
/// It does no IO, reads no clock and draws no randomness. [`Sandbox::handle`] is all that a
/// simulation needs; [`Sandbox::start`] serves a sandbox over a socket. It is `Clone`, so that a
/// checker can try several futures.
///
/// Every method that depends on the time takes the caller's.
#[derive(Clone)]
pub struct Sandbox {
    pub(crate) world: World,
    pub(crate) rules: Rules,
}

impl Sandbox {
    /// A sandbox without orders.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        Self { world: World::new(settings), rules: Rules::default() }
    }

    /// Creates an order; given only money, one that waits for its capture.
    pub fn create_order(&mut self, new: impl Into<NewOrder>, now: SystemTime) -> OrderId {
        self.world.create_order(new.into(), self.world.time(now))
    }

    /// Creates many orders, in this order.
    pub fn create_orders<N: Into<NewOrder>>(
        &mut self,
        new: impl IntoIterator<Item = N>,
        now: SystemTime,
    ) -> Vec<OrderId> {
        let now = self.world.time(now);
        new.into_iter().map(|new| self.world.create_order(new.into(), now)).collect()
    }

    /// Draws so many orders that wait for their capture, and creates them: amounts in several
    /// currencies, JPY and KWD among them, and capture windows of whole seconds in this range (without
    /// one, that of the settings). The same seed draws the same ones.
    pub fn draw_orders(
        &mut self,
        count: usize,
        windows: Option<&RangeInclusive<Duration>>,
        now: SystemTime,
    ) -> Vec<DrawnOrder> {
        let now = self.world.time(now);
        (0..count).map(|_| self.world.draw_order(windows, now)).collect()
    }

    /// The status of an order, or `None` if there is no such order.
    #[must_use]
    pub fn order_status(&self, order: OrderId, now: SystemTime) -> Option<OrderStatus> {
        let order = self.world.orders.get(order)?;
        Some(order.status(self.world.time(now)))
    }

    /// Sets the status of an order, even to one that the API would not allow, and returns whether
    /// there is such an order. In *capturerequired* it gets a whole window from now.
    #[must_use]
    pub fn set_order_status(
        &mut self,
        order: OrderId,
        status: OrderStatus,
        now: SystemTime,
    ) -> bool {
        let now = self.world.time(now);
        let order = self.world.orders.get_mut(order);
        order.map(|order| order.put(status, now)).is_some()
    }

    /// Adds the rules of a script behind those that are still waiting.
    pub fn script(&mut self, script: Script) {
        self.rules.add(script, self.world.settings.seed);
    }

    /// Removes all rules.
    pub fn clear_script(&mut self) {
        self.rules = Rules::default();
    }

    /// The rules that are still waiting.
    #[must_use]
    pub fn rules(&self) -> Script {
        self.rules.left()
    }

    /// What truly happened.
    #[must_use]
    pub fn ledger(&self) -> &Ledger {
        &self.world.ledger
    }

    /// The last 10,000 requests, oldest first.
    pub fn transcript(&self) -> impl Iterator<Item = &Exchange> {
        self.world.transcript.iter()
    }

    /// How many tokens were granted.
    #[must_use]
    pub fn logins(&self) -> usize {
        self.world.tokens.granted()
    }

    /// Moves the sandbox's clock ahead of the caller's.
    pub fn advance(&mut self, by: Duration) {
        self.world.advance(by);
    }

    /// Forgets everything except the settings; ids start again from the seed.
    pub fn reset(&mut self) {
        *self = Self::new(self.world.settings.clone());
    }
}

impl fmt::Debug for Sandbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sandbox")
            .field("settings", &self.world.settings)
            .field("orders", &self.world.orders.len())
            .field("captures", &self.world.ledger.entries().len())
            .field("logins", &self.logins())
            .finish_non_exhaustive()
    }
}
