//! The connections of an adapter, and giving them up once a request on them got no reply.

use std::fmt;
use std::sync::{PoisonError, RwLock};

use capture_core::driver::{Delivery, TransportError};

/// An HTTP client that pools connections, of the kind `H`.
///
/// Over HTTP/2 all requests share one connection. If its path is dead, everything that is sent on it
/// times out, while a new connection would work. So after a request that got no complete reply the
/// next one uses another client with other connections; what is still under way on the old ones ends
/// there.
pub struct Pool<H> {
    current: RwLock<(usize, H)>,
    another: Box<dyn Fn() -> Option<H> + Send + Sync>,
}

impl<H> Pool<H> {
    /// This client, and how to make another one like it; `None` keeps the current one.
    pub fn new(first: H, another: impl Fn() -> Option<H> + Send + Sync + 'static) -> Self {
        Self { current: RwLock::new((0, first)), another: Box::new(another) }
    }

    /// Sends a request through the current client.
    ///
    /// # Errors
    /// Those of the request.
    pub async fn send<R, F>(&self, start: impl FnOnce(&H) -> F) -> Result<R, TransportError>
    where
        F: Future<Output = Result<R, TransportError>>,
    {
        let (number, sent) = {
            let current = self.current.read().unwrap_or_else(PoisonError::into_inner);
            (current.0, start(&current.1))
        };
        let result = sent.await;
        if matches!(&result, Err(lost) if lost.delivery() == Delivery::MaybeSent) {
            self.retire(number);
        }
        result
    }

    fn retire(&self, number: usize) {
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        if current.0 != number {
            return; // many requests on one connection are lost together
        }
        if let Some(another) = (self.another)() {
            *current = (number + 1, another);
        }
    }
}

impl<H> fmt::Debug for Pool<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::future::ready;
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    /// Which client sends the next request, and what becomes of it.
    fn used(pool: &Pool<u32>, fate: fn() -> Result<(), TransportError>) -> u32 {
        let mut used = None;
        let sent = pool.send(|http| {
            used = Some(*http);
            ready(fate())
        });
        let _ = pollster::block_on(sent);
        used.expect("started")
    }

    #[test]
    fn a_client_is_given_up_after_a_lost_reply_only() {
        let made = AtomicU32::new(0);
        let pool = Pool::new(0, move || Some(made.fetch_add(1, Ordering::Relaxed) + 1));
        assert_eq!(used(&pool, || Ok(())), 0);
        assert_eq!(used(&pool, || Err(TransportError::not_sent("refused"))), 0);
        assert_eq!(used(&pool, || Err(TransportError::maybe_sent("no reply in time"))), 0);
        assert_eq!(used(&pool, || Ok(())), 1);
    }

    #[test]
    fn requests_that_are_lost_together_give_up_one_client() {
        let made = AtomicU32::new(0);
        let pool = Pool::new(0, move || Some(made.fetch_add(1, Ordering::Relaxed) + 1));
        pool.retire(0);
        pool.retire(0);
        assert_eq!(used(&pool, || Ok(())), 1);
    }

    #[test]
    fn a_client_that_cannot_be_made_again_is_kept() {
        let pool = Pool::new(7, || None);
        pool.retire(0);
        assert_eq!(used(&pool, || Ok(())), 7);
    }
}
