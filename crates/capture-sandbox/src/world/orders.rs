//! The orders, and the transitions between their states that the service allows.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use capture_core::{Money, OrderId, OrderStatus};

use crate::world::clock;

/// An order to create. By default it is in *capturerequired* and has the capture window of the
/// sandbox's settings.
///
/// ```
/// use std::time::Duration;
/// use capture_core::{Money, OrderStatus};
/// use capture_sandbox::NewOrder;
/// let money = Money::parse("100.00", "USD")?;
/// let short = NewOrder::new(money).window(Duration::from_secs(300));
/// let done = NewOrder::new(money).status(OrderStatus::Completed);
/// # let _ = (short, done);
/// # Ok::<(), capture_core::Invalid>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NewOrder {
    pub(crate) money: Money,
    pub(crate) status: OrderStatus,
    pub(crate) window: Option<Duration>,
}

impl NewOrder {
    /// An order of this money that waits for its capture.
    #[must_use]
    pub fn new(money: Money) -> Self {
        Self { money, status: OrderStatus::CaptureRequired, window: None }
    }

    /// The same order in another status.
    #[must_use]
    pub fn status(self, status: OrderStatus) -> Self {
        Self { status, ..self }
    }

    /// The same order, voided if it is not captured within this window.
    #[must_use]
    pub fn window(self, window: Duration) -> Self {
        Self { window: Some(window), ..self }
    }
}

impl From<Money> for NewOrder {
    fn from(money: Money) -> Self {
        Self::new(money)
    }
}

/// One order as the sandbox keeps it.
#[derive(Debug, Clone)]
pub(crate) struct Order {
    pub(crate) id: OrderId,
    pub(crate) money: Money,
    pub(crate) placed: SystemTime,
    window: Duration,
    status: OrderStatus,
    void_at: SystemTime,
}

impl Order {
    /// The status at this time: an order that was not captured in its window is cancelled.
    pub(crate) fn status(&self, now: SystemTime) -> OrderStatus {
        match self.status {
            OrderStatus::CaptureRequired if now >= self.void_at => OrderStatus::Cancelled,
            status => status,
        }
    }

    /// When the order is voided, if it waits for its capture at this time.
    pub(crate) fn void_at(&self, now: SystemTime) -> Option<SystemTime> {
        (self.status(now) == OrderStatus::CaptureRequired).then_some(self.void_at)
    }

    /// How long the order still waits for its capture, if it does.
    pub(crate) fn left(&self, now: SystemTime) -> Option<Duration> {
        self.void_at(now)?.duration_since(now).ok()
    }

    /// Sets the status. In *capturerequired* the order gets a whole window from now.
    pub(crate) fn put(&mut self, status: OrderStatus, now: SystemTime) {
        self.status = status;
        self.void_at = clock::later(now, self.window);
    }

    /// Moves *capturerequired* to *completed*; `Err` with a status that forbids it.
    pub(crate) fn complete(&mut self, now: SystemTime) -> Result<(), OrderStatus> {
        self.move_to(now, OrderStatus::Completed, &[OrderStatus::CaptureRequired])
    }

    /// Moves an order that was not captured to *cancelled*, even if it was before; `Err` with a
    /// status that forbids it.
    pub(crate) fn cancel(&mut self, now: SystemTime) -> Result<(), OrderStatus> {
        use OrderStatus::{Cancelled, CaptureRequired, Draft, Processing};
        let from = [CaptureRequired, Draft, Processing, Cancelled];
        self.move_to(now, Cancelled, &from)
    }

    fn move_to(
        &mut self,
        now: SystemTime,
        to: OrderStatus,
        from: &[OrderStatus],
    ) -> Result<(), OrderStatus> {
        let status = self.status(now);
        if !from.contains(&status) {
            return Err(status);
        }
        self.status = to;
        Ok(())
    }
}

/// All orders, in the order of their creation.
#[derive(Debug, Clone, Default)]
pub(crate) struct Orders {
    list: Vec<Order>,
    index: BTreeMap<OrderId, usize>,
}

impl Orders {
    pub(crate) fn add(&mut self, id: OrderId, new: NewOrder, window: Duration, now: SystemTime) {
        let window = new.window.unwrap_or(window);
        self.index.insert(id, self.list.len());
        self.list.push(Order {
            id,
            money: new.money,
            placed: now,
            window,
            status: new.status,
            void_at: clock::later(now, window),
        });
    }

    pub(crate) fn get(&self, id: OrderId) -> Option<&Order> {
        self.list.get(*self.index.get(&id)?)
    }

    pub(crate) fn get_mut(&mut self, id: OrderId) -> Option<&mut Order> {
        self.list.get_mut(*self.index.get(&id)?)
    }

    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = &Order> {
        self.list.iter()
    }

    pub(crate) fn len(&self) -> usize {
        self.list.len()
    }
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use super::*;

    #[test]
    fn only_some_transitions_are_allowed() {
        use OrderStatus::{
            Cancelled, CaptureRequired, Completed, Draft, OnHold, Problem, Processing, Returned,
        };
        let money = Money::parse("1.00", "USD").unwrap();
        let id = OrderId::from_bytes([1; 16]).unwrap();
        for (status, completes, cancels) in [
            (Draft, false, true),
            (OnHold, false, false),
            (Cancelled, false, true),
            (Problem, false, false),
            (Processing, false, true),
            (CaptureRequired, true, true),
            (Returned, false, false),
            (Completed, false, false),
        ] {
            let mut orders = Orders::default();
            let new = NewOrder::new(money).status(status);
            orders.add(id, new, Duration::from_secs(1), UNIX_EPOCH);
            let order = orders.get(id).unwrap();
            let (mut one, mut two) = (order.clone(), order.clone());
            assert_eq!(one.complete(UNIX_EPOCH).is_ok(), completes, "{status}");
            assert_eq!(two.cancel(UNIX_EPOCH).is_ok(), cancels, "{status}");
        }
    }

    #[test]
    fn an_order_is_void_from_the_end_of_its_window() {
        let money = Money::parse("1.00", "USD").unwrap();
        let id = OrderId::from_bytes([1; 16]).unwrap();
        let (window, step) = (Duration::from_secs(300), Duration::from_nanos(1));
        let mut orders = Orders::default();
        orders.add(id, money.into(), window, UNIX_EPOCH);
        let order = orders.get_mut(id).unwrap();
        let end = UNIX_EPOCH + window;
        assert_eq!(order.status(end - step), OrderStatus::CaptureRequired);
        assert_eq!(order.status(end), OrderStatus::Cancelled);
        assert_eq!(order.complete(end), Err(OrderStatus::Cancelled));
        order.put(OrderStatus::CaptureRequired, end);
        assert_eq!(order.complete(end), Ok(()));
        assert_eq!(order.status(end + window), OrderStatus::Completed);
    }
}
