//! The guards of a plan: what each says, where exactly it trips, and what never trips.

use capture_core::limits::{Check, Guard, History, Limits, Sum, Tripped};
use capture_core::{Currency, Money};
use proptest::prelude::*;

use crate::cases;

const DOCS: &str = include_str!("../../../../docs/guards.md");

fn money(text: &str) -> Money {
    let (amount, code) = text.split_once(' ').expect("an amount and a code");
    Money::parse(amount, code).expect("an amount")
}

fn sum(flag: &str) -> Sum {
    flag.parse().expect("a flag")
}

fn currency(code: &str) -> Currency {
    code.parse().expect("a code")
}

fn minor(units: u32) -> Money {
    Money::from_minor(units, currency("USD")).expect("an amount")
}

/// Hands the rows in, the first of them as line 2.
fn check(limits: &Limits, history: &History, rows: &[Money]) -> Vec<Tripped> {
    let mut check = Check::new(limits, history);
    for (line, money) in (2..).zip(rows) {
        check.add(line, *money);
    }
    check.finish()
}

fn said(limits: &Limits, history: &History, rows: &[Money]) -> Vec<String> {
    check(limits, history, rows).iter().map(Tripped::to_string).collect()
}

/// So many captures before, at each of these amounts.
fn before(amounts: &[&str], times: u64) -> History {
    let mut history = History::default();
    amounts.iter().for_each(|amount| history.captured(money(amount), times));
    history
}

#[test]
fn each_limit_says_both_numbers_and_how_to_override_it() {
    let rows = ["10.00 USD", "700.00 USD", "1500 JPY", "900.00 USD"].map(money);
    let limits = Limits::default;
    for (limits, expected) in [
        (limits(), &[][..]),
        (limits().expect_count(4).max_orders(4), &[]),
        (limits().expect_total(sum("USD=1610.00")).expect_total(sum("JPY=1500")), &[]),
        (limits().max_amount(sum("USD=900.00")).max_amount(sum("JPY=1500")), &[]),
        (limits().max_total(sum("USD=1610.00")).max_total(sum("JPY=1500")), &[]),
        (limits().max_day(sum("USD=2010.00")).max_day(sum("JPY=1500")), &[]),
        (
            limits().expect_count(1_050),
            &["the plan has 4 captures, and --expect-count says 1,050; if 4 is right, \
               pass --expect-count 4"],
        ),
        (
            limits().expect_count(3),
            &["the plan has 4 captures, and --expect-count says 3; if 4 is right, \
               pass --expect-count 4"],
        ),
        (
            limits().expect_total(sum("USD=1609.99")).expect_total(sum("JPY=1500")),
            &[
                "the plan has 1,610.00 USD, and --expect-total says 1,609.99 USD; if 1,610.00 USD is \
               right, pass --expect-total USD=1610.00",
            ],
        ),
        (
            limits().max_orders(3),
            &["the plan has 4 captures, more than --max-orders 3; if 4 is right, \
               pass --max-orders 4"],
        ),
        (
            limits().expect_total(sum("USD=12345.00")).expect_total(sum("EUR=5.00")),
            &[
                "the plan has 0.00 EUR, and --expect-total says 5.00 EUR; if 0.00 EUR is right, \
                 pass --expect-total EUR=0.00",
                "the plan has 1,500 JPY, and --expect-total does not name JPY; if 1,500 JPY is \
                 right, pass --expect-total JPY=1500",
                "the plan has 1,610.00 USD, and --expect-total says 12,345.00 USD; if 1,610.00 USD \
                 is right, pass --expect-total USD=1610.00",
            ],
        ),
        (
            limits().max_amount(sum("USD=899.99")).max_amount(sum("JPY=1500")),
            &["line 5: 900.00 USD is more than --max-amount USD=899.99; if it is right, \
               pass --max-amount USD=900.00"],
        ),
        (
            // Of two limits both hold.
            limits().max_amount(sum("USD=500.00")).max_amount(sum("USD=800.00")),
            &[
                "line 4: 1,500 JPY, and --max-amount does not name JPY; if it is right, \
                 pass --max-amount JPY=1500",
                "lines 3 and 5: up to 900.00 USD, more than --max-amount USD=500.00; if they are \
                 right, pass --max-amount USD=900.00",
            ],
        ),
        (
            limits().max_total(sum("USD=1609.99")),
            &[
                "the plan has 1,500 JPY, and --max-total does not name JPY; if 1,500 JPY is right, \
                 pass --max-total JPY=1500",
                "the plan has 1,610.00 USD, and no more than --max-total USD=1609.99 is allowed; if \
                 1,610.00 USD is right, pass --max-total USD=1610.00",
            ],
        ),
        (
            limits().max_day(sum("USD=2009.99")).max_day(sum("JPY=1500")),
            &["the plan has 1,610.00 USD, which with 400.00 USD of today is 2,010.00 USD, and no \
               more than --max-day USD=2009.99 is allowed; if 2,010.00 USD is right, \
               pass --max-day USD=2010.00"],
        ),
    ] {
        let mut history = History::default();
        history.today(sum("USD=150.00"));
        history.today(sum("USD=250.00"));
        assert_eq!(said(&limits, &history, &rows), expected, "{limits:?}");
    }
}

