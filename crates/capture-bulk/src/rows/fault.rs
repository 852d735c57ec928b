//! What is wrong with a file, where, and what to write instead.

use std::fmt;

use capture_core::printable;
use serde::Serialize;

/// More than these are counted, not kept.
const MOST: usize = 100;

/// One thing that is wrong with a file.
///
/// It is shown as `LINE:COLUMN: field "value": why`, and serialises with the same parts. Without a
/// column it is about the whole line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fault {
    line: u32,
    column: Option<u32>,
    field: Option<&'static str>,
    value: Option<String>,
    why: String,
}

impl Fault {
    /// About a whole line.
    pub(crate) fn of_line(line: u32, why: impl Into<String>) -> Self {
        Self { line, column: None, field: None, value: None, why: why.into() }
    }

    pub(crate) fn at(mut self, column: u32) -> Self {
        self.column = Some(column);
        self
    }

    pub(crate) fn of(mut self, field: &'static str) -> Self {
        self.field = Some(field);
        self
    }

    /// With the value, cut and escaped.
    pub(crate) fn showing(mut self, value: &str) -> Self {
        self.value = Some(printable(value, 60));
        self
    }

    /// The line, from 1.
    #[must_use]
    pub fn line(&self) -> u32 {
        self.line
    }

    /// The column in characters, from 1, as an editor counts them.
    #[must_use]
    pub fn column(&self) -> Option<u32> {
        self.column
    }

    /// The name of the field, such as `amount`; `column` for a name in the header.
    #[must_use]
    pub fn field(&self) -> Option<&'static str> {
        self.field
    }

    /// The value, cut, with control characters and invisible ones escaped.
    #[must_use]
    pub fn value(&self) -> Option<&str> {
        self.value.as_deref()
    }

    /// The rule that it breaks, and what to do.
    #[must_use]
    pub fn why(&self) -> &str {
        &self.why
    }

    fn place(&self) -> (u32, u32) {
        (self.line, self.column.unwrap_or(0))
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.line)?;
        if let Some(column) = self.column {
            write!(f, ":{column}")?;
        }
        f.write_str(": ")?;
        match (self.field, &self.value) {
            (Some(field), Some(value)) => write!(f, "{field} \"{value}\": ")?,
            (Some(field), None) => write!(f, "{field}: ")?,
            (None, Some(value)) => write!(f, "\"{value}\": ")?,
            (None, None) => {}
        }
        f.write_str(&self.why)
    }
}

/// Everything that is wrong with a file: the first hundred faults in the file's order, and how many
/// more there are.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Faults {
    problems: Vec<Fault>,
    more: u64,
}

impl Faults {
    pub(crate) fn add(&mut self, fault: Fault) {
        let at = self.problems.partition_point(|kept| kept.place() <= fault.place());
        self.problems.insert(at, fault);
        if self.problems.len() > MOST {
            self.problems.truncate(MOST);
            self.more += 1;
        }
    }

    /// The faults that were kept, from the first line on.
    #[must_use]
    pub fn kept(&self) -> &[Fault] {
        &self.problems
    }

    /// How many were counted and not kept.
    #[must_use]
    pub fn more(&self) -> u64 {
        self.more
    }

    /// How many there are, kept or not.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.problems.len() as u64 + self.more
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.problems.is_empty()
    }

    /// One line for each, `FILE:LINE:COLUMN: field "value": why`, as editors and terminals make
    /// links of them.
    #[must_use]
    pub fn named<'a>(&'a self, file: &str) -> impl fmt::Display + 'a {
        Named { faults: self, prefix: format!("{}:", printable(file, 4096)) }
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write(self, "", f)
    }
}

impl std::error::Error for Faults {}

struct Named<'a> {
    faults: &'a Faults,
    prefix: String,
}

impl fmt::Display for Named<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write(self.faults, &self.prefix, f)
    }
}

fn write(faults: &Faults, prefix: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    for (index, fault) in faults.problems.iter().enumerate() {
        let line_end = if index == 0 { "" } else { "\n" };
        write!(f, "{line_end}{prefix}{fault}")?;
    }
    match faults.more {
        0 => Ok(()),
        more => write!(f, "\nand {more} more"),
    }
}
