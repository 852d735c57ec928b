//! What is judged: when a capture begins, when a turn has taken place, when something is told, and at the end.

use std::time::Duration;

use capture_core::Outcome;
use capture_journal::{Held, How, Pace, Standing, Story, Turn, Turned, Work};

use super::order::{Nature, Rule};
use super::world::World;

/// How soon what arrives begins, where a service has nothing else to do: it looks once a second.
const SOON: Duration = Duration::from_millis(1500);

/// How long after the last outage and the last opening the last order is decided at the latest.
const BOUND: Duration = Duration::from_secs(1200);

const OUTAGE_ORDERS: usize = 70;

/// By how many first sends so many hosts may be beyond the rate, over any time: their bursts, and what is on
/// its way at those that have not yet heard of another one.
pub(crate) fn slack(pace: &Pace, hosts: usize) -> f64 {
    let burst = pace.per_second.unwrap_or(0).div_ceil(5) as usize;
    (burst.max(hosts) + hosts * pace.concurrency) as f64
}

impl World {
    /// What is known of the orders that this turn settles.
    pub(crate) fn stories_of(&self, turn: &Turn) -> Vec<Story> {
        let orders = turn.settled.iter().map(|(_, outcome)| outcome.capture().order_id());
        orders.filter_map(|order| self.store.story(order)).collect()
    }

    pub(crate) fn judges_the_turn(
        &mut self,
        host: usize,
        turn: &Turn,
        before: &[Story],
        turned: &Turned,
    ) {
        let fence = self.hosts[host].fence;
        let is_open = |story: &Story| {
            story.claims.last().is_some_and(|claim| {
                claim.fence == fence && !story.entries.iter().any(|entry| entry.claim == claim.id)
            })
        };
        let open = self.store.all().iter().filter(|story| is_open(story)).count();
        let most = self.pace.concurrency + self.pace.ahead;
        if open > most {
            self.broken(Rule::FewInDoubtAfterACrash, || format!("{open} claimed at once"));
        }
        for (((held, found), before), told) in turn.settled.iter().zip(before).zip(&turned.told) {
            self.judges_what_is_late(*held, found, before, told);
        }
    }

    /// Evidence counts whenever it comes; a holder whose capture another one took over has no other say.
    fn judges_what_is_late(&mut self, held: Held, found: &Outcome, before: &Story, told: &Outcome) {
        let order = before.capture.order_id();
        let is_late = before.claims.last().is_some_and(|claim| claim.id != held.claim);
        match found {
            Outcome::Captured(_) => {
                if is_late {
                    self.count("late captured");
                }
                if !matches!(told, Outcome::Captured(_)) {
                    self.broken(Rule::LateYesCounts, || format!("{order}: {told}"));
                }
            }
            Outcome::NotCaptured(_) if is_late && before.standing().decided().is_none() => {
                self.count("late not captured");
                let after = self.store.story(order).expect("it was settled").standing();
                let decides = matches!(after, Standing::Ready | Standing::NotCaptured(..));
                if decides || matches!(told, Outcome::NotCaptured(_)) {
                    let after = after.name();
                    self.broken(Rule::LateNoDecidesNothing, || format!("{order} is {after}"));
                }
            }
            _ => {}
        }
    }

    pub(crate) fn judges_the_ledger(&mut self, order: usize) {
        let (captures, now) = (self.orders[order].captures, self.now);
        // With locks the next one may be faster than what is still on its way: there the server's key is needed.
        if captures > 1 && self.is_fleet {
            self.broken(Rule::CapturedOnce, || format!("order {order} at {now:?}"));
        }
    }