#[test]
fn an_empty_plan_is_not_what_was_expected() {
    let limits = Limits::default().expect_count(2).max_amount(sum("USD=1.00")).max_orders(0);
    let expected = [
        "the plan has 0 captures, and --expect-count says 2; if 0 is right, pass --expect-count 0",
    ];
    assert_eq!(said(&limits, &History::default(), &[]), expected);
}

#[test]
fn sums_never_overflow() {
    let mut history = History::default();
    history.today(Sum::new(u128::MAX, currency("USD")));
    history.today(Sum::new(u128::MAX, currency("USD")));
    history.captured(minor(5), u64::MAX);
    history.captured(minor(500), u64::MAX);
    let limits = Limits::default().max_day(sum("USD=5.00"));
    assert_eq!(check(&limits, &history, &[minor(1)])[0].guard(), Guard::MaxDay);
    let rows = vec![minor(Money::MAX_MINOR_UNITS); 3];
    let limits = Limits::default().expect_total(sum("USD=64424509.41"));
    assert_eq!(said(&limits, &History::default(), &rows), [""; 0]);
}

/// A plan of 9.99 with something strange in line 12.
fn plan(strange: &[&str]) -> Vec<Money> {
    let mut rows = vec![money("9.99 USD"); 10];
    rows.extend(strange.iter().map(|text| money(text)));
    rows
}

#[test]
fn the_detector_names_line_amount_and_usual_amount() {
    let none = History::default();
    let some = before(&["9.99 USD", "12.50 USD"], 60);
    let right = Limits::default;
    for (history, limits, strange, expected) in [
        (&none, right(), &[][..], &[][..]),
        // 32 times, and an amount that was multiplied by 100 ends in 00.
        (&none, right(), &["310.00 USD"], &[]),
        (
            &none,
            right(),
            &["999.00 USD"],
            &[
                "line 12: 999.00 USD is 100 times the usual amount (9.99 USD) of this file; if it is \
               right, pass --allow-amount 12",
            ],
        ),
        (&none, right(), &["999.01 USD"], &[]),
        (
            &none,
            right(),
            &["19999.01 USD"],
            &[
                "line 12: 19,999.01 USD is 2,002 times the usual amount (9.99 USD) of this file; if \
               it is right, pass --allow-amount 12",
            ],
        ),
        (
            &none,
            right(),
            &["0.09 USD", "999.00 USD"],
            &[
                "line 13: 999.00 USD is 100 times the usual amount (9.99 USD) of this file; if it \
                 is right, pass --allow-amount 13",
                "line 12: 0.09 USD is 1/111 of the usual amount (9.99 USD) of this file; if it is \
                 right, pass --allow-amount 12",
            ],
        ),
        (&none, right().allow_amount(12), &["999.00 USD"], &[]),
        (
            &none,
            right().allow_amount(11),
            &["999.00 USD"],
            &[
                "line 12: 999.00 USD is 100 times the usual amount (9.99 USD) of this file; if it is \
               right, pass --allow-amount 12",
            ],
        ),
        // Against the journal, ten times is strange too, and what was captured twice is not.
        (
            &some,
            right(),
            &["99.90 USD"],
            &["line 12: 99.90 USD is 10 times the usual amount (9.99 USD) of what was captured \
               before; if it is right, pass --allow-amount 12"],
        ),
        (&some, right().amounts_are_right(currency("USD")), &["99.90 USD"], &[]),
        (&before(&["9.99 USD", "99.90 USD"], 60), right(), &["99.90 USD"], &[]),
    ] {
        let rows = plan(strange);
        assert_eq!(said(&limits, history, &rows), expected, "{strange:?} {limits:?}");
    }
}

