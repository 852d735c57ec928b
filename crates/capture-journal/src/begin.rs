//! What a call asks of the journal, the same for async code and for code that blocks.

use std::sync::Arc;
use std::time::SystemTime;

use capture_core::{Capture, OrderId, Outcome};

use crate::journal::{Answer, Ask, Busy, Lost, Other};
use crate::story::Story;
use crate::writer::{Hold, Told, Writer};

/// An outcome, and when it was recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct Recorded {
    /// What became of the capture, by the evidence of all who worked on it.
    pub outcome: Outcome,
    /// When it was decided before, and no request was sent now; `None` if this call recorded it.
    pub before: Option<SystemTime>,
}

/// Why a call has no outcome. **None of these says "not captured".**
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum DurableError {
    /// Another process is at it; this one sent nothing.
    #[error("{} is working on this order; nothing was sent", .0.holder)]
    Busy(Busy),
    /// The order is open or decided with other values; nothing was sent.
    #[error(
        "order {} was asked for with {}, key {}, and is {}; nothing was sent",
        .0.capture.order_id(), .0.capture.money(), .0.capture.idempotency_key(), .0.standing.name().replace('_', " ")
    )]
    Other(Box<Other>),
    /// The journal failed before anything was sent.
    #[error("nothing was sent: the journal failed")]
    Lost(#[source] Arc<Lost>),
    /// The outcome is known and could not be recorded: to the journal the capture is in doubt, and the
    /// next call looks the order up.
    #[error("the journal could not record the outcome ({0})")]
    Unrecorded(Box<Outcome>, #[source] Arc<Lost>),
}

/// What a call has to do.
#[expect(clippy::large_enum_variant, reason = "one for each call, and moved once")]
pub(crate) enum Begun {
    Decided(Recorded),
    Work(Hold),
}

impl Writer {
    pub(crate) async fn begin(&self, capture: &Capture) -> Result<Begun, DurableError> {
        let ask = Ask { capture: *capture, now: true };
        loop {
            match self.ask(ask).await.map_err(DurableError::Lost)? {
                Told::Work(hold) if hold.is_sure() => return Ok(Begun::Work(hold)),
                // It stood still: what it was handed is given back, and asked for again.
                Told::Work(_) => {}
                Told::Answer(answer) => {
                    let recorded = recorded(answer)?.expect("it is to be done now");
                    return Ok(Begun::Decided(recorded));
                }
            }
        }
    }

    pub(crate) async fn enqueue(
        &self,
        capture: &Capture,
    ) -> Result<Option<Recorded>, DurableError> {
        match self.ask(Ask { capture: *capture, now: false }).await.map_err(DurableError::Lost)? {
            // It is given back at once.
            Told::Work(_) => Ok(None),
            Told::Answer(answer) => recorded(answer),
        }
    }

    pub(crate) async fn next(&self) -> Result<Option<Hold>, DurableError> {
        loop {
            let hold = self.want().await.map_err(DurableError::Lost)?;
            if hold.as_ref().is_none_or(Hold::is_sure) {
                return Ok(hold);
            }
        }
    }

    pub(crate) async fn read(&self, order: OrderId) -> Result<Vec<Story>, DurableError> {
        self.stories(order).await.map_err(DurableError::Lost)
    }
}

fn recorded(answer: Answer) -> Result<Option<Recorded>, DurableError> {
    match answer {
        Answer::Busy(busy) => Err(DurableError::Busy(busy)),
        Answer::Other(other) => Err(DurableError::Other(Box::new(other))),
        Answer::Decided(outcome, at) => Ok(Some(Recorded { outcome, before: Some(at) })),
        Answer::Queued | Answer::Work(_) => Ok(None),
    }
}

impl Hold {
    pub(crate) async fn end(self, outcome: Outcome) -> Result<Recorded, DurableError> {
        match self.settle(outcome.clone()).await {
            Ok(outcome) => Ok(Recorded { outcome, before: None }),
            Err(lost) => Err(DurableError::Unrecorded(Box::new(outcome), lost)),
        }
    }
}
