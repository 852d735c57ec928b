//! Reads a file of rows: each is checked and handed on, and everything that is wrong comes at once.

mod cell;
mod column;
mod csv;
mod damage;
mod fault;
mod header;
mod jsonl;
mod lines;
mod repeats;

use std::io::{self, Read};
use std::path::Path;
use std::time::SystemTime;

use capture_core::{Capture, Currency};

use cell::{Cells, Place, check};
pub use column::{Columns, Field};
pub use csv::Separator;
pub use fault::{Fault, Faults};
use header::Header;
use jsonl::Members;
use lines::{LONGEST, Line, Lines};
use repeats::{At, Orders};
pub use repeats::{Repeat, Total};

/// How a file of rows is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Format {
    /// A header, and one row on each line.
    Csv,
    /// One JSON object on each line.
    JsonLines,
}

impl Format {
    /// What the end of a file's name says; `None` if it says nothing.
    #[must_use]
    pub fn of_path(path: &Path) -> Option<Self> {
        let extension = path.extension()?.to_str()?.to_ascii_lowercase();
        match &*extension {
            "csv" | "tsv" => Some(Self::Csv),
            "jsonl" | "ndjson" => Some(Self::JsonLines),
            _ => None,
        }
    }
}

/// How to read a file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Options {
    format: Option<Format>,
    columns: Columns,
}

impl Options {
    /// The format; without one, a file that begins with `{` is JSON lines and any other is CSV.
    #[must_use]
    pub fn format(mut self, format: Format) -> Self {
        self.format = Some(format);
        self
    }

    /// The names of the file's columns, where they are not the usual ones.
    #[must_use]
    pub fn columns(mut self, columns: Columns) -> Self {
        self.columns = columns;
        self
    }
}

/// One row of a file, checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Row<'a> {
    /// Its line, from 1.
    pub line: u32,
    /// What to capture. Its key is derived from the order, unless the row has a key.
    pub capture: Capture,
    /// The merchant's own number.
    pub reference: Option<&'a str>,
    /// When the authorisation ends.
    pub capture_before: Option<SystemTime>,
    /// Whether an earlier row asks for the same: both are one capture.
    pub is_repeat: bool,
}

/// What a file holds, once all of it is good.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Table {
    /// How many rows, with the repeated ones.
    pub rows: u64,
    /// How the file is written.
    pub format: Format,
    /// What separates the fields, if it is CSV.
    pub separator: Option<Separator>,
    /// The columns that are no field, as they are named.
    pub ignored_columns: Vec<String>,
    /// Empty rows at the end, which spreadsheets leave.
    pub empty_rows: u64,
    /// Rows that ask for the same as an earlier one, by line.
    pub repeats: Vec<Repeat>,
    /// The money by currency, in the order of the codes.
    pub totals: Vec<Total>,
    /// The hash of the file's bytes.
    pub sha256: [u8; 32],
}

/// Why there is no table.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The file is wrong; nothing of it may be used.
    #[error("{0}")]
    Faults(Faults),
    /// The input could not be read, or the caller could not keep a row.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// Reads a file and hands its rows on, one by one.