#[test]
fn fewer_than_eight_rows_and_a_hundred_captures_say_nothing() {
    let strange = |usual: usize| {
        let mut rows = vec![money("9.99 USD"); usual];
        rows.push(money("999.00 USD"));
        rows
    };
    let said = |history: &History, rows: &[Money]| check(&Limits::default(), history, rows).len();
    assert_eq!(said(&History::default(), &strange(6)), 0);
    assert_eq!(said(&History::default(), &strange(7)), 1);
    assert_eq!(said(&before(&["9.99 USD"], 99), &strange(0)), 0);
    assert_eq!(said(&before(&["9.99 USD"], 100), &strange(0)), 1);
}

/// How many rows of a plan are strange, beside what was captured before. Both are amounts and how often
/// they occur.
fn strange(before: &[(&str, u64)], rows: &[(&str, usize)]) -> u64 {
    let mut history = History::default();
    before.iter().for_each(|(amount, times)| history.captured(money(amount), *times));
    let rows: Vec<Money> =
        rows.iter().flat_map(|(amount, times)| vec![money(amount); *times]).collect();
    let tripped = check(&Limits::default(), &history, &rows);
    assert!(
        tripped
            .iter()
            .all(|found| found.guard() == Guard::AmountHigh || found.guard() == Guard::AmountLow),
        "{tripped:?}"
    );
    tripped.iter().map(|found| found.lines().len() as u64 + found.more()).sum()
}

