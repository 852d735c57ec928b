//! The one table of routes: the API's and the control surface's.
//!
//! Everything that depends on the routes follows from it: which code answers, the `Allow` of a 405,
//! the lists at `/_sandbox/` and on the page, and the check of the OpenAPI document.

use std::fmt;

use http::{HeaderValue, Method};

use crate::world::Operation;

/// One method on one path.
#[derive(Debug)]
pub(crate) struct Route {
    pub(crate) method: Method,
    /// `{id}` stands for one segment.
    pub(crate) path: &'static str,
    pub(crate) target: Target,
    /// What it does, for the reader of the list.
    pub(crate) what: &'static str,
}

/// Who answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Target {
    Api(Operation),
    Control(Control),
}

/// What the control surface can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Control {
    Index,
    OpenApi,
    Orders,
    CreateOrder,
    SetStatus,
    Ledger,
    Summary,
    Transcript,
    Script,
    AddScript,
    ClearScript,
    Clock,
    Advance,
    Settings,
    ChangeSettings,
    Claims,
    Claim,
    Audit,
    Reset,
}

/// Why a request has no route.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Miss {
    Path,
    /// The path is known; these are the methods that it has.
    Method(HeaderValue),
}

const GET: Method = Method::GET;
const POST: Method = Method::POST;
const DELETE: Method = Method::DELETE;

pub(crate) static ROUTES: [Route; 25] = [
    api(POST, "/v1/oauth2/token", Operation::Token, "logs in: a bearer token"),
    api(POST, "/v1/evaluate", Operation::Evaluate, "creates an order"),
    api(POST, "/v1/capture", Operation::Capture, "captures the money of an order"),
    api(GET, "/v1/orders", Operation::Orders, "lists orders"),
    api(GET, "/v1/orders/{id}", Operation::Order, "one order and its status"),
    api(POST, "/v1/orders/{id}/cancel", Operation::Cancel, "voids an order"),
    control(GET, "/_sandbox/", Control::Index, "this list; the page for a browser"),
    control(
        GET,
        "/_sandbox/openapi.json",
        Control::OpenApi,
        "the API and this surface as OpenAPI 3.1",
    ),
    control(
        GET,
        "/_sandbox/orders",
        Control::Orders,
        "the last 10,000 orders: status, time left, captures",
    ),
    control(
        POST,
        "/_sandbox/orders",
        Control::CreateOrder,
        "creates an order: {\"amount\": minor units, \"currency\": \"USD\", \"status\"?: \"CAPTUREREQUIRED\", \"window_seconds\"?: 600}; or many: {\"orders\": [...]}, or {\"count\": 1000, \"window_seconds\"?: [600, 604800]} for orders that are drawn",
    ),
    control(
        POST,
        "/_sandbox/orders/{id}",
        Control::SetStatus,
        "sets the status of an order, even to one that the API would not allow: {\"status\": \"COMPLETED\"}",
    ),
    control(
        GET,
        "/_sandbox/summary",
        Control::Summary,
        "orders by status, captures, double captures, and the money captured by currency",
    ),
    control(GET, "/_sandbox/ledger", Control::Ledger, "the captures that truly happened"),
    control(
        GET,
        "/_sandbox/transcript",
        Control::Transcript,
        "the last 10,000 requests and what the sandbox did with them, without secrets",
    ),
    control(GET, "/_sandbox/script", Control::Script, "the fault rules that are still waiting"),
    control(
        POST,
        "/_sandbox/script",
        Control::AddScript,
        "adds fault rules: {\"preset\": \"lost-reply\"} or {\"rules\": [{\"on\": {\"operation\": \"capture\"}, \"times\": 1, \"do\": {\"close\": true, \"effect\": true}}]}",
    ),
    control(DELETE, "/_sandbox/script", Control::ClearScript, "removes all fault rules"),
    control(GET, "/_sandbox/clock", Control::Clock, "the sandbox's clock"),
    control(
        POST,
        "/_sandbox/clock",
        Control::Advance,
        "moves the sandbox's clock ahead: {\"advance_seconds\": 600}",
    ),
    control(GET, "/_sandbox/settings", Control::Settings, "how the sandbox behaves"),
    control(
        POST,
        "/_sandbox/settings",
        Control::ChangeSettings,
        "changes how it behaves: {\"idempotency\"?: \"frozen\", \"guard\"?: true, \"window_seconds\"?: 600, \"token_lifetime_seconds\"?: 600}",
    ),
    control(GET, "/_sandbox/claims", Control::Claims, "what the clients claimed"),
    control(
        POST,
        "/_sandbox/claims",
        Control::Claim,
        "claims an outcome: {\"order\": id, \"outcome\": \"captured\", \"not_captured\" or \"unknown\", \"by\"?: \"checkout\"}",
    ),
    control(GET, "/_sandbox/audit", Control::Audit, "the claims compared with the truth"),
    control(
        POST,
        "/_sandbox/reset",
        Control::Reset,
        "forgets orders, tokens, keys, ledger, transcript, claims, rules and clock",
    ),
];

