//! The sandbox of the proof: slow, without any protection of its own, and often silent.

use std::time::Duration;

use capture_hyper::{Money, OrderId};
use capture_sandbox::{Idempotency, Sandbox, Script, Server, Settings};

use crate::Failed;
use crate::dice::Dice;

/// An order, and what must become of it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Order {
    pub(crate) id: OrderId,
    pub(crate) is_good: bool,
}

/// What every order is asked for with.
pub(crate) const ASKED: &str = r#"{"amount": 10000, "currency": "USD"}"#;
pub(crate) const OTHER: &str = r#"{"amount": 9999, "currency": "USD"}"#;

/// Every capture that arrives takes the money, whatever the key and the order's status: only the
/// care of the caller keeps it from being taken twice.
pub(crate) fn sandbox(seed: u64) -> Result<Server, Failed> {
    let idempotency = Idempotency::Ignored;
    let settings = Settings { guard: false, idempotency, seed, ..Settings::default() };
    Ok(Sandbox::builder().settings(settings).start()?)
}

/// Half of all captures go wrong; those that do not take their time, so that kills meet them on their
/// way.
pub(crate) fn misbehave(sandbox: &Server) -> Result<(), Failed> {
    sandbox.script(Script::from_json(
        r#"{"rules": [
            { "on": { "operation": "capture", "percent": 15 }, "times": "always",
              "do": { "close": true, "effect": true, "delay_ms": 100 } },
            { "on": { "operation": "capture", "percent": 10 }, "times": "always",
              "do": { "status": 504, "effect": true, "delay_ms": 200 } },
            { "on": { "operation": "capture", "percent": 10 }, "times": "always",
              "do": { "status": 503, "effect": false } },
            { "on": { "operation": "order", "percent": 10 }, "times": "always",
              "do": { "status": 502, "effect": false } },
            { "on": { "operation": "capture" }, "times": "always", "do": { "delay_ms": 150 } }
        ]}"#,
    )?);
    Ok(())
}

/// A new order. One of 16 is for less money than it is asked for, and so refused; another one is
/// captured, answers 504, and cannot be looked up for a while.
pub(crate) fn order(sandbox: &Server, dice: &mut Dice) -> Order {
    let kind = dice.below(16);
    let money = if kind == 0 { "50.00" } else { "100.00" };
    let id = sandbox.create_order(Money::parse(money, "USD").expect("an amount"));
    if kind == 1 {
        let hidden = Script::status(502).on(capture_sandbox::Operation::Order).order(id).times(24);
        // What waits longest acts first.
        let rules = sandbox.rules();
        sandbox.clear_script();
        sandbox.script(Script::captured_but(504).order(id).then(hidden));
        sandbox.script(rules);
    }
    Order { id, is_good: kind != 0 }
}

/// How long until the next kill. Mostly captures are on their way then; after a longer calm, orders in
/// doubt sleep as well.
pub(crate) fn pause(dice: &mut Dice) -> Duration {
    let most = if dice.below(8) == 0 { 10_000 } else { 400 };
    Duration::from_millis(dice.below(most))
}