///
/// Keep the rows apart until this returns `Ok`, and throw them away if it does not: a fault in the
/// last line makes the whole file wrong. After the first fault no more rows are handed on, but the
/// rest is checked. Where the header is wrong, no row can be read, and only the header's faults come.
///
/// A row that repeats an earlier one is handed on too, and says so ([`Row::is_repeat`]);
/// [`Table::repeats`] lists them.
///
/// It takes some 35 bytes of memory an order, and 28 more for a row with a key of its own. A line has at
/// most 64 KiB, and a header at most 256 columns.
///
/// # Errors
/// All faults of the file at once, or what the input or `each` returned.
pub fn read(
    mut input: impl Read,
    options: &Options,
    mut each: impl FnMut(&Row<'_>) -> io::Result<()>,
) -> Result<Table, ReadError> {
    let mut lines = Lines::new(&mut input);
    let mut reading = Reading::default();
    let mut layout = match Layout::of(lines.beginning()?, options) {
        Ok(layout) => layout,
        Err(why) => return Err(refused(Fault::of_line(1, why))),
    };
    while let Some(line) = lines.next()? {
        let place = match place(&line) {
            Ok(place) => place,
            Err(fault) => {
                reading.faults.add(fault);
                if matches!(layout, Layout::Unknown) {
                    break; // the next line is no header
                }
                continue;
            }
        };
        let faults = &mut reading.faults;
        let cells = match &mut layout {
            Layout::Unknown => {
                let Some(header) = Header::read(place, &options.columns, faults) else { break };
                layout = Layout::Csv(header);
                continue;
            }
            Layout::Csv(header) => header.cells(place),
            Layout::JsonLines(members) => members.cells(place, faults),
        };
        match cells {
            Ok(Some(cells)) => reading.row(place, &cells, &mut each)?,
            Ok(None) => reading.empty.push(place.number),
            Err(fault) => reading.faults.add(fault),
        }
    }
    reading.finish(layout, lines)
}

enum Layout<'o> {
    /// CSV whose header is to come.
    Unknown,
    Csv(Header),
    JsonLines(Members<'o>),
}

impl<'o> Layout<'o> {
    fn of(beginning: &[u8], options: &'o Options) -> Result<Self, &'static str> {
        if let Some(why) = lines::foreign(beginning) {
            return Err(why);
        }
        let format = options.format.unwrap_or(match beginning.first() {
            Some(b'{') => Format::JsonLines,
            _ => Format::Csv,
        });
        Ok(match format {
            Format::Csv => Self::Unknown,
            Format::JsonLines => Self::JsonLines(Members::new(&options.columns)),
        })
    }
}

/// What is known so far.
#[derive(Default)]
struct Reading {
    faults: Faults,
    currencies: Vec<Currency>,
    orders: Orders,
    empty: Empty,
}

/// Empty rows after the last one that is not.
#[derive(Default)]
struct Empty {
    first: u32,
    count: u64,
}

impl Empty {
    fn push(&mut self, line: u32) {
        if self.count == 0 {
            self.first = line;
        }
        self.count += 1;
    }
}

impl Reading {
    fn row(
        &mut self,
        place: Place<'_>,
        cells: &Cells<'_>,
        each: &mut dyn FnMut(&Row<'_>) -> io::Result<()>,
    ) -> io::Result<()> {
        let empty = std::mem::take(&mut self.empty);
        if empty.count > 0 {
            let why = match empty.count {
                1 => "is empty, and rows follow; remove it, or write what belongs here".into(),
                more => format!(
                    "{more} empty rows, and rows follow; remove them, or write what belongs here"
                ),
            };
            self.faults.add(Fault::of_line(empty.first, why));
        }
        let Some(row) = check(place, cells, &mut self.currencies, &mut self.faults) else {
            return Ok(());
        };
        let column = |field: Field| {
            let cell = cells[field as usize].as_ref();
            cell.map_or(1, |cell| place.column(cell.at))
        };
        let key = row.has_key.then(|| column(Field::Key));
        let at = At { line: place.number, order: column(Field::OrderId), key };
        let (currencies, faults) = (&self.currencies, &mut self.faults);
        let is_repeat = self.orders.add(at, &row.capture, row.currency, currencies, faults);
        if !self.faults.is_empty() {
            return Ok(());
        }
        let (reference, capture_before) = (row.reference, row.capture_before);
        let (line, capture) = (place.number, row.capture);
        each(&Row { line, capture, reference, capture_before, is_repeat })
    }

    fn finish(mut self, layout: Layout<'_>, lines: Lines<'_>) -> Result<Table, ReadError> {
        let rows = self.orders.len();
        let (repeats, totals) = self.orders.finish(&self.currencies, &mut self.faults);
        let (format, separator, ignored_columns) = match layout {
            Layout::Csv(header) => (Format::Csv, Some(header.separator), header.ignored),
            Layout::JsonLines(members) => (Format::JsonLines, None, members.ignored),
            Layout::Unknown => {
                if self.faults.is_empty() {
                    self.faults.add(Fault::of_line(
                        1,
                        "the file is empty; its first line names the columns",
                    ));
                }
                return Err(ReadError::Faults(self.faults));
            }
        };
        if !self.faults.is_empty() {
            return Err(ReadError::Faults(self.faults));
        }
        let (empty_rows, sha256) = (self.empty.count, lines.sha256());
        Ok(Table { rows, format, separator, ignored_columns, empty_rows, repeats, totals, sha256 })
    }
}

fn refused(fault: Fault) -> ReadError {
    let mut faults = Faults::default();
    faults.add(fault);
    ReadError::Faults(faults)
}

/// The line as text.
fn place<'b>(line: &Line<'b>) -> Result<Place<'b>, Fault> {
    match *line {
        Line::Bytes(number, bytes) => Ok(Place { number, text: lines::text(number, bytes)? }),
        Line::TooLong(number) => {
            let why = format!(
                "is longer than {LONGEST} bytes; a row is shorter: export only the columns that are needed"
            );
            Err(Fault::of_line(number, why))
        }
    }
}
