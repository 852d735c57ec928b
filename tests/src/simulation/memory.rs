//! What outlives a process: the journal, and nothing else.

use std::time::{Duration, SystemTime};

use capture_core::{Doubt, IdempotencyKey, Outcome, Ticket};
use capture_journal::{Answer, Ask, Held, How, Standing, Story, Turn, Want};

use super::clause::{Claim, Clause};
use super::process::Job;
use super::run::{Event, HEALED, Simulation};
use super::trouble::Trouble;
use crate::misuse::Misuse;
use crate::subject::{Said, Subject};

impl Simulation {
    /// A process asks its journal for a capture, and begins, goes on, waits or is told.
    pub(crate) fn begins(&mut self, job: usize) {
        let process = self.jobs[job].process;
        let now = self.clock(process);
        let before = self.story(job);
        if self.plan.misuse == Some(Misuse::SendsBeforeItClaims) {
            let capture = self.jobs[job].capture;
            return self.works(job, &How::Fresh(capture));
        }
        let capture = self.jobs[job].capture;
        let asks = vec![Ask { capture, now: true }];
        let Some((mut answers, _)) = self.turn(process, now.wall(), asks, Vec::new()) else {
            return self.begins_again(job);
        };
        match answers.remove(0) {
            Answer::Work(work) => {
                self.jobs[job].held = Some(work.held);
                let how = self.misused(job, before.as_ref(), work.how);
                self.works(job, &how);
            }
            Answer::Decided(outcome, _) => {
                self.tell(|| format!("job {job} finds: {outcome}"));
                self.is_told(job, &outcome, None);
            }
            Answer::Busy(_) => {
                let pause = self.chance.millis(1_000, 30_000, "busy", self.numbers);
                self.count("asks while another process works");
                if self.now < self.end {
                    self.at(self.now + pause, Event::Begin(job, self.jobs[job].round));
                }
            }
            Answer::Other(_) | Answer::Queued => unreachable!("one capture for each order"),
        }
    }

    fn works(&mut self, job: usize, how: &How) {
        let now = self.clock(self.jobs[job].process);
        let policy = self.jobs[job].policy;
        // Resuming an outcome that stays unknown leads to a lookup in the end.
        let policy = policy.with_lookup(policy.lookup() || self.now >= HEALED);
        let (mutant, api) = (self.plan.mutant, &self.api);
        let subject = match how {
            How::Fresh(capture) => {
                self.jobs[job].first_sent = None;
                Subject::start(mutant, *capture, api, policy, now)
            }
            How::Resume(ticket) => {
                // Nothing but a refusal came of it, as far as it knows.
                self.jobs[job].doubted |= !matches!(ticket.doubt(), Doubt::Unconfirmed(_));
                Subject::resume(mutant, ticket, api, policy, now)
            }
        };
        self.jobs[job].subject = Some(subject);
        // Nothing was decided before, so that nothing is claimed any more.
        self.jobs[job].claim = self.jobs[job].claim.filter(|earlier| earlier.is_decided);
        self.tell(|| format!("job {job} begins"));
        self.judge_doubt(job);
        self.goes_on(job);
    }

    /// How a journal that is used wrongly goes on.
    fn misused(&mut self, job: usize, before: Option<&Story>, how: How) -> How {
        let How::Resume(ticket) = &how else { return how };
        // The judge knows what is true.
        self.jobs[job].first_sent = ticket.first_sent();
        let was_claimed = before.is_some_and(|it| matches!(it.standing(), Standing::Claimed(..)));
        match self.plan.misuse {
            Some(Misuse::StartsAfresh) if was_claimed => How::Fresh(*ticket.capture()),
            Some(Misuse::ForgetsTheFirstClaim) if was_claimed => {
                let now = self.clock(self.jobs[job].process).wall();
                How::Resume(Ticket::interrupted(*ticket.capture(), now))
            }
            Some(Misuse::NewKeyWhileOpen) => {
                let Job { order, capture, .. } = self.jobs[job];
                let key = IdempotencyKey::following(capture.idempotency_key());
                How::Fresh(capture_core::Capture::new(order, capture.money(), key))
            }
            _ => how,
        }
    }

