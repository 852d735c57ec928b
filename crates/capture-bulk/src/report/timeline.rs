//! Outcomes over time: how many were recorded by when, in steps that widen as the list goes on.

use std::fmt::Write as _;
use std::time::SystemTime;

use capture_journal::{Stands, Tally, moment, unix_ms, utc};

use super::page::{class, duration, name};

/// How many steps there are at most.
const STEPS: usize = 60;

/// From the bottom of the picture to the top. What is left fills the rest.
const RECORDED: [Stands; 4] =
    [Stands::Captured, Stands::CapturedWithCaveat, Stands::NotCaptured, Stands::Unknown];

/// Counts by steps of time.
#[derive(Debug)]
pub(super) struct Timeline {
    began_ms: u64,
    step_ms: u64,
    /// What was recorded before the list was planned, by another list or for one order alone.
    before: [u64; 4],
    steps: [[u64; 4]; STEPS],
    /// How many steps have begun.
    used: usize,
}

impl Timeline {
    pub(super) fn new(began: SystemTime) -> Self {
        let began_ms = ms(began);
        Self { began_ms, step_ms: 1, before: [0; 4], steps: [[0; 4]; STEPS], used: 0 }
    }

    /// One more. What is left has no time.
    pub(super) fn add(&mut self, stands: Stands, at: Option<SystemTime>) {
        let Some(at) = at else { return };
        let Some(kind) = RECORDED.iter().position(|it| *it == stands) else { return };
        let Some(since) = ms(at).checked_sub(self.began_ms) else {
            self.before[kind] += 1;
            return;
        };
        while since / self.step_ms >= STEPS as u64 {
            self.widen();
        }
        let step = usize::try_from(since / self.step_ms).expect("fewer than the steps");
        self.steps[step][kind] += 1;
        self.used = self.used.max(step + 1);
    }

    fn widen(&mut self) {
        self.step_ms *= 2;
        // What makes it widen is later than all that is there.
        self.used = 0;
        for step in 0..STEPS {
            self.steps[step] = match self.steps.get(2 * step..2 * step + 2) {
                Some([one, two]) => std::array::from_fn(|kind| one[kind] + two[kind]),
                _ => [0; 4],
            };
        }
    }

    /// How many had been recorded at the end of each step, each kind on top of those before it.
    fn stacked(&self) -> Vec<[u64; 4]> {
        let mut so_far = self.before;
        let mut stacked = Vec::with_capacity(self.used);
        for step in &self.steps[..self.used] {
            let mut height = 0;
            stacked.push(std::array::from_fn(|kind| {
                so_far[kind] += step[kind];
                height += so_far[kind];
                height
            }));
        }
        stacked
    }

    /// The picture, with its text for those who do not see it.
    pub(super) fn svg(&self, html: &mut String, tally: &Tally) {
        let (stacked, all) = (self.stacked(), tally.captures());
        if stacked.is_empty() || all == 0 {
            *html += "<p>Nothing has been recorded since the list was planned.</p>\n";
            return;
        }
        let steps = stacked.len() as u64;
        let began = utc(moment(self.began_ms));
        let ended = utc(moment(self.began_ms + steps * self.step_ms));
        let _ = writeln!(
            html,
            "<figure>\n<svg viewBox=\"0 0 7200 2500\" role=\"img\" aria-labelledby=\"time-t time-d\">\n\
             <title id=\"time-t\">Outcomes over time</title>\n<desc id=\"time-d\">From {began} to {ended}, \
             how many of {all} captures had which outcome. At the end: {}.</desc>",
            words(tally)
        );
        let _ = writeln!(
            html,
            "<rect class=\"l\" x=\"{LEFT}\" y=\"{TOP}\" width=\"{WIDTH}\" height=\"{HEIGHT}\"/>"
        );
        for (kind, stands) in RECORDED.into_iter().enumerate() {
            if tally.count(stands) > 0 {
                let path = path(&stacked, kind, all);
                let _ = writeln!(html, "<path class=\"{}\" d=\"{path}\"/>", class(stands));
            }
        }
        let (right, bottom) = (LEFT + WIDTH, TOP + HEIGHT);
        let _ = writeln!(
            html,
            "<text x=\"{x}\" y=\"{}\" class=\"e\">{all}</text>\n<text x=\"{x}\" y=\"{bottom}\" class=\"e\">0</text>\n\
             <text x=\"{LEFT}\" y=\"{below}\">{began}</text>\n\
             <text x=\"{right}\" y=\"{below}\" class=\"e\">{ended}</text>\n</svg>",
            TOP + 120,
            x = LEFT - 60,
            below = bottom + 200,
        );
        *html += "<figcaption>";
        for stands in Stands::ALL.into_iter().filter(|stands| tally.count(*stands) > 0) {
            let count = tally.count(stands);
            let _ = write!(
                html,
                "<span><i class=\"{}\"></i>{} {count}</span> ",
                class(stands),
                name(stands)
            );
        }
        let before: u64 = self.before.iter().sum();
        if before > 0 {
            let _ =
                write!(html, "<span>{before} were recorded before the list was planned.</span> ");
        }
        let _ = writeln!(
            html,
            "<span>Each capture counts from when its outcome was recorded or, until then, from \
             when a process took it; each step is {}.</span>\
             </figcaption>\n</figure>",
            duration(self.step_ms)
        );
    }
}

