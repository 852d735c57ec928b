//! Whole messages against the contract's own example and against every recorded reply.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use capture_core::driver::{Api, ListQuery, Query as _, Verdict};
use capture_core::wire::{self, error::Shape, order::OrderStatus};
use capture_core::{
    ApiError, Capture, ContentType, Credentials, Doubt, Environment, Money, Reason, Search,
};
use http::StatusCode;

use crate::{ORDER, api, capture, order, reply, token};

/// The contract's example, as its page prints it (no closing quote, a comment after the token).
const EXAMPLE: &str = include_str!("golden/capture_request.txt");

const KEY: &str = "0b8f2a54-3c1e-4f6d-8a9b-1c2d3e4f5a6b";
const TOKEN: &str = "eyJhbGciOiJIUzI1NiJ9.e30.c2ln";

type Headers = BTreeMap<String, String>;

/// The headers of the contract. Every request also says who is calling, that it wants no content
/// coding, and that its connection ends with the reply; those are checked here and left out.
fn headers(map: &http::HeaderMap) -> Headers {
    let text = |(name, value): (&http::HeaderName, &http::HeaderValue)| {
        let value = value.to_str().expect("a header of text").to_owned();
        (name.as_str().to_owned(), value)
    };
    assert_eq!(map.len(), map.keys_len(), "no header appears twice");
    let mut headers: Headers = map.iter().map(text).collect();
    assert_eq!(headers.remove("accept-encoding").as_deref(), Some("identity"));
    assert_eq!(headers.remove("connection").as_deref(), Some("close"));
    let agent = headers.remove("user-agent").expect("an agent");
    assert_eq!(agent, concat!("capture/", env!("CARGO_PKG_VERSION")));
    headers
}

/// The text without white space outside strings.
fn compact(json: &str) -> String {
    let mut in_string = false;
    let significant = |c: &char| {
        in_string ^= *c == '"';
        in_string || !c.is_ascii_whitespace()
    };
    json.chars().filter(significant).collect()
}

#[test]
fn the_capture_request_is_the_contracts_example() {
    let example = [
        ("{bearer_token_returned_by_oauth2}", TOKEN),
        ("{generate_a_GUID}", KEY),
        ("{same_orderId_returned_by_/evaluate_for_that_order}", ORDER),
    ]
    .into_iter()
    .fold(EXAMPLE.to_owned(), |text, (blank, value)| {
        assert_eq!(text.matches(blank).count(), 1, "{blank}");
        text.replace(blank, value)
    });
    let word = |flag: &str| {
        let (_, rest) = example.split_once(flag).expect(flag);
        rest.split_whitespace().next().expect("a value")
    };
    let quoted = example.split("--header '").skip(1).map(|rest| {
        let (header, _) = rest.split_once('\'').expect("a closing quote");
        let (name, value) = header.split_once(": ").expect("a colon");
        (name.to_ascii_lowercase(), value.to_owned())
    });
    let expected: Headers = quoted.collect();
    let (_, data) = example.split_once("--data '").expect("a body");

    let money = Money::parse("100.00", "USD").unwrap();
    let capture = Capture::new(order(), money, KEY.parse().unwrap());
    let request = wire::capture::request(&api(), &token(TOKEN), wire::capture::body(&capture));

    assert_eq!(request.method(), word("--request "));
    assert_eq!(request.uri(), word("--url "));
    assert_eq!(expected.len(), 3);
    assert_eq!(headers(request.headers()), expected);
    assert_eq!(request.body(), compact(data).as_bytes());
}

#[test]
fn the_capture_body_byte_by_byte() {
    let body = br#"{"idempotencyKey":"fe01d52b-4545-5e48-9327-be11f353a985","orderId":"5f1a3c5e-7c1d-4e0b-9d6a-0c4f5b6a7d81","amount":10000,"currency":"USD"}"#;
    assert_eq!(wire::capture::body(&capture()), &body[..]);
    let mut appended = b"before".to_vec();
    wire::capture::encode(&capture(), &mut appended);
    assert_eq!(appended, [b"before", &body[..]].concat());
}

