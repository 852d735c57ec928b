//! Bad input: exit code 2, one sentence that names field, value and rule, and nothing is sent.

use serde_json::json;

use super::command::{capture, capture_at, order, run, server};

const ORDER: &str = "5f1a3c5e-7c1d-4e0b-9d6a-0c4f5b6a7d81";

#[test]
fn every_field_of_an_order() {
    let server = server();
    let order = order(&server).to_string();
    for (field, value, rule) in [
        ("order id", "", "is empty"),
        ("order id", "   ", "is empty"),
        ("order id", "-1", "is not a GUID"),
        ("order id", "ORD-17", "is not a GUID"),
        ("order id", "00000000-0000-0000-0000-000000000000", "is the nil GUID"),
        ("order id", "5f1a3c5e-7c1d-4e0b-9d6a-0c4f5b6a7d8", "is not a GUID"),
        ("order id", "5f1a3c5e-7c1d-4e0b-9d6a-0c4f5b6a7d8\u{ff11}", "it has U+FF11"),
        ("order id", "5f1a3c5e-7c1d-4e0b-9d6a-0c4f5b6a7d8l", "is not a GUID"),
        ("idempotency key", "", "is empty"),
        ("idempotency key", "-", "is not a GUID"),
        ("idempotency key", "00000000-0000-0000-0000-000000000000", "is the nil GUID"),
        (
            "idempotency key",
            "5f1a3c5e\u{2010}7c1d\u{2010}4e0b\u{2010}9d6a\u{2010}0c4f5b6a7d81",
            "; it has U+2010, which is not ASCII",
        ),
        ("amount", "", "is empty"),
        ("amount", " ", "is empty"),
        ("amount", " 1", "must not hold spaces"),
        ("amount", "-1", "must not have a sign"),
        ("amount", "--1", "must not have a sign"),
        ("amount", "+1", "must not have a sign"),
        ("amount", "\u{2212}1", "must not have a sign"),
        ("amount", "1e2", "must not have an exponent"),
        ("amount", "1,000.00", "no thousands separators"),
        ("amount", "1'000", "no thousands separators"),
        ("amount", "1_000", "no thousands separators"),
        ("amount", "100,00", "no decimal comma"),
        ("amount", "1.001", "USD has 2 decimals, not 3"),
        ("amount", "0", "must be more than zero"),
        ("amount", "21474836.48", "the most is 21474836.47 USD"),
        ("amount", "99999999999999999999999", "the most is 21474836.47 USD"),
        ("amount", "\u{661}\u{660}\u{660}", "only the digits 0 to 9"),
        ("amount", "\u{ff11}00", "only the digits 0 to 9"),
        ("amount", "l00", "only the digits 0 to 9"),
        ("amount", "1O0", "only the digits 0 to 9"),
        ("amount", "$100", "only the digits 0 to 9"),
        ("amount", "0x10", "only the digits 0 to 9"),
        ("amount", "NaN", "only the digits 0 to 9"),
        ("amount", ".5", "digits on both sides"),
        ("amount", "5.", "digits on both sides"),
        ("amount", "1.0.0", "one point at most"),
        ("amount", "1\u{1b}[2J", "only the digits 0 to 9"),
        ("currency", "", "is empty"),
        ("currency", "usd", "write USD"),
        ("currency", "US", "three letters"),
        ("currency", "USDT", "three letters"),
        ("currency", "840", "three letters"),
        ("currency", "$", "three letters"),
        ("currency", "-USD", "three letters"),
        ("currency", "U\u{405}D", "; it has U+0405, which is not ASCII"),
        ("currency", "QQQ", "is not an active ISO 4217 code"),
        ("currency", "HRK", "its successor is EUR, and the amount changes"),
        ("currency", "MRO", "its successor is MRU, and the amount changes: 10 MRO became 1 MRU"),
        ("currency", "GBp", "write GBP, and the amount in GBP: 100 GBp are 1 GBP"),
        ("currency", "ZAC", "100 ZAC are 1 ZAR"),
        ("currency", "XAU", "has no minor unit"),
        ("currency", "XXX", "has no minor unit"),
        ("attempt timeout", "0", "more than 0"),
        ("attempt timeout", "-1", "must be seconds"),
        ("attempt timeout", "1e3", "must be seconds"),
        ("attempt timeout", "nan", "must be seconds"),
        ("attempt timeout", "3601", "at most 3600"),
        ("deadline", "", "must be seconds"),
        ("deadline", "0.0", "more than 0"),
        ("deadline", "inf", "must be seconds"),
        ("deadline", "1s", "must be seconds"),
        ("deadline", "\u{ff11}", "must be seconds"),
        ("max sends", "0", "from 1 to 100"),
        ("confirmations", "0", "from 1 to 100"),
        ("max sends", "101", "from 1 to 100"),
        ("max sends", "-1", "from 1 to 100"),
        ("max sends", "1.5", "from 1 to 100"),
        ("max sends", "99999999999", "from 1 to 100"),
        ("content type", "", "must be application/*+json or"),
        ("content type", "text/plain", "must be application/*+json or"),
        ("content type", "application/json\r\nx: y", "must be application/*+json or"),
        ("environment", "", "must be sandbox, production or a URL"),
        ("environment", "Sandbox", "must be sandbox, production or a URL"),
        ("environment", "staging", "must be sandbox, production or a URL"),
        ("environment", "http://api.example.com", "for loopback only"),
        ("environment", "http://127.0.0.1.example.com", "for loopback only"),
        ("environment", "ftp://127.0.0.1", "the scheme must be https"),
        ("environment", "https://api.example.com?a=b", "no query"),
        ("environment", "https://api.example.com#a", "no fragment"),
        ("environment", "https://api.example.com:99999", "is not a URL"),
        ("environment", "https://\u{430}pi.example.com", "is not a URL"),
    ] {
        let flag = match field {
            "order id" => None,
            "idempotency key" => Some("--key".to_owned()),
            other => Some(format!("--{}", other.replace(' ', "-"))),
        };
        let mut arguments = vec![("--amount", "100.00"), ("--currency", "USD")];
        if let Some(flag) = &flag {
            arguments.retain(|(known, _)| known != flag);
            arguments.push((flag, value));
        }
        let order = if flag.is_none() { value } else { &order };
        for json in [false, true] {
            let mut command = capture_at(&server, &["order", order]);
            command.args(arguments.iter().flat_map(|(flag, value)| [flag, value]));
            if json {
                command.arg("--json");
            }
            let run = run(&mut command);
            assert_eq!(run.code, 2, "{field} {value:?}: {run:?}");
            assert_eq!(run.stderr.lines().count(), 1, "{run:?}");
            let shown = capture_core::printable(value, 60);
            let begin = format!("error: {field} \"{shown}\": ");
            assert!(run.stderr.starts_with(&begin), "{begin}: {run:?}");
            assert!(run.stderr.contains(rule), "{rule}: {run:?}");
            if json {
                let error = run.stderr.trim_end().trim_start_matches("error: ");
                assert_eq!(run.json(), json!({ "error": error, "field": field }));
            } else {
                assert_eq!(run.stdout, "");
            }
        }
    }
    assert_eq!(server.transcript().len(), 0, "nothing was sent");
}

