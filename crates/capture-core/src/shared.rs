//! What all captures of one client share: the token, and a budget for sending again.
//!
//! Like the token machine it is plain state, kept by the client behind one lock.

use std::time::Instant;

use crate::tokens::{TokenAction, TokenError, Tokens};
use crate::transport::TransportError;
use crate::values::BearerToken;
use crate::wire::{Api, Response};

/// The shared state of a client.
#[derive(Debug, Clone)]
pub struct Shared {
    tokens: Tokens,
    budget: RetryBudget,
}

/// What a capture asks the shared state for, before it sends.
#[derive(Debug, Clone, Copy)]
pub struct TokenRequest<'a> {
    /// A token other than this one, which was refused.
    pub refused: Option<&'a BearerToken>,
    /// Leave to send the capture once more.
    pub resend: bool,
}

impl Shared {
    /// The state of a new client.
    #[must_use]
    pub fn new(tokens: impl Into<Tokens>) -> Self {
        Self { tokens: tokens.into(), budget: RetryBudget::default() }
    }

    /// Leave and a token, or the way to get one; see [`Tokens::ask`].
    pub fn ask(
        &mut self,
        api: &Api,
        wish: TokenRequest<'_>,
        asked: Instant,
        now: Instant,
    ) -> TokenAction {
        if !wish.resend {
            // Whoever asks without repeating anything counts as a first send, be it a lookup.
            self.budget.earn(now);
        } else if !self.budget.spend(now) {
            return TokenAction::Fail(TokenError::RetryBudget);
        }
        self.tokens.ask(api, wish.refused, asked, now)
    }

    /// Takes the answer to a login; see [`Tokens::answered`].
    ///
    /// # Errors
    /// Why it gave no token.
    pub fn answered(
        &mut self,
        answer: &Result<Response, TransportError>,
        now: Instant,
    ) -> Result<BearerToken, TokenError> {
        self.tokens.answered(answer, now)
    }
}

/// How many sends may be repeats: in any 10 seconds 100, and a fifth of the first sends on top.
///
/// When everything fails at once, retries would double and redouble the load of those who try to
/// mend it. The default is that of Finagle's retry budget: 20 % and 10 a second.
#[derive(Debug, Clone, Default)]
pub struct RetryBudget {
    began: Option<Instant>,
    /// The second that the last entry was made in.
    second: u64,
    first_sends: [u32; WINDOW],
    resends: [u32; WINDOW],
}

/// Seconds over which sends are counted.
const WINDOW: usize = 10;

const FREE_PER_SECOND: u64 = 10;

impl RetryBudget {
    /// Notes a first send.
    pub fn earn(&mut self, now: Instant) {
        let place = self.turn(now);
        self.first_sends[place] = self.first_sends[place].saturating_add(1);
    }

    /// Takes one resend out of the budget; false if it is used up.
    pub fn spend(&mut self, now: Instant) -> bool {
        let place = self.turn(now);
        let sum =
            |counts: &[u32; WINDOW]| counts.iter().map(|count| u64::from(*count)).sum::<u64>();
        let most = FREE_PER_SECOND * WINDOW as u64 + sum(&self.first_sends) / 5;
        if sum(&self.resends) >= most {
            return false;
        }
        self.resends[place] += 1;
        true
    }

    /// Forgets what lies further back than the window; the place of the current second.
    fn turn(&mut self, now: Instant) -> usize {
        let second = now.saturating_duration_since(*self.began.get_or_insert(now)).as_secs();
        let place = |second: u64| (second % WINDOW as u64) as usize;
        for passed in (self.second + 1..=second).rev().take(WINDOW) {
            self.first_sends[place(passed)] = 0;
            self.resends[place(passed)] = 0;
        }
        self.second = self.second.max(second);
        place(self.second)
    }
}
