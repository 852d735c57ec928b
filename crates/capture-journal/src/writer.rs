//! The thread that writes: whatever is asked for meanwhile shares the next turn, and its flush.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use capture_core::{OrderId, Outcome, Ticket};
use tokio::sync::oneshot;

use crate::journal::{Answer, Ask, Held, How, Journal, Lost, Turn, Turned, Want, Work};
use crate::story::Story;
use crate::wake::Wake;

type Reply<T> = oneshot::Sender<Result<T, Arc<Lost>>>;

/// With the way back to the thread, where there may be work to hold.
enum Message {
    Ask(Ask, Reply<Told>, Writer),
    Settle(Held, Outcome, Option<Reply<Outcome>>),
    Want(Reply<Option<Hold>>, Writer),
    Stories(OrderId, Reply<Vec<Story>>),
    Turn(Turn, WhenTurned),
    /// Nobody works off captures any more.
    Leaves,
}

/// Takes what a turn returned; returns the work that nobody is there to do.
type WhenTurned = Box<dyn FnOnce(Result<Turned, Arc<Lost>>) -> Vec<Work> + Send>;

/// What a caller is told.
pub(crate) enum Told {
    Work(Hold),
    Answer(Answer),
}

/// The way to the thread. It ends with the last of its clones, and of the work it handed out.
#[derive(Clone)]
pub(crate) struct Writer {
    messages: Sender<Message>,
    wake: Wake,
}

/// Work in hand, or on its way to a caller. Wherever it is dropped before it is settled, the journal
/// learns of it.
pub(crate) struct Hold {
    writer: Writer,
    held: Held,
    /// What is recorded if it is dropped.
    dropped: Option<Outcome>,
    how: Option<How>,
    sure: Sure,
}

/// Until when what a turn handed out is surely held, by both clocks; `None` for as long as the process lives.
#[derive(Debug, Clone, Copy)]
struct Sure(Option<(Instant, SystemTime)>);

impl Sure {
    /// Of a turn that was asked for then.
    fn new((began, at): (Instant, SystemTime), held_for: Option<Duration>) -> Self {
        Self(held_for.and_then(|it| Some((began.checked_add(it)?, at.checked_add(it)?))))
    }

    fn is_still(self) -> bool {
        self.0.is_none_or(|(instant, at)| Instant::now() < instant && SystemTime::now() < at)
    }
}

/// So many callers share a turn at most.
const MOST_IN_A_TURN: usize = 256;

impl Writer {
    pub(crate) fn new(journal: impl Journal + 'static) -> Self {
        let (messages, receiver) = mpsc::channel();
        let wake = journal.wake();
        let name = "capture-journal".to_owned();
        let writing = thread::Builder::new().name(name).spawn(move || write(journal, &receiver));
        drop(writing.expect("a thread"));
        Self { messages, wake }
    }

    /// What its journal wakes.
    pub(crate) fn wake(&self) -> &Wake {
        &self.wake
    }

    pub(crate) async fn ask(&self, ask: Ask) -> Result<Told, Arc<Lost>> {
        self.tell(|reply| Message::Ask(ask, reply, self.clone())).await
    }

    pub(crate) async fn want(&self) -> Result<Option<Hold>, Arc<Lost>> {
        self.tell(|reply| Message::Want(reply, self.clone())).await
    }

    pub(crate) async fn stories(&self, order: OrderId) -> Result<Vec<Story>, Arc<Lost>> {
        self.tell(|reply| Message::Stories(order, reply)).await
    }

    /// Makes this turn, and wakes its driver, which waits for what it returned.
    pub(crate) fn turn(
        &self,
        turn: Turn,
        wake: impl FnOnce() + Send + 'static,
    ) -> oneshot::Receiver<Result<Turned, Arc<Lost>>> {
        let (reply, answer) = oneshot::channel();
        let then = move |turned| {
            let left: Result<(), Result<Turned, _>> = reply.send(turned);
            wake();
            left.err().and_then(Result::ok).map_or_else(Vec::new, |turned| turned.work)
        };
        let _ = self.messages.send(Message::Turn(turn, Box::new(then)));
        answer
    }

