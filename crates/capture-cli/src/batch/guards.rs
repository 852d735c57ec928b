//! The guards of a list, as flags, and what they found.

use capture_core::Currency;
use capture_core::limits::{Limits, Sum, Tripped};
use clap::Args;
use serde::Serialize;

use crate::config::BadInput;
use crate::output;

/// What a list must have and may not exceed (docs/guards.md).
#[derive(Args)]
#[command(next_help_heading = "Guards")]
pub(crate) struct Guards {
    /// The list has exactly so many captures
    #[arg(long, value_name = "N")]
    expect_count: Option<u64>,
    /// The list asks for exactly this much, such as USD=12345.00; once for each currency
    #[arg(long, value_name = "CODE=AMOUNT", allow_hyphen_values = true)]
    expect_total: Vec<String>,
    /// The list has at most so many captures
    #[arg(long, value_name = "N")]
    max_orders: Option<u64>,
    /// No capture is of more, such as USD=500.00
    #[arg(long, value_name = "CODE=AMOUNT", allow_hyphen_values = true)]
    max_amount: Vec<String>,
    /// All captures of the list are of no more together
    #[arg(long, value_name = "CODE=AMOUNT", allow_hyphen_values = true)]
    max_total: Vec<String>,
    /// So are they with what was captured today (UTC)
    #[arg(long, value_name = "CODE=AMOUNT", allow_hyphen_values = true)]
    max_day: Vec<String>,
    /// The amount in this line is right, however unusual
    #[arg(long, value_name = "LINE")]
    allow_amount: Vec<u32>,
    /// So many unusual amounts of a currency are right, such as USD=3
    #[arg(long, value_name = "CODE=N", allow_hyphen_values = true)]
    allow_amounts: Vec<String>,
    /// The amounts of this currency are right, though far from what was captured before
    #[arg(long, value_name = "CODE", allow_hyphen_values = true)]
    amounts_are_right: Vec<String>,
}

impl Guards {
    pub(crate) fn limits(&self) -> Result<Limits, BadInput> {
        let sums = |texts: &[String]| -> Result<Vec<Sum>, BadInput> {
            texts.iter().map(|text| Ok(text.parse()?)).collect()
        };
        let mut limits = Limits::default();
        if let Some(count) = self.expect_count {
            limits = limits.expect_count(count);
        }
        if let Some(count) = self.max_orders {
            limits = limits.max_orders(count);
        }
        limits = sums(&self.expect_total)?.into_iter().fold(limits, Limits::expect_total);
        limits = sums(&self.max_amount)?.into_iter().fold(limits, Limits::max_amount);
        limits = sums(&self.max_total)?.into_iter().fold(limits, Limits::max_total);
        limits = sums(&self.max_day)?.into_iter().fold(limits, Limits::max_day);
        limits = self.allow_amount.iter().copied().fold(limits, Limits::allow_amount);
        for text in &self.allow_amounts {
            let parsed = text.split_once('=').and_then(|(code, count)| {
                Some((code.parse::<Currency>().ok()?, count.parse().ok()?))
            });
            let Some((currency, count)) = parsed else {
                let sentence = format!(
                    "allow amounts {text:?}: must be a currency and a number, such as USD=3"
                );
                return Err(BadInput::new("allow_amounts", sentence));
            };
            limits = limits.allow_amounts(currency, count);
        }
        for code in &self.amounts_are_right {
            limits = limits.amounts_are_right(code.parse()?);
        }
        Ok(limits)
    }
}

/// Says which guards tripped.
pub(crate) fn tell(name: &str, tripped: &[Tripped], json: bool) {
    for guard in tripped {
        output::note(&format!("{name}: {guard}"));
    }
    output::note("nothing was sent");
    if json {
        #[derive(Serialize)]
        struct Told<'a> {
            error: &'a str,
            field: &'a str,
            guards: &'a [Tripped],
        }
        output::json(&Told {
            error: "a guard tripped; nothing was sent",
            field: "guards",
            guards: tripped,
        });
    }
}
