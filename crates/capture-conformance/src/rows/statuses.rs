//! Faults 39 to 64: redirects and statuses.

use super::row::{Row, proven, refusal, unclear};
use crate::replies::{SUCCESS, captured, json, order, waiting, with};
use crate::wire::{Act, Dialogue, Do, on_capture};

const PROBLEM: &str = r#"{"title":"One or more validation errors occurred.","status":400,"errors":{"OrderId":["m"]}}"#;
const GATEWAY: &str = r#"{"message":"Forbidden"}"#;
const HTML: &str = "<html>Request blocked</html>";

pub(super) fn rows() -> Vec<Row> {
    let say = |reply: Vec<u8>| Act::say(reply);
    let mut rows = Vec::new();
    for (fault, status) in [(39, 300), (39, 301), (39, 302), (39, 303), (40, 307), (40, 308)] {
        for (where_to, target) in [
            ("to another origin", "http://TRAP/v1/capture"),
            ("to the same origin", "http://SELF/v1/elsewhere"),
            ("by a path", "/v1/elsewhere"),
        ] {
            let act = say(with(status, &format!("location: {target}\r\n"), SUCCESS));
            let name = format!("{fault} a {status} {where_to}");
            rows.extend(unclear(&name, act, "redirect", &format!("C{status}")));
        }
    }
    rows.extend(unclear("39 a 302 to nowhere", say(with(302, "", SUCCESS)), "redirect", "C302"));
    rows.extend(unclear(
        "39 a 302 with an invalid location",
        say(with(302, "location: http://[::\r\n", SUCCESS)),
        "redirect",
        "C302",
    ));
    rows.push(Row::new(
        "39 the lookup is redirected",
        Dialogue {
            capture: vec![say(json(500, ""))],
            lookup: vec![say(with(302, "location: http://TRAP/v1/orders/\r\n", ""))],
            ..Dialogue::default()
        },
        "unknown undecided_status",
        "C500 L302 L503",
        "T C L L",
    ));
    rows.push(Row::new(
        "39 the login is redirected",
        Dialogue {
            token: vec![say(with(307, "location: http://TRAP/v1/oauth2/token\r\n", ""))],
            ..Dialogue::default()
        },
        "not_captured login_not_the_api",
        "",
        "T",
    ));

    let problem = |status: u16| PROBLEM.replace("400", &status.to_string());
    for (fault, status, body) in [
        (41, 400, problem(400)),
        (41, 422, problem(422)),
        (41, 400, r#"{"TraceId":["t"],"OrderId":["m"]}"#.into()),
        (
            41,
            400,
            r#"{"success":false,"status":"FAILED","errors":[{"item1":"m","item2":"2001"}]}"#.into(),
        ),
        (47, 404, problem(404)),
        (49, 405, problem(405)),
        (49, 415, problem(415)),
        (53, 413, problem(413)),
        (53, 413, r#"{"message":"Request Too Long"}"#.into()),
    ] {
        let name = format!("{fault} a {status} of the API: {}", short(&body));
        let attempt = format!("C{status}");
        rows.extend(refusal(&name, say(json(status, &body)), "rejected", &attempt));
        // The refusal may be the echo of somebody else's capture.
        rows.push(proven(&name, say(json(status, &body)), &attempt));
        // In doubt a refusal changes nothing.
        let doubt = Dialogue {
            capture: vec![Act::does(vec![Do::Finish]), say(json(status, &body))],
            lookup: vec![Act::say(waiting())],
            ..Dialogue::default()
        };
        rows.push(Row::new(
            &format!("{name}, after doubt"),
            doubt,
            "unknown no_reply",
            &format!("C? L200 C{status} L503"),
            "T C L C L",
        ));
    }
    for (fault, status, body) in [
        (42, 400, HTML),
        (42, 403, HTML),
        (42, 400, ""),
        (42, 400, "{}"),
        (48, 404, r#"{"message":"Not Found"}"#),
        (48, 404, HTML),
        (49, 406, PROBLEM),
        (50, 408, ""),
        (52, 410, PROBLEM),
        (53, 431, PROBLEM),
        (60, 500, HTML),
        (60, 500, r#"{"title":"An error occurred","status":500}"#),
        (60, 500, SUCCESS),
        (61, 502, r#"{"message":"Internal server error"}"#),
        (61, 503, r#"{"message":"Service Unavailable"}"#),
        (61, 504, r#"{"message":"Endpoint request timed out"}"#),
        (63, 201, SUCCESS),
        (63, 202, SUCCESS),
        (63, 203, SUCCESS),
        (63, 206, SUCCESS),
        (64, 402, PROBLEM),
        (64, 418, PROBLEM),
        (64, 451, PROBLEM),
    ] {
        let name = format!("{fault} a {status}: {}", short(body));
        let act = say(json(status, body));
        rows.extend(unclear(&name, act.clone(), "undecided_status", &format!("C{status}")));
        rows.push(proven(&name, act, &format!("C{status}")));
    }
    rows.extend(unclear(
        "51 a 409: the key is in progress",
        say(json(409, PROBLEM)),
        "in_progress",
        "C409",
    ));
    rows.extend(unclear("52 a 409 of another kind", say(json(409, HTML)), "in_progress", "C409"));
    let used = r#"{"status":409,"title":"The key was used with another payload"}"#;
    rows.extend(refusal("52 a 409: the key was used", say(json(409, used)), "key_used", "C409"));
    rows.push(proven("52 a 409: the key was used", say(json(409, used)), "C409"));
    rows.extend(unclear("55 a 425", say(json(425, "")), "undecided_status", "C425"));
    rows.push(
        Row::new(
            "51 a 409 gives its send back",
            Dialogue {
                capture: vec![say(json(409, "")), say(json(409, ""))],
                lookup: vec![Act::say(waiting()), Act::say(waiting())],
                ..Dialogue::default()
            },
            "captured reply",
            "C409 L200 C409 L200 C200",
            "T C L C L C",
        )
        .sends(1),
    );
    rows.extend(echoes());
    rows.extend(auth());
    rows.extend(throttled());
    rows.push(Row::new(
        "62 a 500 for ever",
        Dialogue {
            capture: vec![say(json(500, "")); 9],
            lookup: vec![Act::say(waiting()); 4],
            ..Dialogue::default()
        },
        "unknown undecided_status",
        "C500 L200 C500 L200 C500 L200 C500 L200 L503",
        "T C L C L C L C L L",
    ));
    rows
}

/// Enough of a body to tell two rows apart.
fn short(body: &str) -> &str {
    body.get(..24).unwrap_or(body)
}

/// A refusal that is the echo of somebody else's capture, which the order shows late.
fn echoes() -> Vec<Row> {
    let declined = || Act::say(json(200, r#"{"status":"FAILED","success":true}"#));
    let looks = |states: &[i64]| Dialogue {
        capture: vec![declined()],
        lookup: states.iter().map(|state| Act::say(order(*state))).collect(),
        ..Dialogue::default()
    };
    let not_found = || Act::say(json(404, &PROBLEM.replace("400", "404")));
    let nowhere =
        Dialogue { capture: vec![not_found()], lookup: vec![not_found()], ..Dialogue::default() };
    vec![
        Row::new(
            "115 a refused order waits for 5 s",
            looks(&[5, 5, 5]),
            "not_captured declined",
            "C200 L200 L200 L200",
            "T C L L L",
        ),
        Row::new(
            "115 a refused order was captured by somebody else",
            looks(&[5, 5, 7]),
            "captured order_status",
            "C200 L200 L200 L200",
            "T C L L L",
        ),
        Row::new(
            "121 a refused order is in progress",
            looks(&[5, 4, 5]),
            "unknown unconfirmed_refusal",
            "C200 L200 L200 L200 L503",
            "T C L L L L",
        ),
        Row::new(
            "47 neither operation knows the order",
            nowhere,
            "not_captured rejected",
            "C404 L404",
            "T C L",
        ),
    ]
}

fn auth() -> Vec<Row> {
    let refused = || Act::say(with(401, "", ""));
    let captures = |acts: Vec<Act>, lookup: Vec<Act>| Dialogue {
        capture: acts,
        lookup,
        ..Dialogue::default()
    };
    let gone = || Act::does(vec![Do::Finish]);
    let mut rows = Vec::new();
    for (name, status, headers, body) in [
        ("43 a 401, and another token is good", 401, "", ""),
        ("43 a 401 with problem details", 401, "", r#"{"title":"Unauthorized","status":401}"#),
        ("43 a 401 of another issuer", 401, "", r#"{"error":"invalid_token"}"#),
        ("43 a 401 as text", 401, "www-authenticate: Bearer\r\n", "Unauthorized"),
        ("43 a 401 as a page", 401, "content-type: text/html\r\n", HTML),
        ("46 a 403 of the gateway, and another token is good", 403, "", GATEWAY),
        ("46 a 403 of the API", 403, "", r#"{"title":"Forbidden","status":403}"#),
    ] {
        let attempts = format!("C{status} C200");
        let dialogue = on_capture([Act::say(with(status, headers, body))]);
        rows.push(Row::new(name, dialogue, "captured reply", &attempts, "T C T C"));
    }
    let forbidden = || Act::say(json(403, GATEWAY));
    rows.extend([
        Row::new(
            "46 a 403 to every token",
            on_capture([forbidden(), forbidden(), forbidden()]),
            "not_captured forbidden",
            "C403 C403 C403",
            "T C T C C",
        ),
        Row::new(
            "46 the order may not be read, and another token may",
            captures(vec![gone()], vec![forbidden(), Act::say(order(7))]),
            "captured order_status",
            "C? L403 L200",
            "T C L T L",
        ),
        Row::new(
            "43 a 401 to a token of one's own",
            on_capture([refused(), refused()]),
            "not_captured unauthorized",
            "C401 C401",
            "C C",
        )
        .own_token(),
        Row::new(
            "43 a 401 to a token of one's own that is not valid yet",
            on_capture([refused()]),
            "captured reply",
            "C401 C200",
            "C C",
        )
        .own_token(),
        Row::new(
            "44 a 401 after doubt",
            captures(vec![gone(), refused()], vec![Act::say(waiting())]),
            "captured reply",
            "C? L200 C401 C200",
            "T C L C T C",
        ),
        Row::new(
            "45 a 401 to the second token",
            on_capture([refused(), refused(), refused()]),
            "not_captured unauthorized",
            "C401 C401 C401",
            "T C T C C",
        ),
        Row::new(
            "45 a 401 to the second token, which is not valid yet",
            on_capture([refused(), refused()]),
            "captured reply",
            "C401 C401 C200",
            "T C T C C",
        ),
        Row::new(
            "45 a 401 to the second token, after doubt",
            captures(vec![gone(), refused(), refused(), refused()], vec![Act::say(waiting())]),
            "unknown no_reply",
            "C? L200 C401 C401 C401",
            "T C L C T C C",
        ),
        Row::new(
            "93 the same token again after a 401",
            Dialogue {
                token: vec![
                    Act::say(crate::replies::granted("canary-token-number-0")),
                    Act::say(crate::replies::granted("canary-token-number-0")),
                ],
                capture: vec![refused(), refused()],
                ..Dialogue::default()
            },
            "not_captured unauthorized",
            "C401 C401",
            "T C T C",
        ),
    ]);
    rows
}

fn throttled() -> Vec<Row> {
    let date = "date: Tue, 01 Sep 2026 10:00:00 GMT\r\n";
    let mut rows = vec![Row::new(
        "54 a 421",
        on_capture([Act::say(json(421, ""))]),
        "captured reply",
        "C421 C200",
        "T C C",
    )];
    for (name, status, headers) in [
        ("56 a 429 with seconds", 429, "retry-after: 1\r\n".into()),
        (
            "57 a 429 with a date",
            429,
            format!("{date}retry-after: Tue, 01 Sep 2026 10:00:01 GMT\r\n"),
        ),
        (
            "57 a 429 with a past date",
            429,
            format!("{date}retry-after: Tue, 01 Sep 2026 09:00:00 GMT\r\n"),
        ),
        (
            "57 a 429 with a date and no clock to read it by",
            429,
            "retry-after: Tue, 01 Sep 2099 09:00:00 GMT\r\n".into(),
        ),
        ("58 a 429 with garbage", 429, "retry-after: soon\r\n".into()),
        ("58 a 429 with a negative wait", 429, "retry-after: -5\r\n".into()),
        ("58 a 429 with two waits", 429, "retry-after: 86400\r\nretry-after: 1\r\n".into()),
        ("59 a 429 without a wait", 429, String::new()),
    ] {
        let dialogue = on_capture([Act::say(with(status, &headers, ""))]);
        rows.push(Row::new(name, dialogue, "captured reply", "C429 C200", "T C C"));
    }
    for (name, wait) in
        [("58 a 429 until tomorrow", "86400"), ("58 a 429 for 10^12 seconds", "1000000000000")]
    {
        let dialogue = on_capture([Act::say(with(429, &format!("retry-after: {wait}\r\n"), ""))]);
        rows.push(Row::new(name, dialogue, "not_captured throttled", "C429", "T C"));
    }
    rows.push(
        Row::new(
            "59 a 429 for ever",
            on_capture(vec![Act::say(with(429, "", "")); 9]),
            "not_captured throttled",
            "C429 C429",
            "T C C",
        )
        .sends(2),
    );
    let busy = |wait: &str| Act::say(with(503, &format!("retry-after: {wait}\r\n"), ""));
    rows.extend(unclear("61 a 503 with a wait", busy("1"), "undecided_status", "C503"));
    rows.push(Row::new(
        "61 a 503 until tomorrow",
        on_capture([busy("86400")]),
        "unknown undecided_status",
        "C503",
        "T C",
    ));
    let once = |dialogue| {
        Row::new(
            "9 the connection ends between two requests",
            dialogue,
            "captured reply",
            "C429 C200",
            "T C C",
        )
    };
    rows.push(once(on_capture([
        Act::say(with(429, "connection: close\r\n", "")).then(Do::Finish),
        Act::say(captured()),
    ])));
    rows
}
