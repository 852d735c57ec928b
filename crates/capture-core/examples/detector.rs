//! How often the detector of multiplied amounts is right, on order books from a fixed seed:
//! `cargo run --release -p capture-core --example detector -- [FILES]`.
//!
//! Each cell of the table is the share of damaged files in which the damage was found; the first
//! column after the book is the share of undamaged files that were stopped all the same.
#![expect(clippy::disallowed_macros, clippy::disallowed_methods, reason = "it prints a table")]

use std::time::Instant;

use capture_core::limits::{Check, Guard, History, Limits, Tripped};
use capture_core::{Currency, Money};

fn main() {
    let files = std::env::args().nth(1).map_or(1_000, |text| text.parse().expect("a number"));
    let mut dice = Dice(20_261_129);
    for before in [0, 300, 20_000] {
        println!("\n{before} captures before\n");
        print!("| {:<34} | {:>5} |", "book", "rows");
        println!(" stopped | {} |", Damage::ALL.map(Damage::name).join(" | "));
        println!("|---|---:|---:|{}", "---:|".repeat(Damage::ALL.len()));
        for book in Book::ALL {
            for rows in book.sizes() {
                line(book, *rows, before, files, &mut dice);
            }
        }
    }
    flat(&mut dice);
}

/// One line of the table.
fn line(book: Book, rows: usize, before: u64, files: u32, dice: &mut Dice) {
    // The largest files would take most of the time.
    let files = if rows > 1_000 { files.div_ceil(5) } else { files };
    let mut stopped = 0;
    let mut found = Damage::ALL.map(|_| (0, 0));
    for _ in 0..files {
        let mut history = History::default();
        for _ in 0..before {
            let (code, units) = book.amount(dice);
            history.captured(money(code, units), 1);
        }
        let plan: Vec<_> = (0..rows).map(|_| book.amount(dice)).collect();
        stopped += u32::from(!tripped(&plan, &history).is_empty());
        for (damage, (hits, tries)) in Damage::ALL.into_iter().zip(&mut found) {
            let mut plan = plan.clone();
            let Some(damaged) = damage.apply(&mut plan, dice) else { continue };
            *tries += 1;
            *hits += u32::from(is_found(&tripped(&plan, &history), &plan, &damaged));
        }
    }
    let share = |hits: u32, tries: u32| match tries {
        0 => "-".to_owned(),
        _ => format!("{:.1} %", 100.0 * f64::from(hits) / f64::from(tries)),
    };
    let found = found.map(|(hits, tries)| share(hits, tries));
    println!(
        "| {:<34} | {rows:>5} | {:>7} | {} |",
        book.name(),
        share(stopped, files),
        found.join(" | ")
    );
}