    /// A client has an outcome: it is recorded, and then told.
    pub(crate) fn ends(&mut self, job: usize, said: Said) {
        let found = self.jobs[job].subject.as_ref().and_then(Subject::outcome).cloned();
        let held = self.jobs[job].held.take();
        let process = self.jobs[job].process;
        let now = self.clock(process).wall();
        match (found, held) {
            (Some(found), Some(_)) if self.plan.misuse == Some(Misuse::TellsBeforeItIsDurable) => {
                self.is_told(job, &found, Some(said));
            }
            (Some(found), Some(held)) => {
                let settled = vec![(held, found.clone())];
                let Some((_, mut told)) = self.turn(process, now, Vec::new(), settled) else {
                    return self.begins_again(job);
                };
                let told = told.remove(0);
                let is_no = matches!(found, Outcome::NotCaptured(_));
                let late = is_no && self.plan.misuse == Some(Misuse::LateNoWins);
                let told = if late { found } else { told };
                self.is_told(job, &told, Some(said));
            }
            // A broken client speaks before it has an outcome.
            (_, held) => {
                if let Some(held) = held {
                    let ticket = Ticket::interrupted(self.jobs[job].capture, now);
                    let settled = vec![(held, Outcome::Unknown(ticket))];
                    let _ = self.turn(process, now, Vec::new(), settled);
                }
                let claim = Claim { said, reason: "said without proof", is_decided: false };
                self.says(job, claim, false);
            }
        }
    }

    fn is_told(&mut self, job: usize, outcome: &Outcome, found: Option<Said>) {
        let said = Said::of(outcome);
        let is_decided = match outcome {
            Outcome::NotCaptured(refusal) => refusal.reason().is_decided(),
            Outcome::Captured(_) => true,
            Outcome::Unknown(_) => false,
        };
        let recorded = self.story(job).map(|story| story.standing());
        let is_recorded = match recorded {
            Some(Standing::Captured(..)) => said == Said::Captured,
            Some(Standing::NotCaptured(..)) => said == Said::NotCaptured,
            _ => false,
        };
        if is_decided && !is_recorded && found.is_some() {
            let what = format!("job {job} is told {said:?}, and the journal does not know it");
            self.broken(Clause::ToldUnrecorded, what);
        }
        let earlier = self.jobs[job].claim.filter(|earlier| earlier.is_decided);
        if let Some(earlier) = earlier.filter(|it| it.said != said && said != Said::Captured) {
            let what = format!("job {job} was told {:?}, and now {said:?}", earlier.said);
            self.broken(Clause::RecordOverruled, what);
        }
        let is_cancelled = outcome.code() == "order_cancelled";
        let overrules = said == Said::NotCaptured && !is_cancelled && found.is_some();
        self.says(job, Claim { said, reason: outcome.code(), is_decided }, overrules);
    }

    /// One turn of this process; `None` where nobody answered, and it has opened the journal anew.
    fn turn(
        &mut self,
        process: usize,
        at: SystemTime,
        asks: Vec<Ask>,
        settled: Vec<(Held, Outcome)>,
    ) -> Option<(Vec<Answer>, Vec<Outcome>)> {
        let turn = Turn { at, settled, asks, want: Want::default() };
        let (store, fence) = (self.processes[process].store, self.processes[process].fence());
        self.turns += 1;
        let is_lost = self.has(Trouble::CommitLost)
            && self.now < HEALED
            && self.stores[store].has_leases()
            && self.chance.once_in(12, "commit lost", self.turns);
        if is_lost && self.chance.once_in(2, "took no place", self.turns) {
            self.loses_the_journal(process);
            return None;
        }
        let now = self.clock(process);
        let turned = self.stores[store].turn(fence, &turn, now);
        if turned.fence != fence {
            self.count("leases that ran out");
            self.tell(|| format!("process {process} has lost its lease"));
            self.processes[process].fences.push(turned.fence);
        }
        if is_lost {
            self.loses_the_journal(process);
            return None;
        }
        Some((turned.answers, turned.told))
    }

    /// What its process knew of this job went with the journal.
    fn begins_again(&mut self, job: usize) {
        if self.jobs[job].claim.is_none() {
            self.jobs[job].round += 1;
            let pause = self.chance.millis(10, 5_000, "opens anew", self.numbers);
            self.at(self.now + pause, Event::Begin(job, self.jobs[job].round));
        }
    }

    /// What this job's journal knows of its capture.
    pub(crate) fn story(&self, job: usize) -> Option<Story> {
        let Job { process, order, .. } = self.jobs[job];
        self.stores[self.processes[process].store].story(order)
    }

    /// A job that has ended is asked for once more.
    pub(crate) fn reruns(&mut self, job: usize) {
        if self.jobs[job].reruns == 0 || self.now >= self.end {
            return;
        }
        self.jobs[job].reruns -= 1;
        self.jobs[job].round += 1;
        let pause = self.chance.millis(1_000, 100_000, "rerun", self.numbers);
        self.count("reruns");
        self.at(
            self.now + pause.max(Duration::from_secs(1)),
            Event::Begin(job, self.jobs[job].round),
        );
    }
}
