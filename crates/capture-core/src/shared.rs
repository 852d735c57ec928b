//! What all captures of one client share: the token, and a budget for sending again.
//!
//! Like the token machine it is plain state, kept by the client behind one lock.

use crate::attempt::Attempt;
use crate::time::Now;
use crate::token_error::TokenError;
use crate::tokens::{Login, TokenAction, Tokens};
use crate::transport::TransportError;
use crate::values::BearerToken;
use crate::wire::{Api, Response};

/// The shared state of a client. It is not `Clone`: two clients with one state would each believe
/// that the token and the budget are theirs.
#[derive(Debug)]
pub struct Shared {
    tokens: Tokens,
    budget: RetryBudget,
}

/// What a capture asks the shared state for, before it sends.
#[derive(Debug, Clone, Copy)]
pub struct TokenRequest<'a> {
    /// A token other than this one, which was refused.
    pub refused: Option<&'a BearerToken>,
    /// A permit to send the capture once more.
    pub resend: bool,
}

impl Shared {
    /// The state of a new client.
    #[must_use]
    pub fn new(tokens: impl Into<Tokens>) -> Self {
        Self { tokens: tokens.into(), budget: RetryBudget::default() }
    }

    /// Whether the retry budget permits what is asked for; a resend takes one out of it.
    pub fn permits(&mut self, request: TokenRequest<'_>, now: Now) -> bool {
        if request.resend {
            return self.budget.spend(now);
        }
        // All that repeats nothing counts as a first send, lookups included.
        self.budget.earn(now);
        true
    }

    /// A token, or the way to get one; see [`Tokens::ask`].
    pub fn ask(
        &mut self,
        api: &Api,
        request: TokenRequest<'_>,
        asked: Now,
        now: Now,
    ) -> TokenAction {
        self.tokens.ask(api, request.refused, asked, now)
    }

    /// Takes the reply to a login; see [`Tokens::logged_in`].
    pub fn logged_in(
        &mut self,
        login: Login,
        reply: &Result<Response, TransportError>,
        now: Now,
    ) -> (Result<BearerToken, TokenError>, Attempt) {
        self.tokens.logged_in(login, reply, now)
    }

    /// How many resends the budget would permit now.
    pub fn permits_left(&mut self, now: Now) -> u64 {
        self.budget.left(now)
    }
}

/// How many sends may be repeats: in any 10 seconds, 100 plus a fifth of the first sends.
///
/// When everything fails at once, unlimited retries would multiply the load on those who are
/// fixing it. The default is that of Finagle's retry budget: 20 % and 10 a second.
#[derive(Debug, Clone, Default)]
pub struct RetryBudget {
    /// The second, by the monotonic clock, in which the last entry was made.
    second: u64,
    first_sends: [u32; WINDOW],
    resends: [u32; WINDOW],
}

/// Seconds over which sends are counted.
const WINDOW: usize = 10;

const FREE_PER_SECOND: u64 = 10;

impl RetryBudget {
    /// Records a first send.
    pub fn earn(&mut self, now: Now) {
        let place = self.turn(now);
        self.first_sends[place] = self.first_sends[place].saturating_add(1);
    }

    /// Takes one resend out of the budget; false if it is used up.
    pub fn spend(&mut self, now: Now) -> bool {
        if self.left(now) == 0 {
            return false;
        }
        let place = self.turn(now);
        self.resends[place] += 1;
        true
    }

    /// How many resends it would permit now.
    pub fn left(&mut self, now: Now) -> u64 {
        self.turn(now);
        let sum =
            |counts: &[u32; WINDOW]| counts.iter().map(|count| u64::from(*count)).sum::<u64>();
        let most = FREE_PER_SECOND * WINDOW as u64 + sum(&self.first_sends) / 5;
        most.saturating_sub(sum(&self.resends))
    }

    /// Forgets sends older than the window, and returns the slot of the current second.
    fn turn(&mut self, now: Now) -> usize {
        let second = now.monotonic().as_secs();
        let place = |second: u64| (second % WINDOW as u64) as usize;
        for passed in (self.second + 1..=second).rev().take(WINDOW) {
            self.first_sends[place(passed)] = 0;
            self.resends[place(passed)] = 0;
        }
        self.second = self.second.max(second);
        place(self.second)
    }
}
