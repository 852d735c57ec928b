//! The loop that drives the machine over a transport. There is no other.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;

use capture_core::driver::{Now, StatusQuery, Step, TokenAction, TokenRequest, TransportError};
use capture_core::wire::{Request, Response};
use capture_core::{
    Attempt, BearerToken, Capture, OrderId, OrderStatus, Outcome, StatusError, Ticket, TokenError,
};

use crate::engine::Engine;
use crate::event::Event;
use crate::settings::Settings;
use crate::transport::Transport;

/// One call of a client.
pub(crate) struct Call<'c, T> {
    pub(crate) engine: &'c Engine,
    pub(crate) transport: &'c T,
    pub(crate) settings: &'c Settings,
}

/// Why a capture may not be sent now.
enum Denied {
    NoToken(TokenError),
    NoPermit,
}

impl<T: Transport> Call<'_, T> {
    pub(crate) async fn capture(&self, capture: &Capture) -> Outcome {
        let began = self.now();
        let step = capture.start(&self.engine.api, &self.settings.policy, began);
        self.observed(capture, false, began, step).await
    }

    pub(crate) async fn resume(&self, ticket: Ticket) -> Outcome {
        let (began, capture) = (self.now(), *ticket.capture());
        let step = ticket.resume(&self.engine.api, &self.settings.policy, began);
        self.observed(&capture, true, began, step).await
    }

    pub(crate) async fn status(&self, order: OrderId) -> Result<OrderStatus, StatusError> {
        let mut query = StatusQuery::new(&self.engine.api, order);
        loop {
            let token = match self.token(query.token_request()).await.0 {
                Ok(token) => token,
                Err(Denied::NoToken(error)) => return Err(error.into()),
                Err(Denied::NoPermit) => unreachable!("a lookup needs no permit"),
            };
            let reply = self.send(query.request(token)).await;
            if let Some(result) = query.answered(reply) {
                return result;
            }
        }
    }

    /// Drives a capture to its end, and tells whoever watches.
    async fn observed(&self, capture: &Capture, resumed: bool, began: Now, step: Step) -> Outcome {
        if !self.settings.is_watched() {
            return self.drive(capture, step).await;
        }
        let watched = async {
            self.settings.emit(&Event::Started { capture, resumed });
            let outcome = self.drive(capture, step).await;
            self.tell_end(&outcome, began);
            outcome
        };
        #[cfg(feature = "tracing")]
        let watched =
            crate::tracing::in_span(capture, resumed, self.engine.api.base_url(), watched);
        watched.await
    }

    async fn drive(&self, capture: &Capture, mut step: Step) -> Outcome {
        let mut told = step.attempts().len();
        loop {
            step = match step {
                Step::Authorize(mut need) => {
                    let Some((result, login)) =
                        self.unless_stopped(self.token(need.token_request())).await
                    else {
                        return need.stop(self.now());
                    };
                    if let Some(login) = login {
                        need.log_login(login);
                    }
                    match result {
                        Ok(token) => need.authorized(token, self.now()),
                        Err(Denied::NoToken(error)) => need.no_token(error, self.now()),
                        Err(Denied::NoPermit) => need.no_permit(self.now()),
                    }
                }
                Step::Send(request, sent) => match self.unless_stopped(self.send(request)).await {
                    Some(Ok(reply)) => sent.received(reply, self.now()),
                    Some(Err(error)) => sent.failed(&error, self.now()),
                    None => return sent.stop(self.now()),
                },
                Step::Wait(delay, waiting) => {
                    match self.unless_stopped(self.transport.sleep(delay)).await {
                        Some(()) => waiting.elapsed(self.now()),
                        None => return waiting.stop(self.now()),
                    }
                }
                Step::Done(outcome) => return outcome,
            };
            if self.settings.is_watched() {
                self.tell(capture, &step, &mut told);
            }
        }
    }

    fn tell_end(&self, outcome: &Outcome, began: Now) {
        let now = self.now();
        let permits_left = self.engine.shared().permits_left(now);
        let unknown_for = match outcome {
            Outcome::Unknown(ticket) => ticket
                .first_sent()
                .map(|first| now.wall().duration_since(first).unwrap_or_default()),
            _ => None,
        };
        let took = now.since(began);
        self.settings.emit(&Event::Ended { outcome, took, unknown_for, permits_left });
    }

    /// Reports the new attempts, and a wait.
    fn tell(&self, capture: &Capture, step: &Step, told: &mut usize) {
        let attempts = step.attempts();
        for (index, attempt) in attempts.iter().enumerate().skip(*told) {
            let alike = |earlier: &&Attempt| earlier.operation == attempt.operation;
            let resend_count = attempts[..index].iter().filter(alike).count();
            self.settings.emit(&Event::Attempted { capture, attempt, resend_count });
        }
        *told = attempts.len();
        if let (Step::Wait(delay, _), Some(progress)) = (step, step.progress()) {
            let (delay, next) = (*delay, progress.operation);
            self.settings.emit(&Event::Waiting { capture, delay, next });
        }
    }

    /// A token other than the refused one, and the login that it took, if this call made it.
    async fn token(
        &self,
        request: TokenRequest<'_>,
    ) -> (Result<BearerToken, Denied>, Option<Attempt>) {
        let (api, asked) = (&self.engine.api, self.now());
        let action = self.engine.shared().ask(api, request, asked, asked);
        if let Some(done) = done(action) {
            return (done, None);
        }
        let _login = self.engine.login.lock().await;
        // Somebody else may have logged in meanwhile.
        let action = self.engine.shared().ask_again(api, request, asked, self.now());
        let (request, login) = match action {
            TokenAction::Login(request, login) => (request, login),
            other => return (done(other).expect("no login"), None),
        };
        let reply = self.send(request).await;
        let (result, attempt) = self.engine.shared().logged_in(login, &reply, self.now());
        (result.map_err(Denied::NoToken), Some(attempt))
    }

    async fn send(&self, mut request: Request) -> Result<Response, TransportError> {
        self.settings.add_headers(&mut request);
        self.transport.send(request, self.settings.policy.attempt_timeout()).await
    }

    /// The future's result; `None` once the caller says stop.
    async fn unless_stopped<F: Future>(&self, future: F) -> Option<F::Output> {
        let Some(stop) = &self.settings.stop else { return Some(future.await) };
        let (mut stopped, mut future) = (pin!(stop.stopped()), pin!(future));
        poll_fn(|context| {
            if stopped.as_mut().poll(context).is_ready() {
                return Poll::Ready(None);
            }
            future.as_mut().poll(context).map(Some)
        })
        .await
    }

    fn now(&self) -> Now {
        self.engine.now()
    }
}

/// What needs no login.
fn done(action: TokenAction) -> Option<Result<BearerToken, Denied>> {
    match action {
        TokenAction::Use(token) => Some(Ok(token)),
        TokenAction::Fail(error) => Some(Err(Denied::NoToken(error))),
        TokenAction::NoPermit => Some(Err(Denied::NoPermit)),
        TokenAction::Login(..) => None,
    }
}