#[test]
fn the_environment_has_no_default_and_shows_no_password() {
    for (value, expect) in [
        (
            None,
            "error: no environment is given and there is no default; set --environment or \
                CAPTURE_ENVIRONMENT to sandbox, production or a URL\n",
        ),
        (Some(""), "error: CAPTURE_ENVIRONMENT is set but empty; give it a value or unset it\n"),
        (
            Some("prod"),
            "error: CAPTURE_ENVIRONMENT: environment \"prod\": must be sandbox, production or a URL\n",
        ),
        (
            Some("https://user:canary@api.example.com"),
            "error: CAPTURE_ENVIRONMENT: environment: the URL must not hold a user name or password (value hidden)\n",
        ),
    ] {
        for command in
            [&["status", ORDER][..], &["order", ORDER, "--amount", "1", "--currency", "USD"]]
        {
            let mut command = capture(command);
            if let Some(value) = value {
                command.env("CAPTURE_ENVIRONMENT", value);
            }
            let run = run(&mut command);
            assert_eq!((run.code, run.stdout.as_str(), run.stderr.as_str()), (2, "", expect));
        }
    }
}

#[test]
fn the_fields_of_a_status() {
    let server = server();
    for (arguments, field) in [
        (&["status", "nonsense"][..], "order id"),
        (&["status", ORDER, "--attempt-timeout", "0"], "attempt timeout"),
        (&["status", ORDER, "--environment", "http://example.com"], "environment"),
    ] {
        let run = run(&mut capture_at(&server, arguments));
        assert_eq!((run.code, run.stdout.as_str()), (2, ""), "{run:?}");
        assert!(run.stderr.starts_with(&format!("error: {field} ")), "{run:?}");
    }
    assert_eq!(server.transcript().len(), 0);
}

#[test]
fn a_malformed_command_line_is_refused() {
    for (arguments, named) in [
        (&[][..], "Usage: capture <COMMAND>"),
        (&["refund"], "'refund'"),
        (&["order"], "--amount <AMOUNT>"),
        (&["order", ORDER, "--amount", "1"], "--currency <CODE>"),
        (&["order", ORDER, "extra", "--amount", "1", "--currency", "USD"], "'extra'"),
        (
            &["order", ORDER, "--amount", "1", "--amount", "2", "--currency", "USD"],
            "--amount <AMOUNT>",
        ),
        (&["order", ORDER, "--amount", "1", "--currency", "USD", "--transport", "curl"], "'curl'"),
        (&["order", ORDER, "--amount", "1", "--currency", "USD", "--resend", "always"], "'always'"),
        (&["order", ORDER, "--amount", "1", "--currency", "USD", "--token", "x"], "'--token'"),
        (
            &[
                "order",
                ORDER,
                "--amount",
                "1",
                "--currency",
                "USD",
                "--no-journal",
                "--journal",
                "x",
            ],
            "--journal",
        ),
        (&["status"], "<ORDER_ID>"),
        (&["demo", "--environment", "production"], "'--environment'"),
        (&["completions", "cmd"], "'cmd'"),
    ] {
        let plain = run(&mut capture(arguments));
        assert_eq!((plain.code, plain.stdout.as_str()), (2, ""), "{plain:?}");
        assert!(plain.stderr.contains(named), "{named}: {plain:?}");
    }
    let run = run(&mut capture(&["order", "--json"]));
    assert_eq!(run.code, 2);
    let missing = "the following required arguments were not provided: --amount <AMOUNT> --currency <CODE> <ORDER_ID>";
    assert_eq!(run.json(), json!({ "error": missing, "field": null }));
}
