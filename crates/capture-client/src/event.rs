//! What a client reports while it works.

use std::time::Duration;

use capture_core::{Attempt, Capture, Operation, Outcome};

/// Something that happened. It holds no secret and no personal data.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum Event<'a> {
    /// A capture begins, or an unknown one is resumed.
    #[non_exhaustive]
    Started {
        /// What is to be captured.
        capture: &'a Capture,
        /// Whether it is resumed.
        resumed: bool,
    },
    /// A request was sent for a capture, logins included, and this is what it showed.
    #[non_exhaustive]
    Attempted {
        /// What is to be captured.
        capture: &'a Capture,
        /// What was sent, and what it showed.
        attempt: &'a Attempt,
        /// How many attempts with this operation the capture had made before.
        resend_count: usize,
    },
    /// The capture waits.
    #[non_exhaustive]
    Waiting {
        /// What is to be captured.
        capture: &'a Capture,
        /// How long it waits.
        delay: Duration,
        /// What is sent after the wait.
        next: Operation,
    },
    /// The capture ended.
    #[non_exhaustive]
    Ended {
        /// How it ended.
        outcome: &'a Outcome,
        /// How long this run took.
        took: Duration,
        /// How long ago an unknown capture was first sent, by the wall clock.
        unknown_for: Option<Duration>,
        /// How many resends the client's retry budget permits now.
        permits_left: u64,
    },
}

/// Gets every event of a client, as it happens. It must not block.
///
/// ```
/// use capture_client::{Event, Observer};
///
/// let print = |event: &Event<'_>| match event {
///     Event::Attempted { attempt, .. } => println!("{:?}: {attempt}", attempt.operation),
///     Event::Ended { outcome, took, .. } => println!("{} after {took:?}", outcome.name()),
///     _ => {}
/// };
/// fn watch(_: impl Observer) {}
/// watch(print); // client.with_observer(print)
/// ```
pub trait Observer: Send + Sync {
    /// Receives an event.
    fn observe(&self, event: &Event<'_>);
}

impl<F: Fn(&Event<'_>) + Send + Sync> Observer for F {
    fn observe(&self, event: &Event<'_>) {
        self(event);
    }
}
