//! The truth: one order on a server, reduced to what can prove a client wrong.

/// How a server treats idempotency keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Semantics {
    /// Answers are stored under their key and repeated, errors included.
    Frozen,
    /// Only successes are stored.
    OnlySuccess,
    /// As frozen, and forgotten after 24 hours.
    Forgotten,
    /// Keys are ignored.
    Ignored,
}

impl Semantics {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Frozen, Self::OnlySuccess, Self::Forgotten, Self::Ignored];
}

/// What is assumed of the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Assumptions {
    /// Its idempotency.
    pub semantics: Semantics,
    /// Whether an order leaves *Capturerequired* only once.
    pub state_guard: bool,
}

/// The order's true state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Order {
    /// Waits for its capture.
    CaptureRequired,
    /// Captured.
    Completed,
    /// Void, permanently.
    Cancelled,
}

/// What the server did with a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Did {
    /// It answers SUCCESS.
    Success,
    /// It answers FAILED, or refuses.
    Failed,
    /// It answers with an error of its own.
    Error,
}

/// The server as far as it matters to one order.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ServerModel {
    pub(super) assumptions: Assumptions,
    /// The order's state.
    pub order: Order,
    /// How often our requests captured it.
    pub captures: u8,
    /// What is stored, by key.
    pub(super) stored: Vec<Option<Did>>,
    /// Requests, by key, that are on their way and may arrive at any moment.
    pub in_flight: Vec<usize>,
}

/// More requests on their way than this add nothing: each acts alone, and the second already finds
/// what the first one did.
const MOST_IN_FLIGHT: usize = 2;

impl ServerModel {
    /// An order that waits for its capture.
    #[must_use]
    pub fn new(assumptions: Assumptions) -> Self {
        let (order, in_flight) = (Order::CaptureRequired, Vec::new());
        Self { assumptions, order, captures: 0, stored: Vec::new(), in_flight }
    }

    /// Everything that can happen when a request with this key arrives.
    #[must_use]
    pub fn arrives(&self, key: usize) -> Vec<(Self, Did)> {
        if let Some(did) = self.stored.get(key).copied().flatten() {
            return vec![(self.clone(), did)];
        }
        let open = match self.order {
            Order::CaptureRequired => true,
            Order::Completed => !self.assumptions.state_guard,
            Order::Cancelled => false,
        };
        if !open {
            return vec![(self.with_answer(key, Did::Failed), Did::Failed)];
        }
        let mut captured = self.clone();
        captured.captures += 1;
        captured.order = Order::Completed;
        vec![
            (captured.with_answer(key, Did::Success), Did::Success),
            (self.with_answer(key, Did::Failed), Did::Failed),
            (self.with_answer(key, Did::Error), Did::Error),
            // The money moved and the answer is an error all the same.
            (captured.with_answer(key, Did::Error), Did::Error),
        ]
    }

    /// Everything that can have happened to a request whose answer says nothing.
    #[must_use]
    pub fn after_loss(&self, key: usize) -> Vec<Self> {
        let mut servers = vec![self.clone()];
        servers.extend(self.arrives(key).into_iter().map(|(server, _)| server));
        if self.in_flight.len() < MOST_IN_FLIGHT {
            let mut delayed = self.clone();
            delayed.in_flight.push(key);
            delayed.in_flight.sort_unstable();
            servers.push(delayed);
        }
        servers.dedup();
        servers
    }

    /// What can happen without the client: a request on its way arrives, the order is cancelled, or
    /// captured by somebody else.
    #[must_use]
    pub fn by_itself(&self) -> Vec<(String, Self)> {
        let mut servers = Vec::new();
        for index in 0..self.in_flight.len() {
            let mut arrived = self.clone();
            let key = arrived.in_flight.remove(index);
            for (server, did) in arrived.arrives(key) {
                servers.push((format!("a delayed request arrives: {did:?}"), server));
            }
        }
        if self.order == Order::CaptureRequired {
            let cancelled = Self { order: Order::Cancelled, ..self.clone() };
            let captured = Self { order: Order::Completed, ..self.clone() };
            servers.push(("the order is cancelled".into(), cancelled));
            servers.push(("somebody else captures the order".into(), captured));
        }
        servers
    }

    /// A day later: no request takes that long, and keys may be forgotten.
    #[must_use]
    pub fn a_day_later(&self) -> Self {
        let mut later = self.clone();
        later.in_flight.clear();
        if self.assumptions.semantics == Semantics::Forgotten {
            later.stored.clear();
        }
        later
    }

    /// Whether a request on its way could still capture.
    #[must_use]
    pub fn may_still_capture(&self) -> bool {
        let captures = |server: &Self| server.captures > self.captures;
        self.in_flight
            .iter()
            .any(|key| self.arrives(*key).iter().any(|(server, _)| captures(server)))
    }

    fn with_answer(&self, key: usize, did: Did) -> Self {
        let keeps = match self.assumptions.semantics {
            Semantics::Frozen | Semantics::Forgotten => true,
            Semantics::OnlySuccess => did == Did::Success,
            Semantics::Ignored => false,
        };
        let mut server = self.clone();
        if keeps {
            server.stored.resize(server.stored.len().max(key + 1), None);
            server.stored[key] = Some(did);
        }
        server
    }
}
