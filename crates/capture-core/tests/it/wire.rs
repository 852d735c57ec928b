//! The wire in both directions: what a client writes a server reads, and whatever else comes in is
//! refused by the name of its field.

use capture_core::driver::Verdict;
use capture_core::wire::error::{Shape, model_state, problem};
use capture_core::wire::order::OrderStatus;
use capture_core::{ApiError, OrderId, Reason, wire};
use http::StatusCode;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

use crate::values::{any_capture, any_guid};
use crate::{api, capture, cases, order, reply, token};

proptest! {
    #![proptest_config(cases(512))]

    #[test]
    fn a_server_reads_what_a_client_sends(capture in any_capture()) {
        let request = wire::capture::request(&api(), &token("t"), wire::capture::body(&capture));
        prop_assert_eq!(wire::capture::read_request(request.body()), Ok(capture));
        let body: serde_json::Value = serde_json::from_slice(request.body()).unwrap();
        prop_assert_eq!(body, serde_json::json!({
            "idempotencyKey": capture.idempotency_key().to_string(),
            "orderId": capture.order_id().to_string(),
            "amount": capture.money().minor_units(),
            "currency": capture.money().currency().code(),
        }));
    }

    #[test]
    fn a_broken_request_is_refused_by_name(at in any::<Index>(), byte in any::<u8>(), cut in any::<bool>()) {
        let sent = capture();
        let mut body = wire::capture::body(&sent).to_vec();
        let at = at.index(body.len());
        if cut {
            body.truncate(at);
        } else {
            body[at] = byte;
        }
        if let Err(errors) = wire::capture::read_request(&body) {
            check_named(&errors)?;
        }
        prop_assert!(!cut || wire::capture::read_request(&body).is_err());
    }

    #[test]
    fn arbitrary_bytes_are_not_a_request(body in vec(any::<u8>(), 0..200)) {
        let errors = wire::capture::read_request(&body).unwrap_err();
        check_named(&errors)?;
        prop_assert!(wire::token::read_request(&body).is_err());
    }

    #[test]
    fn a_login_is_read_back(key in "[0-_]([!-~]{0,38}[0-_])?", secret in "[0-_]([!-~é]{0,38}[0-_])?") {
        let credentials = capture_core::Credentials::new(key.as_str(), secret.as_str()).unwrap();
        let request = wire::token::request(&api(), &credentials);
        prop_assert_eq!(wire::token::read_request(request.body()).unwrap(), (key, secret));
    }

    #[test]
    fn an_order_is_read_back_and_never_for_another(id in any_guid(), number in -1_i64..10) {
        let id = OrderId::from_bytes(id).unwrap();
        let status = OrderStatus::from_number(number);
        let shown = wire::order::shown(id, status, serde_json::Map::new());
        let read = wire::order::read_reply(id, &shown).map(|order| order.status);
        prop_assert_eq!(read, Ok(status));
        prop_assert_eq!(wire::order::read_reply(order(), &shown).is_ok(), id == order());
    }

    #[test]
    fn arbitrary_bytes_are_no_evidence(status in 100_u16..=999, body in vec(any::<u8>(), 0..200)) {
        let response = reply(status, &[], body);
        prop_assert_eq!(wire::order::read_reply(order(), &response).ok(), None);
        prop_assert!(wire::token::read_reply(&response).is_none());
        let shape = Shape::read(response.status(), response.body());
        prop_assert!(matches!(shape, None | Some(Shape::Empty)), "{:?}", shape);
    }
}

/// Every error of a request has a field, and a message to go with it.
fn check_named(errors: &[ApiError]) -> Result<(), TestCaseError> {
    prop_assert!(!errors.is_empty());
    for error in errors {
        let field = error.field.as_deref().unwrap_or_default();
        let known = ["$", "IdempotencyKey", "OrderId", "Amount", "Currency"];
        prop_assert!(known.contains(&field) && !error.message.is_empty(), "{:?}", error);
    }
    Ok(())
}

