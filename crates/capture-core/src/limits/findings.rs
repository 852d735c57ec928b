//! The sentences of the guards: what was found, what was expected, and which flag overrides it.

use super::detector::Whole;
use super::lines::{Lines, NAMED};
use super::sketch::Sketch;
use super::sum::{Sum, grouped};
use super::tripped::{Guard, Tripped};

/// Amounts that are too far from the usual one.
pub(crate) struct Outliers {
    pub(crate) lines: Lines,
    pub(crate) count: u64,
    /// The one that is furthest away.
    pub(crate) furthest: Sum,
}

pub(crate) fn count(guard: Guard, found: u64, expected: u64) -> Tripped {
    let (flag, shown) = (flag(guard), grouped(&found.to_string()));
    let override_with = format!("{flag} {found}");
    let captures = if found == 1 { "capture" } else { "captures" };
    let says = match guard {
        Guard::ExpectCount => {
            format!(
                "the plan has {shown} {captures}, and {flag} says {}",
                grouped(&expected.to_string())
            )
        }
        _ => format!("the plan has {shown} {captures}, more than {flag} {expected}"),
    };
    Tripped {
        guard,
        currency: None,
        lines: Lines::default(),
        expected: Some(expected.to_string()),
        found: found.to_string(),
        says: format!("{says}; if {shown} is right, pass {override_with}"),
        override_with,
    }
}

pub(crate) fn total(guard: Guard, found: Sum, expected: Option<Sum>) -> Tripped {
    let flag = flag(guard);
    let shown = found.grouped();
    let why = match (guard, expected) {
        (_, None) => format!("{flag} does not name {}", found.currency()),
        (Guard::ExpectTotal, Some(expected)) => format!("{flag} says {}", expected.grouped()),
        (_, Some(expected)) => format!("no more than {flag} {} is allowed", expected.flag()),
    };
    let says = format!("the plan has {shown}, and {why}");
    tripped(guard, Lines::default(), found, expected, &says, &format!("if {shown} is right"))
}

/// Rows above the ceiling for one capture.
pub(crate) fn above(lines: &Lines, highest: Sum, limit: Option<Sum>) -> Tripped {
    let (guard, flag) = (Guard::MaxAmount, flag(Guard::MaxAmount));
    let is_one = lines.count() == 1;
    let shown = highest.grouped();
    let says = match (limit, is_one) {
        (Some(limit), true) => format!("{lines}: {shown} is more than {flag} {}", limit.flag()),
        (Some(limit), false) => {
            format!("{lines}: up to {shown}, more than {flag} {}", limit.flag())
        }
        (None, true) => {
            format!("{lines}: {shown}, and {flag} does not name {}", highest.currency())
        }
        (None, false) => {
            format!("{lines}: up to {shown}, and {flag} does not name {}", highest.currency())
        }
    };
    tripped(guard, lines.clone(), highest, limit, &says, if_right(is_one))
}

pub(crate) fn day(plan: Sum, today: Sum, found: Sum, limit: Option<Sum>) -> Tripped {
    let (guard, flag) = (Guard::MaxDay, flag(Guard::MaxDay));
    let why = match limit {
        Some(limit) => format!("no more than {flag} {} is allowed", limit.flag()),
        None => format!("{flag} does not name {}", found.currency()),
    };
    let says = format!(
        "the plan has {}, which with {} of today is {}, and {why}",
        plan.grouped(),
        today.grouped(),
        found.grouped()
    );
    tripped(
        guard,
        Lines::default(),
        found,
        limit,
        &says,
        &format!("if {} is right", found.grouped()),
    )
}

