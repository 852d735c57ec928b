//! The durable client: what the plain client has, over a journal.

use capture_client::{Client, Transport};
use capture_core::{Capture, OrderId};

use crate::begin::{Begun, DurableError, Recorded};
use crate::journal::{How, Journal};
use crate::story::Story;
use crate::writer::{Hold, Writer};

/// A client that captures **exactly once across calls, tasks, processes and crashes**.
///
/// Each capture is durable before its first byte leaves, and so is what became of it before anybody is
/// told. A decided order answers from the record, without a request; one in doubt is resumed; one that
/// this process is working on is waited for. Whatever ends a call early (a dropped future, a panic, a
/// crash) leaves a doubt that the next call resumes, never a fresh start.
///
/// Clones share the journal.
#[derive(Debug)]
pub struct Durable<T> {
    client: Client<T>,
    writer: Writer,
}

impl<T> Durable<T> {
    /// This client over this journal, which must be of the client's environment. A thread of its own
    /// writes, so that no runtime waits for the disk.
    pub fn new(client: Client<T>, journal: impl Journal + 'static) -> Self {
        Self { client, writer: Writer::new(journal) }
    }

    /// The same journal under another client, such as one with another policy or a trace header.
    #[must_use]
    pub fn with_client(&self, client: Client<T>) -> Self {
        Self { client, writer: self.writer.clone() }
    }

    /// The plain client, which keeps no record.
    #[must_use]
    pub fn client(&self) -> &Client<T> {
        &self.client
    }
}

impl<T: Transport> Durable<T> {
    /// Captures, once: the outcome is the recorded one if there is one.
    ///
    /// Dropping the future leaves a doubt in the journal; call again to find out.
    ///
    /// # Errors
    /// Another process is at it, the order was asked for with other values, or the journal failed.
    pub async fn capture(&self, capture: &Capture) -> Result<Recorded, DurableError> {
        match self.writer.begin(capture).await? {
            Begun::Decided(recorded) => Ok(recorded),
            Begun::Work(hold) => self.work(hold).await,
        }
    }

    /// Writes the capture down, to be done by [`settle_next`](Self::settle_next). It is durable when
    /// this returns; a decided order answers from the record.
    ///
    /// # Errors
    /// As [`Durable::capture`].
    pub async fn enqueue(&self, capture: &Capture) -> Result<Option<Recorded>, DurableError> {
        self.writer.enqueue(capture).await
    }

    /// Does one capture that is due: one that was written down, interrupted or in doubt. `None` if there
    /// is none.
    ///
    /// # Errors
    /// When the journal failed.
    pub async fn settle_next(&self) -> Result<Option<Recorded>, DurableError> {
        match self.writer.next().await? {
            Some(hold) => self.work(hold).await.map(Some),
            None => Ok(None),
        }
    }

    /// All that is recorded of an order, one story for each capture of it, oldest first.
    ///
    /// # Errors
    /// When the journal failed.
    pub async fn stories(&self, order: OrderId) -> Result<Vec<Story>, DurableError> {
        self.writer.read(order).await
    }

    pub(crate) fn writer(&self) -> &Writer {
        &self.writer
    }

    async fn work(&self, mut hold: Hold) -> Result<Recorded, DurableError> {
        let outcome = match hold.begin() {
            How::Fresh(capture) => self.client.capture(&capture).await,
            How::Resume(ticket) => self.client.resume(ticket).await,
        };
        hold.end(outcome).await
    }
}

impl<T> Clone for Durable<T> {
    fn clone(&self) -> Self {
        self.with_client(self.client.clone())
    }
}
