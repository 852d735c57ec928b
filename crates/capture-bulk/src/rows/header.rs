//! The header of a CSV file: which column is which field, and the cells of a row by it.

use std::borrow::Cow;

use capture_core::{OrderId, printable};

use super::cell::{Cell, Cells, Place};
use super::column::{Columns, Field, Meaning, nearly};
use super::csv::{Separator, Span, spans, text};
use super::fault::{Fault, Faults};

/// More columns than any export of orders has.
const MOST: usize = 256;

/// What the header says.
#[derive(Debug)]
pub(crate) struct Header {
    pub(crate) separator: Separator,
    pub(crate) ignored: Vec<String>,
    line: u32,
    columns: [Option<usize>; Field::ALL.len()],
    width: usize,
    /// Of the row in hand, kept for its memory.
    spans: Vec<Span>,
}

impl Header {
    /// Reads the header; `None` if there are faults in it, without which no row can be read.
    pub(crate) fn read(place: Place<'_>, columns: &Columns, faults: &mut Faults) -> Option<Self> {
        if is_empty(place.text) {
            faults.add(Fault::of_line(place.number, "is empty; the first line names the columns"));
            return None;
        }
        if place.text.starts_with("sep=") {
            let why =
                "is for a spreadsheet only; remove it, so that the first line names the columns";
            faults.add(Fault::of_line(place.number, why).showing(place.text));
            return None;
        }
        let (separator, spans) = match separate(place, columns) {
            Ok(separated) => separated,
            Err(fault) => {
                faults.add(fault);
                return None;
            }
        };
        if spans.len() > MOST {
            let why = format!("more than {MOST} columns; export only those that are needed");
            faults.add(Fault::of_line(place.number, why));
            return None;
        }
        let names: Vec<_> = spans.iter().map(|span| text(place.text, *span)).collect();
        let mut header = Self {
            separator,
            ignored: Vec::new(),
            line: place.number,
            columns: [None; Field::ALL.len()],
            width: names.len(),
            spans: Vec::new(),
        };
        let before = faults.count();
        header.assign(place, &spans, &names, columns, faults);
        header.require(place, &names, columns, faults);
        (faults.count() == before).then_some(header)
    }

    /// Which column is which field.
    fn assign(
        &mut self,
        place: Place<'_>,
        spans: &[Span],
        names: &[Cow<'_, str>],
        columns: &Columns,
        faults: &mut Faults,
    ) {
        let mut near = Vec::new();
        for (index, name) in names.iter().enumerate() {
            match columns.meaning(name) {
                Meaning::Field(field) => {
                    if let Some(first) = self.columns[field as usize].replace(index) {
                        let first = printable(&names[first], 60);
                        let why = format!("is {field}, as \"{first}\" is; keep one of them");
                        faults.add(place.fault(spans[index].start, why).of("column").showing(name));
                    }
                }
                Meaning::Near(field, known) => near.push((index, field, known)),
                Meaning::Other if name.trim().is_empty() => {}
                Meaning::Other => self.ignored.push(printable(name, 60)),
            }
        }
        for (index, field, known) in near {
            let name = &names[index];
            if self.columns[field as usize].is_some() {
                self.ignored.push(printable(name, 60));
                continue;
            }
            // It is not missing beside this, only misspelled.
            self.columns[field as usize] = Some(index);
            let fault = place.fault(spans[index].start, nearly(field, known));
            faults.add(fault.of("column").showing(name));
        }
    }

    /// The columns that a file needs, and those that the caller named.
    fn require(
        &self,
        place: Place<'_>,
        names: &[Cow<'_, str>],
        columns: &Columns,
        faults: &mut Faults,
    ) {
        let has = |field: Field| self.columns[field as usize].is_some();
        if has(Field::Amount) && has(Field::AmountMinor) {
            let why =
                "has amount and amount_minor; keep one of them, because they have different units";
            faults.add(Fault::of_line(place.number, why));
        }
        if names.iter().any(|name| name.parse::<OrderId>().is_ok()) {
            let why = "is a row; put a line with the names of the columns above it";
            faults.add(Fault::of_line(place.number, why));
            return;
        }
        let list: Vec<_> = names.iter().map(|name| format!("\"{name}\"")).collect();
        let mut list = format!("; the header has {}", printable(&list.join(", "), 300));
        for field in Field::ALL {
            let is_needed = match field {
                Field::OrderId | Field::Currency => true,
                Field::Amount => {
                    !has(Field::AmountMinor) && columns.name(Field::AmountMinor).is_none()
                }
                _ => false,
            };
            let named = columns.name(field);
            if has(field) || !(is_needed || named.is_some()) {
                continue;
            }
            let name = printable(named.unwrap_or(field.name()), 60);
            let why = format!("no column is named {name}{list}");
            list.clear(); // once is enough
            faults.add(Fault::of_line(place.number, why).of(field.name()));
        }
    }

    /// The cells of a row; `None` if all of them are empty.
    pub(crate) fn cells<'a>(&mut self, place: Place<'a>) -> Result<Option<Cells<'a>>, Fault> {
        let line = place.text;
        spans(place, self.separator, &mut self.spans)?;
        let is_blank = |span: &Span| text(line, *span).trim().is_empty();
        if self.spans.iter().all(is_blank) {
            return Ok(None);
        }
        if self.spans.len() != self.width {
            return Err(Fault::of_line(place.number, self.other_width(line)));
        }
        Ok(Some(self.columns.map(|index| {
            let span = self.spans[index?];
            Some(Cell { text: text(line, span), at: span.start, unreadable: None })
        })))
    }

    /// Why a row has more or fewer columns than the header, as far as one can tell.
    fn other_width(&self, line: &str) -> String {
        let (has, width) = (self.spans.len(), self.width);
        let s = if has == 1 { "" } else { "s" };
        let why = format!("{has} column{s}; the header in line {} has {width}", self.line);
        if has < width {
            return why;
        }
        let amounts = [Field::Amount, Field::AmountMinor, Field::ExpectedAmount];
        let cut = amounts.iter().filter(|_| self.separator == Separator::Comma).find_map(|field| {
            let index = self.columns[*field as usize]?;
            let (whole, fraction) = (self.spans.get(index)?, self.spans.get(index + 1)?);
            let is_number = |span: &Span| {
                let text = &line[span.start..span.end];
                !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
            };
            (is_number(whole) && is_number(fraction)).then(|| &line[whole.start..fraction.end])
        });
        match cut {
            Some(cut) => {
                let cut = printable(cut, 60);
                format!("{why}; {cut} is cut by its decimal comma: write it with a point")
            }
            None => format!("{why}; a field that holds a {} goes into quotes", self.separator),
        }
    }
}

/// The separator that finds most of the known names, and then the most columns.
fn separate(place: Place<'_>, columns: &Columns) -> Result<(Separator, Vec<Span>), Fault> {
    let mut best = None;
    for separator in Separator::ALL {
        let mut found = Vec::new();
        let result = spans(place, separator, &mut found);
        let is_known = |span: &&Span| columns.meaning(&text(place.text, **span)) != Meaning::Other;
        let rank = match result {
            Ok(()) => (1, found.iter().filter(is_known).count(), found.len()),
            Err(_) => (0, 0, 0),
        };
        if best.as_ref().is_none_or(|(most, _)| rank > *most) {
            best = Some((rank, result.map(|()| (separator, found))));
        }
    }
    best.expect("there are three separators").1
}

fn is_empty(line: &str) -> bool {
    line.trim_matches([',', ';', '\t', ' ']).is_empty()
}
