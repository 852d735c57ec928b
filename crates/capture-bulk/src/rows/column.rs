//! Which column of a file is which field.

use std::fmt;
use std::str::FromStr;

use capture_core::Invalid;

/// What a column, or a member of a JSON object, can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Field {
    /// `order_id`, required.
    OrderId,
    /// `amount`: a decimal with exactly the currency's decimals.
    Amount,
    /// `amount_minor`, in place of `amount`: an integer in the currency's minor unit.
    AmountMinor,
    /// `currency`, required.
    Currency,
    /// `key` or `idempotency_key`; without it the key is derived from the order.
    Key,
    /// `reference`: the merchant's own number.
    Reference,
    /// `capture_before` or `expires_at`: when the authorisation ends.
    CaptureBefore,
    /// `expected_amount`: must equal the amount, in the same unit.
    ExpectedAmount,
}

impl Field {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::OrderId,
        Self::Amount,
        Self::AmountMinor,
        Self::Currency,
        Self::Key,
        Self::Reference,
        Self::CaptureBefore,
        Self::ExpectedAmount,
    ];

    /// Its name, such as `order_id`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::OrderId => "order_id",
            Self::Amount => "amount",
            Self::AmountMinor => "amount_minor",
            Self::Currency => "currency",
            Self::Key => "key",
            Self::Reference => "reference",
            Self::CaptureBefore => "capture_before",
            Self::ExpectedAmount => "expected_amount",
        }
    }

    /// The usual names of its column.
    fn spellings(self) -> &'static [&'static str] {
        match self {
            Self::OrderId => &["order_id"],
            Self::Amount => &["amount"],
            Self::AmountMinor => &["amount_minor"],
            Self::Currency => &["currency"],
            Self::Key => &["key", "idempotency_key"],
            Self::Reference => &["reference"],
            Self::CaptureBefore => &["capture_before", "expires_at"],
            Self::ExpectedAmount => &["expected_amount"],
        }
    }

    fn spelled(folded: &str) -> Option<Self> {
        let is_it = |field: &Self| field.spellings().iter().any(|known| fold(known) == folded);
        Self::ALL.into_iter().find(is_it)
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The names that a file's columns have, where they are not the usual ones.
///
/// Case, `_`, `-` and spaces do not matter. A field without a name after `=` has no column, which
/// makes a column of that name one of the ignored ones.
///
/// ```
/// use capture_bulk::{Columns, Field};
/// let columns: Columns = "order_id=Order,amount=Total,key=".parse()?;
/// assert_eq!(columns, Columns::default().named(Field::OrderId, "Order")?.named(Field::Amount, "Total")?.without(Field::Key));
/// assert!("order=Order".parse::<Columns>().is_err());
/// # Ok::<(), capture_core::Invalid>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Columns([Source; Field::ALL.len()]);

#[derive(Debug, Clone, PartialEq, Eq, Default)]
enum Source {
    /// The usual names.
    #[default]
    Usual,
    Named {
        name: String,
        folded: String,
    },
    Absent,
}

/// What a name in a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Meaning {
    Field(Field),
    /// Nearly this name of a field.
    Near(Field, &'static str),
    Other,
}

impl Columns {
    /// The field's column has this name.
    ///
    /// # Errors
    /// A name without letters, and a column that is another field already.
    pub fn named(mut self, field: Field, name: &str) -> Result<Self, Invalid> {
        let folded = fold(name);
        if folded.is_empty() {
            return Err(Invalid::new("columns", name, "is no name of a column"));
        }
        let is_same = |source: &Source| matches!(source, Source::Named { folded: other, .. } if *other == folded);
        if let Some(taken) = Field::ALL.into_iter().find(|other| is_same(&self.0[*other as usize]))
        {
            let rule = format!("is the column of {taken} already; a column is one field");
            return Err(Invalid::new("columns", name, rule));
        }
        self.0[field as usize] = Source::Named { name: name.trim().to_owned(), folded };
        Ok(self)
    }

    /// No column is this field, whatever its name.
    #[must_use]
    pub fn without(mut self, field: Field) -> Self {
        self.0[field as usize] = Source::Absent;
        self
    }

    /// The name that the caller gave the field's column.
    pub(crate) fn name(&self, field: Field) -> Option<&str> {
        match &self.0[field as usize] {
            Source::Named { name, .. } => Some(name),
            Source::Usual | Source::Absent => None,
        }
    }

    pub(crate) fn meaning(&self, name: &str) -> Meaning {
        let wanted = fold(name);
        let is_named = |field: &Field| matches!(&self.0[*field as usize], Source::Named { folded, .. } if *folded == wanted);
        if let Some(field) = Field::ALL.iter().find(|field| is_named(field)) {
            return Meaning::Field(*field);
        }
        let is_usual = |field: &Field| self.0[*field as usize] == Source::Usual;
        match Field::spelled(&wanted) {
            Some(field) if is_usual(&field) => return Meaning::Field(field),
            Some(_) => return Meaning::Other,
            None => {}
        }
        let usual = Field::ALL.into_iter().filter(is_usual);
        let mut names =
            usual.flat_map(|field| field.spellings().iter().map(move |known| (field, *known)));
        match names.find(|(_, known)| is_near(&wanted, &fold(known))) {
            Some((field, known)) => Meaning::Near(field, known),
            None => Meaning::Other,
        }
    }
}

/// What is wrong with a name that is nearly another.
pub(crate) fn nearly(field: Field, known: &str) -> String {
    format!("is nearly {known}; rename it, or say that it is something else (`{field}=`)")
}

impl FromStr for Columns {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        text.split(',').try_fold(Self::default(), |columns, part| {
            let refuse = |rule: String| Invalid::new("columns", part, rule);
            let Some((field, name)) = part.split_once('=') else {
                return Err(refuse("is not FIELD=NAME; write it like amount=Total".into()));
            };
            let Some(field) = Field::spelled(&fold(field)) else {
                let fields = Field::ALL.map(Field::name).join(", ");
                return Err(refuse(format!("begins with no field; the fields are {fields}")));
            };
            if columns.0[field as usize] != Source::Usual {
                return Err(refuse(format!("names {field} again; give it one column")));
            }
            if name.trim().is_empty() {
                return Ok(columns.without(field));
            }
            columns.named(field, name)
        })
    }
}

/// A name without what does not matter.
fn fold(name: &str) -> String {
    let letters = name.chars().filter(|c| !matches!(c, '_' | '-') && !c.is_whitespace());
    letters.flat_map(char::to_lowercase).collect()
}

/// One slip in a short name, two in a long one. A name of three letters is near to too many words.
fn is_near(name: &str, known: &str) -> bool {
    let slips = match known.len() {
        ..=3 => return false,
        4..=7 => 1,
        _ => 2,
    };
    // The distance takes the product of the lengths.
    name.len() <= known.len() + 8 && strsim::osa_distance(name, known) <= slips
}