    /// Records this, and lets nobody wait for it.
    pub(crate) fn note(&self, settled: Vec<(Held, Outcome)>) {
        for (held, outcome) in settled {
            let _ = self.messages.send(Message::Settle(held, outcome, None));
        }
    }

    /// Nobody works off captures any more: it shares no rate.
    pub(crate) fn leaves(&self) {
        let _ = self.messages.send(Message::Leaves);
    }

    async fn tell<T>(&self, message: impl FnOnce(Reply<T>) -> Message) -> Result<T, Arc<Lost>> {
        let (reply, answer) = oneshot::channel();
        // The thread ends early only if the journal panicked.
        let _ = self.messages.send(message(reply));
        answer.await.unwrap_or_else(|_| Err(Arc::new(Lost::Closed)))
    }
}

impl Hold {
    fn new(writer: Writer, work: Work, sure: Sure) -> Self {
        let dropped = Some(work.how.clone().untouched());
        Self { writer, held: work.held, dropped, how: Some(work.how), sure }
    }

    /// Whether nobody can have taken it over, as others do with what a process holds that stood still.
    pub(crate) fn is_sure(&self) -> bool {
        self.sure.is_still()
    }

    /// How to do it. From now on something may have been sent.
    pub(crate) fn begin(&mut self) -> How {
        let how = self.how.take().expect("begun once");
        if let How::Fresh(capture) = &how {
            let ticket = Ticket::interrupted(*capture, SystemTime::now());
            self.dropped = Some(Outcome::Unknown(ticket));
        }
        how
    }

    pub(crate) async fn settle(mut self, outcome: Outcome) -> Result<Outcome, Arc<Lost>> {
        self.dropped = None;
        let held = self.held;
        self.writer.tell(|reply| Message::Settle(held, outcome, Some(reply))).await
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        if let Some(outcome) = self.dropped.take() {
            let _ = self.writer.messages.send(Message::Settle(self.held, outcome, None));
        }
    }
}

impl fmt::Debug for Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Writer")
    }
}

/// Who waits for what of one turn.
#[derive(Default)]
struct Batch {
    asks: Vec<Waiting>,
    settled: Vec<(Held, Outcome, Option<Reply<Outcome>>)>,
    wants: Vec<(Reply<Option<Hold>>, Writer)>,
    stories: Vec<(OrderId, Reply<Vec<Story>>)>,
    turns: Vec<(Turn, WhenTurned)>,
    leaves: bool,
}

/// Somebody who asks for a capture.
type Waiting = (Ask, Reply<Told>, Writer);

fn write(mut journal: impl Journal, messages: &Receiver<Message>) {
    // Those who wait for another caller of this process.
    let mut parked: Vec<Waiting> = Vec::new();
    let mut is_lost = false;
    // What single callers ask for says nothing about one that works off captures beside them.
    let mut shares_rate = false;
    while let Ok(first) = messages.recv() {
        let mut batch = Batch::default();
        batch.add(first);
        messages.try_iter().take(MOST_IN_A_TURN - 1).for_each(|message| batch.add(message));
        batch.wake(&mut parked);
        for (turn, then) in std::mem::take(&mut batch.turns) {
            shares_rate = turn.want.shares_rate;
            let turned = if is_lost { Err(Lost::Closed) } else { journal.turn(&turn) };
            is_lost = turned.is_err();
            let left = then(turned.map_err(Arc::new)).into_iter();
            batch.settled.extend(left.map(|work| (work.held, work.how.untouched(), None)));
        }
        let stories = std::mem::take(&mut batch.stories);
        let has_left = batch.leaves && shares_rate;
        shares_rate &= !batch.leaves;
        let asked = (Instant::now(), SystemTime::now());
        let turn = batch.turn(asked.1, shares_rate);
        if !turn.is_empty() || has_left {
            let turned = if is_lost { Err(Lost::Closed) } else { journal.turn(&turn) };
            is_lost = turned.is_err();
            batch.answer(turned, asked, &mut parked);
        }
        for (order, reply) in stories {
            let found = if is_lost { Err(Lost::Closed) } else { journal.stories(order) };
            is_lost |= found.is_err();
            let _ = reply.send(found.map_err(Arc::new));
        }
        if is_lost {
            let lost = Arc::new(Lost::Closed);
            parked.drain(..).for_each(|(_, reply, _)| drop(reply.send(Err(Arc::clone(&lost)))));
        }
    }
}