#[test]
fn every_field_at_fault_is_named() {
    let good = std::str::from_utf8(&wire::capture::body(&capture())).unwrap().to_owned();
    for (from, to, fields) in [
        ("", "", &[][..]),
        (":10000", ":2147483647", &[]),
        (":10000", ": 1 ", &[]),
        ("\"amount\"", "\"Amount\"", &[]),
        ("{", r#"{"extra":{"deep":[1]},"#, &[]),
        ("fe01d52b-4545-5e48-9327-be11f353a985", "{FE01D52B-4545-5E48-9327-BE11F353A985}", &[]),
        (":10000", ":0", &["Amount"]),
        (":10000", ":-1", &["Amount"]),
        (":10000", ":2147483648", &["Amount"]),
        (":10000", ":4294967297", &["Amount"]),
        (":10000", ":99999999999999999999", &["Amount"]),
        (":10000", ":100.00", &["Amount"]),
        (":10000", ":1e4", &["Amount"]),
        (":10000", ":\"10000\"", &["Amount"]),
        (":10000", ":null", &["Amount"]),
        ("amount", "amoumt", &["Amount"]),
        ("USD", "usd", &["Currency"]),
        ("USD", "HRK", &["Currency"]),
        ("USD", "XAU", &["Currency"]),
        ("\"USD\"", "840", &["Currency"]),
        ("\"USD\"", "null", &["Currency"]),
        ("fe01d52b-4545-5e48-9327-be11f353a985", "", &["IdempotencyKey"]),
        (
            "fe01d52b-4545-5e48-9327-be11f353a985",
            "00000000-0000-0000-0000-000000000000",
            &["IdempotencyKey"],
        ),
        ("idempotencyKey", "key", &["IdempotencyKey"]),
        ("5f1a3c5e-7c1d-4e0b-9d6a-0c4f5b6a7d81", "ORD-17", &["OrderId"]),
        ("\"5f1a3c5e-7c1d-4e0b-9d6a-0c4f5b6a7d81\"", "[]", &["OrderId"]),
        ("{", r#"{"amount":1,"#, &["$"]),
        ("{", r#"{"ORDERID":null,"#, &["$"]),
        ("}", "", &["$"]),
        ("}", "}}", &["$"]),
    ] {
        let body = good.replacen(from, to, 1);
        let errors = wire::capture::read_request(body.as_bytes()).err().unwrap_or_default();
        let named: Vec<_> = errors.iter().filter_map(|error| error.field.as_deref()).collect();
        assert_eq!(named, fields, "{body}");
    }
    let nothing = wire::capture::read_request(b"{}").unwrap_err();
    assert_eq!(nothing.len(), 4, "all at once: {nothing:?}");
    assert_eq!(nothing[0].message, "The IdempotencyKey field is required.");
}

/// The client recognises what a server of ours writes about such a request.
#[test]
fn what_a_server_writes_about_a_bad_request_is_recognised() {
    let errors = wire::capture::read_request(b"{}").unwrap_err();
    let by_name = |mut errors: Vec<ApiError>| {
        errors.sort_by(|a, b| a.field.cmp(&b.field));
        errors
    };
    match Verdict::of(&capture(), &model_state(&errors, "00-a-b-01")) {
        Verdict::Refused(Reason::Rejected(400, read)) => {
            assert_eq!(by_name(read), by_name(errors));
        }
        other => panic!("{other:?}"),
    }
    for status in [400, 404, 405, 413, 415, 422] {
        let status = StatusCode::from_u16(status).unwrap();
        match Verdict::of(&capture(), &problem(status, "title", "00-a-b-01")) {
            Verdict::Refused(Reason::Rejected(read, errors)) => {
                assert_eq!((read, errors[0].message.as_str()), (status.as_u16(), "title"));
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn the_members_of_a_reply_are_shown_as_they_are() {
    for (body, capture_status, status, success, errors) in [
        ("{}", None, None, None, &[][..]),
        (r#"{"captureStatus":"PENDING","success":false}"#, Some("PENDING"), None, Some(false), &[]),
        (r#"{"status":"SUCCESS","success":true}"#, None, Some("SUCCESS"), Some(true), &[]),
        (r#"{"status":7,"success":"true","errors":["a","b"]}"#, None, None, None, &["a", "b"]),
    ] {
        let reply = wire::capture::Reply::read(body.as_bytes()).unwrap();
        assert_eq!((reply.capture_status(), reply.status()), (capture_status, status), "{body}");
        assert_eq!(reply.success(), success, "{body}");
        let said: Vec<_> = reply.errors().iter().map(|error| error.message.as_str()).collect();
        assert_eq!(said, errors, "{body}");
    }
}
