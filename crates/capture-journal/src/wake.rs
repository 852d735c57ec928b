//! Wakes a run that has found nothing to do.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::Notify;

/// Tells a run that more may be due now, so that it need not wait until it looks by itself.
#[derive(Debug, Clone, Default)]
pub struct Wake(Arc<Bell>);

#[derive(Debug, Default)]
struct Bell {
    has_rung: AtomicBool,
    rings: Notify,
}

impl Wake {
    /// More may be due.
    pub fn wake(&self) {
        self.0.has_rung.store(true, Ordering::Release);
        self.0.rings.notify_waiters();
    }

    /// Whether it was woken since it last asked.
    #[must_use]
    pub fn take(&self) -> bool {
        self.0.has_rung.swap(false, Ordering::AcqRel)
    }

    /// Waits until it is woken.
    pub async fn woken(&self) {
        let rings = self.0.rings.notified();
        if !self.0.has_rung.load(Ordering::Acquire) {
            rings.await;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    use super::*;

    #[test]
    fn it_wakes_who_waits_and_who_comes_later() {
        let wake = Wake::default();
        let cx = &mut Context::from_waker(Waker::noop());
        let mut waits = pin!(wake.woken());
        assert_eq!(waits.as_mut().poll(cx), Poll::Pending);
        wake.clone().wake();
        assert_eq!(waits.as_mut().poll(cx), Poll::Ready(()));
        let mut later = pin!(wake.woken());
        assert_eq!(later.as_mut().poll(cx), Poll::Ready(()));
        assert_eq!((wake.take(), wake.take()), (true, false));
        let mut next = pin!(wake.woken());
        assert_eq!(next.as_mut().poll(cx), Poll::Pending);
    }
}
