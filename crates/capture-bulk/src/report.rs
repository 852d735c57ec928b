//! The report of a list: one HTML file for people, complete in itself.

mod latency;
mod page;
mod rows;
mod timeline;

use std::fmt::Write as _;
use std::time::SystemTime;

use capture_journal::{Line, Run, Standing, Stands, Story, Tally, utc};

use crate::plan::PlanId;
use latency::Latency;
use page::{Text, name};
use rows::Rows;
use timeline::Timeline;

/// What a report says of the list itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// The list.
    pub run: Run,
    /// Where it was captured.
    pub environment: String,
    /// The hash of the journal's last record, to note it elsewhere.
    pub journal_head: Option<[u8; 32]>,
    /// When the report is made. A deadline after that has not been missed yet.
    pub made_at: SystemTime,
}

/// Takes the lines of a list one by one, and becomes an HTML file. However long the list is, memory does not
/// grow: of lines that need attention the first 1,000 are kept, and of all others what they add up to.
///
/// The file has no script and loads nothing. All text of the list is escaped.
#[derive(Debug)]
pub struct Report {
    head: Head,
    tally: Tally,
    timeline: Timeline,
    latency: Latency,
    /// Captured, and the proof shows no amount.
    unproven: u64,
    /// What is not plainly captured, the worst first.
    open: [(Stands, Rows); 4],
    late: Rows,
}

/// What needs attention, the worst first.
const OPEN: [Stands; 4] =
    [Stands::Unknown, Stands::CapturedWithCaveat, Stands::NotCaptured, Stands::Left];

/// How many lines a table has at most.
const MOST: u64 = 1000;

impl Report {
    /// A report without lines.
    #[must_use]
    pub fn new(head: Head) -> Self {
        Self {
            timeline: Timeline::new(head.run.at),
            head,
            tally: Tally::default(),
            unproven: 0,
            latency: Latency::default(),
            open: OPEN.map(|stands| (stands, Rows::default())),
            late: Rows::default(),
        }
    }

    /// The next line, and what the journal has of its capture.
    pub fn add(&mut self, line: &Line, story: &Story) {
        let standing = story.standing();
        let stands = Stands::of(story);
        self.tally.add(stands, line.capture.money());
        let is_unproven =
            matches!(&standing, Standing::Captured(receipt, _) if !receipt.amount_verified());
        self.unproven += u64::from(is_unproven);
        let recorded = recorded_at(story, &standing);
        self.timeline.add(stands, recorded);
        // Each run has its own entry.
        for entry in &story.entries {
            self.latency.add(entry.outcome.attempts_this_run());
        }
        if let Some((_, rows)) = self.open.iter_mut().find(|(open, _)| *open == stands) {
            rows.add(MOST, || rows::open(line, story.told().as_ref()));
        }
        let captured_at = match standing {
            Standing::Captured(_, at) => Some(at),
            _ => None,
        };
        let ends = line.capture_before.filter(|ends| {
            captured_at.map_or(*ends <= self.head.made_at, |captured| captured >= *ends)
        });
        if let Some(ends) = ends {
            self.late.add(MOST, || rows::late(line, ends, stands, recorded));
        }
    }

    /// What the lines so far add up to.
    #[must_use]
    pub fn tally(&self) -> &Tally {
        &self.tally
    }

    /// The whole file.
    #[must_use]
    pub fn html(&self) -> String {
        let mut html = String::new();
        page::begin(&mut html, &format!("Run {}: {}", self.head.run.id.0, self.head.run.name));
        self.head(&mut html);
        self.totals(&mut html);
        html += "<section>\n<h2>Outcomes over time</h2>\n";
        self.timeline.svg(&mut html, &self.tally);
        html += "</section>\n<section>\n<h2>Latency of the API</h2>\n";
        self.latency.write(&mut html);
        html += "</section>\n";
        self.attention(&mut html);
        self.deadlines(&mut html);
        page::end(&mut html);
        html
    }

