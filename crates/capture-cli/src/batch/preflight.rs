//! `--preflight`: what the API shows of the orders of a list before the first send. It can change at any
//! moment, so that it is evidence for nobody.

use std::ops::ControlFlow;
use std::thread;
use std::time::{Duration, Instant};

use capture_core::http::StatusCode;
use capture_core::{Currency, Order, OrderId, OrderStatus, StatusError, one_line};
use capture_journal::Line;

use super::plan::{Checked, Obstacles};
use super::prepared::Prepared;
use crate::config::BadInput;
use crate::journal;
use crate::output;
use crate::store::Store;
use crate::transport::Client;

/// How many orders are looked at: the number, or `None` for all.
pub(super) fn most(text: &str) -> Result<Option<u32>, BadInput> {
    match text.parse::<u32>() {
        Ok(most @ 1..) => Ok(Some(most)),
        _ if text == "all" => Ok(None),
        _ => {
            let sentence = format!("preflight {text}: must be all, or how many orders");
            Err(BadInput::new("preflight", sentence))
        }
    }
}

/// So many are asked about at once.
const AT_ONCE: usize = 16;

/// An order that the API does not show now is asked about again, and then it is an error.
const MOST_TRIES: u32 = 3;

/// How long it sleeps at most before it sees that it was stopped.
const LOOKS_UP: Duration = Duration::from_millis(50);

const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// Looks at the orders, drawn by the plan's id; `false` once what stands in the way has been printed.
pub(super) fn passes(
    checked: &Checked,
    most: Option<u32>,
    work: &Prepared<'_>,
    journal: &mut Store,
    client: &Client,
) -> Result<bool, BadInput> {
    let found = Obstacles::default();
    let mut look = Look { client, work, found, captured: 0, seen: 0 };
    let [a, b, c, d, ..] = checked.id.0;
    let mut lines = Vec::with_capacity(AT_ONCE);
    let mut looked = Ok(());
    let drawn = journal.drawn(u32::from_be_bytes([a, b, c, d]), most, &mut |line| {
        lines.push(line);
        if lines.len() == AT_ONCE {
            looked = look.at(&mut lines);
        }
        if looked.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    });
    looked?;
    drawn.map_err(|lost| journal::failed(&lost))?;
    look.at(&mut lines)?;
    output::note(&format!(
        "preflight: {} of {} orders looked at, {} of them captured already",
        look.seen,
        checked.captures(),
        look.captured
    ));
    if look.found.is_empty() {
        return Ok(true);
    }
    look.found.tell(&checked.name, work.args.connection.json);
    Ok(false)
}

struct Look<'a> {
    client: &'a Client,
    work: &'a Prepared<'a>,
    found: Obstacles,
    captured: u32,
    seen: u32,
}

impl Look<'_> {
    /// Looks at these orders, and forgets them.
    fn at(&mut self, lines: &mut Vec<Line>) -> Result<(), BadInput> {
        for tried in 1.. {
            if self.work.stop.is_stopped() {
                lines.clear();
                return Ok(());
            }
            let orders: Vec<_> = lines.iter().map(|line| line.capture.order_id()).collect();
            let began = Instant::now();
            let mut wait = None;
            for (line, shown) in std::mem::take(lines).into_iter().zip(self.client.orders(&orders))
            {
                match shown {
                    Err(StatusError::Later(_, asked)) if tried < MOST_TRIES => {
                        wait = wait.max(Some(asked.unwrap_or(Duration::from_secs(1))));
                        lines.push(line);
                    }
                    shown => self.judge(&line, shown)?,
                }
            }
            let turn = self
                .work
                .pace
                .per_second
                .map(|rate| Duration::from_secs(orders.len() as u64) / rate);
            self.rests(turn.unwrap_or_default().saturating_sub(began.elapsed()));
            match wait {
                Some(wait) => self.rests(wait.min(LONGEST_WAIT)),
                None => break,
            }
        }
        Ok(())
    }

    /// Until the time is over, or it is stopped.
    fn rests(&self, time: Duration) {
        let until = Instant::now() + time;
        while !self.work.stop.is_stopped() && Instant::now() < until {
            thread::sleep(until.saturating_duration_since(Instant::now()).min(LOOKS_UP));
        }
    }

    fn judge(&mut self, line: &Line, shown: Result<Order, StatusError>) -> Result<(), BadInput> {
        let order = line.capture.order_id();
        let why = match shown {
            Ok(Order { status: OrderStatus::Completed, .. }) => {
                self.captured += 1;
                None
            }
            Ok(shown) => obstacle(&shown, line.capture.money().currency()),
            Err(StatusError::Refused(StatusCode::NOT_FOUND, _)) => Some(
                "the API does not know it; is it the right environment and account?".to_owned(),
            ),
            Err(error) => return Err(failed(order, &error)),
        };
        self.seen += 1;
        if let Some(why) = why {
            self.found.push(line.line, &line.capture, why);
        }
        Ok(())
    }
}

fn obstacle(shown: &Order, asked: Currency) -> Option<String> {
    if shown.status != OrderStatus::CaptureRequired {
        return Some(format!(
            "the API shows it as {}, and only Capturerequired can be captured; take the line out, or run \
             without --preflight",
            shown.status
        ));
    }
    let currency = shown.currency.filter(|shown| shown.to_string() != asked.code())?;
    Some(format!("the API shows it in {currency}, and the line is in {asked}"))
}

/// The API's view of an order could not be had.
fn failed(order: OrderId, error: &StatusError) -> BadInput {
    BadInput::new(
        "preflight",
        format!(
            "preflight: order {order} could not be read: {}; nothing was sent. {}, then run it again",
            one_line(error),
            error.advice()
        ),
    )
}
