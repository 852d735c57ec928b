//! An operator who kills a call in the engine while its capture is on its way: a doubt is left, and looked at.

use std::sync::Arc;
use std::time::Duration;

use capture_hyper::Money;
use capture_sandbox::Script;
use reqwest::StatusCode;
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::Failed;
use crate::callers::Callers;
use crate::engine::Engine;
use crate::world::{ASKED, Order};

pub(crate) async fn kills_a_call(engine: &Engine, callers: &Arc<Callers>) -> Result<(), Failed> {
    let sandbox = &callers.sandbox;
    let id = sandbox.create_order(Money::parse("100.00", "USD")?);
    let order = Order { id, is_good: true };
    sandbox.clear_script();
    sandbox.script(Script::delayed(Duration::from_secs(5)).order(id));
    let first = Arc::clone(callers);
    let first = tokio::spawn(async move { first.ask(order, "capture", ASKED).await });
    while sandbox.ledger().captures(id) == 0 {
        sleep(Duration::from_millis(20)).await;
    }
    // The engine's own record may lag by a moment.
    sleep(Duration::from_millis(500)).await;
    let key = format!("{}~{id}", callers.label);
    let query = format!(
        "SELECT id FROM sys_invocation WHERE target_service_key = '{key}' AND status <> 'completed'"
    );
    let request = engine.http.post(engine.admin("query")).json(&json!({ "query": query }));
    let found: Value = request.header("accept", "application/json").send().await?.json().await?;
    let call = found["rows"][0]["id"].as_str().ok_or_else(|| format!("no call: {found}"))?;
    let kill = engine.http.patch(engine.admin(&format!("invocations/{call}/kill"))).send().await?;
    let told = first.await?;
    if told.as_ref().map(|(status, _)| *status) != Some(StatusCode::CONFLICT) {
        return Err(format!("a killed call ({}) was answered {told:?}", kill.status()).into());
    }
    let again = callers.ask(order, "capture", ASKED).await;
    let is_captured = again.as_ref().is_some_and(|(_, told)| told["outcome"] == "captured");
    match (is_captured, sandbox.ledger().captures(id)) {
        (true, 1) => Ok(()),
        (_, times) => Err(format!("after a killed call: {again:?}, captured {times} times").into()),
    }
}
