//! The ticket file: a capture that can be resumed after the process has ended.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use capture_core::{Capture, Ticket};

use crate::config::BadInput;
use crate::file::{self, Readers};
use crate::output;

/// Reads a ticket, whatever capture it belongs to; `None` where there is none that can be read.
pub(crate) fn peek(path: &Path) -> Option<Ticket> {
    parse(&File::open(path).ok()?).ok()
}

fn parse(file: &File) -> Result<Ticket, String> {
    let bytes = file::read_open(file, Ticket::MAX_JSON).map_err(|error| error.to_string())?;
    // serde's own message could quote a file that is something else entirely.
    serde_json::from_slice(&bytes).map_err(|error| {
        let place = format!("line {}, column {}", error.line(), error.column());
        format!("is not a ticket that this version can read ({place})")
    })
}

/// A ticket file, which no other process uses at the same time.
pub(crate) struct TicketFile {
    path: PathBuf,
    /// Each state of the file that this process has read or written, locked until it ends: another
    /// process may have opened any of them.
    locked: Vec<File>,
}

impl TicketFile {
    /// Reads the ticket of exactly this capture; `None` where there is no file.
    pub(crate) fn open(path: &Path, capture: &Capture) -> Result<(Self, Option<Ticket>), BadInput> {
        let mut this = Self { path: path.to_owned(), locked: Vec::new() };
        let file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok((this, None)),
            Err(error) => return Err(this.refuse(&error.to_string())),
        };
        this.lock(&file)?;
        let ticket = parse(&file).map_err(|why| this.refuse(&why))?;
        this.locked.push(file);
        if ticket.capture() != capture {
            let (order, money) = (ticket.capture().order_id(), ticket.capture().money());
            let key = ticket.capture().idempotency_key();
            let what = format!("belongs to another capture: order {order}, {money}, key {key}");
            return Err(this.refuse(&what));
        }
        Ok((this, Some(ticket)))
    }

    /// Writes the ticket before the first send: after a crash, the next run resumes from it.
    pub(crate) fn begin(&mut self, ticket: &Ticket) -> Result<(), BadInput> {
        self.save(ticket).map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => self.refuse(IN_USE),
            _ => self.refuse(&format!("cannot be written: {error}")),
        })
    }

    /// Saves an outcome that is still unknown. The file already holds an earlier state of it.
    pub(crate) fn keep(&mut self, ticket: &Ticket) {
        let saved = self.save(ticket);
        let name = self.path.display();
        output::note(&match saved {
            Ok(()) => format!("saved to {name}; run the same command again"),
            Err(error) => {
                format!("warning: ticket {name} could not be brought up to date: {error}")
            }
        });
    }

    /// Removes the ticket of a decided outcome.
    pub(crate) fn close(self) {
        match fs::remove_file(&self.path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                let name = self.path.display();
                output::note(&format!("warning: ticket {name} could not be removed: {error}"));
            }
            _ => {}
        }
    }

    fn save(&mut self, ticket: &Ticket) -> io::Result<()> {
        let mut json = serde_json::to_vec(ticket)?;
        json.push(b'\n');
        if json.len() > Ticket::MAX_JSON {
            return Err(io::Error::other("it would be too long to be read again"));
        }
        let new = file::beside(&self.path, &json, Readers::Owner)?;
        // Before anybody can open it.
        let _ = try_lock(new.as_file());
        // Where no file was read, none may have come into being since.
        self.locked.push(match self.locked.is_empty() {
            true => new.persist_noclobber(&self.path)?,
            false => new.persist(&self.path)?,
        });
        file::sync_directory(&self.path)
    }

    /// A file system that has no locks is used without them.
    fn lock(&self, file: &File) -> Result<(), BadInput> {
        if try_lock(file) { Ok(()) } else { Err(self.refuse(IN_USE)) }
    }

    fn refuse(&self, why: &str) -> BadInput {
        BadInput::new("ticket", format!("ticket {}: {why}", self.path.display()))
    }
}

const IN_USE: &str =
    "is in use by another process; when that has ended, run the same command again";

/// Whether no other process holds the file.
#[cfg(unix)]
fn try_lock(file: &File) -> bool {
    use fs4::TryLockError;
    !matches!(fs4::FileExt::try_lock(file), Err(TryLockError::WouldBlock))
}

/// A lock would keep this process itself from replacing the file.
#[cfg(not(unix))]
fn try_lock(_: &File) -> bool {
    true
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use capture_core::{IdempotencyKey, Money, OrderId};

    use super::*;

    /// Two first runs at once: the second one finds no ticket either, and must not take the place of
    /// the ticket that the first one has written since.
    #[test]
    fn a_ticket_that_came_into_being_meanwhile_is_not_replaced() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("order.ticket");
        let order: OrderId = "5f1a3c5e-7c1d-4e0b-9d6a-0c4f5b6a7d81".parse().unwrap();
        let money = Money::parse("100.00", "USD").unwrap();
        let capture = Capture::new(order, money, IdempotencyKey::for_order(order));
        let (mut file, old) = TicketFile::open(&path, &capture).ok().unwrap();
        assert!(old.is_none());
        fs::write(&path, "of another process").unwrap();
        let ticket = Ticket::interrupted(capture, SystemTime::now());
        let refused = file.begin(&ticket).err().unwrap();
        assert!(refused.sentence.ends_with(IN_USE), "{}", refused.sentence);
        assert_eq!(fs::read_to_string(&path).unwrap(), "of another process");
    }
}
