//! What other journals need of this one, and what they give.

use std::io::{self, BufRead, Write};
use std::ops::ControlFlow;
use std::time::SystemTime;

use capture_core::Outcome;
use capture_journal::{Answer, Ask, Exported, KeepError, Lost, Story};

use crate::desk::{Desk, NEVER};
use crate::fault::Fault;
use crate::open::Postgres;
use crate::read::{self, INTENT};
use crate::sql::PAGE;

impl Postgres {
    /// Writes every capture of this environment as a line of JSON, oldest first, and says how many.
    ///
    /// # Errors
    /// When the journal cannot be read, or the lines not be written.
    pub fn export(&mut self, mut to: impl Write) -> Result<usize, KeepError> {
        let select = format!(
            "SELECT {INTENT} FROM capture.intent WHERE environment = $1 ORDER BY intent.id"
        );
        let mut failed = None;
        let count = self.session().transact(|who, sql, _| {
            let mut count = 0;
            sql.pages(&select, &[&who.environment], |sql, rows| {
                for story in read::stories(sql, rows)? {
                    let line = serde_json::to_string(&Exported::of(&story, &who.environment_name));
                    let line = line.map_err(|error| Lost::Io(error.into()))?;
                    if let Err(error) = writeln!(to, "{line}") {
                        failed = Some(error);
                        return Ok(ControlFlow::Break(()));
                    }
                    count += 1;
                }
                Ok(ControlFlow::Continue(()))
            })?;
            Ok(count)
        })?;
        to.flush()?;
        failed.map_or(Ok(count), |error| Err(error.into()))
    }

    /// Reads in what an export wrote: evidence of another journal, all of it or nothing. What is decided here stays,
    /// unless the other journal knows of a capture. Nobody else can ask for captures meanwhile.
    ///
    /// # Errors
    /// A line that is no record or is of another environment, or an order that is in progress here or open with
    /// other values.
    pub fn import(&mut self, from: impl BufRead) -> Result<usize, KeepError> {
        // A transaction may have to be made again.
        let lines = from.lines().collect::<io::Result<Vec<_>>>()?;
        let imported = self.session().transact(|who, sql, chain| {
            let before = *chain;
            sql.transaction.batch_execute("SAVEPOINT importing")?;
            let mut desk = Desk::new(sql, who, chain, SystemTime::now());
            match desk.import(&lines).and_then(|()| Ok(desk.write()?)) {
                Ok(()) => Ok(Ok(())),
                Err(Kept::Fault(fault)) => Err(fault),
                Err(Kept::Refused(why)) => {
                    sql.transaction.batch_execute("ROLLBACK TO SAVEPOINT importing")?;
                    *chain = before;
                    Ok(Err(why))
                }
            }
        })?;
        imported.map(|()| lines.len())
    }
}

/// Why a line is not recorded.
enum Kept {
    Fault(Fault),
    Refused(KeepError),
}

impl<E: Into<Fault>> From<E> for Kept {
    fn from(fault: E) -> Self {
        Self::Fault(fault.into())
    }
}

impl Desk<'_, '_, '_> {
    fn import(&mut self, lines: &[String]) -> Result<(), Kept> {
        self.lock_asks(true)?;
        self.look_who_lives()?;
        for (index, line) in lines.iter().enumerate() {
            if index % PAGE as usize == 0 {
                // So much is in memory at once.
                self.write()?;
                self.orders.clear();
            }
            let environment = &self.who.environment_name;
            let record = Exported::read(line, index + 1, environment).map_err(Kept::Refused)?;
            let outcome = record.outcome();
            let capture = *outcome.capture();
            // An order may come twice, under two keys.
            if !self.orders.contains_key(&capture.order_id()) {
                self.lock_pending(&[capture.order_id()])?;
            }
            let stories = self.orders.get(&capture.order_id()).into_iter().flatten();
            let known =
                stories.filter(|story| story.capture == capture).find_map(Story::first_sent);
            let answer = self.answer(&Ask { capture, now: true }, NEVER)?;
            Exported::fits(&answer, index + 1).map_err(Kept::Refused)?;
            let held = match (answer, outcome) {
                (Answer::Work(work), _) => Some(work.held),
                (Answer::Decided(..), Outcome::Captured(_)) => self.last_claim(&capture),
                _ => None,
            };
            if let Some(held) = held {
                let _told = self.record(held, outcome, |_| record.outcome_beside(known))?;
            }
        }
        Ok(())
    }
}
