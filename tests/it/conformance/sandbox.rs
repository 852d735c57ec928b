//! The adapters against the sandbox over TLS and HTTP/2: faults below HTTP, and what truly happened.

use std::sync::Arc;

use capture_conformance::fixture::money;
use capture_conformance::notation::ending;
use capture_conformance::parallel::{all_ended, run_rows};
use capture_core::{Capture, IdempotencyKey, Outcome, Setup};
use capture_sandbox::{Claimed, Sandbox, Script, Settings};
use rustls::pki_types::CertificateDer;

use super::drivers::Driver;

/// What the next capture meets, the outcome, how often the money moved.
const CAPTURES: [(&str, &str, usize); 12] = [
    (r#""delay_ms": 1"#, "captured reply", 1),
    (r#""rst_stream": true, "effect": true"#, "captured order_status", 1),
    (r#""rst_stream": true, "effect": false"#, "captured reply", 1),
    (r#""rst_stream": true, "code": "refused-stream", "effect": false"#, "captured reply", 1),
    (r#""rst_stream": "before-reading", "code": "no-error""#, "captured reply", 1),
    (r#""rst_stream": "mid-body", "effect": true"#, "captured order_status", 1),
    (r#""goaway": true, "effect": true"#, "captured order_status", 1),
    (r#""goaway": true, "last_stream": "earlier", "effect": false"#, "captured reply", 1),
    (r#""goaway": "after-reply", "effect": true"#, "captured reply", 1),
    (r#""close": "mid-body", "effect": true"#, "captured order_status", 1),
    (r#""reset": true, "effect": true"#, "captured order_status", 1),
    (r#""raw": "SSH-2.0-OpenSSH\r\n", "effect": true"#, "captured order_status", 1),
];

/// What the handshakes meet, the outcome, how often the money moved.
const HANDSHAKES: [(&str, &str, usize); 5] = [
    (r#""do": "unknown-authority", "times": "always""#, "not_captured login_not_sent", 0),
    (r#""do": "expired", "times": "always""#, "not_captured login_not_sent", 0),
    (r#""do": "wrong-host", "times": "always""#, "not_captured login_not_sent", 0),
    (r#""do": "close""#, "captured reply", 1),
    (r#""do": "reset""#, "captured reply", 1),
];

/// Every row through this adapter, by HTTP/2 where its library has that.
pub(crate) fn check<D: Driver>() {
    let captures = CAPTURES.map(|(act, outcome, captures)| {
        let rule = format!(r#"{{ "on": {{ "operation": "capture" }}, "do": {{ {act} }} }}"#);
        (format!(r#"{{ "rules": [{rule}] }}"#), outcome, captures)
    });
    let handshakes = HANDSHAKES.map(|(rule, outcome, captures)| {
        (format!(r#"{{ "handshakes": [{{ {rule} }}] }}"#), outcome, captures)
    });
    let rows: Arc<[(String, &str, usize)]> = [&captures[..], &handshakes[..]].concat().into();
    let act = |(script, outcome, captures): &(String, &str, usize)| {
        ends_as::<D>(script, outcome, *captures);
    };
    all_ended(run_rows(&rows, rows.len(), |row| row.0.clone(), act));
}

fn ends_as<D: Driver>(script: &str, expect: &str, captures: usize) {
    let script = Script::from_json(script).expect("a script");
    // The first waits of the derived key of its first order are near the shortest.
    let settings = Settings { seed: 491, ..Settings::default() };
    let sandbox = Sandbox::builder().settings(settings).tls().script(script.clone());
    let sandbox = sandbox.start().expect("a sandbox");
    let authority = CertificateDer::from(sandbox.authority().expect("it serves TLS").to_vec());
    let client = D::trusting(Setup::new(&sandbox.environment(), sandbox.credentials()), authority);
    let order = sandbox.create_order(money());
    let capture = Capture::new(order, money(), IdempotencyKey::for_order(order));
    let outcome = client.capture(&capture);
    assert_eq!(ending(&outcome), expect, "{script:?}: {outcome:?}");
    assert_eq!(sandbox.ledger().captures(order), captures, "{script:?}");
    let claimed = match outcome {
        Outcome::Captured(_) => Claimed::Captured,
        Outcome::NotCaptured(_) => Claimed::NotCaptured,
        Outcome::Unknown(_) => Claimed::Unknown,
    };
    assert!(sandbox.claim(order, claimed, None));
    assert_eq!(sandbox.audit().disagreements, 0, "{script:?}");
}
