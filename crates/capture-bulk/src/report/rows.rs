//! Lines of the list as rows of tables.

use std::fmt::Write as _;
use std::time::SystemTime;

use capture_core::Outcome;
use capture_journal::{Line, Stands, utc};

use super::page::{Text, name};

/// The rows of a table: the first so many, and how many there are.
#[derive(Debug, Default)]
pub(super) struct Rows {
    shown: Vec<String>,
    count: u64,
}

pub(super) const OPEN: [&str; 6] = ["Line", "Order", "Reference", "Amount", "Reason", "What to do"];
pub(super) const LATE: [&str; 6] = ["Line", "Order", "Reference", "Amount", "Deadline", "Outcome"];

impl Rows {
    /// One more.
    pub(super) fn add(&mut self, most: u64, row: impl FnOnce() -> String) {
        if self.count < most {
            self.shown.push(row());
        }
        self.count += 1;
    }

    pub(super) fn count(&self) -> u64 {
        self.count
    }

    /// As many rows as there is room for, and how many there was none for. No rows make no table.
    pub(super) fn table(
        &self,
        html: &mut String,
        caption: &str,
        columns: &[&str],
        room: &mut u64,
    ) -> u64 {
        let fit =
            usize::try_from(*room).map_or(self.shown.len(), |room| room.min(self.shown.len()));
        let shown = &self.shown[..fit];
        *room -= shown.len() as u64;
        if !shown.is_empty() {
            let _ = writeln!(
                html,
                "<table class=\"lines\">\n<caption>{caption}</caption>\n<thead><tr>"
            );
            for column in columns {
                let _ = writeln!(html, "<th scope=\"col\">{column}</th>");
            }
            *html += "</tr></thead>\n<tbody>\n";
            shown.iter().for_each(|row| *html += row);
            *html += "</tbody>\n</table>\n";
        }
        self.count - shown.len() as u64
    }
}

/// A line that is not plainly captured: why, and what to do.
pub(super) fn open(line: &Line, outcome: Option<&Outcome>) -> String {
    let mut row = begin(line);
    let _ = match outcome {
        Some(outcome) => writeln!(
            row,
            "<td><code>{}</code> {}</td><td>{}</td></tr>",
            outcome.code(),
            Text(&outcome.to_string()),
            Text(&outcome.next_step())
        ),
        None => {
            writeln!(row, "<td>nothing has been sent</td><td>Run the same command again.</td></tr>")
        }
    };
    row
}

/// A line that was not captured before its deadline.
pub(super) fn late(
    line: &Line,
    deadline: SystemTime,
    stands: Stands,
    recorded: Option<SystemTime>,
) -> String {
    let mut row = begin(line);
    let _ = write!(row, "<td>{}</td><td>{}", utc(deadline), name(stands));
    if let Some(at) = recorded {
        let _ = write!(row, ", as of {}", utc(at));
    }
    row += "</td></tr>\n";
    row
}

fn begin(line: &Line) -> String {
    let reference = line.reference.as_deref().unwrap_or_default();
    format!(
        "<tr><td class=\"n\">{}</td><td class=\"id\">{}</td><td class=\"ref\">{}</td><td class=\"n\">{}</td>",
        line.line,
        line.capture.order_id(),
        Text(reference),
        line.capture.money()
    )
}
