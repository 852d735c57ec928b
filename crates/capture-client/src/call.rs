//! The loop that drives the machine over a transport. There is no other.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::task::Poll;

use capture_core::driver::{
    ListQuery, Now, Query, QueryStep, StatusQuery, Step, TokenAction, TokenRequest, TransportError,
};
use capture_core::wire::{Request, Response};
use capture_core::{
    Attempt, BearerToken, Capture, ListError, Listed, Order, OrderId, Outcome, Search, StatusError,
    Ticket, TokenError,
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

impl<T: Transport> Call<'_, T> {
    pub(crate) async fn capture(&self, capture: &Capture) -> Outcome {
        let (api, policy) = (&self.engine.api, &self.settings.policy);
        self.observed(capture, false, |now| capture.start(api, policy, now)).await
    }

    pub(crate) async fn resume(&self, ticket: Ticket) -> Outcome {
        let (api, policy, capture) = (&self.engine.api, &self.settings.policy, *ticket.capture());
        self.observed(&capture, true, |now| ticket.resume(api, policy, now)).await
    }

    pub(crate) async fn order(&self, order: OrderId) -> Result<Order, StatusError> {
        self.ask(StatusQuery::new(&self.engine.api, order)).await
    }

    pub(crate) async fn waiting_orders(&self, search: &Search) -> Result<Listed, ListError> {
        self.ask(ListQuery::new(&self.engine.api, search)).await
    }

    /// Drives a query to its end.
    async fn ask<Q: Query>(&self, mut query: Q) -> Q::Answer {
        loop {
            self.permits(query.token_request());
            let step = match self.token(query.token_request()).await.0 {
                Ok(token) => {
                    let reply = self.send(query.request(token)).await;
                    query.received(reply)
                }
                Err(error) => query.no_token(error),
            };
            match step {
                QueryStep::Again(delay) => self.transport.sleep(delay).await,
                QueryStep::Done(answer) => return answer,
            }
        }
    }

    /// Drives a capture to its end, in a span if `tracing` is on.
    async fn observed(
        &self,
        capture: &Capture,
        resumed: bool,
        start: impl FnOnce(Now) -> Step,
    ) -> Outcome {
        let driven = self.drive(capture, resumed, start);
        #[cfg(feature = "tracing")]
        let driven = crate::tracing::in_span(capture, resumed, self.engine.api.base_url(), driven);
        driven.await
    }

    /// The loop, and what it tells the observers.
    ///
    /// Each step is made where it is used, and what is rarely awaited is boxed: the size of this
    /// future is copied into every task that captures.
    async fn drive(
        &self,
        capture: &Capture,
        resumed: bool,
        start: impl FnOnce(Now) -> Step,
    ) -> Outcome {
        let (began, is_watched) = (self.now(), self.settings.is_watched());
        let mut step = start(began);
        let mut told = step.attempts().len();
        let mut place = None;
        if is_watched {
            self.settings.emit(&Event::Started { capture, resumed });
        }
        loop {
            step = match step {
                // The place first: the budget must be asked once for each send.
                Step::Authorize(need) if place.is_none() => {
                    place = self.unless_stopped(pin!(self.engine.place())).await;
                    match place {
                        Some(_) => Step::Authorize(need),
                        None => Step::Done(need.stop(self.now())),
                    }
                }
                Step::Authorize(need) if !self.permits(need.token_request()) => {
                    need.no_permit(self.now())
                }
                Step::Authorize(mut need) => {
                    let granted = {
                        let token = pin!(self.token(need.token_request()));
                        self.unless_stopped(token).await
                    };
                    match granted {
                        Some((result, login)) => {
                            if let Some(login) = login {
                                need.log_login(login);
                            }
                            match result {
                                Ok(token) => need.authorized(token, self.now()),
                                Err(error) => need.no_token(error, self.now()),
                            }
                        }
                        None => Step::Done(need.stop(self.now())),
                    }
                }
                Step::Send(request, sent) => {
                    match self.unless_stopped(pin!(self.send(request))).await {
                        Some(Ok(reply)) => sent.received(reply, self.now()),
                        Some(Err(error)) => sent.failed(&error, self.now()),
                        None => Step::Done(sent.stop(self.now())),
                    }
                }
                Step::Wait(delay, waiting) => {
                    drop(place.take()); // for others meanwhile
                    let waited = async {
                        self.transport.sleep(delay).await;
                        self.engine.place().await
                    };
                    place = self.unless_stopped(pin!(waited)).await;
                    match place {
                        Some(_) => waiting.elapsed(self.now()),
                        None => Step::Done(waiting.stop(self.now())),
                    }
                }
                Step::Done(outcome) => {
                    if is_watched {
                        self.tell_end(&outcome, began);
                    }
                    return outcome;
                }
            };
            if is_watched {
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

    /// Whether the retry budget permits what is asked for.
    fn permits(&self, request: TokenRequest<'_>) -> bool {
        self.engine.shared().permits(request, self.now())
    }

    /// A token other than the refused one, and the login that it took, if this call made it.
    async fn token(
        &self,
        request: TokenRequest<'_>,
    ) -> (Result<BearerToken, TokenError>, Option<Attempt>) {
        let (api, asked) = (&self.engine.api, self.now());
        let action = self.engine.shared().ask(api, request, asked, asked);
        match action {
            TokenAction::Use(token) => return (Ok(token), None),
            TokenAction::Fail(error) => return (Err(error), None),
            TokenAction::Login(..) => {}
        }
        Box::pin(self.log_in(request, asked)).await
    }

    /// The one login of all captures that want a token.
    async fn log_in(
        &self,
        request: TokenRequest<'_>,
        asked: Now,
    ) -> (Result<BearerToken, TokenError>, Option<Attempt>) {
        let _login = self.engine.login.lock().await;
        // Another call may have logged in meanwhile.
        let action = self.engine.shared().ask(&self.engine.api, request, asked, self.now());
        let (request, login) = match action {
            TokenAction::Use(token) => return (Ok(token), None),
            TokenAction::Fail(error) => return (Err(error), None),
            TokenAction::Login(request, login) => (request, login),
        };
        let reply = self.send(request).await;
        let (result, attempt) = self.engine.shared().logged_in(login, &reply, self.now());
        (result, Some(attempt))
    }

    async fn send(&self, mut request: Request) -> Result<Response, TransportError> {
        self.settings.add_headers(&mut request);
        self.transport.send(request, self.settings.policy.attempt_timeout()).await
    }

    /// The future's result; `None` once the caller says stop.
    async fn unless_stopped<F: Future>(&self, mut future: Pin<&mut F>) -> Option<F::Output> {
        let Some(stop) = &self.settings.stop else { return Some(future.await) };
        let mut stopped = Box::pin(stop.stopped());
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
