//! A transport without a network: every request succeeds, unless a list of fates says otherwise.

use std::sync::Mutex;
use std::time::Duration;

use capture_client::driver::TransportError;
use capture_client::{
    BearerToken, Capture, Client, Credentials, Environment, IdempotencyKey, Money, OrderId,
    OrderStatus, Setup, blocking, wire,
};

/// What every secret of these tests starts with.
pub(crate) const CANARY: &str = "canary";

/// What happens to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    Answered,
    /// It reaches the server; its reply does not come back.
    ReplyLost,
    NeverSent,
    /// The order that it shows has been refunded.
    #[allow(dead_code, reason = "only one of the two binaries looks for it")]
    Refunded,
}

/// Gives every login a token, every capture SUCCESS and every lookup *Completed*,
/// unless a list of fates says otherwise.
#[derive(Debug, Default)]
pub(crate) struct Stub {
    pub(crate) fates: Mutex<Vec<Fate>>,
    pub(crate) seen: Mutex<Vec<wire::Request>>,
}

impl Stub {
    pub(crate) fn meeting(fates: &[Fate]) -> Self {
        let fates = Mutex::new(fates.iter().rev().copied().collect());
        Self { fates, ..Self::default() }
    }
}

impl blocking::Transport for &Stub {
    fn send(&self, request: wire::Request, _: Duration) -> Result<wire::Response, TransportError> {
        let path = request.uri().path().to_owned();
        self.seen.lock().unwrap().push(request);
        let status = match self.fates.lock().unwrap().pop().unwrap_or(Fate::Answered) {
            Fate::ReplyLost => {
                std::thread::sleep(Duration::from_millis(2)); // so that its record shows a time
                return Err(TransportError::maybe_sent("reset"));
            }
            Fate::NeverSent => return Err(TransportError::not_sent("refused")),
            Fate::Refunded => OrderStatus::Returned,
            Fate::Answered => OrderStatus::Completed,
        };
        Ok(match path.as_str() {
            "/v1/oauth2/token" => {
                let token = BearerToken::new("canary-token-0123456789").unwrap();
                wire::token::granted(&token, "canary-refresh", 0, "id")
            }
            "/v1/capture" => wire::capture::captured(),
            _ => wire::order::shown(order(), status, Default::default()),
        })
    }
}

/// The first waits of its derived key are near the shortest.
pub(crate) fn order() -> OrderId {
    "5f1a3c5e-7c1d-4e0b-9d6a-0c4f0065092a".parse().unwrap()
}

pub(crate) fn capture() -> Capture {
    let money = Money::parse("100.00", "USD").unwrap();
    Capture::new(order(), money, IdempotencyKey::for_order(order()))
}

pub(crate) fn setup() -> Setup {
    let credentials = Credentials::new("canary-key", "canary-secret").unwrap();
    Setup::new(&Environment::Sandbox, credentials)
}

/// A blocking client over a stub, and the stub.
pub(crate) fn client(fates: &[Fate]) -> (blocking::Client<&'static Stub>, &'static Stub) {
    let stub: &'static Stub = Box::leak(Box::new(Stub::meeting(fates)));
    (Client::blocking(setup(), stub), stub)
}
