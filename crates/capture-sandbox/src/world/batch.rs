//! Orders by the thousand: amounts, currencies and capture windows drawn from the sandbox's dice.

use std::ops::RangeInclusive;
use std::time::{Duration, SystemTime};

use capture_core::{Currency, Money, OrderId};

use crate::world::draw::Draw;
use crate::world::orders::NewOrder;
use crate::world::state::World;

/// An order that was drawn, and created.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct DrawnOrder {
    /// Its id.
    pub order: OrderId,
    /// Its money.
    pub money: Money,
    /// When it is voided, unless it is captured before.
    pub void_at: SystemTime,
}

/// The currencies of drawn orders: how many of a hundred have each, and their least and greatest amount
/// in minor units. One has no decimals and one has three, because both are often got wrong.
const CURRENCIES: [(u64, &str, u32, u32); 5] = [
    (60, "USD", 500, 50_000),
    (20, "EUR", 500, 50_000),
    (10, "GBP", 500, 50_000),
    (6, "JPY", 500, 50_000),
    (4, "KWD", 1_000, 150_000),
];

impl World {
    /// Draws and creates one order. Without `windows` it has the window of the settings; else one of
    /// whole seconds between these two.
    pub(crate) fn draw_order(
        &mut self,
        windows: Option<&RangeInclusive<Duration>>,
        now: SystemTime,
    ) -> DrawnOrder {
        let money = money(&mut self.draw);
        let new = NewOrder::new(money);
        let new = match windows {
            Some(windows) => new.window(window(&mut self.draw, windows)),
            None => new,
        };
        let order = self.create_order(new, now);
        let void_at = self.orders.get(order).and_then(|order| order.void_at(now)).unwrap_or(now);
        DrawnOrder { order, money, void_at }
    }
}

/// Small amounts are more frequent than great ones, as they are in shops.
fn money(draw: &mut Draw) -> Money {
    let mut share = draw.below(100);
    let mut currencies = CURRENCIES.iter();
    let (_, code, least, most) = loop {
        let next = currencies.next().expect("the shares are a hundred");
        match share.checked_sub(next.0) {
            Some(rest) => share = rest,
            None => break *next,
        }
    };
    let amounts = u64::from(most - least) + 1;
    let above = draw.below(amounts).min(draw.below(amounts));
    let units = least + u32::try_from(above).expect("it is below a u32");
    let currency: Currency = code.parse().expect("a currency");
    Money::from_minor(units, currency).expect("more than zero")
}

fn window(draw: &mut Draw, windows: &RangeInclusive<Duration>) -> Duration {
    let (least, most) = (windows.start().as_secs(), windows.end().as_secs());
    let seconds = most.saturating_sub(least).saturating_add(1);
    Duration::from_secs(least + draw.below(seconds))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::time::UNIX_EPOCH;

    use super::*;
    use crate::world::Settings;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn every_currency_is_drawn_about_as_often_as_it_should() {
        let mut world = World::new(Settings::default());
        let mut drawn: BTreeMap<String, Vec<u32>> = BTreeMap::new();
        for _ in 0..10_000 {
            let money = world.draw_order(None, UNIX_EPOCH).money;
            drawn.entry(money.currency().to_string()).or_default().push(money.minor_units());
        }
        assert_eq!(CURRENCIES.iter().map(|currency| currency.0).sum::<u64>(), 100);
        for (share, code, least, most) in CURRENCIES {
            let amounts = &drawn[code];
            let expect = usize::try_from(share).unwrap() * 100;
            assert!(amounts.len().abs_diff(expect) < expect / 4, "{code}: {}", amounts.len());
            assert!(amounts.iter().all(|units| (least..=most).contains(units)), "{code}");
            let middle = least.midpoint(most);
            let small = amounts.iter().filter(|units| **units < middle).count();
            assert!(small * 3 > amounts.len() * 2, "{code}: {small} of {}", amounts.len());
        }
    }

    #[test]
    fn windows_are_drawn_from_all_of_the_range() {
        let mut world = World::new(Settings::default());
        let range = 3 * SECOND..=5 * SECOND;
        let mut counts = [0; 3];
        for _ in 0..300 {
            let drawn = world.draw_order(Some(&range), UNIX_EPOCH);
            let window = drawn.void_at.duration_since(UNIX_EPOCH).unwrap();
            counts[usize::try_from(window.as_secs()).unwrap() - 3] += 1;
        }
        assert!(counts.iter().all(|count| (50..150).contains(count)), "{counts:?}");
        for (least, most, expect) in [(7, 7, 7), (7, 3, 7), (0, 0, 0)] {
            let range = least * SECOND..=most * SECOND;
            let drawn = world.draw_order(Some(&range), UNIX_EPOCH);
            assert_eq!(drawn.void_at, UNIX_EPOCH + expect * SECOND);
        }
        let default = world.draw_order(None, UNIX_EPOCH).void_at;
        assert_eq!(default, UNIX_EPOCH + world.settings.window);
        let all = Duration::ZERO..=Duration::MAX;
        let _ = world.draw_order(Some(&all), UNIX_EPOCH);
    }
}
