//! Captures wait for a place before anything of theirs is sent, and that wait is no attempt.

use std::future::pending;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use capture_client::driver::TransportError;
use capture_client::{Client, Outcome, Setup, Stop, Transport, wire};
use tokio::sync::Semaphore;

use crate::stub::{capture, setup};

/// Holds every capture back until it is let through, and counts them.
#[derive(Default)]
struct Gate {
    held: AtomicUsize,
    most: AtomicUsize,
    /// How many captures fail to connect before one succeeds; a wait after that never ends.
    refused: AtomicUsize,
    through: Option<Arc<Semaphore>>,
}

/// A handle on it, as a client takes it.
#[derive(Clone)]
struct Handle(Arc<Gate>);

impl Transport for Handle {
    async fn send(
        &self,
        request: wire::Request,
        _: Duration,
    ) -> Result<wire::Response, TransportError> {
        if request.uri().path() == "/v1/oauth2/token" {
            let token = capture_client::BearerToken::new("token").unwrap();
            return Ok(wire::token::granted(&token, "refresh", 0, "id"));
        }
        if self.0.refused.load(Ordering::SeqCst) > 0 {
            self.0.refused.fetch_sub(1, Ordering::SeqCst);
            return Err(TransportError::not_sent("refused"));
        }
        let held = self.0.held.fetch_add(1, Ordering::SeqCst) + 1;
        self.0.most.fetch_max(held, Ordering::SeqCst);
        if let Some(through) = &self.0.through {
            through.acquire().await.unwrap().forget();
        }
        self.0.held.fetch_sub(1, Ordering::SeqCst);
        Ok(wire::capture::captured())
    }

    async fn sleep(&self, _: Duration) {
        pending::<()>().await;
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().build().unwrap()
}

async fn turns() {
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
}

fn at_most(setup: Setup, most: u32) -> Setup {
    setup.with_max_in_flight(NonZeroU32::new(most).unwrap())
}

#[test]
fn no_more_are_sent_at_a_time_than_there_are_places() {
    for (setup, most) in [(at_most(setup(), 3), 3), (setup(), 100)] {
        let through = Arc::new(Semaphore::new(0));
        let gate =
            Handle(Arc::new(Gate { through: Some(Arc::clone(&through)), ..Gate::default() }));
        let client = Client::over(setup, gate.clone());
        runtime().block_on(async {
            let run = |_| {
                let client = client.clone();
                tokio::spawn(async move { client.capture(&capture()).await })
            };
            let running: Vec<_> = (0..150).map(run).collect();
            turns().await;
            assert_eq!(gate.0.held.load(Ordering::SeqCst), most);
            through.add_permits(150);
            for task in running {
                let outcome = task.await.unwrap();
                assert!(matches!(outcome, Outcome::Captured(_)), "{outcome:?}");
            }
        });
        assert_eq!(gate.0.most.load(Ordering::SeqCst), most);
    }
}

#[test]
fn a_capture_that_is_stopped_before_its_turn_was_not_sent() {
    let gate =
        Handle(Arc::new(Gate { through: Some(Arc::new(Semaphore::new(0))), ..Gate::default() }));
    let client = Client::over(at_most(setup(), 1), gate);
    let stop = Stop::new();
    runtime().block_on(async {
        let first = client.clone();
        let first = tokio::spawn(async move { first.capture(&capture()).await });
        turns().await;
        let second = client.with_stop(&stop);
        let second = tokio::spawn(async move { second.capture(&capture()).await });
        turns().await;
        stop.stop();
        let outcome = second.await.unwrap();
        assert_eq!((outcome.name(), outcome.code()), ("not_captured", "never_sent"), "{outcome:?}");
        assert!(outcome.attempts().is_empty(), "{outcome:?}");
        first.abort();
    });
}

#[test]
fn a_capture_that_waits_for_its_next_try_gives_its_place_away() {
    let gate = Handle(Arc::new(Gate { refused: 1.into(), ..Gate::default() }));
    let client = Client::over(at_most(setup(), 1), gate);
    runtime().block_on(async {
        let waiting = client.clone();
        let waiting = tokio::spawn(async move { waiting.capture(&capture()).await });
        turns().await;
        let other = tokio::spawn(async move { client.capture(&capture()).await });
        turns().await;
        assert_eq!((waiting.is_finished(), other.is_finished()), (false, true));
        waiting.abort();
    });
}
