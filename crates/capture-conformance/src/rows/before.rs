//! Faults 1 to 12: before the request leaves. Those of TLS (5 to 7) are in `tls.rs`, those of a
//! proxy (8) in `byo.rs`.

use std::time::Duration;

use super::row::{Row, Target};
use crate::replies::captured;
use crate::wire::{Act, Dialogue, Do};

pub(super) fn rows() -> Vec<Row> {
    let dialogue = Dialogue::default;
    let tomorrow =
        Dialogue { capture: vec![Act::say(captured()).then(Do::Finish)], ..Dialogue::default() };
    vec![
        Row::new(
            "1 the name resolves to nothing",
            dialogue(),
            "not_captured never_sent",
            "C! C!",
            "",
        )
        .own_token()
        .to(Target::NoName)
        .sends(2),
        Row::new(
            "1 the name resolves to nothing, at login",
            dialogue(),
            "not_captured login_not_sent",
            "",
            "",
        )
        .to(Target::NoName)
        .sends(2),
        Row::new("3 the connection is refused", dialogue(), "not_captured never_sent", "C! C!", "")
            .own_token()
            .to(Target::Nobody)
            .sends(2),
        Row::new(
            "3 the connection is refused, at login",
            dialogue(),
            "not_captured login_not_sent",
            "",
            "",
        )
        .to(Target::Nobody)
        .sends(2),
        // Two attempts fit into the deadline because connecting has a timeout of its own (10 s).
        Row::new("4 connecting takes for ever", dialogue(), "not_captured never_sent", "C! C!", "")
            .own_token()
            .to(Target::Full)
            .sends(2)
            .policy(|policy| {
                let (attempt, deadline) = (Duration::from_secs(15), Duration::from_secs(13));
                policy.with_attempt_timeout(attempt).with_deadline(deadline)
            }),
        Row::new("9 the pooled connection is dead", tomorrow, "captured reply", "C200", "T C C")
            .captures(2),
    ]
}
