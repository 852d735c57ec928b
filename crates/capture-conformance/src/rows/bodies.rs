//! Faults 65 to 84: what the body of a 200 says.

use super::row::{Row, proven, refusal, unclear};
use crate::fixture::{ORDER, OTHER_ORDER};
use crate::replies::{SUCCESS, chunked, json, later, order, raw, waiting};
use crate::wire::{Act, Dialogue, Do, on_capture};

pub(super) fn rows() -> Vec<Row> {
    let mut rows = Vec::new();
    for (name, body, doubt) in [
        (
            "65 SUCCESS beside success: false",
            r#"{"status":"SUCCESS","success":false}"#,
            "contradiction",
        ),
        ("67 no status", r#"{"success":true}"#, "unreadable_reply"),
        ("67 status null", r#"{"status":null,"success":true}"#, "unreadable_reply"),
        ("67 status empty", r#"{"status":"","success":true}"#, "unreadable_reply"),
        ("67 an empty object", "{}", "unreadable_reply"),
        ("69 PROCESSING", r#"{"status":"PROCESSING","success":true}"#, "undecided_word"),
        ("69 SUBMITTED", r#"{"status":"SUBMITTED","success":true}"#, "undecided_word"),
        (
            "69 CAPTURE REQUIRED",
            r#"{"status":"CAPTURE REQUIRED","success":true}"#,
            "undecided_word",
        ),
        ("69 a new word", r#"{"status":"SUCCESSFUL","success":true}"#, "undecided_word"),
        ("70 status 200", r#"{"status":200,"success":true}"#, "unreadable_reply"),
        (
            "70 problem details in a 200",
            r#"{"status":400,"title":"t","success":true}"#,
            "unreadable_reply",
        ),
        (
            "71 two words",
            r#"{"captureStatus":"FAILED","status":"SUCCESS","success":true}"#,
            "contradiction",
        ),
        (
            "71 two words, the other way",
            r#"{"captureStatus":"SUCCESS","status":"FAILED","success":true}"#,
            "contradiction",
        ),
        ("72 success is text", r#"{"status":"SUCCESS","success":"true"}"#, "unreadable_reply"),
        ("72 success is 1", r#"{"status":"SUCCESS","success":1}"#, "unreadable_reply"),
        ("72 success is null", r#"{"status":"SUCCESS","success":null}"#, "unreadable_reply"),
        ("72 no success", r#"{"status":"SUCCESS"}"#, "unreadable_reply"),
        (
            "74 SUCCESS beside errors",
            r#"{"status":"SUCCESS","success":true,"errors":["m"]}"#,
            "contradiction",
        ),
        (
            "75 an order id that is a number",
            r#"{"orderId":7,"status":"SUCCESS","success":true}"#,
            "foreign_order",
        ),
        (
            "76 status twice",
            r#"{"status":"SUCCESS","status":"FAILED","success":true}"#,
            "unreadable_reply",
        ),
        (
            "76 success twice",
            r#"{"status":"SUCCESS","success":true,"success":true}"#,
            "unreadable_reply",
        ),
        (
            "77 Status and status",
            r#"{"status":"SUCCESS","Status":"SUCCESS","success":true}"#,
            "unreadable_reply",
        ),
        ("79 status 1e400", r#"{"status":1e400,"success":true}"#, "unreadable_reply"),
        ("81 a lone surrogate", r#"{"status":"\ud800SUCCESS","success":true}"#, "unreadable_reply"),
        (
            "82 an escape sequence for a word",
            r#"{"status":"\u001b[2JSUCCESS","success":true}"#,
            "undecided_word",
        ),
        ("82 a NUL in the word", r#"{"status":"SUCCESS\u0000","success":true}"#, "undecided_word"),
        ("82 a raw NUL", "{\"status\":\"SUCCESS\u{0}\",\"success\":true}", "unreadable_reply"),
        ("83 an array", r#"[{"status":"SUCCESS","success":true}]"#, "unreadable_reply"),
        ("83 text", r#""SUCCESS""#, "unreadable_reply"),
        ("83 half an object", r#"{"status":"SUCCESS","success":true"#, "unreadable_reply"),
    ] {
        rows.extend(unclear(name, Act::say(json(200, body)), doubt, "C200"));
    }
    let foreign = SUCCESS.replacen('{', &format!(r#"{{"orderId":"{OTHER_ORDER}","#), 1);
    let utf16: Vec<u8> = SUCCESS.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let json_head = |n: usize| format!("content-type: application/json\r\ncontent-length: {n}\r\n");
    let bytes = |body: &[u8]| raw("HTTP/1.1 200 OK", &json_head(body.len()), body);
    for (name, reply, doubt) in [
        ("75 another order's id", json(200, &foreign), "foreign_order"),
        (
            "81 a body that is not UTF-8",
            bytes(b"{\"status\":\"SUCCESS\",\"success\":true,\"x\":\"\xff\"}"),
            "unreadable_reply",
        ),
        ("81 UTF-16", bytes(&utf16), "unreadable_reply"),
        (
            "80 two byte order marks",
            json(200, &format!("\u{feff}\u{feff}{SUCCESS}")),
            "unreadable_reply",
        ),
        ("83 two documents", json(200, &format!("{SUCCESS}{SUCCESS}")), "unreadable_reply"),
        ("83 junk behind", json(200, &format!("{SUCCESS} x")), "unreadable_reply"),
        ("78 depth in a member that matters", json(200, &deep("errors")), "unreadable_reply"),
    ] {
        rows.extend(unclear(name, Act::say(reply), doubt, "C200"));
    }
    let mib = "10000\r\n".to_owned() + &" ".repeat(0x1_0000) + "\r\n";
    for (name, act) in [
        ("84 white space without end", Act::say(chunked("")).then(Do::Flood(mib.into()))),
        (
            "84 1 GiB announced",
            Act::say(raw("HTTP/1.1 200 OK", &json_head(1 << 30), ""))
                .then(Do::Flood(vec![b' '; 0x1_0000])),
        ),
        ("84 one byte over 1 MiB", Act::say(json(200, &padded((1 << 20) + 1)))),
    ] {
        rows.extend(unclear(name, act, "cut_reply", "C200~"));
    }
    for (what, member) in [
        ("statusCode 402", r#""statusCode":"402""#),
        ("a number for statusCode", r#""statusCode":402"#),
        ("a decline in responseCode", r#""responseCode":"2001""#),
        ("result failed", r#""result":"failed""#),
        ("an error", r#""error":{"message":"m"}"#),
        ("a declineCode", r#""declineCode":"51""#),
        ("FAILED in data", r#""data":{"captureStatus":"FAILED"}"#),
        ("a cancelled order", r#""orderStatus":"Cancelled""#),
    ] {
        let body = SUCCESS.replacen('{', &format!("{{{member},"), 1);
        let act = || Act::say(json(200, &body));
        let name = format!("74 SUCCESS beside {what}");
        rows.extend(unclear(&name, act(), "contradiction", "C200"));
        rows.push(proven(&name, act(), "C200"));
    }
    let refused = r#"{"status":"FAILED","success":true,"orderStatus":"Completed"}"#;
    let act = || Act::say(json(200, refused));
    rows.extend(unclear("74 FAILED beside a completed order", act(), "contradiction", "C200"));
    rows.push(proven("74 FAILED beside a completed order", act(), "C200"));
    let ours = SUCCESS.replacen('{', &format!(r#"{{"orderId":"{ORDER}","#), 1);
    let under_own_key =
        |name: &str, body: &str, lookup: Vec<u8>, outcome: &str, rest: [&str; 2]| {
            let dialogue = Dialogue {
                capture: vec![Act::say(json(200, body))],
                lookup: vec![Act::say(lookup)],
                ..Dialogue::default()
            };
            let [attempts, wire] = rest;
            Row::new(name, dialogue, outcome, attempts, wire).own_key()
        };
    rows.extend([
        under_own_key(
            "98 SUCCESS under a key of one's own, which names our order",
            &ours,
            later(),
            "captured reply",
            ["C200", "T C"],
        ),
        under_own_key(
            "98 SUCCESS under a key of one's own, and the order is completed",
            SUCCESS,
            order(7),
            "captured order_status",
            ["C200 L200", "T C L"],
        ),
        under_own_key(
            "98 SUCCESS under a key of one's own, and the order cannot be looked up",
            SUCCESS,
            later(),
            "unknown unproven_key",
            ["C200 L503", "T C L"],
        ),
        under_own_key(
            "98 SUCCESS under a key of one's own, and the order still waits",
            SUCCESS,
            waiting(),
            "unknown unproven_key",
            ["C200 L200 L503", "T C L L"],
        ),
    ]);
    for (name, body) in [
        ("68 Success", r#"{"status":"Success","success":true}"#.to_owned()),
        ("68 SUCCESS with a space", r#"{"status":" SUCCESS ","success":true}"#.into()),
        (
            "71 two words that agree",
            r#"{"captureStatus":"success","status":"SUCCESS","success":true}"#.into(),
        ),
        (
            "75 our own id",
            SUCCESS.replacen('{', &format!(r#"{{"orderId":"{}","#, ORDER.to_uppercase()), 1),
        ),
        ("76 an unknown member twice", SUCCESS.replacen('{', r#"{"x":1,"x":2,"#, 1)),
        (
            "77 members in other cases",
            r#"{"STATUS":"SUCCESS","Success":true,"Errors":null}"#.into(),
        ),
        ("78 depth in an unknown member", deep("x")),
        (
            "79 wild numbers in unknown members",
            SUCCESS.replacen('{', r#"{"x":1e400,"y":-0,"z":18446744073709551616,"#, 1),
        ),
        (
            "79 a number of 10^5 digits",
            SUCCESS.replacen('{', &format!(r#"{{"x":{},"#, "9".repeat(100_000)), 1),
        ),
        (
            "74 what says nothing beside SUCCESS",
            SUCCESS.replacen(
                '{',
                r#"{"result":"Success","statusCode":"200","responseCode":"100","responseMessage":"Approved","errorCode":"00","error":null,"#,
                1,
            ),
        ),
        ("80 one byte order mark", format!("\u{feff}{SUCCESS}")),
        ("82 an escape sequence elsewhere", SUCCESS.replacen('{', r#"{"x":"\u001b[2J","#, 1)),
        ("84 white space up to 1 MiB", padded(1 << 20)),
    ] {
        rows.push(Row::new(
            name,
            on_capture([Act::say(json(200, &body))]),
            "captured reply",
            "C200",
            "T C",
        ));
    }
    for (name, body) in [
        ("66 FAILED beside success: true", r#"{"status":"FAILED","success":true}"#),
        ("66 FAILED beside success: false", r#"{"status":"FAILED","success":false}"#),
        ("66 fail", r#"{"status":"fail","success":true}"#),
        ("73 errors as text", r#"{"status":"FAILED","success":true,"errors":"m"}"#),
        (
            "73 errors as an object",
            r#"{"status":"FAILED","success":true,"errors":{"OrderId":["m"]}}"#,
        ),
        (
            "73 errors as tuples",
            r#"{"status":"FAILED","success":true,"errors":[{"item1":"m","item2":"1"}]}"#,
        ),
        ("73 errors as empty objects", r#"{"status":"FAILED","success":true,"errors":[{},{}]}"#),
        ("73 errors nested", r#"{"status":"FAILED","success":true,"errors":[["m",["n"]],7,null]}"#),
        (
            "82 escape sequences in a message",
            r#"{"status":"FAILED","success":true,"errors":["\u001b[2J\u0000"]}"#,
        ),
    ] {
        let act = || Act::say(json(200, body));
        rows.extend(refusal(name, act(), "declined", "C200"));
        rows.push(proven(name, act(), "C200"));
        let after = Dialogue {
            capture: vec![Act::does(vec![Do::Finish]), act()],
            lookup: vec![Act::say(waiting())],
            ..Dialogue::default()
        };
        rows.push(Row::new(
            &format!("{name}, after doubt"),
            after,
            "unknown no_reply",
            "C? L200 C200 L503",
            "T C L C L",
        ));
    }
    rows
}

/// SUCCESS beside a member that is 100,000 arrays deep.
fn deep(member: &str) -> String {
    let (open, close) = ("[".repeat(100_000), "]".repeat(100_000));
    format!(r#"{{"{member}":{open}{close},"status":"SUCCESS","success":true}}"#)
}

/// SUCCESS with white space up to this size.
fn padded(size: usize) -> String {
    format!("{}{SUCCESS}", " ".repeat(size - SUCCESS.len()))
}
