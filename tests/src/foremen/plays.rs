//! The worlds that are played.

use std::collections::BTreeSet;
use std::time::Duration;

use capture_journal::Pace;

use super::misuse::Misuse;
use super::order::{Nature, Order, Rule};
use super::trouble::Trouble;
use super::world::{END, Event, Report, World, world};
use crate::leases::Store;

/// How long a service works in its world, and when the last order arrives.
const SERVICE: Duration = Duration::from_secs(2400);
const LAST_ARRIVAL: u64 = 1500;

/// How long a fleet works.
const FLEET: Duration = Duration::from_secs(150);

/// By then no clock is off any more.
const A_DAY_LATER: Duration = Duration::from_secs(25 * 3600);

/// Plays one world to its end.
#[must_use]
pub fn play(seed: u64, misuse: Option<Misuse>) -> Report {
    let mut world = world(seed, misuse);
    let hosts = 1 + world.chance.below(2, "hosts", 0) as usize;
    (0..hosts).for_each(|host| world.opens(host));
    world.run();
    // What is left in doubt is settled by a later run.
    world.now += Duration::from_secs(3600);
    world.is_calm = true;
    world.opens(0);
    world.run();
    world.judges_the_end();
    world.report
}

/// Plays a world of one foreman in which nothing goes wrong.
#[must_use]
pub fn calm(seed: u64) -> Report {
    let mut world = world(seed, None);
    (world.is_calm, world.outage) = (true, (Duration::ZERO, Duration::ZERO));
    world.orders.iter_mut().for_each(|order| order.nature = Nature::Captures);
    world.opens(0);
    world.run();
    world.judges_the_end();
    world.report
}

/// Plays a world of services, in which orders arrive all the time, and an outage may outlast the patience of
/// a run. In a calm one nothing goes wrong, and each order begins soon.
#[must_use]
pub fn serve(seed: u64, misuse: Option<Misuse>, is_calm: bool) -> Report {
    let mut world = world(seed, misuse);
    world.orders.truncate(60);
    world.report.orders = 60;
    world.pace = Pace { stays: true, give_up_after: Duration::from_secs(300), ..world.pace };
    (world.is_calm, world.end) = (is_calm, SERVICE);
    let lasts = if is_calm { 0 } else { world.chance.below(900, "outage", 2) };
    world.outage.1 = world.outage.0 + Duration::from_secs(lasts);
    world.store = Store::new(false, None);
    for order in 0..world.orders.len() {
        let at = world.chance.millis(0, LAST_ARRIVAL * 1000, "arrival", order as u64);
        world.later(at, Event::Written(order));
    }
    let hosts = if is_calm { 1 } else { 1 + world.chance.below(2, "hosts", 0) as usize };
    (0..hosts).for_each(|host| world.opens(host));
    world.run();
    if let Some(order) = world.orders.iter().position(|order| is_calm && order.begun == 0) {
        world.broken(Rule::TakenSoon, || format!("order {order} was never begun"));
    }
    // It is killed in the end. What is left in doubt is settled by a later run.
    (0..hosts).for_each(|host| world.ended(host));
    world.queue.clear();
    world.pace.stays = false;
    (world.is_calm, world.now, world.end) = (true, SERVICE + Duration::from_secs(3600), END);
    world.opens(0);
    world.run();
    world.judges_the_end();
    world.report
}

/// Plays a world of services on several hosts that have leases in one journal, and clocks of their own. Clocks
/// are right again a day later.
#[must_use]
pub fn hosts(seed: u64, misuse: Option<Misuse>, off: &BTreeSet<Trouble>) -> Report {
    let mut world = fleet(seed, misuse, 60);
    world.off = off.clone();
    let chance = world.chance;
    for number in 0..world.orders.len() as u64 {
        if chance.once_in(6, "declines", number) {
            world.orders[number as usize].nature = Nature::Declines;
        }
        // They come in crowds, so that something is claimed and not yet begun.
        let crowd = chance.below(4, "crowd", number);
        let at = chance.millis(0, 100_000, "crowd at", crowd);
        world.later(at, Event::Written(number as usize));
    }
    let hosts = 2 + chance.below(3, "hosts", 0) as usize;
    (0..hosts).for_each(|host| world.opens(host));
    finish(world)
}

/// Plays a world of ten hosts that share a rate: they come at any moment, some leave, die or stand still. In a
/// calm one all come at once, and stay.
#[must_use]
pub fn share(seed: u64, misuse: Option<Misuse>, is_calm: bool) -> Report {
    let mut world = fleet(seed, misuse, 300);
    (world.is_calm, world.is_api_well, world.end) = (is_calm, !is_calm, Duration::from_secs(60));
    world.pace.per_second = Some(20);
    for order in 0..world.orders.len() {
        world.orders[order].nature = Nature::Captures;
        world.later(Duration::ZERO, Event::Written(order));
    }
    let chance = world.chance;
    let latest = if is_calm { 1 } else { [100, 3000, 15_000][chance.below(3, "come", 0) as usize] };
    let mut opens: Vec<_> = (0..10).map(|host| chance.millis(0, latest, "comes", host)).collect();
    opens.sort_unstable();
    for (host, at) in opens.into_iter().enumerate() {
        world.later(at, Event::Opens(host));
    }
    finish(world)
}

/// Plays a world in which this misuse shows, if the seed has one.
#[must_use]
pub fn against(misuse: Misuse, seed: u64) -> Report {
    match misuse {
        Misuse::Leaves | Misuse::IgnoresWhatArrives => serve(seed, Some(misuse), seed % 2 == 0),
        Misuse::IgnoresTheSharers | Misuse::HearsOfSharersOnce => {
            share(seed, Some(misuse), seed % 2 == 0)
        }
        _ if misuse.is_shown_by().is_empty() => play(seed, Some(misuse)),
        _ => hosts(seed, Some(misuse), &BTreeSet::new()),
    }
}

fn fleet(seed: u64, misuse: Option<Misuse>, orders: usize) -> World {
    let mut world = world(seed, misuse);
    let chance = world.chance;
    world.orders = (0..orders).map(|number| Order::new(number, chance)).collect();
    world.report.orders = orders;
    world.store = Store::new(true, misuse.and_then(Misuse::of_the_store));
    world.pace = Pace { stays: true, per_second: Some(4), ..world.pace };
    world.outage = (Duration::ZERO, Duration::ZERO);
    (world.is_fleet, world.end) = (true, FLEET);
    world
}

/// In the end all hosts are killed, or stopped where none may die. What is left is done a day later.
fn finish(mut world: World) -> Report {
    world.run();
    world.is_closing = true;
    for host in 0..world.hosts.len() {
        match world.has(Trouble::Dies) {
            true => world.ended(host),
            false => world.stops_at_last(host),
        }
    }
    world.end += Duration::from_secs(120);
    world.run();
    world.queue.clear();
    world.pace.stays = false;
    (world.is_calm, world.is_closing) = (true, false);
    world.now = FLEET + A_DAY_LATER;
    world.end = world.now + END;
    world.opens(0);
    world.run();
    world.judges_the_end();
    world.report
}