// Tenths of a unit, so that nothing is a fraction.
const LEFT: u64 = 700;
const TOP: u64 = 60;
const WIDTH: u64 = 6400;
const HEIGHT: u64 = 2100;

/// The area of one kind: along its top, and back along the top of the kinds below it.
fn path(stacked: &[[u64; 4]], kind: usize, all: u64) -> String {
    let x = |step: usize| LEFT + step as u64 * WIDTH / stacked.len() as u64;
    let y = |count: u64| TOP + HEIGHT - count.min(all) * HEIGHT / all;
    let below = |step: &[u64; 4]| kind.checked_sub(1).map_or(0, |kind| step[kind]);
    let (mut path, mut height) = (format!("M{LEFT} {}", y(0)), y(0));
    let mut go = |x: u64, to: u64| {
        if to != height {
            let _ = write!(path, "H{x}V{to}");
            height = to;
        }
    };
    for (at, step) in stacked.iter().enumerate() {
        go(x(at), y(step[kind]));
    }
    for (at, step) in stacked.iter().enumerate().rev() {
        go(x(at + 1), y(below(step)));
    }
    let _ = write!(path, "H{LEFT}");
    path.push('Z');
    path
}

fn words(tally: &Tally) -> String {
    let there = Stands::ALL.into_iter().filter(|stands| tally.count(*stands) > 0);
    let words =
        there.map(|stands| format!("{} {}", name(stands).to_lowercase(), tally.count(stands)));
    words.collect::<Vec<_>>().join(", ")
}

fn ms(at: SystemTime) -> u64 {
    u64::try_from(unix_ms(at)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// However far apart, no capture is lost, and each is in the step of its time.
    #[test]
    fn steps_widen_and_keep_every_count() {
        for apart_ms in [0, 1, 7, 1000, 86_400_000] {
            let began = moment(1_000_000);
            let mut timeline = Timeline::new(began);
            timeline.add(Stands::Captured, Some(began - Duration::from_secs(5)));
            timeline.add(Stands::Left, None);
            for number in 0..200 {
                let at = began + Duration::from_millis(number * apart_ms);
                let kind = RECORDED[usize::try_from(number % 4).unwrap()];
                timeline.add(kind, Some(at));
                assert!(timeline.used <= STEPS);
            }
            let stacked = timeline.stacked();
            assert_eq!(stacked.last(), Some(&[51, 101, 151, 201]), "{apart_ms}");
            for (at, step) in stacked.iter().enumerate() {
                let ended = (at as u64 + 1) * timeline.step_ms;
                let expected = (0..200).filter(|number| number * apart_ms < ended).count() as u64;
                assert_eq!(step[3], expected + 1, "{apart_ms}: step {at}");
            }
        }
    }

    #[test]
    fn an_area_lies_on_the_one_below_it() {
        let stacked = [[1, 1, 1, 1], [2, 2, 3, 4]];
        let (middle, right) = (LEFT + WIDTH / 2, LEFT + WIDTH);
        let y = |count: u64| TOP + HEIGHT - count * HEIGHT / 4;
        let expected = format!(
            "M{LEFT} {}H{LEFT}V{}H{middle}V{}H{right}V{}H{middle}V{}H{LEFT}Z",
            y(0),
            y(1),
            y(4),
            y(3),
            y(1)
        );
        assert_eq!(path(&stacked, 3, 4), expected);
    }
}
