//! `capture due`: the orders that wait for their capture, what voids first first, beside what the journal
//! knows of them.

use std::time::{Duration, SystemTime};

use capture_core::wire::orders::ListedOrder;
use capture_core::{Search, Setup, one_line};
use capture_journal::{Journal as _, decisive, unix_ms, utc};
use serde::Serialize;

use super::args::Due;
use crate::config::{self, BadInput};
use crate::exit::Exit;
use crate::journal;
use crate::length::length;
use crate::output;
use crate::place;
use crate::route::Route;
use crate::store::Store;
use crate::transport::Client;

/// An order that waits.
#[derive(Serialize)]
struct Waiting {
    order_id: String,
    currency: Option<String>,
    placed_at_ms: Option<i64>,
    /// When it voids, as far as that is known here.
    voids_at_ms: Option<i64>,
    reference: Option<String>,
    /// What the journal has of it.
    journal: Option<&'static str>,
    #[serde(skip)]
    voids_at: Option<SystemTime>,
}

#[derive(Serialize)]
struct Told<'a> {
    orders: &'a [Waiting],
    unreadable: usize,
    is_complete: bool,
    /// Of these, so many void within the time that was asked about, or may: their deadline is not known.
    void_within: Option<usize>,
    unknown_deadline: usize,
}

pub(crate) fn run(args: &Due) -> Result<Exit, BadInput> {
    let environment = config::environment(args.connection.environment.as_deref())?;
    let within = args.within.as_deref().map(|text| length("within", text)).transpose()?;
    let window = args.window.as_deref().map(|text| length("window", text)).transpose()?;
    let route = Route::new(&args.connection, &environment)?;
    let tokens = config::tokens(args.connection.credentials.as_deref())?;
    let timeout = args.connection.attempt_timeout.as_deref();
    let policy = config::policy(timeout, None, None)?;
    let setup = Setup::new(&environment, tokens).with_policy(policy);
    let client = Client::new(args.connection.transport, setup, &route)?;
    let place = place::find(args.journal.as_deref())?;
    // One that is not there knows of no order.
    let mut journal = match place.is_there() {
        true => Some(journal::read(&place, &environment)?),
        false => None,
    };
    let listed = client.waiting_orders(&Search::default()).map_err(|error| {
        let next = error.advice();
        BadInput::new(
            "orders",
            format!("the orders could not be read: {}; {next}", one_line(&error)),
        )
    })?;
    let mut orders = Vec::with_capacity(listed.orders.len());
    for order in &listed.orders {
        orders.push(waiting(order, window, journal.as_mut())?);
    }
    orders.sort_by_key(|order| (order.voids_at.is_none(), order.voids_at));
    let now = SystemTime::now();
    let unknown_deadline = orders.iter().filter(|order| order.voids_at.is_none()).count();
    let void_within = within.map(|within| {
        orders.iter().filter(|order| order.voids_at.is_some_and(|at| at < now + within)).count()
    });
    let told = Told {
        orders: &orders,
        unreadable: listed.unreadable,
        is_complete: listed.is_complete,
        void_within,
        unknown_deadline,
    };
    if args.connection.json {
        output::json(&told);
    } else {
        print(&told, now);
    }
    let is_certain = listed.unreadable == 0 && listed.is_complete && unknown_deadline == 0;
    Ok(match void_within {
        Some(0) if is_certain => Exit::Yes,
        Some(_) => Exit::No,
        None => Exit::Yes,
    })
}

fn waiting(
    order: &ListedOrder,
    window: Option<Duration>,
    journal: Option<&mut Store>,
) -> Result<Waiting, BadInput> {
    let failed = |lost| journal::failed(&lost);
    let (mut standing, mut reference, mut before) = (None, None, None);
    if let Some(journal) = journal {
        let stories = journal.stories(order.order).map_err(failed)?;
        if let Some(story) = decisive(&stories) {
            standing = Some(journal::standing(journal, story)?);
            for (_, line) in journal.lines_of(story.intent).map_err(failed)? {
                reference = line.reference.or(reference);
                before = line.capture_before.or(before);
            }
        }
    }
    let by_window =
        order.placed.zip(window).and_then(|(placed, window)| placed.checked_add(window));
    let voids_at = [before, by_window].into_iter().flatten().min();
    Ok(Waiting {
        order_id: order.order.to_string(),
        currency: order.currency.map(|currency| currency.to_string()),
        placed_at_ms: order.placed.map(unix_ms),
        voids_at_ms: voids_at.map(unix_ms),
        reference,
        journal: standing,
        voids_at,
    })
}

fn print(told: &Told<'_>, now: SystemTime) {
    for order in told.orders {
        let Waiting { order_id, currency, reference, journal, voids_at, .. } = order;
        let when = match voids_at.map(|at| (at, at.duration_since(now))) {
            None => "deadline not known".to_owned(),
            Some((at, Ok(left))) => format!("voids in {} ({})", span(left), utc(at)),
            Some((at, Err(_))) => format!("should have voided {}", utc(at)),
        };
        let words = [
            currency.as_deref(),
            reference.as_deref(),
            journal.map(|standing| match standing {
                "ready" => "written down, not sent",
                "claimed" => "being captured",
                "interrupted" => "interrupted: run it again, or settle it",
                "unknown" => "unknown: settle it",
                "captured" => "captured, by the journal",
                _ => "not captured, by the journal",
            }),
        ];
        let words: Vec<_> = words.into_iter().flatten().collect();
        output::line(&format!("{order_id}  {when}  {}", words.join("  ")));
    }
    output::line(&format!("{} orders wait for their capture", told.orders.len()));
    if let Some(count) = told.void_within {
        output::line(&format!(
            "{count} of them void within the time that was asked about{}",
            if told.unknown_deadline > 0 { ", as far as is known" } else { "" }
        ));
    }
    if told.unknown_deadline > 0 {
        output::note(&format!(
            "the deadline of {} is not known; --window says how long an order waits",
            told.unknown_deadline
        ));
    }
    if told.unreadable > 0 || !told.is_complete {
        output::note(&format!(
            "the list is not whole: {} items cannot be read{}",
            told.unreadable,
            if told.is_complete { "" } else { ", and it goes on" }
        ));
    }
}

/// A time for people.
fn span(left: Duration) -> String {
    match left.as_secs() / 60 {
        minutes @ 0..=119 => format!("{minutes} min"),
        minutes @ 120..=2879 => format!("{} h", minutes / 60),
        minutes => format!("{} days", minutes / 1440),
    }
}