const fn api(
    method: Method,
    path: &'static str,
    operation: Operation,
    what: &'static str,
) -> Route {
    Route { method, path, target: Target::Api(operation), what }
}

const fn control(
    method: Method,
    path: &'static str,
    control: Control,
    what: &'static str,
) -> Route {
    Route { method, path, target: Target::Control(control), what }
}

impl Route {
    /// The part of a path for which `{id}` stands, or nothing; `None` for a path that is not this
    /// route's.
    fn matches<'a>(&self, path: &'a str) -> Option<&'a str> {
        let Some((before, after)) = self.path.split_once("{id}") else {
            return (self.path == path).then_some("");
        };
        let id = path.strip_prefix(before)?.strip_suffix(after)?;
        (!id.contains('/')).then_some(id)
    }
}

impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.path)
    }
}

/// Whether a path belongs to the control surface, whatever is there.
pub(crate) fn is_control(path: &str) -> bool {
    path.strip_prefix("/_sandbox").is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Who answers a request, and the id in its path.
pub(crate) fn find<'a>(method: &Method, path: &'a str) -> Result<(Target, &'a str), Miss> {
    let path = if path == "/_sandbox" { "/_sandbox/" } else { path };
    let mut known = Vec::new();
    for route in &ROUTES {
        let Some(id) = route.matches(path) else { continue };
        if route.method == *method {
            return Ok((route.target, id));
        }
        known.push(route.method.as_str());
    }
    if known.is_empty() {
        return Err(Miss::Path);
    }
    let allowed = HeaderValue::from_str(&known.join(", ")).expect("methods are tokens");
    Err(Miss::Method(allowed))
}

/// The operation that a request means, and the id in its path.
pub(crate) fn operation<'a>(method: &Method, path: &'a str) -> Result<(Operation, &'a str), Miss> {
    match find(method, path)? {
        (Target::Api(operation), id) => Ok((operation, id)),
        (Target::Control(_), _) => Err(Miss::Path),
    }
}

/// The route of an operation.
pub(crate) fn of(operation: Operation) -> &'static Route {
    let target = Target::Api(operation);
    ROUTES.iter().find(|route| route.target == target).expect("every operation has a route")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths() {
        let api = |operation, id| Some((Target::Api(operation), id));
        let control = |control, id| Some((Target::Control(control), id));
        for (path, expect) in [
            ("/v1/orders", api(Operation::Orders, "")),
            ("/v1/orders/x", api(Operation::Order, "x")),
            ("/v1/orders/", api(Operation::Order, "")),
            ("/v1/orders/x/refund", None),
            ("/v1/orders/x/", None),
            ("/v1//orders", None),
            ("/v1", None),
            ("/v2/orders", None),
            ("*", None),
            ("", None),
            ("/_sandbox", control(Control::Index, "")),
            ("/_sandbox/", control(Control::Index, "")),
            ("/_sandbox/ledger", control(Control::Ledger, "")),
            ("/_sandbox/ledger/", None),
        ] {
            assert_eq!(find(&GET, path).ok(), expect, "{path}");
        }
        for (path, expect) in [
            ("/v1/oauth2/token", api(Operation::Token, "")),
            ("/v1/capture", api(Operation::Capture, "")),
            ("/v1/orders/x/cancel", api(Operation::Cancel, "x")),
            ("/v1/orders/x/cancel/", None),
            ("/v1/capture/", None),
            ("/v1//capture", None),
            ("/v2/capture", None),
            ("/_sandbox/orders/x", control(Control::SetStatus, "x")),
        ] {
            assert_eq!(find(&POST, path).ok(), expect, "{path}");
        }
    }

    #[test]
    fn the_methods_that_a_path_has() {
        for (path, allowed) in [
            ("/v1/capture", "POST"),
            ("/v1/orders/x", "GET"),
            ("/_sandbox/orders", "GET, POST"),
            ("/_sandbox/script", "GET, POST, DELETE"),
        ] {
            let found = find(&Method::PUT, path);
            assert_eq!(found, Err(Miss::Method(HeaderValue::from_static(allowed))), "{path}");
        }
        assert_eq!(find(&Method::PUT, "/v1/refund"), Err(Miss::Path));
    }
}
