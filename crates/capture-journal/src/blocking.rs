//! The durable client for code that blocks.

use std::fmt;

use capture_client::blocking::{Client, Transport};
use capture_core::{Capture, OrderId};

use crate::begin::{Begun, DurableError, Recorded};
use crate::journal::{How, Journal};
use crate::story::Story;
use crate::writer::{Hold, Writer};

/// The same as [`crate::Durable`], for code that blocks.
pub struct Durable<T> {
    client: Client<T>,
    writer: Writer,
}

impl<T: Transport> Durable<T> {
    /// This client over this journal, which must be of the client's environment.
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

    /// Captures, once: the outcome is the recorded one if there is one.
    ///
    /// # Errors
    /// Another process is at it, the order was asked for with other values, or the journal failed.
    pub fn capture(&self, capture: &Capture) -> Result<Recorded, DurableError> {
        match pollster::block_on(self.writer.begin(capture))? {
            Begun::Decided(recorded) => Ok(recorded),
            Begun::Work(hold) => self.work(hold),
        }
    }

    /// Writes the capture down, to be done by [`settle_next`](Self::settle_next). It is durable when
    /// this returns; a decided order answers from the record.
    ///
    /// # Errors
    /// As [`Durable::capture`].
    pub fn enqueue(&self, capture: &Capture) -> Result<Option<Recorded>, DurableError> {
        pollster::block_on(self.writer.enqueue(capture))
    }

    /// Does one capture that is due: one that was written down, interrupted or in doubt. `None` if there
    /// is none.
    ///
    /// # Errors
    /// When the journal failed.
    pub fn settle_next(&self) -> Result<Option<Recorded>, DurableError> {
        match pollster::block_on(self.writer.next())? {
            Some(hold) => self.work(hold).map(Some),
            None => Ok(None),
        }
    }

    /// All that is recorded of an order, one story for each capture of it, oldest first.
    ///
    /// # Errors
    /// When the journal failed.
    pub fn stories(&self, order: OrderId) -> Result<Vec<Story>, DurableError> {
        pollster::block_on(self.writer.read(order))
    }

    fn work(&self, mut hold: Hold) -> Result<Recorded, DurableError> {
        let outcome = match hold.begin() {
            How::Fresh(capture) => self.client.capture(&capture),
            How::Resume(ticket) => self.client.resume(ticket),
        };
        pollster::block_on(hold.end(outcome))
    }
}

impl<T: Transport> Clone for Durable<T> {
    fn clone(&self) -> Self {
        self.with_client(self.client.clone())
    }
}

impl<T> fmt::Debug for Durable<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Durable").field("client", &self.client).finish_non_exhaustive()
    }
}