/// Single amounts. `all` is how many are strange in this currency, on both sides.
pub(crate) fn outliers(
    guard: Guard,
    outliers: Outliers,
    usual: Sum,
    is_before: bool,
    all: u64,
) -> Tripped {
    let Outliers { lines, count, furthest } = outliers;
    let is_one = count == 1;
    let code = usual.currency();
    let override_with = if all <= NAMED as u64 {
        let named: Vec<String> = lines.named().iter().map(u32::to_string).collect();
        format!("--allow-amount {}", named.join(","))
    } else {
        format!("--allow-amounts {code}={all}")
    };
    let measure = if is_before { "of what was captured before" } else { "of this file" };
    let usual_shown = usual.grouped();
    let times = times(furthest, usual);
    let shown = furthest.grouped();
    let amount = match (guard, is_one) {
        (_, true) => format!("{shown} is"),
        (Guard::AmountHigh, false) => format!("up to {shown},"),
        (_, false) => format!("down to {shown},"),
    };
    let says = format!(
        "{lines}: {amount} {times} the usual amount ({usual_shown}) {measure}; {}, pass {override_with}",
        if_right(is_one)
    );
    Tripped {
        guard,
        currency: Some(code.code().to_owned()),
        lines,
        expected: Some(usual.decimal()),
        found: furthest.decimal(),
        override_with,
        says,
    }
}

/// All amounts of a currency.
pub(crate) fn whole(what: Whole, file: &Sketch, before: Option<&Sketch>) -> Tripped {
    let sum = |minor_units: u32| Sum::new(minor_units.into(), file.currency);
    let code = file.currency.code();
    let rows = grouped(&file.count().to_string());
    let middle = sum(file.shown(file.median()));
    let before_count = before.map_or(0, Sketch::count);
    let then = before.map_or(middle, |before| sum(before.shown(before.median())));
    let compared = format!(
        "{} that of the {} captured before ({})",
        times(middle, then),
        grouped(&before_count.to_string()),
        then.grouped()
    );
    let (guard, expected, found, says) = match what {
        Whole::Multiplied { zeros } => {
            let says = format!(
                "all {rows} amounts in {code} end in {zeros}, and the middle one ({}) is {compared}",
                middle.grouped()
            );
            (Guard::FileMultiplied, then, middle, says)
        }
        Whole::Divided => {
            let says = format!(
                "the middle one of the {rows} amounts in {code} ({}) is {compared}",
                middle.grouped()
            );
            (Guard::FileDivided, then, middle, says)
        }
        Whole::Round { from } => {
            let says = format!(
                "all {rows} amounts in {code} end in 00, and nine in ten are {} or more: they may \
                 have been multiplied by 100",
                sum(from).grouped()
            );
            (Guard::FileRound, sum(from), middle, says)
        }
    };
    let override_with = format!("--amounts-are-right {code}");
    Tripped {
        guard,
        currency: Some(code.to_owned()),
        lines: Lines::of(Vec::new(), file.count()),
        expected: Some(expected.decimal()),
        found: found.decimal(),
        says: format!("{says}; if they are right, pass {override_with}"),
        override_with,
    }
}

/// A limit for a sum, which is overridden by naming the sum that was found.
fn tripped(
    guard: Guard,
    lines: Lines,
    found: Sum,
    expected: Option<Sum>,
    says: &str,
    if_right: &str,
) -> Tripped {
    let override_with = format!("{} {}", flag(guard), found.flag());
    Tripped {
        guard,
        currency: Some(found.currency().code().to_owned()),
        lines,
        expected: expected.map(|expected| expected.decimal()),
        found: found.decimal(),
        says: format!("{says}; {if_right}, pass {override_with}"),
        override_with,
    }
}

/// The flag that sets a limit.
fn flag(guard: Guard) -> String {
    format!("--{}", guard.code().replace('_', "-"))
}

fn if_right(is_one: bool) -> &'static str {
    if is_one { "if it is right" } else { "if they are right" }
}

/// `100 times`, or `1/100 of`.
fn times(amount: Sum, usual: Sum) -> String {
    let (amount, usual) = (amount.minor_units().max(1), usual.minor_units().max(1));
    let ratio = |more: u128, less: u128| grouped(&((more + less / 2) / less).to_string());
    if amount >= usual {
        format!("{} times", ratio(amount, usual))
    } else {
        format!("1/{} of", ratio(usual, amount))
    }
}
