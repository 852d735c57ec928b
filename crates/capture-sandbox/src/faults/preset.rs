//! Scripts with names: the faults that every client of a payment API should be tested with.

use std::time::Duration;

use capture_core::Invalid;

use crate::faults::answer::Answer;
use crate::faults::script::{Rule, Script};
use crate::world::Operation;

/// The presets: the name of each, and what it does.
pub const PRESETS: [(&str, &str); 7] = [
    ("lost-reply", "the next capture happens, and its reply is lost"),
    ("504-but-captured", "the next capture happens, and the gateway answers 504"),
    ("frozen-500", "the next capture does not happen, and its key gets a 500 for 24 hours"),
    ("slow-lookup", "every lookup of an order takes 5 seconds"),
    ("token-storm", "the next 20 captures are answered 401, whatever their token"),
    ("rate-limit", "captures above 20 a second are answered 429 with Retry-After: 1"),
    (
        "chaos",
        "about half of all captures go wrong, and some logins and lookups, chosen by the seed",
    ),
];

impl Script {
    /// The preset with this name; see [`PRESETS`].
    ///
    /// # Errors
    /// When no preset has this name; the error lists the names.
    pub fn preset(name: &str) -> Result<Self, Invalid> {
        Ok(match name {
            "lost-reply" => Self::lost_reply(),
            "504-but-captured" => Self::captured_but(504),
            "frozen-500" => Self::status(500).stored(),
            "slow-lookup" => {
                Self::delayed(Duration::from_secs(5)).on(Operation::Order).times(u32::MAX)
            }
            "token-storm" => Self::status(401).times(20),
            "rate-limit" => {
                let answer = Answer::new(429).header("retry-after", "1");
                Self::status(answer).above(20).times(u32::MAX)
            }
            "chaos" => chaos(),
            _ => {
                let names: Vec<_> = PRESETS.iter().map(|(name, _)| *name).collect();
                let rule = format!("no preset has this name; the presets are {}", names.join(", "));
                return Err(Invalid::new("preset", name, rule));
            }
        })
    }
}

/// About half of all captures go wrong in some way, and some logins and lookups too.
fn chaos() -> Script {
    let rules = r#"[
        { "on": { "operation": "capture", "percent": 10 }, "times": "always",
          "do": { "close": true, "effect": true } },
        { "on": { "operation": "capture", "percent": 10 }, "times": "always",
          "do": { "reset": true, "effect": false } },
        { "on": { "operation": "capture", "percent": 10 }, "times": "always",
          "do": { "status": 504, "effect": true } },
        { "on": { "operation": "capture", "percent": 10 }, "times": "always",
          "do": { "status": 503, "effect": false } },
        { "on": { "operation": "capture", "percent": 5 }, "times": "always",
          "do": { "close": "mid-body", "effect": true } },
        { "on": { "operation": "capture", "percent": 5 }, "times": "always",
          "do": { "reset": "mid-head", "effect": true } },
        { "on": { "operation": "capture", "percent": 5 }, "times": "always",
          "do": { "status": 401, "effect": false } },
        { "on": { "operation": "capture", "percent": 10 }, "times": "always",
          "do": { "delay_ms": 250 } },
        { "on": { "operation": "order", "percent": 10 }, "times": "always",
          "do": { "status": 502, "body": "<html>Bad Gateway</html>",
                  "headers": { "content-type": "text/html" }, "effect": false } },
        { "on": { "operation": "order", "percent": 10 }, "times": "always",
          "do": { "close": "mid-body", "effect": true } },
        { "on": { "operation": "token", "percent": 10 }, "times": "always",
          "do": { "status": 503, "effect": false } },
        { "on": { "percent": 5 }, "times": "always",
          "do": { "close": "after-reply", "effect": true } }
    ]"#;
    let rules: Vec<Rule> = serde_json::from_str(rules).expect("a test reads it");
    Script { rules, ..Script::default() }
}
