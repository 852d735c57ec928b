//! The virtual object: one for each order of each environment, which the engine runs one call at a time.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use capture_hyper::{Capture, Client, Environment, Outcome, Ticket};
use restate_sdk::prelude::*;
use restate_sdk::service::ServiceDefinition;

use crate::asked::{asked, label};
use crate::pauses::Pauses;
use crate::state::{Next, State, decide};
use crate::told::{Told, is_decided};

const STATE: &str = "state";

/// Captures the money of an order once, whatever happens to this process or to the engine's.
pub struct Order {
    client: Client,
    label: String,
    pauses: Pauses,
}

impl Order {
    pub fn new(client: Client, environment: &Environment, pauses: Pauses) -> Self {
        Self { client, label: label(environment), pauses }
    }

    /// How the keys of its objects look.
    pub fn keys(&self) -> String {
        format!("{}~ORDER", self.label)
    }

    /// What the engine is told about it.
    pub fn definition(self) -> ServiceDefinition {
        let options = ServiceOptions::new()
            // A capture ends within 155 s, and sends the engine nothing meanwhile.
            .inactivity_timeout(Duration::from_secs(180))
            // The engine pauses what failed 70 times, until a person resumes it: after an hour or so in
            // which this service is down.
            .retry_policy_initial_interval(Duration::from_millis(100))
            .retry_policy_max_interval(Duration::from_secs(10))
            .retry_policy_max_attempts(1_000_000);
        self.into_service_definition().options(options)
    }
}

#[object]
impl Order {
    /// Captures, or says what is known.
    #[handler]
    async fn capture(&self, ctx: ObjectContext<'_>, body: Vec<u8>) -> HandlerResult<Json<Told>> {
        let asked = asked(&self.label, ctx.key(), &body)
            .map_err(|why| TerminalError::new_with_code(400, why))?;
        let state = ctx.get::<Json<State>>(STATE).await?.map(Json::into_inner);
        let (mut outcome, mut looks) = match decide(state, &asked) {
            Next::Begin => (self.begin(&ctx, asked).await?, 0),
            Next::Look(ticket, looks) => (self.look(&ctx, ticket).await?, looks + 1),
            Next::Answer(outcome) => return Ok(Json(Told::new(&outcome))),
            // 409 is what the engine says of a call that an operator killed or cancelled.
            Next::Other(why) => return Err(TerminalError::new_with_code(422, why).into()),
        };
        // Most doubts are gone within seconds, and a caller would rather wait than ask again.
        while let Outcome::Unknown(ticket) = &outcome
            && looks < Pauses::WITHIN_THE_CALL
        {
            let ticket = ticket.clone();
            keep(&ctx, &outcome, looks);
            ctx.sleep(self.pauses.after(looks, ticket.retry_after())).await?;
            outcome = self.look(&ctx, ticket).await?;
            looks += 1;
        }
        self.end(&ctx, &outcome, looks);
        Ok(Json(Told::new(&outcome)))
    }

    /// Looks at an order in doubt, later and by itself. A call of its own, so that callers get a word in,
    /// and so that no run of a handler lasts for days.
    #[handler(ingress_private)]
    async fn settle(&self, ctx: ObjectContext<'_>, looks: u64) -> HandlerResult<()> {
        let Some(state) = ctx.get::<Json<State>>(STATE).await?.map(Json::into_inner) else {
            return Ok(());
        };
        // Somebody has looked since this was arranged, and arranged the next look.
        if state.looks as u64 != looks {
            return Ok(());
        }
        if let Outcome::Unknown(ticket) = state.outcome {
            let outcome = self.look(&ctx, ticket).await?;
            self.end(&ctx, &outcome, state.looks + 1);
        }
        Ok(())
    }

    /// Says what is known, at once, and sends nothing.
    #[handler]
    async fn outcome(&self, ctx: SharedObjectContext<'_>) -> HandlerResult<Json<Told>> {
        match ctx.get::<Json<State>>(STATE).await? {
            Some(Json(state)) => Ok(Json(Told::new(&state.outcome))),
            None => {
                let why = format!("{}: nothing is known of it", ctx.key());
                Err(TerminalError::new_with_code(404, why).into())
            }
        }
    }
}

impl Order {
    /// Captures what nobody has captured yet.
    async fn begin(
        &self,
        ctx: &ObjectContext<'_>,
        capture: Capture,
    ) -> Result<Outcome, TerminalError> {
        // Durable before the first byte leaves: the await ends when the engine has it.
        let is_ours = Arc::new(AtomicBool::new(false));
        let intended = Arc::clone(&is_ours);
        let at_ms = ctx.run(move || async move {
            intended.store(true, Ordering::Relaxed);
            Ok(now_ms())
        });
        let at = SystemTime::UNIX_EPOCH + Duration::from_millis(at_ms.name("intend").await?);
        let ticket = Ticket::interrupted(capture, at);
        keep(ctx, &Outcome::Unknown(ticket.clone()), 0);
        // If an earlier run of this handler made the intent, it may have sent the capture too.
        let is_ours = is_ours.load(Ordering::Relaxed);
        let client = self.client.clone();
        let step = ctx.run(move || async move {
            if is_ours {
                return Ok(Json(client.capture(&capture).await));
            }
            eprintln!("capture-restate: {} was interrupted; looking first", capture.order_id());
            Ok(Json(resume(&client, ticket).await))
        });
        step.name("capture").await.map(Json::into_inner)
    }

    /// Looks at an order in doubt. Repeated after a crash it begins with a lookup, as it did before.
    async fn look(
        &self,
        ctx: &ObjectContext<'_>,
        ticket: Ticket,
    ) -> Result<Outcome, TerminalError> {
        let client = self.client.clone();
        let step = ctx.run(move || async move { Ok(Json(resume(&client, ticket).await)) });
        step.name("look").await.map(Json::into_inner)
    }

    /// Keeps the outcome, and arranges the next look if there must be one.
    fn end(&self, ctx: &ObjectContext<'_>, outcome: &Outcome, looks: usize) {
        match outcome {
            Outcome::NotCaptured(_) if !is_decided(outcome) => ctx.clear(STATE),
            Outcome::Captured(_) | Outcome::NotCaptured(_) => keep(ctx, outcome, looks),
            Outcome::Unknown(ticket) => {
                keep(ctx, outcome, looks);
                let pause = self.pauses.after(looks, ticket.retry_after());
                let next = ctx.object_client::<OrderClient<'_>>(ctx.key());
                next.settle(looks as u64).send_after(pause);
            }
        }
    }
}

/// That nothing was sent by this look says nothing about what was sent before it.
async fn resume(client: &Client, ticket: Ticket) -> Outcome {
    match client.resume(ticket.clone()).await {
        Outcome::NotCaptured(refusal) if !refusal.reason().is_decided() => Outcome::Unknown(ticket),
        outcome => outcome,
    }
}

fn keep(ctx: &ObjectContext<'_>, outcome: &Outcome, looks: usize) {
    ctx.set(STATE, Json(State { outcome: outcome.clone(), looks }));
}

fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
