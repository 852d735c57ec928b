//! The ticket file: a capture that can be resumed after the process has ended.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use capture_core::{Capture, Ticket};

use crate::config::{BadInput, read_at_most};
use crate::output;

/// Reads the ticket of exactly this capture; `None` where there is no file.
pub(crate) fn load(path: &Path, capture: &Capture) -> Result<Option<Ticket>, BadInput> {
    let Some(ticket) = read(path)? else { return Ok(None) };
    if ticket.capture() != capture {
        let (order, money) = (ticket.capture().order_id(), ticket.capture().money());
        let key = ticket.capture().idempotency_key();
        let what = format!("belongs to another capture: order {order}, {money}, key {key}");
        return Err(refuse(path, &what));
    }
    Ok(Some(ticket))
}

/// Reads a ticket, whatever capture it belongs to; `None` where there is no file.
pub(crate) fn read(path: &Path) -> Result<Option<Ticket>, BadInput> {
    let bytes = match read_at_most(path, 1024 * 1024) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(refuse(path, &error.to_string())),
    };
    // serde's own message could quote a file that is something else entirely.
    let ticket: Ticket = serde_json::from_slice(&bytes).map_err(|error| {
        let place = format!("line {}, column {}", error.line(), error.column());
        refuse(path, &format!("is not a ticket that this version can read ({place})"))
    })?;
    Ok(Some(ticket))
}

/// Writes the ticket before the first send: after a crash, the next run resumes from it.
pub(crate) fn begin(path: &Path, ticket: &Ticket) -> Result<(), BadInput> {
    save(path, ticket).map_err(|error| refuse(path, &format!("cannot be written: {error}")))
}

/// Saves an outcome that is still unknown. The file already holds an earlier state of it.
pub(crate) fn keep(path: &Path, ticket: &Ticket) {
    let name = path.display();
    output::note(&match save(path, ticket) {
        Ok(()) => format!("saved to {name}; run the same command again"),
        Err(error) => format!("warning: ticket {name} could not be brought up to date: {error}"),
    });
}

/// Removes the ticket of a decided outcome.
pub(crate) fn close(path: &Path) {
    if let Err(error) = fs::remove_file(path) {
        output::note(&format!("warning: ticket {} could not be removed: {error}", path.display()));
    }
}

/// Replaces the file in one step, so that a crash never leaves half a ticket.
fn save(path: &Path, ticket: &Ticket) -> io::Result<()> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".new");
    let beside = PathBuf::from(beside);
    let mut file = File::create(&beside)?;
    serde_json::to_writer(&mut file, ticket)?;
    file.write_all(b"\n")?;
    file.sync_all()?;
    fs::rename(&beside, path)
}

fn refuse(path: &Path, why: &str) -> BadInput {
    BadInput::new("ticket", format!("ticket {}: {why}", path.display()))
}
