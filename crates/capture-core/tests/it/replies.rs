//! What a reply to a capture proves: the whole table, and that no bytes at all invent a success.

use std::time::Duration;

use capture_core::Reason;
use capture_core::driver::{MAX_BODY, Verdict};
use capture_core::wire::Response;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

use crate::{capture, cases, oracle, reply};

const SUCCESS: &str = r#"{"status":"SUCCESS","success":true,"result":null,"statusCode":null,"errors":[],"customProperties":{}}"#;
const FAILED: &str = r#"{"status":"FAILED","success":true,"result":null,"statusCode":null,"errors":["m"],"customProperties":{}}"#;

/// The verdict as one word: its kind, and the name of its reason.
fn name(response: &Response) -> String {
    match Verdict::of(&capture(), response) {
        Verdict::Captured => "captured".into(),
        Verdict::Refused(reason) => reason.code().into(),
        Verdict::InProgress(doubt) => format!("open {}", doubt.code()),
        Verdict::Ambiguous(doubt, _) => format!("doubt {}", doubt.code()),
        other => panic!("{other:?}"),
    }
}

/// Holds the verdict against the independent reading, and says which kind it is.
fn check(response: &Response) -> Result<(), TestCaseError> {
    let verdict = Verdict::of(&capture(), response);
    let is_captured = verdict == Verdict::Captured;
    let is_declined = matches!(verdict, Verdict::Refused(Reason::Declined(_)));
    prop_assert_eq!(is_captured, oracle::says_success(response), "{:?}", verdict);
    prop_assert!(!is_declined || oracle::says_failed(response), "{:?}", verdict);
    Ok(())
}