    fn head(&self, html: &mut String) {
        let Head { run, environment, journal_head, made_at } = &self.head;
        let (unknown, all) = (self.tally.count(Stands::Unknown), self.tally.captures());
        let sentence = match (unknown, self.tally.count(Stands::Left)) {
            (0, 0) => "Every capture is decided.".to_owned(),
            (0, left) => format!("{left} of {all} not sent."),
            (unknown, _) => format!("{unknown} of {all} unknown: hold the goods."),
        };
        let _ = writeln!(html, "<p class=\"verdict\">{sentence}</p>\n<dl>");
        let mut say = |what: &str, text: &str| {
            let _ = writeln!(html, "<dt>{what}</dt><dd>{}</dd>", Text(text));
        };
        say("List", &run.name);
        say("Run", &run.id.0.to_string());
        say("Plan", &PlanId(run.plan).to_string());
        say("Environment", environment);
        say(
            "Guards",
            match run.guards.as_deref() {
                None => "not written down",
                Some("") => "those that are always on",
                Some(guards) => guards,
            },
        );
        say("Planned", &utc(run.at));
        say("Report made", &utc(*made_at));
        if let Some(head) = journal_head {
            let hex: String = head.iter().map(|byte| format!("{byte:02x}")).collect();
            say("Head of the journal", &hex);
        }
        *html += "</dl>\n";
    }

    fn totals(&self, html: &mut String) {
        *html += "<section>\n<h2>Totals</h2>\n<table class=\"totals\">\n\
                  <caption>Captures and money by outcome and currency</caption>\n\
                  <thead><tr><th scope=\"col\">Outcome</th><th scope=\"col\">Currency</th>\
                  <th scope=\"col\" class=\"n\">Captures</th><th scope=\"col\" class=\"n\">Amount</th>\
                  </tr></thead>\n<tbody>\n";
        for stands in Stands::ALL {
            for (currency, sum) in self.tally.sums(stands) {
                let _ = writeln!(
                    html,
                    "<tr><th scope=\"row\"><i class=\"{}\"></i>{}</th><td>{}</td>\
                     <td class=\"n\">{}</td><td class=\"n\">{}</td></tr>",
                    page::class(stands),
                    name(stands),
                    Text(currency),
                    sum.captures,
                    sum.decimal()
                );
            }
        }
        let _ = writeln!(
            html,
            "</tbody>\n</table>\n<p><b>Unknown</b> means that money may have moved. Hold the goods, never \
             capture the order with another key, and run the same command again to find out. <b>Left</b> \
             means that nothing has been sent.</p>"
        );
        if self.unproven > 0 {
            let _ = writeln!(
                html,
                "<p>Of {} captured orders only the order's status is known, which shows no amount: \
                 <code>amount_verified</code> is false in their results. Compare these with FlexFactor's \
                 settlement.</p>",
                self.unproven
            );
        }
        *html += "</section>\n";
    }

    fn attention(&self, html: &mut String) {
        *html += "<section>\n<h2>What needs attention</h2>\n";
        let mut room = MOST;
        let mut rest = 0;
        for (stands, rows) in &self.open {
            let caption = format!("{}: {}", name(*stands), rows.count());
            rest += rows.table(html, &caption, &rows::OPEN, &mut room);
        }
        if room == MOST && rest == 0 {
            *html += "<p>Every line is captured.</p>\n";
        }
        self.rest(html, rest);
    }

    fn deadlines(&self, html: &mut String) {
        *html += "<section>\n<h2>Missed deadlines</h2>\n";
        if self.late.count() == 0 {
            *html += "<p>No line was late for its <code>capture_before</code>.</p>\n";
        }
        let caption = format!("Not captured before their deadline: {}", self.late.count());
        let rest = self.late.table(html, &caption, &rows::LATE, &mut { MOST });
        self.rest(html, rest);
    }

    fn rest(&self, html: &mut String, rest: u64) {
        if rest > 0 {
            let run = self.head.run.id.0;
            let _ = writeln!(
                html,
                "<p>{rest} more are not shown. <code>capture results {run}</code> has all lines.</p>"
            );
        }
        *html += "</section>\n";
    }
}

/// When what is true of a capture now was recorded. One that is claimed may have been sent since then.
fn recorded_at(story: &Story, standing: &Standing) -> Option<SystemTime> {
    match standing {
        Standing::Captured(_, at) | Standing::NotCaptured(_, at) => Some(*at),
        Standing::Claimed(claim, _) => Some(claim.at),
        Standing::Unknown(_) => story.entries.iter().rev().find(|it| !it.is_note).map(|it| it.at),
        Standing::Ready => None,
    }
}