impl Batch {
    fn add(&mut self, message: Message) {
        match message {
            Message::Ask(ask, reply, writer) => self.asks.push((ask, reply, writer)),
            Message::Settle(held, outcome, reply) => self.settled.push((held, outcome, reply)),
            Message::Want(reply, writer) => self.wants.push((reply, writer)),
            Message::Stories(order, reply) => self.stories.push((order, reply)),
            Message::Turn(turn, then) => self.turns.push((turn, then)),
            Message::Leaves => self.leaves = true,
        }
    }

    /// Lets those ask again who waited for what is settled now.
    fn wake(&mut self, parked: &mut Vec<Waiting>) {
        let order_of = |outcome: &Outcome| outcome.capture().order_id();
        let turns = self.turns.iter().flat_map(|(turn, _)| &turn.settled);
        let settled = self.settled.iter().map(|(_, outcome, _)| outcome);
        let settled: BTreeSet<_> =
            settled.chain(turns.map(|(_, outcome)| outcome)).map(order_of).collect();
        let is_settled = |ask: &Ask| settled.contains(&ask.capture.order_id());
        let (woken, waiting): (Vec<_>, _) =
            std::mem::take(parked).into_iter().partition(|(ask, ..)| is_settled(ask));
        *parked = waiting;
        self.asks.extend(woken);
    }

    fn turn(&mut self, at: SystemTime, shares_rate: bool) -> Turn {
        // Nobody waits for these any more.
        self.asks.retain(|(_, reply, _)| !reply.is_closed());
        self.wants.retain(|(reply, _)| !reply.is_closed());
        Turn {
            at,
            settled: self.settled.iter().map(|(held, it, _)| (*held, it.clone())).collect(),
            asks: self.asks.iter().map(|(ask, ..)| *ask).collect(),
            want: Want { shares_rate, ..Want::most(self.wants.len()) },
        }
    }

    /// Tells everybody.
    fn answer(
        self,
        turned: Result<Turned, Lost>,
        asked: (Instant, SystemTime),
        parked: &mut Vec<Waiting>,
    ) {
        let Turned { told, answers, work, held_for, .. } = match turned.map_err(Arc::new) {
            Ok(turned) => turned,
            Err(lost) => return self.fail(&lost),
        };
        let sure = Sure::new(asked, held_for);
        for ((_, _, reply), told) in self.settled.into_iter().zip(told) {
            if let Some(reply) = reply {
                let _ = reply.send(Ok(told));
            }
        }
        for ((ask, reply, writer), answer) in self.asks.into_iter().zip(answers) {
            let told = match answer {
                Answer::Busy(busy) if busy.is_ours => {
                    parked.push((ask, reply, writer));
                    continue;
                }
                Answer::Work(work) => Told::Work(Hold::new(writer, work, sure)),
                answer => Told::Answer(answer),
            };
            let _ = reply.send(Ok(told));
        }
        let mut work = work.into_iter();
        for (reply, writer) in self.wants {
            let _ = reply.send(Ok(work.next().map(|work| Hold::new(writer, work, sure))));
        }
    }

    fn fail(self, lost: &Arc<Lost>) {
        let settled = self.settled.into_iter().filter_map(|(_, _, reply)| reply);
        settled.for_each(|reply| drop(reply.send(Err(Arc::clone(lost)))));
        self.asks.into_iter().for_each(|(_, reply, _)| drop(reply.send(Err(Arc::clone(lost)))));
        self.wants.into_iter().for_each(|(reply, _)| drop(reply.send(Err(Arc::clone(lost)))));
    }
}
