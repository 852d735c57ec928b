//! One turn: one transaction, one flush.

use std::collections::BTreeSet;

use capture_core::{OrderId, Outcome};
use capture_journal::{Answer, Journal, Lost, Story, Turn, Turned, Wake};

use crate::desk::{Desk, NEVER};
use crate::fault::Fault;
use crate::open::{Postgres, outside};
use crate::read::of_orders;
use crate::session::{Chain, Who};
use crate::sql::Sql;

impl Journal for Postgres {
    fn turn(&mut self, turn: &Turn) -> Result<Turned, Lost> {
        outside(|| self.take(turn))
    }

    fn stories(&mut self, order: OrderId) -> Result<Vec<Story>, Lost> {
        outside(|| {
            self.session().transact(|who, sql, _| {
                Ok(of_orders(sql, who.environment, &[order])?.remove(&order).unwrap_or_default())
            })
        })
    }

    fn wake(&self) -> Wake {
        self.session().wake.clone()
    }
}

impl Postgres {
    fn take(&mut self, turn: &Turn) -> Result<Turned, Lost> {
        let mut session = self.session();
        let made = session.transact(|who, sql, chain| make(turn, who, sql, chain, false))?;
        let turned = match made {
            Made::Turned(turned) => turned,
            // Nobody can ask while a list is written down, and what is settled must not wait for that.
            Made::Settled(told) => {
                let rest = Turn { settled: Vec::new(), ..turn.clone() };
                let made =
                    session.transact(|who, sql, chain| make(&rest, who, sql, chain, true))?;
                let Made::Turned(turned) = made else { return Err(Lost::Closed) };
                Turned { told, ..turned }
            }
        };
        let is_work = !turned.work.is_empty()
            || turned.answers.iter().any(|answer| matches!(answer, Answer::Work(_)));
        // Others may have taken it for interrupted by the time it was committed.
        if is_work && session.took >= session.who.lease {
            session.is_closed = true;
            return Err(Lost::Io("a turn took longer than its lease".into()));
        }
        Ok(turned)
    }
}

/// What one transaction made of a turn.
enum Made {
    Turned(Turned),
    /// Only what was settled, as somebody else has locked what asks.
    Settled(Vec<Outcome>),
}

fn make(
    turn: &Turn,
    who: &Who,
    sql: &mut Sql<'_, '_>,
    chain: &mut Chain,
    waits: bool,
) -> Result<Made, Fault> {
    let mut desk = Desk::new(sql, who, chain, turn.at);
    let settled = turn.settled.iter().map(|(_, outcome)| outcome.capture().order_id());
    let orders = settled.chain(turn.asks.iter().map(|ask| ask.capture.order_id()));
    let may_ask = match (turn.asks.is_empty(), waits) {
        (true, _) => true,
        (false, true) => desk.lock_asks(false).map(|()| true)?,
        (false, false) => desk.try_lock_asks()?,
    };
    desk.lock(&BTreeSet::from_iter(orders))?;
    if !turn.asks.is_empty() || turn.want.most > 0 || turn.want.shares_rate {
        desk.look_who_lives()?;
    }
    // Only who takes what comes in has to hear of it.
    let listens = turn.want.run.is_none() && !turn.want.only_open;
    let sharers = desk.shares_rate(turn.want.shares_rate, listens)?;
    let mut told = Vec::with_capacity(turn.settled.len());
    for (held, outcome) in &turn.settled {
        told.push(desk.settle(*held, outcome)?);
    }
    if !may_ask {
        desk.write()?;
        return Ok(Made::Settled(told));
    }
    let mut answers = Vec::with_capacity(turn.asks.len());
    for ask in &turn.asks {
        answers.push(desk.answer(ask, NEVER)?);
    }
    desk.write()?;
    let (work, later) = desk.want(turn.want)?;
    desk.write()?;
    let (fence, held_for) = (desk.chain.fence, Some(who.lease));
    Ok(Made::Turned(Turned { told, answers, work, later, sharers, fence, held_for }))
}
