//! Outcomes made by hand, so that a handler of outcomes is tested without a wire.

use std::time::SystemTime;

use crate::outcome::{Receipt, Refusal};
use crate::proof::Proof;
use crate::reason::{Doubt, Obstacle, Reason};
use crate::record::Record;
use crate::ticket::Ticket;
use crate::values::Capture;

impl Receipt {
    /// A receipt without attempts.
    #[must_use]
    pub fn new(capture: Capture, proof: Proof) -> Self {
        Self { capture, proof, record: Record::default() }
    }
}

impl Refusal {
    /// A refusal without attempts.
    #[must_use]
    pub fn new(capture: Capture, reason: Reason) -> Self {
        Self { capture, reason, is_unread: false, record: Record::default() }
    }

    /// A refusal of a body that the server did not read.
    #[must_use]
    pub fn unread(capture: Capture, reason: Reason) -> Self {
        Self { is_unread: true, ..Self::new(capture, reason) }
    }
}

impl Ticket {
    /// A ticket without attempts, first sent and due at this moment.
    ///
    /// ```
    /// use std::time::SystemTime;
    /// use capture_core::{Capture, Doubt, IdempotencyKey, Money, Obstacle, OrderId, Outcome, Ticket};
    ///
    /// fn holds_the_goods(outcome: &Outcome) -> bool {
    ///     !matches!(outcome, Outcome::Captured(_)) // the handler under test
    /// }
    ///
    /// let order: OrderId = "5f1a3c5e-7c1d-4e0b-9d6a-0c4f5b6a7d81".parse()?;
    /// let money = Money::parse("100.00", "USD")?;
    /// let capture = Capture::new(order, money, IdempotencyKey::for_order(order));
    /// let now = SystemTime::now();
    /// let ticket = Ticket::new(capture, Doubt::NoReply, Obstacle::NotLookedUp, now);
    /// assert!(holds_the_goods(&Outcome::Unknown(ticket)));
    /// # Ok::<(), capture_core::Invalid>(())
    /// ```
    #[must_use]
    pub fn new(capture: Capture, doubt: Doubt, obstacle: Obstacle, first_sent: SystemTime) -> Self {
        Self { doubt, obstacle, ..Self::interrupted(capture, first_sent) }
    }
}