    pub(crate) fn judges_the_start(
        &mut self,
        host: usize,
        work: &Work,
        order: usize,
        is_outside: bool,
    ) {
        let now = self.now;
        let fence = self.hosts[host].fence;
        let story = self.store.story(self.orders[order].capture.order_id());
        let mut claims = story.iter().flat_map(|story| &story.claims);
        let is_claimed = claims.any(|it| it.id == work.held.claim && it.fence == fence);
        if !is_claimed {
            self.broken(Rule::ClaimedBeforeSent, || format!("order {order} at {now:?}"));
        }
        let is_fresh = matches!(work.how, How::Fresh(_));
        if is_fresh && self.orders[order].was_sent {
            self.broken(Rule::NeverAfresh, || format!("order {order} at {now:?}"));
        }
        let written_at = self.orders[order].written_at;
        let is_awaited = self.is_calm && self.pace.stays && !self.is_fleet;
        if is_fresh && is_awaited && now > written_at + SOON {
            self.broken(Rule::TakenSoon, || format!("order {order} of {written_at:?} at {now:?}"));
        }
        let is_out = self.is_out();
        let per_second = self.pace.per_second.map_or(usize::MAX, |rate| rate as usize);
        let concurrency = self.pace.concurrency;
        let it = &mut self.hosts[host];
        it.running += 1;
        if is_fresh {
            it.starts.push_back(now);
            while it.starts.front().is_some_and(|at| *at + Duration::from_secs(1) <= now) {
                it.starts.pop_front();
            }
            it.begun_in_outage += usize::from(is_out);
        }
        let (running, begun) = (it.running, it.starts.len());
        let (is_stopped, wait_until, in_outage) =
            (it.is_stopped, it.wait_until, it.begun_in_outage);
        if !is_outside && (running > concurrency || begun > per_second + per_second / 5) {
            let what = || format!("{running} at once, {begun} in a second");
            self.broken(Rule::AtMostSoMany, what);
        }
        if is_stopped {
            self.broken(Rule::NothingAfterTheStop, || format!("order {order} at {now:?}"));
        }
        if now < wait_until {
            self.broken(Rule::SlowsDown, || format!("at {now:?}, and not before {wait_until:?}"));
        }
        if in_outage > OUTAGE_ORDERS {
            self.broken(Rule::FewInAnOutage, || format!("{in_outage} by {now:?}"));
        }
        if is_fresh && self.is_fleet {
            self.judges_the_rate();
        }
    }

    /// A first send of any host: over each time that ends now, how many were beyond the rate?
    fn judges_the_rate(&mut self) {
        let rate = f64::from(self.pace.per_second.unwrap_or(u32::MAX));
        let (since, beyond) = self.meter;
        let drained = beyond - rate * (self.now - since).as_secs_f64();
        let beyond = drained.max(0.0) + 1.0;
        self.meter = (self.now, beyond);
        self.report.begun_at = self.now;
        self.report.beyond = self.report.beyond.max(beyond);
        let slack = slack(&self.pace, self.hosts.len());
        if beyond > slack {
            let (now, hosts) = (self.now, self.hosts.len());
            let what = || format!("{beyond} beyond the rate of {hosts} hosts at {now:?}");
            self.broken(Rule::SharedRate, what);
        }
    }

    pub(crate) fn is_told(&mut self, held: Held, outcome: &Outcome) {
        let story = self.store.story(outcome.capture().order_id()).expect("it was settled");
        let order = outcome.capture().order_id();
        let standing = story.standing();
        let is_recorded = match outcome {
            Outcome::Captured(_) => matches!(standing, Standing::Captured(..)),
            Outcome::NotCaptured(it) if it.reason().is_decided() => {
                matches!(standing, Standing::NotCaptured(..))
            }
            _ => story.entries.iter().any(|entry| entry.claim == held.claim),
        };
        if !is_recorded {
            self.broken(Rule::RecordedBeforeTold, || format!("{order}: {outcome}"));
        }
        let its = self.orders.iter().find(|it| it.capture == story.capture).expect("one of ours");
        let (had_trouble, written_at) = (its.begun > 2, its.written_at);
        let (now, first) = (self.now, self.outage.1.max(self.opened_at).max(written_at));
        // Clocks that are off make some wait longer.
        let is_timely = !self.is_fleet && !had_trouble;
        if standing.decided().is_some() && is_timely && now > first + BOUND {
            self.broken(Rule::DelaysNoOther, || format!("{order} was decided at {now:?}"));
        }
    }

    pub(crate) fn judges_the_end(&mut self) {
        for story in self.store.all() {
            let number = story.capture.order_id();
            let order = self.orders.iter().find(|it| it.capture == story.capture);
            let order = order.expect("one of ours");
            let (is_captured, is_declined) = (order.captures > 0, order.is_declined);
            let (standing, nature) = (story.standing(), order.nature);
            let is_true = match standing {
                Standing::Captured(..) => is_captured,
                Standing::NotCaptured(..) => is_declined,
                _ => true,
            };
            if !is_true {
                self.broken(Rule::True, || format!("{number} is recorded as {}", standing.name()));
            }
            if standing.decided().is_none() && nature != Nature::Undecidable {
                self.broken(Rule::EveryOneDecided, || format!("{number} is {}", standing.name()));
            }
        }
    }
}
