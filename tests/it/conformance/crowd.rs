//! A thousand captures through one client: one login, one more when the token expires, and every
//! order captured once (faults 91 to 93).

use std::time::Duration;

use capture_core::{Capture, IdempotencyKey, Setup};
use capture_sandbox::{Sandbox, Script, Sent, Server};

use super::drivers::Driver;
use super::money;

/// How many captures there are, and how many are under way at any time.
const CROWD: usize = 1_000;
const AT_A_TIME: usize = 200;

/// Two crowds in a row through this adapter.
pub(crate) fn check<D: Driver>() {
    let sandbox = Sandbox::start();
    let client = D::new(Setup::new(&sandbox.environment(), sandbox.credentials()));
    all_captured(&sandbox, &client);
    assert_eq!(sandbox.logins(), 1);
    assert_eq!(refused(&sandbox), 0);

    // The server forgets the token while the client believes in it: all who use it are refused.
    // The answers come late, so that many are under way before the first one is refused.
    sandbox.advance(Duration::from_secs(601));
    sandbox.script(Script::delayed(Duration::from_millis(300)).times(32));
    all_captured(&sandbox, &client);
    assert_eq!(sandbox.logins(), 2, "{} were refused", refused(&sandbox));
    assert!(refused(&sandbox) >= 32, "only {} met the expired token", refused(&sandbox));
}

fn all_captured<D: Driver>(sandbox: &Server, client: &D) {
    let new = |_| {
        let order = sandbox.create_order(money());
        Capture::new(order, money(), IdempotencyKey::for_order(order))
    };
    let captures: Vec<_> = (0..CROWD).map(new).collect();
    let before = sandbox.ledger().entries().len();
    let outcomes = client.crowd(&captures, AT_A_TIME);
    for (capture, outcome) in captures.iter().zip(&outcomes) {
        assert_eq!(outcome.capture(), capture);
        assert_eq!((outcome.name(), outcome.reason()), ("captured", "reply"), "{outcome:?}");
        assert_eq!(sandbox.ledger().captures(capture.order_id()), 1);
    }
    assert_eq!(sandbox.ledger().entries().len() - before, CROWD);
}

fn refused(sandbox: &Server) -> usize {
    let is_401 = |sent: Sent| matches!(sent, Sent::Status(status) if status == 401);
    sandbox.transcript().iter().filter(|exchange| is_401(exchange.sent)).count()
}