/// The rows of a plan have the lines from 2, as in a file with a header.
fn tripped(plan: &[(&'static str, u32)], history: &History) -> Vec<Tripped> {
    let limits = Limits::default();
    let mut check = Check::new(&limits, history);
    for (at, (code, units)) in plan.iter().enumerate() {
        check.add(at as u32 + 2, money(code, *units));
    }
    check.finish()
}

/// Whether the right currency was stopped as a whole, or one of the damaged rows was named.
fn is_found(tripped: &[Tripped], plan: &[(&'static str, u32)], damaged: &[usize]) -> bool {
    let code = plan[damaged[0]].0;
    tripped.iter().filter(|tripped| tripped.currency() == Some(code)).any(|tripped| {
        let is_row = matches!(tripped.guard(), Guard::AmountHigh | Guard::AmountLow);
        !is_row || damaged.iter().any(|at| tripped.lines().contains(&(*at as u32 + 2)))
    })
}

fn money(code: &str, units: u32) -> Money {
    let currency: Currency = code.parse().expect("a code");
    Money::from_minor(units, currency).expect("an amount")
}

#[derive(Debug, Clone, Copy)]
enum Damage {
    RowTimes100,
    RowTimes10,
    RowBy100,
    TwentiethTimes100,
    AllTimes100,
    AllBy100,
    AllTimes10,
    AllTimes1000,
}

impl Damage {
    const ALL: [Self; 8] = [
        Self::RowTimes100,
        Self::RowTimes10,
        Self::RowBy100,
        Self::TwentiethTimes100,
        Self::AllTimes100,
        Self::AllBy100,
        Self::AllTimes10,
        Self::AllTimes1000,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::RowTimes100 => "row x100",
            Self::RowTimes10 => "row x10",
            Self::RowBy100 => "row /100",
            Self::TwentiethTimes100 => "1 in 20 x100",
            Self::AllTimes100 => "all x100",
            Self::AllBy100 => "all /100",
            Self::AllTimes10 => "all x10",
            Self::AllTimes1000 => "all x1000",
        }
    }

    /// Damages the plan and says which rows; `None` where this cannot happen to it. A whole currency
    /// is damaged, not the whole file.
    fn apply(self, plan: &mut [(&'static str, u32)], dice: &mut Dice) -> Option<Vec<usize>> {
        let first = dice.below(plan.len() as u64) as usize;
        let code = plan[first].0;
        let decimals = code.parse::<Currency>().expect("a code").exponent();
        let mut rows: Vec<usize> = match self {
            Self::RowTimes100 | Self::RowTimes10 | Self::RowBy100 => vec![first],
            Self::TwentiethTimes100 if plan.len() < 40 => return None,
            Self::TwentiethTimes100 => {
                (0..plan.len()).filter(|at| plan[*at].0 == code && dice.below(20) == 0).collect()
            }
            Self::AllTimes10 | Self::AllTimes1000 if decimals != 3 => return None,
            _ => (0..plan.len()).filter(|at| plan[*at].0 == code).collect(),
        };
        let damaged = |units: u32| match self {
            Self::RowTimes10 | Self::AllTimes10 => units.checked_mul(10),
            Self::RowBy100 | Self::AllBy100 => Some((units / 100).max(1)),
            Self::AllTimes1000 => units.checked_mul(1000),
            _ => units.checked_mul(100),
        };
        rows.retain(|at| {
            let damaged = damaged(plan[*at].1).filter(|units| *units <= Money::MAX_MINOR_UNITS);
            plan[*at].1 = damaged.unwrap_or(plan[*at].1);
            damaged.is_some()
        });
        (!rows.is_empty()).then_some(rows)
    }
}

#[derive(Debug, Clone, Copy)]
enum Book {
    Shop,
    WideShop,
    WholePrices,
    Subscriptions,
    Marketplace,
    WholeMarketplace,
    Yen,
    Won,
    Dinar,
    Mixed,
}

impl Book {
    const ALL: [Self; 10] = [
        Self::Shop,
        Self::WideShop,
        Self::WholePrices,
        Self::Subscriptions,
        Self::Marketplace,
        Self::WholeMarketplace,
        Self::Yen,
        Self::Won,
        Self::Dinar,
        Self::Mixed,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::Shop => "shop, log-normal 0.8",
            Self::WideShop => "shop, log-normal 1.2",
            Self::WholePrices => "shop, 0.8, whole dollars",
            Self::Subscriptions => "subscriptions, 6 price points",
            Self::Marketplace => "marketplace, Pareto 1.3",
            Self::WholeMarketplace => "marketplace, 1.3, whole dollars",
            Self::Yen => "shop in JPY, 0.8",
            Self::Won => "shop in KRW, 0.8, all end in 00",
            Self::Dinar => "shop in KWD, 0.8, all end in 0",
            Self::Mixed => "USD, EUR, JPY and KWD",
        }
    }

    fn sizes(self) -> &'static [usize] {
        match self {
            Self::Shop => &[1, 5, 10, 20, 200, 10_000],
            Self::WholePrices | Self::Subscriptions => &[10, 200, 10_000],
            Self::Yen | Self::Won | Self::Dinar => &[10, 200],
            _ => &[20, 200, 10_000],
        }
    }

    fn amount(self, dice: &mut Dice) -> (&'static str, u32) {
        let within = |units: f64| units.clamp(1.0, 2e9) as u32;
        let whole = |units: u32, step: u32| (units / step).max(1) * step;
        match self {
            Self::Shop => ("USD", priced(within(dice.log_normal(4_500.0, 0.8)), dice)),
            Self::WideShop => ("USD", priced(within(dice.log_normal(4_500.0, 1.2)), dice)),
            Self::WholePrices => ("USD", whole(within(dice.log_normal(4_500.0, 0.8)), 100)),
            Self::Subscriptions => {
                let units = match dice.below(1_000) {
                    0..600 => 499,
                    600..850 => 999,
                    850..930 => 1_999,
                    930..985 => 4_990, // a year
                    985..998 => 9_900, // a year
                    _ => 49_900,       // a company
                };
                ("USD", units)
            }
            Self::Marketplace => ("USD", within(800.0 / dice.unit().powf(1.0 / 1.3))),
            Self::WholeMarketplace => {
                ("USD", whole(within(800.0 / dice.unit().powf(1.0 / 1.3)), 100))
            }
            Self::Yen => {
                let step = [1, 1, 10, 10, 10, 100, 100][dice.below(7) as usize];
                ("JPY", whole(within(dice.log_normal(4_500.0, 0.8)), step))
            }
            Self::Won => ("KRW", whole(within(dice.log_normal(45_000.0, 0.8)), 100)),
            Self::Dinar => {
                let step = [10, 50, 250][dice.below(3) as usize];
                ("KWD", whole(within(dice.log_normal(12_500.0, 0.8)), step))
            }
            Self::Mixed => match dice.below(100) {
                0..50 => Self::Shop.amount(dice),
                50..80 => ("EUR", Self::Shop.amount(dice).1),
                80..92 => Self::Yen.amount(dice),
                _ => Self::Dinar.amount(dice),
            },
        }
    }
}

/// Half of a shop's prices end in 99, a tenth in 00, and baskets with tax and shipping in anything.
fn priced(units: u32, dice: &mut Dice) -> u32 {
    match dice.below(10) {
        0..5 => units / 100 * 100 + 99,
        5 => (units / 100).max(1) * 100,
        _ => units,
    }
}

/// Flat memory and time: a million rows of one currency.
fn flat(dice: &mut Dice) {
    let plan: Vec<Money> = (0..1_000_000)
        .map(|_| {
            let (code, units) = Book::Shop.amount(dice);
            money(code, units)
        })
        .collect();
    let (limits, history) = (Limits::default(), History::default());
    let began = Instant::now();
    let mut check = Check::new(&limits, &history);
    for (at, money) in plan.iter().enumerate() {
        check.add(at as u32 + 2, *money);
    }
    let tripped = check.finish();
    let nanoseconds = began.elapsed().as_nanos() / plan.len() as u128;
    println!("\n1,000,000 rows: {nanoseconds} ns a row, {} tripped", tripped.len());
}

/// A stream of dice from a seed (SplitMix64).
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }

    /// Above 0, up to 1.
    fn unit(&mut self) -> f64 {
        ((self.next() >> 11) + 1) as f64 / (1_u64 << 53) as f64
    }

    fn log_normal(&mut self, median: f64, sigma: f64) -> f64 {
        let radius = (-2.0 * self.unit().ln()).sqrt();
        let angle = std::f64::consts::TAU * self.unit();
        median * (sigma * radius * angle.cos()).exp()
    }
}