#[test]
fn what_is_strange_depends_on_the_tail() {
    const FAR: [(&str, usize); 4] =
        [("999.00 USD", 4), ("1999.00 USD", 3), ("4999.00 USD", 2), ("9999.00 USD", 3)];
    let file = |others: &[(&'static str, usize)]| [others, &FAR].concat();
    for (before, rows, expected) in [
        // Without zeros at its end an amount is strange from ten times as far on.
        (&[][..], vec![("9.99 USD", 10), ("3999.01 USD", 1)], 0),
        // What was captured twice is not strange, and many more if they were among a million.
        (&[("9.99 USD", 120), ("999.00 USD", 1)], vec![("999.00 USD", 1)], 1),
        (&[("9.99 USD", 120), ("999.00 USD", 2)], vec![("999.00 USD", 1)], 0),
        (&[("9.99 USD", 1_000_000), ("0.09 USD", 3_000)], vec![("0.09 USD", 1)], 1),
        (&[("9.99 USD", 1_000_000), ("0.09 USD", 4_000)], vec![("0.09 USD", 1)], 0),
        (&[("9.99 USD", 1_000_000), ("0.09 USD", 3_000)], vec![("0.09 USD", 2)], 0),
        // Many rows far away that all end in 00, where the others do not.
        (&[], file(&[("9.99 USD", 400)]), 12),
        (&[], file(&[("10.00 USD", 400)]), 0),
        (&[], file(&[("9.99 USD", 400), ("700.01 USD", 1)]), 0),
        // A price that occurs often, and a tail that goes on as it began.
        (&[], vec![("9.99 USD", 400), ("999.00 USD", 30)], 0),
        (
            &[],
            vec![("10.00 USD", 175), ("100.00 USD", 20), ("1000.00 USD", 4), ("2000.00 USD", 1)],
            0,
        ),
        // From 20.00 and 100.00, at the 25th and the 5th place, it goes on to 15,100.00.
        (
            &[],
            vec![("10.00 USD", 175), ("20.00 USD", 20), ("100.00 USD", 4), ("1000.00 USD", 1)],
            0,
        ),
        (
            &[],
            vec![("10.00 USD", 175), ("20.00 USD", 20), ("100.00 USD", 4), ("20000.00 USD", 1)],
            1,
        ),
        // Against the journal as well: 1 in 30 files from 32 times on, 1 in 300 below.
        (
            &[("10.00 USD", 175), ("20.00 USD", 20), ("100.00 USD", 5)],
            vec![("10.00 USD", 20), ("2000.00 USD", 1)],
            1,
        ),
        // Of amounts that end in 00, the usual ones say what is rare.
        (
            &[],
            vec![
                ("9.99 USD", 800),
                ("20.00 USD", 100),
                ("99.99 USD", 30),
                ("300.01 USD", 8),
                ("999.00 USD", 1),
            ],
            1,
        ),
    ] {
        assert_eq!(strange(before, &rows), expected, "{before:?} {rows:?}");
    }
}

#[test]
fn of_equal_amounts_the_first_lines_are_named() {
    let (limits, history) = (Limits::default(), before(&["9.99 USD"], 120));
    let mut check = Check::new(&limits, &history);
    (2..50).for_each(|line| check.add(line, money("9.99 USD")));
    (50..62).rev().for_each(|line| check.add(line, money("999.00 USD")));
    let tripped = check.finish();
    assert_eq!((tripped[0].lines(), tripped[0].more()), (&(50..60).collect::<Vec<_>>()[..], 2));
}

#[test]
fn the_page_has_every_guard() {
    let guards = [
        Guard::ExpectCount,
        Guard::ExpectTotal,
        Guard::MaxOrders,
        Guard::MaxAmount,
        Guard::MaxTotal,
        Guard::MaxDay,
        Guard::FileMultiplied,
        Guard::FileDivided,
        Guard::FileRound,
        Guard::AmountHigh,
        Guard::AmountLow,
    ];
    for guard in guards {
        assert!(DOCS.contains(&format!("`{guard}`")), "docs/guards.md says nothing of {guard}");
    }
    // And what this one says, word for word.
    let limits = Limits::default().expect_total(sum("USD=12345.00"));
    let rows = ["10.00 USD", "1600.00 USD"].map(money);
    let said = said(&limits, &History::default(), &rows);
    assert!(DOCS.contains(&format!("| `{}` |", said[0])), "{said:?}");
}

#[test]
fn many_rows_are_counted_and_allowed_by_their_number_only() {
    let mut rows = vec![money("9.99 USD"); 400];
    rows.extend((0..12).map(|n| minor(99_900 + 20_000 * n)));
    let none = History::default();
    let expected = "lines 404, 405, 406, 407, 408, 409, 410, 411, 412, 413 and 2 more: up to \
                    3,199.00 USD, 320 times the usual amount (9.99 USD) of this file; if they are \
                    right, pass --allow-amounts USD=12";
    assert_eq!(said(&Limits::default(), &none, &rows), [expected]);
    let allow = |code, count| Limits::default().allow_amounts(currency(code), count);
    assert_eq!(said(&allow("USD", 12), &none, &rows), [""; 0]);
    for other in [allow("USD", 11), allow("USD", 13), allow("EUR", 12)] {
        assert_eq!(said(&other, &none, &rows), [expected], "{other:?}");
    }
    // Those that are allowed by line are not counted again.
    assert_eq!(said(&allow("USD", 11).allow_amount(404), &none, &rows), [""; 0]);
}

#[test]
fn a_whole_currency_is_asked_about_once() {
    let none = History::default();
    let yen = before(&["1500 JPY", "3980 JPY", "990 JPY"], 40);
    let dinar = before(&["12.500 KWD", "9.750 KWD", "30.000 KWD"], 40);
    let dollars = before(&["9.99 USD", "15.00 USD", "45.00 USD"], 40);
    let right = |code| Limits::default().amounts_are_right(currency(code));
    for (history, limits, rows, expected) in [
        (&yen, Limits::default(), vec![money("1500 JPY"); 8], &[][..]),
        (
            &yen,
            Limits::default(),
            vec![money("150000 JPY"); 8],
            &[
                "all 8 amounts in JPY end in 00, and the middle one (150,000 JPY) is 100 times that \
               of the 120 captured before (1,500 JPY); if they are right, \
               pass --amounts-are-right JPY",
            ],
        ),
        (&yen, right("JPY"), vec![money("150000 JPY"); 8], &[]),
        (
            &yen,
            right("USD"),
            vec![money("15 JPY"); 9],
            &[
                "the middle one of the 9 amounts in JPY (15 JPY) is 1/100 of that of the 120 captured \
               before (1,500 JPY); if they are right, pass --amounts-are-right JPY",
            ],
        ),
        (
            &dinar,
            Limits::default(),
            ["125.000 KWD", "97.500 KWD", "125.010 KWD"].map(money).repeat(3),
            &[
                "all 9 amounts in KWD end in 0, and the middle one (125.000 KWD) is 10 times that of \
               the 120 captured before (12.500 KWD); if they are right, \
               pass --amounts-are-right KWD",
            ],
        ),
        (
            &dinar,
            Limits::default(),
            vec![money("12500.000 KWD"); 8],
            &[
                "all 8 amounts in KWD end in 00, and the middle one (12,500.000 KWD) is 1,000 times \
               that of the 120 captured before (12.500 KWD); if they are right, \
               pass --amounts-are-right KWD",
            ],
        ),
        (
            &dinar,
            Limits::default(),
            vec![money("1.250 KWD"); 8],
            &["the middle one of the 8 amounts in KWD (1.250 KWD) is 1/10 of that of the 120 \
               captured before (12.500 KWD); if they are right, pass --amounts-are-right KWD"],
        ),
        // An amount with cents or, in KWD, an odd one: they were not multiplied.
        (
            &dinar,
            Limits::default().allow_amounts(currency("KWD"), 8),
            [vec![money("125.000 KWD"); 8], vec![money("125.001 KWD")]].concat(),
            &[],
        ),
        (
            &dollars,
            Limits::default().allow_amounts(currency("USD"), 8),
            [vec![money("1500.00 USD"); 8], vec![money("1500.01 USD")]].concat(),
            &[],
        ),
        (&dollars, right("USD"), [vec![money("1500.00 USD"); 8], plan(&[])].concat(), &[]),
        (
            &none,
            Limits::default(),
            vec![money("1000.00 USD"); 8],
            &[
                "all 8 amounts in USD end in 00, and nine in ten are 1,000.00 USD or more: they may \
               have been multiplied by 100; if they are right, pass --amounts-are-right USD",
            ],
        ),
        (&none, right("USD"), vec![money("1000.00 USD"); 8], &[]),
        (&none, Limits::default(), vec![money("999.00 USD"); 8], &[]),
        (
            &none,
            Limits::default(),
            [vec![money("1000.00 USD"); 19], vec![money("20.00 USD")]].concat(),
            &["all 20 amounts in USD end in 00, and nine in ten are 1,000.00 USD or more: they \
                 may have been multiplied by 100; if they are right, pass --amounts-are-right USD"],
        ),
        (&none, Limits::default(), vec![money("1000.00 USD"); 7], &[]),
        (&none, Limits::default(), vec![money("1000.00 HUF"); 8], &[]),
        (&dollars, Limits::default(), vec![money("100.00 USD"); 8], &[]),
        (
            &none,
            Limits::default(),
            [vec![money("1000.00 USD"); 8], vec![money("1000.01 USD")]].concat(),
            &[],
        ),
    ] {
        assert_eq!(said(&limits, history, &rows), expected, "{limits:?} {rows:?}");
    }
}

/// The JSON that `--json` shows; a script may read it.
#[test]
fn the_serialised_forms_are_pinned() {
    let limits = Limits::default().max_orders(10).max_amount(sum("USD=500.00"));
    let tripped = check(&limits, &History::default(), &plan(&["999.00 USD"]));
    let expected = r#"[{"guard":"max_orders","currency":null,"lines":[],"more":0,"expected":"10","found":"11","override":"--max-orders 11","says":"the plan has 11 captures, more than --max-orders 10; if 11 is right, pass --max-orders 11"},{"guard":"max_amount","currency":"USD","lines":[12],"more":0,"expected":"500.00","found":"999.00","override":"--max-amount USD=999.00","says":"line 12: 999.00 USD is more than --max-amount USD=500.00; if it is right, pass --max-amount USD=999.00"},{"guard":"amount_high","currency":"USD","lines":[12],"more":0,"expected":"9.99","found":"999.00","override":"--allow-amount 12","says":"line 12: 999.00 USD is 100 times the usual amount (9.99 USD) of this file; if it is right, pass --allow-amount 12"}]"#;
    assert_eq!(serde_json::to_string(&tripped).unwrap(), expected);
    let limits = Limits::default()
        .max_day(sum("USD=2.00"))
        .max_day(sum("EUR=1.00"))
        .max_day(sum("USD=1"))
        .max_day(sum("USD=2"))
        .allow_amount(17)
        .allow_amount(3)
        .allow_amounts(currency("USD"), 12)
        .amounts_are_right(currency("JPY"));
    let expected = r#"{"expect_count":null,"expect_total":[],"max_orders":null,"max_amount":[],"max_total":[],"max_day":["EUR=1.00","USD=1.00","USD=2.00"],"allow_amount":[3,17],"allow_amounts":[["USD",12]],"amounts_are_right":["JPY"]}"#;
    assert_eq!(serde_json::to_string(&limits).unwrap(), expected);
}

/// A plan of which no amount is more than half above another.
fn tight() -> impl Strategy<Value = Vec<u32>> {
    (500_u32..1_000_000)
        .prop_flat_map(|least| proptest::collection::vec(least..=least + least / 2, 8..150))
}

proptest! {
    #![proptest_config(cases(64))]

    #[test]
    fn a_plan_within_its_limits_never_trips(units in tight(), today in 0_u128..1_000_000) {
        let rows: Vec<Money> = units.iter().map(|units| minor(*units)).collect();
        let total: u128 = units.iter().map(|units| u128::from(*units)).sum();
        let usd = |units| Sum::new(units, currency("USD"));
        let mut history = History::default();
        history.today(usd(today));
        let limits = Limits::default()
            .expect_count(rows.len() as u64)
            .expect_total(usd(total))
            .max_orders(rows.len() as u64)
            .max_amount(usd(u128::from(*units.iter().max().unwrap())))
            .max_total(usd(total))
            .max_day(usd(total + today))
            .amounts_are_right(currency("USD")); // all may be large and end in 00
        prop_assert_eq!(said(&limits, &history, &rows), [""; 0]);
        let one_less = limits.max_day(usd(total + today - 1));
        prop_assert_eq!(check(&one_less, &history, &rows).len(), 1);
    }

    #[test]
    fn one_row_of_a_tight_plan_times_100_trips(mut units in tight(), at: prop::sample::Index) {
        let at = at.index(units.len());
        units[at] *= 100;
        for by in [1, 100] { // and one that was divided
            let units = units.iter().enumerate().map(|(n, units)| match by {
                100 if n == at => units / 10_000,
                _ => *units,
            });
            let rows: Vec<Money> = units.map(|units| minor(units.max(1))).collect();
            let limits = Limits::default().amounts_are_right(currency("USD"));
            let tripped = check(&limits, &History::default(), &rows);
            prop_assert_eq!(tripped.len(), 1, "{:?}", rows);
            let line = at as u32 + 2;
            prop_assert_eq!(tripped[0].lines(), [line]);
            prop_assert_eq!(said(&limits.allow_amount(line), &History::default(), &rows), [""; 0]);
        }
    }

    /// Amounts from every order of magnitude, with history and limits: the verdict is the same whatever
    /// the order of the rows.
    #[test]
    fn the_order_of_the_rows_makes_no_difference(
        rows in proptest::collection::vec((0..4_usize, 1_u32..=i32::MAX as u32, 0..31_u32), 1..120),
        times in 0_u64..300,
        shift: prop::sample::Index,
    ) {
        let codes = ["USD", "JPY", "KWD", "EUR"];
        let mut rows: Vec<(u32, Money)> = (2..).zip(&rows).map(|(line, (code, units, smaller))| {
            let units = (units >> smaller).max(1);
            (line, Money::from_minor(units, currency(codes[*code])).unwrap())
        }).collect();
        let history = before(&["9.99 USD", "450 JPY", "20.000 KWD"], times);
        let limits = Limits::default()
            .expect_count(60)
            .max_amount(sum("USD=1000.00"))
            .max_total(sum("JPY=50000"))
            .allow_amount(5);
        let mut verdicts = Vec::new();
        let shift = shift.index(rows.len());
        for _ in 0..3 {
            let mut check = Check::new(&limits, &history);
            rows.iter().for_each(|(line, money)| check.add(*line, *money));
            verdicts.push(serde_json::to_string(&check.finish()).unwrap());
            rows.rotate_left(shift);
            rows.reverse();
        }
        prop_assert_eq!(&verdicts[0], &verdicts[1]);
        prop_assert_eq!(&verdicts[0], &verdicts[2]);
    }
}
