//! How a run goes: one line that changes on a terminal, a line now and then elsewhere, or events as JSON.

use std::collections::BTreeMap;
use std::io::{self, IsTerminal as _};
use std::time::{Duration, Instant};

use capture_core::{Outcome, one_line};
use capture_journal::{Brake, Ended, IntentId, Stands, Tally};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;

use crate::output;

/// What a run has come to so far.
pub(crate) struct Progress {
    pub(crate) tally: Tally,
    /// Where there is no list: the captures that were met, and where each stands.
    seen: Option<BTreeMap<IntentId, Stands>>,
    bar: Option<ProgressBar>,
    /// Whether a program reads along.
    tells_events: bool,
    began: Instant,
    told_at: Instant,
    brake: Option<Brake>,
    /// What the last capture that was not decided came to.
    trouble: Option<String>,
    /// How many captures this run has decided.
    decided: u64,
    /// Whether this run has sent anything, as far as it knows.
    pub(crate) has_sent: bool,
}

/// Between two lines where there is no terminal.
const PAUSE: Duration = Duration::from_secs(10);

/// Between two events.
const EVENTS: Duration = Duration::from_secs(1);

impl Progress {
    pub(crate) fn new(tally: Tally, is_list: bool, tells_events: bool) -> Self {
        let bar = (io::stderr().is_terminal() && !tells_events).then(|| {
            let bar = ProgressBar::with_draw_target(
                Some(tally.captures()),
                ProgressDrawTarget::stderr_with_hz(5),
            );
            bar.set_style(
                ProgressStyle::with_template("{bar:20} {msg}")
                    .unwrap_or_else(|_| ProgressStyle::default_bar()),
            );
            bar.enable_steady_tick(Duration::from_millis(500));
            bar
        });
        let now = Instant::now();
        let progress = Self {
            tally,
            seen: (!is_list).then(BTreeMap::new),
            bar,
            tells_events,
            began: now,
            told_at: now,
            brake: None,
            trouble: None,
            decided: 0,
            has_sent: false,
        };
        progress.draw();
        if tells_events {
            progress.tell();
        }
        progress
    }

    /// A capture ended.
    pub(crate) fn ended(&mut self, ended: &Ended) {
        // After a restored backup, what nobody has begun here is looked up first as well.
        let from = match ended.was_open && self.tally.count(Stands::Unknown) > 0 {
            true => Stands::Unknown,
            false => Stands::Left,
        };
        let (to, money) = (Stands::after(&ended.outcome), ended.outcome.capture().money());
        match self.seen.as_mut().map(|seen| seen.insert(ended.held.intent, to)) {
            None => self.tally.moves(from, to, money),
            Some(Some(before)) => self.tally.moves(before, to, money),
            Some(None) => self.tally.add(to, money),
        }
        self.decided += u64::from(to.is_decided());
        self.has_sent |= ended.was_sent;
        if !to.is_decided() {
            self.trouble = Some(ended.outcome.to_string());
        }
        self.goes_round();
    }

    /// Time has passed.
    pub(crate) fn goes_round(&mut self) {
        if self.bar.is_some() {
            self.draw();
        } else if self.told_at.elapsed() >= if self.tells_events { EVENTS } else { PAUSE } {
            self.told_at = Instant::now();
            self.tell();
        }
    }

    /// What holds the run back has changed.
    pub(crate) fn brakes(&mut self, brake: Option<Brake>) {
        let says = match brake {
            None if self.brake.is_some() => "at the given rate again".to_owned(),
            None => return,
            Some(Brake::Wait(wait)) => {
                format!("the API asks to wait {} s", wait.as_secs_f64().ceil())
            }
            Some(Brake::Slowed(rate)) => {
                format!("slowed to {rate:.0}/s: the API asks for it (429 or 503)")
            }
            Some(Brake::Outage { next_try }) => format!(
                "paused: half of the latest got no decision; one is tried in {} s{}",
                next_try.as_secs_f64().ceil(),
                self.trouble.as_ref().map_or_else(String::new, |why| format!(" (the last: {why})"))
            ),
        };
        self.brake = brake;
        match self.tells_events {
            true => self.tell(),
            false => self.say(&says),
        }
    }

    /// One line that stays.
    pub(crate) fn say(&self, text: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| output::note(text)),
            None => output::note(text),
        }
    }

    pub(crate) fn end(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }

    /// What there is to say now and then.
    fn tell(&self) {
        if self.tells_events {
            output::json(&self.event());
        } else {
            output::note(&self.line());
        }
    }

    fn event(&self) -> Event<'_> {
        let (slowed_by, wait_s) = match self.brake {
            None => (None, None),
            Some(Brake::Wait(wait)) => (Some("the API asks to wait"), Some(wait.as_secs_f64())),
            Some(Brake::Slowed(_)) => (Some("the API throttles"), None),
            Some(Brake::Outage { next_try }) => {
                (Some("half of the latest got no decision"), Some(next_try.as_secs_f64()))
            }
        };
        Event {
            event: "progress",
            elapsed_s: self.began.elapsed().as_secs_f64(),
            captures: self.tally.captures(),
            done: self.done(),
            per_second: self.per_second(),
            by_outcome: &self.tally,
            slowed_by,
            wait_s,
        }
    }

    fn per_second(&self) -> f64 {
        self.decided as f64 / self.began.elapsed().as_secs_f64().max(0.001)
    }

    fn draw(&self) {
        if let Some(bar) = &self.bar {
            bar.set_position(self.done());
            bar.set_message(self.line());
        }
    }

    fn done(&self) -> u64 {
        self.tally.captures() - self.tally.count(Stands::Left) - self.tally.count(Stands::Unknown)
    }

    fn line(&self) -> String {
        let tally = &self.tally;
        let captured = tally.count(Stands::Captured) + tally.count(Stands::CapturedWithCaveat);
        let rate = self.per_second();
        let left = tally.captures() - self.done();
        let time = if self.decided > 0 && left > 0 {
            format!(" · {} left", span(left as f64 / rate))
        } else {
            String::new()
        };
        format!(
            "{}/{} · captured {captured} ({}) · not {} · unknown {} · {rate:.0}/s{time}",
            self.done(),
            tally.captures(),
            tally.money(Stands::Captured).join(", "),
            tally.count(Stands::NotCaptured),
            tally.count(Stands::Unknown),
        )
    }
}

/// An object a second while a run lasts.
#[derive(Serialize)]
struct Event<'a> {
    event: &'static str,
    elapsed_s: f64,
    captures: u64,
    done: u64,
    per_second: f64,
    by_outcome: &'a Tally,
    slowed_by: Option<&'static str>,
    wait_s: Option<f64>,
}

/// A time for people.
fn span(seconds: f64) -> String {
    match seconds as u64 {
        seconds @ 0..=99 => format!("{seconds} s"),
        seconds @ 100..=5999 => format!("{} min", seconds / 60),
        seconds => format!("{} h", seconds / 3600),
    }
}

/// What became of captures whose outcome could not be recorded.
pub(crate) fn tell_unrecorded(outcomes: &[Outcome], lost: &capture_journal::Lost) {
    output::note(&format!("error: {}", one_line(lost)));
    for outcome in outcomes {
        output::note(&format!("not recorded: order {}: {outcome}", outcome.capture().order_id()));
    }
}