#[test]
fn environment_and_content_type_go_into_every_capture() {
    use ContentType::{AnyJson, Json};
    for (environment, content_type, uri, header) in [
        (
            "sandbox",
            AnyJson,
            "https://api-sandbox.flex-charge.com/v1/capture",
            "application/*+json",
        ),
        ("production", Json, "https://api.flex-charge.com/v1/capture", "application/json"),
        ("http://127.0.0.1:8787/v1/", Json, "http://127.0.0.1:8787/v1/capture", "application/json"),
        (
            "https://api.flexfactor.io",
            AnyJson,
            "https://api.flexfactor.io/v1/capture",
            "application/*+json",
        ),
    ] {
        let environment: Environment = environment.parse().unwrap();
        let api = Api::new(&environment).with_content_type(content_type);
        let request = wire::capture::request(&api, &token(TOKEN), wire::capture::body(&capture()));
        assert_eq!(request.uri(), uri);
        assert_eq!(request.headers()[http::header::CONTENT_TYPE], header);
        assert_eq!(header.parse(), Ok(content_type));
    }
    assert!("text/json".parse::<ContentType>().is_err());
}

#[test]
fn the_lookup_the_list_and_the_login_are_the_documented_ones() {
    let lookup = wire::order::request(&api(), order(), &token(TOKEN));
    assert_eq!(lookup.method(), "GET");
    assert_eq!(
        lookup.uri().to_string(),
        format!("https://api-sandbox.flex-charge.com/v1/orders/{ORDER}")
    );
    let bearer = format!("Bearer {TOKEN}");
    let expected = [("authorization", bearer.as_str()), ("accept", "application/json")];
    assert_eq!(headers(lookup.headers()), named(&expected));
    assert_eq!(lookup.body(), "");

    let at = |seconds| Some(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds));
    let search = Search {
        placed_from: at(1_788_256_800),
        placed_to: at(1_788_343_200),
        ..Search::default()
    };
    let list = ListQuery::new(&api(), &search).request(token(TOKEN));
    assert_eq!(list.method(), "GET");
    assert_eq!(
        list.uri(),
        "https://api-sandbox.flex-charge.com/v1/orders?status=5&from=2026-09-01T10:00:00Z&to=2026-09-02T10:00:00Z&sort=asc&pageSize=100&pageNumber=1"
    );
    assert_eq!(headers(list.headers()), named(&expected));
    assert_eq!(list.body(), "");

    let credentials = Credentials::new("key/+=", "secret/+=").unwrap();
    let login = wire::token::request(&api(), &credentials);
    assert_eq!(login.method(), "POST");
    assert_eq!(login.uri(), "https://api-sandbox.flex-charge.com/v1/oauth2/token");
    let expected = [("content-type", "application/json"), ("accept", "application/json")];
    assert_eq!(headers(login.headers()), named(&expected));
    assert_eq!(login.body(), &br#"{"AppKey":"key/+=","AppSecret":"secret/+="}"#[..]);
}

fn named(headers: &[(&str, &str)]) -> Headers {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    headers.iter().map(owned).collect()
}

/// The contract's sample reply as printed, and with each of its two words.
#[test]
fn the_contracts_sample_reply() {
    let sample = r#"{
"status": "SUCCESS | FAILED",
"success": true,
"result": null,
"statusCode": null,
"errors": [],
"customProperties": {}
}"#;
    let json = [("content-type", "application/json")];
    let word = |word: &str| sample.replace("SUCCESS | FAILED", word);
    for (body, expected) in [
        (sample.to_owned(), Verdict::InProgress(Doubt::Word("SUCCESS|FAILED".into()))),
        (word("SUCCESS"), Verdict::Captured),
        (word("success"), Verdict::Captured),
        (word("FAILED"), Verdict::Refused(Reason::Declined(Vec::new()))),
        (word("fail"), Verdict::Refused(Reason::Declined(Vec::new()))),
    ] {
        assert_eq!(Verdict::of(&capture(), &reply(200, &json, body.clone())), expected, "{body}");
    }
    for (built, word) in
        [(wire::capture::captured(), "SUCCESS"), (wire::capture::failed("m"), "FAILED")]
    {
        let read = wire::capture::Reply::read(built.body()).unwrap();
        assert_eq!((read.status(), read.success()), (Some(word), Some(true)));
    }
    let documented: serde_json::Value = serde_json::from_str(&word("SUCCESS")).unwrap();
    let built: serde_json::Value =
        serde_json::from_slice(wire::capture::captured().body()).unwrap();
    assert_eq!(built, documented);
}

