//! The core alone, with a transport that reaches nobody.

use std::time::{Instant, SystemTime};

use capture_core::{Step, TokenAction, TransportError};

fn main() {
    let (mut setup, capture) = capture_probes::inputs();
    let mut step = capture.start(&setup.api, &setup.policy, Instant::now(), SystemTime::now());
    loop {
        step = match step {
            Step::Authorize(need) => {
                let now = Instant::now();
                match setup.shared.ask(&setup.api, need.token_request(), now, now) {
                    TokenAction::Use(token) => need.authorized(token, now),
                    TokenAction::Fail(denied) => need.denied(denied, now),
                    TokenAction::Login(_) => unreachable!("there is a token"),
                }
            }
            Step::Send(request, open) => {
                println!("{} {}", request.method(), request.uri());
                open.lost(&TransportError::not_sent("this program has no network"), Instant::now())
            }
            Step::Wait(until, open) => open.elapsed(until),
            Step::Done(outcome) => return println!("{outcome}"),
        };
    }
}