#[test]
fn the_body_of_a_200_decides() {
    for (body, expected) in [
        (SUCCESS, "captured"),
        (FAILED, "declined"),
        // Words: case and spaces do not matter.
        (r#"{"status":"Success","success":true}"#, "captured"),
        (r#"{"status":" SUCCESS ","success":true}"#, "captured"),
        (r#"{"status":"fail","success":false}"#, "declined"),
        (r#"{"status":"CAPTURE REQUIRED","success":true}"#, "open undecided_word"),
        (r#"{"status":"PROCESSING","success":true}"#, "open undecided_word"),
        (r#"{"status":"SUBMITTED","success":true}"#, "open undecided_word"),
        (r#"{"status":"APPROVED","success":true}"#, "open undecided_word"),
        (r#"{"status":"SUCCESSFUL","success":true}"#, "open undecided_word"),
        (r#"{"status":"SUCCES\u0405","success":true}"#, "open undecided_word"),
        (r#"{"status":"ſuccess","success":true}"#, "open undecided_word"),
        (r#"{"success":true}"#, "doubt unreadable_reply"),
        (r#"{"status":null,"success":true}"#, "doubt unreadable_reply"),
        (r#"{"status":"","success":true}"#, "doubt unreadable_reply"),
        (r#"{"status":" ","success":true}"#, "doubt unreadable_reply"),
        (r#"{"status":200,"success":true}"#, "doubt unreadable_reply"),
        (r#"{"status":true,"success":true}"#, "doubt unreadable_reply"),
        (r#"{"status":["SUCCESS"],"success":true}"#, "doubt unreadable_reply"),
        (r#"{"status":1e400,"success":true}"#, "doubt unreadable_reply"),
        (r#"{"status":"\ud800SUCCESS","success":true}"#, "doubt unreadable_reply"),
        // The flag: a boolean, or nothing.
        (r#"{"status":"SUCCESS","success":false}"#, "doubt contradiction"),
        (r#"{"status":"SUCCESS"}"#, "doubt unreadable_reply"),
        (r#"{"status":"SUCCESS","success":null}"#, "doubt unreadable_reply"),
        (r#"{"status":"SUCCESS","success":"true"}"#, "doubt unreadable_reply"),
        (r#"{"status":"SUCCESS","success":1}"#, "doubt unreadable_reply"),
        (r#"{"status":"FAILED","success":true}"#, "declined"),
        (r#"{"status":"FAILED","success":false}"#, "declined"),
        (r#"{"status":"FAILED"}"#, "doubt unreadable_reply"),
        // Two words.
        (r#"{"captureStatus":"SUCCESS","success":true}"#, "captured"),
        (r#"{"captureStatus":"SUCCESS","status":"success","success":true}"#, "captured"),
        (r#"{"captureStatus":"SUCCESS","status":null,"success":true}"#, "captured"),
        (r#"{"captureStatus":null,"status":"SUCCESS","success":true}"#, "captured"),
        (r#"{"captureStatus":"FAILED","success":true}"#, "declined"),
        (r#"{"captureStatus":"FAILED","status":"SUCCESS","success":true}"#, "doubt contradiction"),
        (r#"{"captureStatus":"SUCCESS","status":"FAILED","success":true}"#, "doubt contradiction"),
        (r#"{"captureStatus":"","status":"SUCCESS","success":true}"#, "doubt contradiction"),
        (r#"{"captureStatus":"SUCCESS","status":200,"success":true}"#, "doubt unreadable_reply"),
        (r#"{"captureStatus":{},"status":"SUCCESS","success":true}"#, "doubt unreadable_reply"),
        // Errors beside the word.
        (r#"{"status":"SUCCESS","success":true,"errors":null}"#, "captured"),
        (r#"{"status":"SUCCESS","success":true,"errors":{}}"#, "captured"),
        (r#"{"status":"SUCCESS","success":true,"errors":[ ]}"#, "captured"),
        (r#"{"status":"SUCCESS","success":true,"errors":["m"]}"#, "doubt contradiction"),
        (r#"{"status":"SUCCESS","success":true,"errors":"m"}"#, "doubt contradiction"),
        (r#"{"status":"SUCCESS","success":true,"errors":[{}]}"#, "doubt contradiction"),
        (r#"{"status":"SUCCESS","success":true,"errors":[0]}"#, "doubt contradiction"),
        (r#"{"status":"SUCCESS","success":true,"errors":{"a":["m"]}}"#, "doubt contradiction"),
        (r#"{"status":"SUCCESS","success":true,"errors":[1e400]}"#, "doubt unreadable_reply"),
        (r#"{"status":"FAILED","success":true,"errors":"m"}"#, "declined"),
        (r#"{"status":"FAILED","success":true,"errors":{"a":{"b":[{"c":"m"}]}}}"#, "declined"),
        (
            r#"{"status":"FAILED","success":true,"errors":[[["m"]],null,{},7,"\u001b[2J"]}"#,
            "declined",
        ),
        // Whose order it is.
        (
            r#"{"status":"SUCCESS","success":true,"orderId":"{5F1A3C5E-7C1D-4E0B-9D6A-0C4F5B6A7D81}"}"#,
            "captured",
        ),
        (r#"{"status":"SUCCESS","success":true,"orderId":null}"#, "captured"),
        (
            r#"{"status":"SUCCESS","success":true,"orderId":"11111111-7c1d-4e0b-9d6a-0c4f5b6a7d81"}"#,
            "doubt foreign_order",
        ),
        (
            r#"{"status":"FAILED","success":true,"orderId":"11111111-7c1d-4e0b-9d6a-0c4f5b6a7d81"}"#,
            "doubt foreign_order",
        ),
        (r#"{"status":"SUCCESS","success":true,"orderId":""}"#, "doubt foreign_order"),
        (r#"{"status":"SUCCESS","success":true,"orderId":7}"#, "doubt foreign_order"),
        // Names: any case, each once.
        (r#"{"Status":"SUCCESS","SUCCESS":true,"TraceId":["t"]}"#, "captured"),
        (r#"{"st\u0061tus":"SUCCESS","success":true}"#, "captured"),
        (r#"{"status":"SUCCESS","status":"SUCCESS","success":true}"#, "doubt unreadable_reply"),
        (r#"{"status":"SUCCESS","Status":"FAILED","success":true}"#, "doubt unreadable_reply"),
        (r#"{"status":"SUCCESS","st\u0061tus":"FAILED","success":true}"#, "doubt unreadable_reply"),
        (r#"{"status":"SUCCESS","success":true,"SUCCESS":false}"#, "doubt unreadable_reply"),
        (
            r#"{"status":"SUCCESS","success":true,"errors":[],"Errors":["m"]}"#,
            "doubt unreadable_reply",
        ),
        (r#"{"status":"SUCCESS","success":true,"x":1,"x":2}"#, "captured"),
        (r#"{"ſtatus":"FAILED","status":"SUCCESS","success":true}"#, "captured"),
        // One complete object, and nothing else.
        ("", "doubt unreadable_reply"),
        (" \r\n", "doubt unreadable_reply"),
        ("{}", "doubt unreadable_reply"),
        ("null", "doubt unreadable_reply"),
        ("\"SUCCESS\"", "doubt unreadable_reply"),
        ("SUCCESS", "doubt unreadable_reply"),
        (r#"[{"status":"SUCCESS","success":true}]"#, "doubt unreadable_reply"),
        (r#"{"result":{"status":"SUCCESS","success":true}}"#, "doubt unreadable_reply"),
        (r#"{"status":"SUCCESS","success":true}{}"#, "doubt unreadable_reply"),
        (r#"{"status":"SUCCESS","success":true} x"#, "doubt unreadable_reply"),
        (r#"{"status":"SUCCESS","success":true"#, "doubt unreadable_reply"),
        (r#"{"status":"SUCCESS","success":true,}"#, "doubt unreadable_reply"),
        (r#"{"status":"SUCCESS","success":true,"x":01}"#, "doubt unreadable_reply"),
        ("{'status':'SUCCESS','success':true}", "doubt unreadable_reply"),
        ("\u{feff}{\"status\":\"SUCCESS\",\"success\":true}\n", "captured"),
        ("\u{feff}\u{feff}{\"status\":\"SUCCESS\",\"success\":true}", "doubt unreadable_reply"),
        (
            r#"{"status":"SUCCESS","success":true,"x":1e400,"y":-0,"z":18446744073709551616}"#,
            "captured",
        ),
    ] {
        let response = reply(200, &[], body);
        assert_eq!(name(&response), expected, "{body}");
        check(&response).unwrap();
    }
}

/// SUCCESS beside errors is a contradiction, however deep the error hides.
#[test]
fn no_error_beside_success_is_overlooked() {
    let many_nulls = format!("[{}\"m\"]", "null,".repeat(64));
    for errors in [
        r#"[["m"]]"#,
        r#"[[["m"]]]"#,
        r#"[[{"item1":"m"}]]"#,
        r#"{"amount":[{"message":"m"}]}"#,
        r#"{"amount":[["m"]]}"#,
        r#"{"amount":[7]}"#,
        r#"{"TraceId":["t"],"amount":[[["m"]]]}"#,
        many_nulls.as_str(),
        // Effectively empty, but not what the contract shows: one lookup costs less.
        "[null]",
        "[[]]",
        r#"{"a":[]}"#,
    ] {
        let body = format!(r#"{{"status":"SUCCESS","success":true,"errors":{errors}}}"#);
        assert_eq!(name(&reply(200, &[], body)), "doubt contradiction", "{errors}");
    }
}

#[test]
fn bytes_that_are_not_text_prove_nothing() {
    let utf16: Vec<u8> = SUCCESS.encode_utf16().flat_map(u16::to_le_bytes).collect();
    for body in [
        utf16,
        b"{\"status\":\"SUCCESS\",\"success\":true,\"x\":\"\xff\"}".to_vec(),
        b"{\"status\":\"SUCCESS\",\"success\":true}\0".to_vec(),
        b"{\"status\":\"SUC\0CESS\",\"success\":true}".to_vec(),
        b"\x1f\x8b\x08\0".to_vec(),
        vec![b' '; MAX_BODY],
        vec![0; MAX_BODY],
    ] {
        assert_eq!(name(&reply(200, &[], body)), "doubt unreadable_reply");
    }
}

/// Depth, length and huge numbers use no stack and decide nothing that they should not.
#[test]
fn big_bodies() {
    assert_eq!(MAX_BODY, 1 << 20);
    let padded = |x: String| format!(r#"{{"x":{x},"status":"SUCCESS","success":true}}"#);
    let nested = |open: &str, close: &str| {
        let depth = (MAX_BODY - 100) / (open.len() + close.len());
        format!("{}0{}", open.repeat(depth), close.repeat(depth))
    };
    let errors = |x: &str| format!(r#"{{"status":"SUCCESS","success":true,"errors":{x}}}"#);
    for (body, expected) in [
        (padded(nested("[", "]")), "captured"),
        (padded(nested("{\"a\":", "}")), "captured"),
        (padded("9".repeat(MAX_BODY - 100)), "captured"),
        (padded(format!("\"{}\"", "a".repeat(MAX_BODY - 100))), "captured"),
        (padded("[".repeat(MAX_BODY)), "doubt unreadable_reply"),
        (errors(&nested("[", "]")), "doubt unreadable_reply"),
        (errors(&nested("{\"a\":", "}")), "doubt contradiction"),
        (errors(&format!("[{}0]", "0,".repeat(MAX_BODY / 2 - 100))), "doubt contradiction"),
        (errors(&format!("\"{}\"", "\\u001b".repeat(MAX_BODY / 6 - 100))), "doubt contradiction"),
        (format!("{SUCCESS}{}", " ".repeat(MAX_BODY - SUCCESS.len())), "captured"),
    ] {
        assert_eq!(name(&reply(200, &[], body)), expected);
    }
}

/// What a person is shown of a reply is short, whatever the reply holds.
#[test]
fn what_is_shown_is_short_and_escaped() {
    let long = format!("\\u001b[2J\\u202e{}", "a".repeat(100_000));
    for body in [
        format!(r#"{{"status":"{long}","success":true}}"#),
        format!(
            r#"{{"status":"FAILED","success":true,"errors":["{long}","{long}","{long}","{long}"]}}"#
        ),
        format!(r#"{{"status":"FAILED","success":true,"errors":{{"{long}":["{long}"]}}}}"#),
        format!(
            r#"{{"status":"FAILED","success":true,"errors":[{{"item1":"{long}","item2":"{long}"}}]}}"#
        ),
    ] {
        let shown = Verdict::of(&capture(), &reply(200, &[], body)).to_string();
        assert!(shown.len() < 4_000, "{} bytes", shown.len());
        assert!(shown.contains(r"\u{1b}[2J"), "{shown}");
        assert!(!shown.contains(['\u{1b}', '\u{202e}']));
    }
}

#[test]
fn headers_can_take_a_success_away() {
    for (headers, expected) in [
        (&[][..], "captured"),
        (&[("content-type", "application/json")], "captured"),
        (&[("content-type", "Application/JSON ; charset=UTF-8")], "captured"),
        (&[("content-type", "text/json")], "captured"),
        (&[("content-type", "application/problem+json")], "captured"),
        (&[("content-type", "text/html")], "doubt unreadable_reply"),
        (&[("content-type", "text/plain")], "doubt unreadable_reply"),
        (&[("content-type", "application/jsonp")], "doubt unreadable_reply"),
        (&[("content-type", "application/json-seq")], "doubt unreadable_reply"),
        (&[("content-type", "application/x-json")], "doubt unreadable_reply"),
        (&[("content-type", "text/json5")], "doubt unreadable_reply"),
        (&[("content-type", "application/problem+json5")], "doubt unreadable_reply"),
        (&[("content-type", "")], "doubt unreadable_reply"),
        (
            &[("content-type", "application/json"), ("content-type", "text/html")],
            "doubt unreadable_reply",
        ),
        (&[("content-encoding", "identity")], "captured"),
        (&[("content-encoding", "gzip")], "doubt unreadable_reply"),
        (&[("content-encoding", "identity"), ("content-encoding", "br")], "doubt unreadable_reply"),
        (&[("content-encoding", "")], "doubt unreadable_reply"),
        (&[("content-length", "99")], "captured"),
        (&[("transfer-encoding", "chunked")], "captured"),
        (&[("transfer-encoding", "chunked"), ("content-length", "99")], "doubt unreadable_reply"),
    ] {
        assert_eq!(name(&reply(200, headers, SUCCESS)), expected, "{headers:?}");
    }
    use http::Version;
    for (version, expected) in [
        (Version::HTTP_09, "doubt unreadable_reply"),
        (Version::HTTP_10, "doubt unreadable_reply"),
        (Version::HTTP_11, "captured"),
        (Version::HTTP_2, "captured"),
        (Version::HTTP_3, "captured"),
    ] {
        let mut reply = reply(200, &[], SUCCESS);
        *reply.version_mut() = version;
        assert_eq!(name(&reply), expected, "{version:?}");
    }
}

/// Every status with every kind of body; the first row that fits decides.
#[test]
fn the_status_decides_before_the_body() {
    const PROBLEM: &str = r#"{"title":"t","traceId":"00-a-b-01","errors":{"Amount":["m"]}}"#;
    const MAP: &str = r#"{"TraceId":["t"],"IdempotencyKey":["m"]}"#;
    const ENVELOPE: &str = r#"{"success":false,"status":"FAILED","errors":["m"]}"#;
    const GATEWAY: &str = r#"{"message":"m"}"#;
    const HTML: &str = "<html>Request blocked</html>";
    const STRANGER: &str = r#"{"detail":["blocked"]}"#; // a map, but of no field of ours
    let api_shaped = [PROBLEM, MAP, ENVELOPE];
    const USED: &str = r#"{"message":"This key was already used"}"#;
    let all =
        [PROBLEM, MAP, ENVELOPE, GATEWAY, USED, HTML, STRANGER, SUCCESS, FAILED, "", "{}", "[]"];
    let expect = |status: u16, body: &str| match status {
        202 | 425 => "open undecided_status",
        409 if body == USED => "key_used",
        409 => "open in_progress",
        300..=399 => "doubt redirect",
        421 => "never_sent",
        429 => "throttled",
        401 => "unauthorized",
        403 if api_shaped.contains(&body) || body == GATEWAY || body == USED => "forbidden",
        400 | 404 | 405 | 413 | 415 | 422 if api_shaped.contains(&body) => "rejected",
        413 if body == GATEWAY || body == USED => "rejected",
        _ => "doubt undecided_status",
    };
    for status in (100..=999).filter(|status| *status != 200) {
        for body in all {
            let response = reply(status, &[], body);
            assert_eq!(name(&response), expect(status, body), "{status} {body}");
        }
    }
    // Provenance is the body's alone: declared to be something else, it has none.
    for status in [400, 403, 404, 422] {
        let response = reply(status, &[("content-type", "text/html")], ENVELOPE);
        assert_eq!(name(&response), "doubt undecided_status");
    }
}

#[test]
fn waits_and_redirects_are_read_from_the_head() {
    let wait = |status, headers: &[(&str, &str)]| match Verdict::of(
        &capture(),
        &reply(status, headers, ""),
    ) {
        Verdict::Ambiguous(_, wait) | Verdict::Refused(Reason::Throttled(wait)) => wait,
        other => panic!("{other:?}"),
    };
    let seconds = Some(Duration::from_secs(7));
    assert_eq!(wait(429, &[("retry-after", "7")]), seconds);
    assert_eq!(wait(503, &[("retry-after", "7")]), seconds);
    assert_eq!(wait(503, &[]), None);
    assert_eq!(wait(429, &[("retry-after", "soon")]), None);

    for (location, expected) in [
        (
            "https://api.flexfactor.io/v1/capture?secret=1",
            "redirected to api.flexfactor.io; redirects are never followed",
        ),
        ("/v1/elsewhere", "redirected; redirects are never followed"),
        (
            "https://user:secret@evil.example/",
            "redirected to evil.example; redirects are never followed",
        ),
        ("%", "redirected; redirects are never followed"),
    ] {
        let response = reply(307, &[("location", location)], "");
        assert_eq!(Verdict::of(&capture(), &response).to_string(), expected);
    }
}

#[test]
fn every_cut_of_a_good_reply_decides_nothing() {
    for body in [
        SUCCESS,
        FAILED,
        r#"{"captureStatus":"SUCCESS","orderId":"5f1a3c5e-7c1d-4e0b-9d6a-0c4f5b6a7d81","success":true}"#,
    ] {
        for end in 0..body.len() {
            assert_eq!(
                name(&reply(200, &[], &body[..end])),
                "doubt unreadable_reply",
                "{}",
                &body[..end]
            );
        }
    }
}

proptest! {
    #![proptest_config(cases(1024))]

    #[test]
    fn arbitrary_bytes_prove_nothing(status in 100_u16..=999, body in vec(any::<u8>(), 0..300)) {
        let response = reply(status, &[], body);
        prop_assert_ne!(Verdict::of(&capture(), &response), Verdict::Captured);
        check(&response)?;
    }

    #[test]
    fn arbitrary_members_are_judged_as_the_rule_says(members in vec(member(), 1..6), tail in tail()) {
        let body = format!("{{{}}}{tail}", members.join(","));
        check(&reply(200, &[], body))?;
    }

    #[test]
    fn mutated_good_replies_are_judged_as_the_rule_says(
        good in select(vec![SUCCESS, FAILED]),
        mutations in vec(mutation(), 1..4),
    ) {
        let mut body = good.as_bytes().to_vec();
        for mutation in &mutations {
            mutation.apply(&mut body);
        }
        check(&reply(200, &[], body))?;
    }
}

/// A member that matters, in some spelling, with a value that mostly fits.
fn member() -> impl Strategy<Value = String> {
    let any_value =
        select(vec!["true", "false", "null", "200", "1e400", "\"\\ud800\"", "[]", "{}", "\"\""]);
    let named = |names: &[&'static str], values: &[&'static str]| {
        (select(names.to_vec()), prop_oneof![9 => select(values.to_vec()), 1 => any_value.clone()])
    };
    let words = [
        r#""SUCCESS""#,
        r#""SUCCESS""#,
        r#""success ""#,
        r#""FAILED""#,
        r#""fail""#,
        r#""PROCESSING""#,
    ];
    let errors = [
        "[]",
        "[]",
        "[ ]",
        "null",
        "{}",
        r#"["m"]"#,
        "[null]",
        "[[]]",
        r#"{"a":[]}"#,
        r#"{"TraceId":["t"]}"#,
    ];
    let ids = [
        r#""5f1a3c5e-7c1d-4e0b-9d6a-0c4f5b6a7d81""#,
        "null",
        r#""11111111-7c1d-4e0b-9d6a-0c4f5b6a7d81""#,
    ];
    let beside = [
        "null",
        "null",
        r#""Success""#,
        r#""failed""#,
        r#""Declined""#,
        "false",
        "402",
        r#""402""#,
        r#""100""#,
        r#""00""#,
        r#""05""#,
        r#""2001""#,
        r#""400001""#,
        r#""Completed""#,
        r#""RETURNED""#,
    ];
    prop_oneof![
        3 => named(&["status", "status", "Status"], &words),
        1 => named(&["captureStatus", "CaptureStatus"], &words),
        3 => named(&["success", "success", "SUCCESS"], &["true", "true", "true", "false"]),
        2 => named(&["errors", "Errors"], &errors),
        1 => named(&["orderId", "OrderId"], &ids),
        2 => named(
            &["result", "statusCode", "StatusCode", "responseCode", "orderStatus", "statusName"],
            &beside,
        ),
        1 => named(&["error", "errorCode", "declineCode"], &["null", "0", "\"00\"", "\"51\"", "false"]),
        1 => named(&["other"], &["1", "null", "\"FAILED\""]),
    ]
    .prop_map(|(name, value)| format!("\"{name}\":{value}"))
}

fn tail() -> impl Strategy<Value = &'static str> {
    prop_oneof![9 => select(vec!["", " ", "\n"]), 1 => select(vec!["x", "{}", ",", "\0"])]
}

#[derive(Debug, Clone)]
enum Mutation {
    Flip(Index, u8),
    Cut(Index),
    Remove(Index),
    Insert(Index, Vec<u8>),
    /// A whole member, behind the opening brace.
    Prepend(Vec<u8>),
    Swap(Index, Index),
}

impl Mutation {
    fn apply(&self, body: &mut Vec<u8>) {
        if body.is_empty() {
            return;
        }
        let len = body.len();
        match self {
            Self::Flip(at, bits) => body[at.index(len)] ^= bits,
            Self::Cut(at) => body.truncate(at.index(len)),
            Self::Remove(at) => drop(body.remove(at.index(len))),
            Self::Insert(at, bytes) => {
                let at = at.index(len);
                drop(body.splice(at..at, bytes.iter().copied()));
            }
            Self::Prepend(bytes) => drop(body.splice(1..1, bytes.iter().copied())),
            Self::Swap(a, b) => body.swap(a.index(len), b.index(len)),
        }
    }
}

fn mutation() -> impl Strategy<Value = Mutation> {
    let member = member().prop_map(|member| format!("{member},"));
    let scrap = select(vec![" ", "\"", "}", "{", ",", "\\u0053", "\0"]).prop_map(str::to_owned);
    prop_oneof![
        (any::<Index>(), 1_u8..).prop_map(|(at, bits)| Mutation::Flip(at, bits)),
        any::<Index>().prop_map(Mutation::Cut),
        any::<Index>().prop_map(Mutation::Remove),
        (any::<Index>(), scrap).prop_map(|(at, text)| Mutation::Insert(at, text.into_bytes())),
        member.prop_map(|text| Mutation::Prepend(text.into_bytes())),
        (any::<Index>(), any::<Index>()).prop_map(|(a, b)| Mutation::Swap(a, b)),
    ]
}
