//! The core alone, with a transport that reaches nobody.

use std::time::{Instant, SystemTime};

use capture_core::driver::{Now, Step, TokenAction, TransportError};

fn main() {
    let (mut setup, capture) = capture_probes::inputs();
    let began = Instant::now();
    let now = || Now::new(began.elapsed(), SystemTime::now());
    let mut step = capture.start(&setup.api, &setup.policy, now());
    loop {
        step = match step {
            Step::Authorize(need) => {
                let asked = now();
                match setup.shared.ask(&setup.api, need.token_request(), asked, asked) {
                    TokenAction::Use(token) => need.authorized(token, now()),
                    TokenAction::Fail(error) => need.no_token(error, now()),
                    TokenAction::Login(..) => unreachable!("there is a token"),
                }
            }
            Step::Send(request, sent) => {
                println!("{} {}", request.method(), request.uri());
                sent.failed(&TransportError::not_sent("this program has no network"), now())
            }
            Step::Wait(delay, waiting) => {
                std::thread::sleep(delay);
                waiting.elapsed(now())
            }
            Step::Done(outcome) => return println!("{outcome}"),
        };
    }
}
