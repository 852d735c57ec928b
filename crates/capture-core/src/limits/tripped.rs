//! What a guard says when it trips.

use std::fmt;

use serde::{Serialize, Serializer};

use super::lines::Lines;

/// A guard, by what it asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Guard {
    /// Does the plan have as many captures as expected?
    ExpectCount,
    /// Does it ask for as much money as expected?
    ExpectTotal,
    /// Does it have no more captures than allowed?
    MaxOrders,
    /// Is no capture larger than allowed?
    MaxAmount,
    /// Does it ask for no more money than allowed?
    MaxTotal,
    /// And with what was captured today?
    MaxDay,
    /// Were all amounts of a currency multiplied?
    FileMultiplied,
    /// Were all amounts of a currency divided?
    FileDivided,
    /// With nothing to compare them with: are all amounts large and round?
    FileRound,
    /// Is an amount far above the usual ones?
    AmountHigh,
    /// Is an amount far below the usual ones?
    AmountLow,
}

impl Guard {
    /// The stable name, such as `amount_high`.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::ExpectCount => "expect_count",
            Self::ExpectTotal => "expect_total",
            Self::MaxOrders => "max_orders",
            Self::MaxAmount => "max_amount",
            Self::MaxTotal => "max_total",
            Self::MaxDay => "max_day",
            Self::FileMultiplied => "file_multiplied",
            Self::FileDivided => "file_divided",
            Self::FileRound => "file_round",
            Self::AmountHigh => "amount_high",
            Self::AmountLow => "amount_low",
        }
    }
}

impl fmt::Display for Guard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl Serialize for Guard {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}

/// A guard that tripped: nothing of the plan may be sent until the file is corrected, or an operator
/// passes [`Tripped::override_with`].
///
/// `Display` is one line for people. Serialised, amounts are decimals in text, exact at any size.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Tripped {
    pub(crate) guard: Guard,
    /// The code; counts have none.
    pub(crate) currency: Option<String>,
    #[serde(flatten)]
    pub(crate) lines: Lines,
    pub(crate) expected: Option<String>,
    pub(crate) found: String,
    #[serde(rename = "override")]
    pub(crate) override_with: String,
    pub(crate) says: String,
}

impl Tripped {
    /// The guard.
    #[must_use]
    pub fn guard(&self) -> Guard {
        self.guard
    }

    /// The code of the currency that it is about; `None` for a count.
    #[must_use]
    pub fn currency(&self) -> Option<&str> {
        self.currency.as_deref()
    }

    /// The lines of the rows that it is about, at most ten; none if it is about all of them.
    #[must_use]
    pub fn lines(&self) -> &[u32] {
        self.lines.named()
    }

    /// How many more rows it is about.
    #[must_use]
    pub fn more(&self) -> u64 {
        self.lines.more()
    }

    /// The count or the amount that it expected, as a decimal: the limit, or the usual amount. `None`
    /// if there is no limit for a currency that needs one.
    #[must_use]
    pub fn expected(&self) -> Option<&str> {
        self.expected.as_deref()
    }

    /// The count or the amount that it found, as a decimal; of many rows the one furthest away.
    #[must_use]
    pub fn found(&self) -> &str {
        &self.found
    }

    /// The flag that overrides this guard and no other, with its value, such as `--allow-amount 17`.
    #[must_use]
    pub fn override_with(&self) -> &str {
        &self.override_with
    }
}

impl fmt::Display for Tripped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.says)
    }
}
