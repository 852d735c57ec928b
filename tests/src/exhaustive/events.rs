//! Everything that can come back from a send, as data: the catalogue of attempt events.

use std::collections::BTreeSet;
use std::time::Duration;

use bytes::Bytes;
use capture_core::Reason;
use capture_core::driver::{Evidence, TransportError, Verdict};
use capture_core::wire::Response;
use http::{HeaderMap, StatusCode};

use super::server::Order;
use crate::fixture;

/// What an answer to a capture says about the server, if the server is honest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// The server executed this request, now or before under this key.
    Success,
    /// The server decided against it, now or before under this key.
    Failed,
    /// The server refused it, because of its content or the order's state.
    Refused,
    /// It was turned away before anything was executed.
    TurnedAway,
    /// Anything may have happened to it.
    Loss,
}

/// One kind of answer.
#[derive(Debug, Clone)]
pub struct Kind {
    /// What to call it in a trace.
    pub name: String,
    /// What it says about the server (captures only).
    pub class: Class,
    make: Make,
}

#[derive(Debug, Clone)]
enum Make {
    Reply(Response),
    NotSent,
    CannotBeSent,
    MaybeSent,
    Cut(u16),
}

impl Kind {
    /// The answer itself.
    ///
    /// # Errors
    /// Where the kind is a request without a complete reply.
    pub fn answer(&self) -> Result<Response, TransportError> {
        match &self.make {
            Make::Reply(reply) => Ok(reply.clone()),
            Make::NotSent => Err(TransportError::not_sent("refused")),
            Make::CannotBeSent => Err(TransportError::cannot_be_sent("certificate")),
            Make::MaybeSent => Err(TransportError::maybe_sent("end of file")),
            Make::Cut(status) => {
                let status = StatusCode::from_u16(*status).expect("a status");
                Err(TransportError::in_reply(status, HeaderMap::new(), "cut"))
            }
        }
    }
}

impl Kind {
    /// What the answer to a capture proves, in a word or two.
    fn verdict(&self) -> String {
        match self.answer().map(|reply| Verdict::of(&fixture::capture(), &reply)) {
            Ok(Verdict::Captured) => "captured".to_owned(),
            Ok(Verdict::Refused(Reason::Rejected(404, _))) => "unknown order".to_owned(),
            Ok(Verdict::Refused(Reason::Rejected(415, _))) => "unread".to_owned(),
            Ok(Verdict::Refused(reason)) => reason.code().to_owned(),
            Ok(Verdict::InProgress(doubt) | Verdict::Ambiguous(doubt, _)) => {
                doubt.code().to_owned()
            }
            Ok(other) => format!("{other:?}"),
            Err(error) => format!("{:?} {}", error.delivery(), error.is_lasting()),
        }
    }

    /// Whether the answer to a lookup shows the order waiting.
    pub(crate) fn shows_waiting(&self) -> bool {
        matches!(&self.make, Make::Reply(reply)
            if Evidence::of(fixture::order(), reply) == Evidence::StillWaiting)
    }

    /// Whether the answer to a lookup denies that there is such an order.
    pub(crate) fn denies_the_order(&self) -> bool {
        matches!(&self.make, Make::Reply(reply)
            if Evidence::of(fixture::order(), reply) == Evidence::NoSuchOrder)
    }

    /// What the answer to a lookup proves, in a word or two.
    fn evidence(&self) -> String {
        match self.answer().map(|reply| Evidence::of(fixture::order(), &reply)) {
            Ok(Evidence::Nothing(_)) => "nothing".to_owned(),
            Ok(other) => format!("{other:?}"),
            Err(error) => format!("{:?} {}", error.delivery(), error.is_lasting()),
        }
    }
}

/// The answers of the catalogue, made once.
pub(crate) struct Catalogue {
    pub(crate) capture: Vec<Kind>,
    pub(crate) lookup: [(Order, Vec<Kind>); 3],
}

impl Catalogue {
    pub(crate) fn new() -> Self {
        let lookups = |order| (order, lookup_kinds(order));
        let lookup =
            [lookups(Order::CaptureRequired), lookups(Order::Completed), lookups(Order::Cancelled)];
        Self { capture: capture_kinds(), lookup }
    }

