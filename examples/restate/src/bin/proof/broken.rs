//! Handlers as a first try would have them, each wrong in one way that the checks must catch.

use std::time::{Duration, SystemTime};
use std::{env, io};

use capture_hyper::{
    Capture, Client, Credentials, Environment, IdempotencyKey, Outcome, Policy, Setup, Ticket,
};
use capture_restate::{Told, asked, label};
use restate_sdk::prelude::*;
use restate_sdk::service::ServiceDefinition;
use tokio::net::TcpListener;

use crate::Failed;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    /// One step, which captures: a crash within it captures afresh.
    Afresh,
    /// The same, and each time with a new key.
    NewKey,
    /// It always looks first, but an unknown outcome is an error of the step, and a step that has no
    /// more attempts has "failed".
    ErrorIsNo,
}

struct Broken {
    fault: Fault,
    client: Client,
    label: String,
}

#[object(name = "Order")]
impl Broken {
    #[handler]
    async fn capture(&self, ctx: ObjectContext<'_>, body: Vec<u8>) -> HandlerResult<Json<Told>> {
        let asked = asked(&self.label, ctx.key(), &body)
            .map_err(|why| TerminalError::new_with_code(400, why))?;
        if let Some(Json(known)) = ctx.get::<Json<Outcome>>("outcome").await? {
            if known.capture().money() != asked.money() {
                return Err(TerminalError::new_with_code(422, "other values").into());
            }
            return Ok(Json(Told::new(&known)));
        }
        let (client, fault) = (self.client.clone(), self.fault);
        let step = ctx.run(move || async move {
            let mut capture = asked;
            if fault == Fault::NewKey {
                let clock = SystemTime::UNIX_EPOCH.elapsed()?.as_nanos();
                let key = IdempotencyKey::from_bytes(clock.to_be_bytes())?;
                capture = Capture::new(asked.order_id(), asked.money(), key);
            }
            if fault != Fault::ErrorIsNo {
                return Ok(Json(client.capture(&capture).await));
            }
            match client.resume(Ticket::interrupted(capture, SystemTime::now())).await {
                Outcome::Unknown(ticket) => Err(io::Error::other(ticket.next_step()).into()),
                outcome => Ok(Json(outcome)),
            }
        });
        let outcome = match step.retry_policy(RunRetryPolicy::new().max_attempts(1)).await {
            Ok(Json(outcome)) => outcome,
            // The lie that this project is about.
            Err(_) => Outcome::NotCaptured(serde_json::from_value(refusal(&asked))?),
        };
        ctx.set("outcome", Json(outcome.clone()));
        Ok(Json(Told::new(&outcome)))
    }

    #[handler]
    async fn outcome(&self, ctx: SharedObjectContext<'_>) -> HandlerResult<Json<Told>> {
        match ctx.get::<Json<Outcome>>("outcome").await? {
            Some(Json(known)) => Ok(Json(Told::new(&known))),
            None => Err(TerminalError::new_with_code(404, "nothing is known").into()),
        }
    }
}

fn refusal(capture: &Capture) -> serde_json::Value {
    let ticket = Ticket::interrupted(*capture, SystemTime::now());
    let mut fields = serde_json::to_value(ticket).expect("it serialises");
    fields["outcome"] = "not_captured".into();
    fields["reason"] = serde_json::json!({ "declined": [] });
    fields
}

/// Serves the broken handler of this name, with the settings of the real service.
pub(crate) async fn serve(name: &str) -> Result<(), Failed> {
    let fault = match name {
        "afresh" => Fault::Afresh,
        "new-key" => Fault::NewKey,
        "error-is-no" => Fault::ErrorIsNo,
        _ => return Err(format!("{name}: give afresh, new-key or error-is-no").into()),
    };
    let environment: Environment = env::var("CAPTURE_ENVIRONMENT")?.parse()?;
    let credentials =
        Credentials::new(env::var("CAPTURE_APP_KEY")?, env::var("CAPTURE_APP_SECRET")?)?;
    let policy = Policy::default().with_deadline(Duration::from_secs(6));
    let client = Client::new(Setup::new(&environment, credentials).with_policy(policy))?;
    let broken = Broken { fault, client, label: label(&environment) };
    let options = ServiceOptions::new()
        .retry_policy_initial_interval(Duration::from_millis(100))
        .retry_policy_max_interval(Duration::from_secs(10));
    let definition: ServiceDefinition = broken.into_service_definition().options(options);
    let listener = TcpListener::bind(env::var("CAPTURE_LISTEN")?).await?;
    HttpServer::new(Endpoint::builder().bind(definition).build()).serve(listener).await;
    Ok(())
}