/// Every recorded reply, as a reply to a capture. Bodies in the recorded shapes, with our own values.
#[test]
fn every_recorded_reply_to_a_capture() {
    let about = |field: &str| vec![ApiError::field(field, "m")];
    let error = |message: &str| {
        serde_json::from_value::<ApiError>(serde_json::json!({ "message": message })).unwrap()
    };
    let coded = |message: &str| {
        let entry = serde_json::json!({ "message": message, "code": "2001" });
        serde_json::from_value::<ApiError>(entry).unwrap()
    };
    let doubtful = |status| Verdict::Ambiguous(Doubt::Status(status), None);
    let bad_request = |errors| Verdict::Refused(Reason::Rejected(400, errors));
    let tuple = r#"{"responseCode":"2001","responseMessage":"r","transactionId":null,"success":false,"result":null,"status":"FAILED","statusCode":null,"errors":[{"item1":"m","item2":"2001","item3":"2001","item4":true}],"customProperties":{}}"#;
    let e1 =
        r#"{"status":400,"title":"t","traceId":"00-a-b-01","errors":{"IdempotencyKey":["m"]}}"#;
    let e2 = r#"{"TraceId":["00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"],"IdempotencyKey":["m"]}"#;
    let e3 = r#"{"status":"400","errors":{"OrderId":["m"],"TraceId":["00-a-b-01"]}}"#;
    for (status, body, expected) in [
        (
            200,
            r#"{"status":"SUCCESS","success":true,"result":null,"statusCode":null,"errors":[],"customProperties":{}}"#,
            Verdict::Captured,
        ),
        (
            200,
            r#"{"captureStatus":"SUCCESS","orderId":"5f1a3c5e-7c1d-4e0b-9d6a-0c4f5b6a7d81","success":true,"errors":[]}"#,
            Verdict::Captured,
        ),
        (
            200,
            r#"{"status":"FAILED","success":true,"result":null,"statusCode":null,"errors":[],"customProperties":{}}"#,
            Verdict::Refused(Reason::Declined(vec![])),
        ),
        (
            200,
            r#"{"status":"FAILED","success":false,"errors":["m"]}"#,
            Verdict::Refused(Reason::Declined(vec![error("m")])),
        ),
        (
            200,
            r#"{"status":"FAILED","success":false,"errors":[{}]}"#,
            Verdict::Refused(Reason::Declined(vec![error("")])),
        ),
        (200, tuple, Verdict::Refused(Reason::Declined(vec![coded("m"), coded("r")]))),
        (
            200,
            r#"{"orderSessionKey":"5f1a3c5e-7c1d-4e0b-9d6a-0c4f5b6a7d81","senseKey":null,"orderId":"5f1a3c5e-7c1d-4e0b-9d6a-0c4f5b6a7d81","success":true,"result":"Success","status":"CAPTUREREQUIRED","statusCode":null,"errors":[],"customProperties":{}}"#,
            Verdict::InProgress(Doubt::Word("CAPTUREREQUIRED".into())),
        ),
        (400, e1, bad_request(about("IdempotencyKey"))),
        (400, e2, bad_request(about("IdempotencyKey"))),
        (400, e3, bad_request(about("OrderId"))),
        (400, tuple, bad_request(vec![coded("m"), coded("r")])),
        (
            400,
            r#"{"success":false,"status":"FAILED","errors":["m"]}"#,
            bad_request(vec![error("m")]),
        ),
        (401, "", Verdict::Refused(Reason::Unauthorized)),
        (401, r#"{"message":"Unauthorized"}"#, Verdict::Refused(Reason::Unauthorized)),
        (
            403,
            r#"{"message":"Forbidden"}"#,
            Verdict::Refused(Reason::Forbidden(vec![error("Forbidden")])),
        ),
        (404, r#"{"message":"Not Found"}"#, doubtful(404)),
        (401, r#"{"error":"invalid_token"}"#, Verdict::Refused(Reason::Unauthorized)),
        (409, "", Verdict::InProgress(Doubt::Status(409))),
        (
            409,
            r#"{"status":409,"title":"used with another payload"}"#,
            Verdict::Refused(Reason::KeyUsed(vec![error("used with another payload")])),
        ),
        (429, r#"{"message":"Too Many Requests"}"#, Verdict::Refused(Reason::Throttled(None))),
        (503, r#"{"message":"Service Unavailable"}"#, doubtful(503)),
        (400, "<html>Request blocked</html>", doubtful(400)),
    ] {
        assert_eq!(Verdict::of(&capture(), &reply(status, &[], body)), expected, "{status} {body}");
    }
    for body in ["", "{}"] {
        let verdict = Verdict::of(&capture(), &reply(200, &[], body));
        assert!(matches!(verdict, Verdict::Ambiguous(Doubt::Unreadable(_), None)), "{verdict:?}");
    }
}

#[test]
fn the_recorded_order_login_and_gateway_replies() {
    for (body, expected) in [
        (
            r#"{"id":"5F1A3C5E-7C1D-4E0B-9D6A-0C4F5B6A7D81","correlationId":"c","referenceNumber":"r","status":5,"statusName":"CAPTUREREQUIRED","orderPlacedDate":"2024-07-19T10:00:00","expiryDate":null,"billingAddress":{"city":"x"},"shippingAddress":null,"firstName":"f","currencyCode":"USD"}"#,
            Some(OrderStatus::CaptureRequired),
        ),
        (
            r#"{"id":"5f1a3c5e-7c1d-4e0b-9d6a-0c4f5b6a7d81","statusName":"Capturerequired"}"#,
            Some(OrderStatus::CaptureRequired),
        ),
        (
            r#"{"id":"5f1a3c5e-7c1d-4e0b-9d6a-0c4f5b6a7d81","status":7,"statusName":"Completed"}"#,
            Some(OrderStatus::Completed),
        ),
        (
            r#"{"id":"11111111-7c1d-4e0b-9d6a-0c4f5b6a7d81","status":7,"statusName":"Completed"}"#,
            None,
        ),
        (r#"{"message":"Not Found"}"#, None),
        ("", None),
    ] {
        assert_eq!(
            wire::order::read_reply(order(), &reply(200, &[], body)).ok().map(|order| order.status),
            expected,
            "{body}"
        );
    }
    let granted = r#"{"accessToken":"a.b.c","refreshToken":"s","expires":1712237948565,"id":"5f1a3c5e-7c1d-4e0b-9d6a-0c4f5b6a7d81","session":null,"daysToEnforceMFA":null,"skipAvailable":null,"success":true,"result":null,"status":null,"statusCode":null,"errors":[],"customProperties":{}}"#;
    let date = [("date", "Thu, 04 Apr 2024 13:30:00 GMT")];
    let grant = wire::token::read_reply(&reply(200, &date, granted)).unwrap();
    assert_eq!((grant.token.expose(), grant.lifetime.as_millis()), ("a.b.c", 548_565));
    assert!(wire::token::read_reply(&reply(400, &date, granted)).is_none());

    for (status, body, expected) in [
        (
            503,
            r#"{"message":"Service Unavailable"}"#,
            Some(Shape::Gateway("Service Unavailable".into())),
        ),
        (401, "", Some(Shape::Empty)),
        (502, "<html>Bad Gateway</html>", None),
    ] {
        let status = StatusCode::from_u16(status).unwrap();
        assert_eq!(Shape::read(status, body.as_bytes()), expected);
    }
}