    /// One answer for each consequence: enough to show that a check fires.
    pub(crate) fn few() -> Self {
        let mut all = Self::new();
        let mut seen = BTreeSet::new();
        all.capture.retain(|kind| seen.insert(format!("{:?} {}", kind.class, kind.verdict())));
        for (order, kinds) in &mut all.lookup {
            kinds.retain(|kind| seen.insert(format!("{order:?} {}", kind.evidence())));
        }
        all
    }

    pub(crate) fn lookup(&self, order: Order) -> &[Kind] {
        let found = self.lookup.iter().find(|(state, _)| *state == order);
        found.map_or(&[], |(_, kinds)| kinds)
    }
}

/// Every kind of answer to a capture.
#[must_use]
pub fn capture_kinds() -> Vec<Kind> {
    use Class::{Failed, Loss, Refused, Success, TurnedAway};
    let other = "11111111-7c1d-4e0b-9d6a-0c4f5b6a7d81";
    let foreign = format!(r#"{{"status":"SUCCESS","success":true,"orderId":"{other}"}}"#);
    let ours =
        format!(r#"{{"captureStatus":"SUCCESS","orderId":"{}","success":true}}"#, fixture::order());
    let mut kinds = vec![
        lost("not sent", TurnedAway, Make::NotSent),
        lost("certificate refused", TurnedAway, Make::CannotBeSent),
        lost("no reply", Loss, Make::MaybeSent),
        lost("cut 200", Loss, Make::Cut(200)),
        lost("cut 401", Loss, Make::Cut(401)),
        lost("cut 429", Loss, Make::Cut(429)),
        lost("cut 500", Loss, Make::Cut(500)),
    ];
    for (class, status, body) in [
        (
            Success,
            200,
            r#"{"status":"SUCCESS","success":true,"result":null,"statusCode":null,"errors":[],"customProperties":{}}"#,
        ),
        (Success, 200, ours.as_str()),
        (Success, 200, "\u{feff}{\"Status\":\" success\",\"Success\":true,\"errors\":null}"),
        (Failed, 200, r#"{"status":"FAILED","success":true,"errors":[]}"#),
        (
            Failed,
            200,
            r#"{"status":"FAILED","success":false,"errors":[{"item1":"m","item2":"2001"}]}"#,
        ),
        (Failed, 200, r#"{"captureStatus":"fail","success":true}"#),
        (
            Refused,
            400,
            r#"{"status":400,"title":"t","traceId":"00-a-b-01","errors":{"OrderId":["m"]}}"#,
        ),
        (Refused, 400, r#"{"TraceId":["00-a-b-01"],"OrderId":["m"]}"#),
        (Refused, 400, r#"{"status":"400","errors":{"OrderId":["m"]},"traceId":"x"}"#),
        (
            Refused,
            400,
            r#"{"status":"FAILED","success":false,"responseMessage":"m","errors":[{}]}"#,
        ),
        (Refused, 404, r#"{"status":404,"title":"Not Found"}"#),
        (Refused, 405, r#"{"status":405,"title":"Method Not Allowed"}"#),
        (Refused, 415, r#"{"status":415,"title":"Unsupported Media Type"}"#),
        (Refused, 422, r#"{"status":422,"title":"t","errors":{"Amount":["m"]}}"#),
        (TurnedAway, 401, ""),
        (TurnedAway, 401, "<html>"),
        (TurnedAway, 401, r#"{"error":"invalid_token"}"#),
        (TurnedAway, 401, r#"{"status":401,"title":"Unauthorized"}"#),
        (TurnedAway, 401, r#"{"message":"Unauthorized"}"#),
        (TurnedAway, 403, r#"{"message":"Forbidden"}"#),
        (TurnedAway, 403, r#"{"status":403,"title":"Forbidden"}"#),
        (TurnedAway, 413, r#"{"message":"Request Entity Too Large"}"#),
        (TurnedAway, 421, ""),
        (TurnedAway, 429, ""),
        (TurnedAway, 429, r#"{"message":"Too Many Requests"}"#),
        (TurnedAway, 409, ""),
        (TurnedAway, 409, r#"{"status":409,"title":"Conflict"}"#),
        (TurnedAway, 409, r#"{"status":409,"title":"used with another payload"}"#),
        (TurnedAway, 425, ""),
        (Loss, 200, ""),
        (Loss, 200, "<html>"),
        (Loss, 200, r#"{"status":"SUCCESS","success":true"#),
        (Loss, 200, r#"{"status":"SUCCESS","success":true}{}"#),
        (Loss, 200, r#"[{"status":"SUCCESS","success":true}]"#),
        (Loss, 200, r#"{"status":"SUCCESS","status":"FAILED","success":true}"#),
        (Loss, 200, r#"{"status":"SUCCESS","STATUS":"SUCCESS","success":true}"#),
        (Loss, 200, r#"{"status":"SUCCESS","success":false}"#),
        (Loss, 200, r#"{"status":"SUCCESS","success":"true"}"#),
        (Loss, 200, r#"{"status":"SUCCESS","success":1}"#),
        (Loss, 200, r#"{"status":"SUCCESS","success":null}"#),
        (Loss, 200, r#"{"status":"SUCCESS"}"#),
        (Loss, 200, r#"{"status":"SUCCESS","success":true,"errors":["m"]}"#),
        (Loss, 200, r#"{"status":"FAILED"}"#),
        (Loss, 200, r#"{"status":null,"success":true}"#),
        (Loss, 200, r#"{"success":true}"#),
        (Loss, 200, r#"{"status":200,"success":true}"#),
        (Loss, 200, r#"{"status":"","success":true}"#),
        (Loss, 200, r#"{"status":"PROCESSING","success":true}"#),
        (Loss, 200, r#"{"status":"SUBMITTED","success":true}"#),
        (Loss, 200, r#"{"status":"CAPTURE REQUIRED","success":true}"#),
        (Loss, 200, r#"{"status":"APPROVED","success":true}"#),
        (Loss, 200, r#"{"captureStatus":"SUCCESS","status":"FAILED","success":true}"#),
        (Loss, 200, foreign.as_str()),
        (Loss, 201, r#"{"status":"SUCCESS","success":true}"#),
        (Loss, 202, ""),
        (Loss, 204, ""),
        (Loss, 301, ""),
        (Loss, 302, ""),
        (Loss, 303, ""),
        (Loss, 304, ""),
        (Loss, 307, ""),
        (Loss, 308, ""),
        (Loss, 400, "<html>"),
        (Loss, 400, ""),
        (Loss, 402, ""),
        (Loss, 403, "<html>"),
        (Loss, 404, r#"{"message":"Not Found"}"#),
        (Loss, 404, ""),
        (Loss, 408, ""),
        (Loss, 418, ""),
        (Loss, 500, r#"{"status":500,"title":"t"}"#),
        (Loss, 500, "<html>"),
        (Loss, 502, ""),
        (Loss, 503, r#"{"message":"Service Unavailable"}"#),
        (Loss, 504, ""),
        (Loss, 599, ""),
        (Loss, 600, ""),
        (Loss, 999, ""),
    ] {
        kinds.push(reply(class, status, &[], body));
    }
    let success = r#"{"status":"SUCCESS","success":true}"#;
    for (class, status, headers, body) in [
        (TurnedAway, 429, ("retry-after", "7"), ""),
        (TurnedAway, 429, ("retry-after", "3600"), ""),
        (Loss, 503, ("retry-after", "7"), ""),
        (Loss, 503, ("retry-after", "3600"), ""),
        (Loss, 307, ("location", "https://elsewhere.example/v1/capture"), ""),
        (Loss, 200, ("content-type", "text/html"), success),
        (Loss, 200, ("content-encoding", "gzip"), success),
    ] {
        kinds.push(reply(class, status, &[headers], body));
    }
    kinds
}

/// Every kind of answer to a lookup while the order is in this state.
#[must_use]
pub fn lookup_kinds(order: Order) -> Vec<Kind> {
    use Class::Loss;
    let ours = fixture::order();
    let shown =
        |status: &str| format!(r#"{{"id":"{ours}",{status},"email":"canary@example.com"}}"#);
    let honest: &[&str] = match order {
        Order::CaptureRequired => &[r#""status":5"#, r#""statusName":"CAPTURE REQUIRED""#],
        Order::Cancelled => &[r#""status":2"#, r#""statusName":"Cancelled""#],
        // A lookup may lag behind the capture, and the order may have been refunded since.
        Order::Completed => &[
            r#""status":7,"statusName":"COMPLETED""#,
            r#""statusName":"Completed""#,
            r#""status":6"#,
            r#""status":5"#,
        ],
    };
    let mut kinds: Vec<Kind> =
        honest.iter().map(|status| reply(Loss, 200, &[], &shown(status))).collect();
    // None of these is evidence, whatever the order's state.
    let other = "11111111-7c1d-4e0b-9d6a-0c4f5b6a7d81";
    for (status, body) in [
        (200, format!(r#"{{"id":"{other}","status":7}}"#)),
        (200, format!(r#"{{"id":"{other}","status":2}}"#)),
        (200, r#"{"status":7}"#.to_owned()),
        (200, r#"{"id":null,"status":2}"#.to_owned()),
        (200, shown(r#""status":7,"status":2"#)),
        (200, shown(r#""status":"7""#)),
        (200, shown(r#""status":7,"statusName":"Cancelled""#)),
        (200, shown(r#""status":4"#)),
        (200, shown(r#""status":3"#)),
        (200, shown(r#""status":1"#)),
        (200, shown(r#""status":0"#)),
        (200, shown(r#""status":42"#)),
        (200, shown(r#""statusName":"CHARGEBACK""#)),
        (200, format!(r#"{{"id":"{ours}","status":7"#)),
        (200, format!(r#"[{{"id":"{ours}","status":7}}]"#)),
        (200, "<html>".to_owned()),
        (200, String::new()),
        (202, shown(r#""status":7"#)),
        (302, String::new()),
        (401, String::new()),
        (403, r#"{"message":"Forbidden"}"#.to_owned()),
        (404, r#"{"status":404,"title":"Not Found"}"#.to_owned()),
        (404, r#"{"message":"Not Found"}"#.to_owned()),
        (429, String::new()),
        (500, shown(r#""status":7"#)),
        (503, String::new()),
        (504, String::new()),
    ] {
        kinds.push(reply(Loss, status, &[], &body));
    }
    kinds.push(reply(Loss, 429, &[("retry-after", "7")], ""));
    kinds.push(reply(Loss, 503, &[("retry-after", "3600")], ""));
    kinds.push(reply(Loss, 200, &[("content-type", "text/html")], &shown(r#""status":7"#)));
    kinds.push(lost("no reply", Loss, Make::MaybeSent));
    kinds.push(lost("cut 200", Loss, Make::Cut(200)));
    kinds.push(lost("not sent", Loss, Make::NotSent));
    kinds.push(lost("certificate refused", Loss, Make::CannotBeSent));
    kinds
}

/// The longest `Retry-After` of the catalogue.
pub const LONGEST_WISH: Duration = Duration::from_secs(7);

fn reply(class: Class, status: u16, headers: &[(&'static str, &'static str)], body: &str) -> Kind {
    let mut response = http::Response::new(Bytes::copy_from_slice(body.as_bytes()));
    *response.status_mut() = StatusCode::from_u16(status).expect("a status");
    for (name, value) in headers {
        response.headers_mut().insert(*name, value.parse().expect("a header"));
    }
    let extra: String = headers.iter().map(|(name, value)| format!(" {name}: {value}")).collect();
    let name =
        format!("{status}{extra} {}", capture_core::printable(body, 60)).trim_end().to_owned();
    Kind { name, class, make: Make::Reply(response) }
}

fn lost(name: &str, class: Class, make: Make) -> Kind {
    Kind { name: name.to_owned(), class, make }
}
