//! Values: every valid spelling is read exactly, everything else is refused with its rule.

use capture_core::driver::Api;
use capture_core::{
    BaseUrl, BearerToken, Capture, Credentials, Currency, Environment, IdempotencyKey, Invalid,
    Money, OrderId, Policy,
};
use proptest::prelude::*;
use proptest::sample::select;
use std::time::Duration;

use crate::{ORDER, cases};

/// Any text at all: control characters, other scripts, quotes.
fn any_text() -> impl Strategy<Value = String> {
    proptest::collection::vec(any::<char>(), 0..40).prop_map(String::from_iter)
}

/// Text over a small alphabet, which is nearly valid more often.
fn near(alphabet: &'static str) -> impl Strategy<Value = String> {
    let chars: Vec<char> = alphabet.chars().collect();
    proptest::collection::vec(select(chars), 0..50).prop_map(String::from_iter)
}

/// A refusal names its field and its rule, and shows the value short and escaped.
fn check_refusal(error: &Invalid, field: &str) -> Result<(), TestCaseError> {
    let shown = error.to_string();
    prop_assert_eq!(error.field(), field);
    prop_assert!(shown.starts_with(field) && shown.contains(error.rule()), "{}", shown);
    prop_assert!(!shown.chars().any(char::is_control), "{}", shown);
    prop_assert!(shown.len() < 1_000, "{}", shown);
    Ok(())
}

pub(crate) fn any_guid() -> impl Strategy<Value = [u8; 16]> {
    any::<[u8; 16]>().prop_filter("nil", |bytes| *bytes != [0; 16])
}

/// Active codes with every exponent there is.
pub(crate) fn any_currency() -> impl Strategy<Value = Currency> {
    let codes = select(vec!["USD", "EUR", "JPY", "KWD", "CLF", "UYW", "VES", "CLP", "BHD"]);
    codes.prop_map(|code| code.parse().expect("an active code"))
}

pub(crate) fn any_money() -> impl Strategy<Value = Money> {
    let units =
        prop_oneof![1..=Money::MAX_MINOR_UNITS, 1..=20_000_u32, Just(Money::MAX_MINOR_UNITS)];
    (units, any_currency())
        .prop_map(|(units, currency)| Money::from_minor(units, currency).expect("in range"))
}

pub(crate) fn any_capture() -> impl Strategy<Value = Capture> {
    (any_guid(), any_guid(), any_money()).prop_map(|(order, key, money)| {
        let order = OrderId::from_bytes(order).expect("not nil");
        Capture::new(order, money, IdempotencyKey::from_bytes(key).expect("not nil"))
    })
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The amount in minor units by schoolbook text, with no arithmetic: pad, join, trim.
fn by_hand(amount: &str, exponent: usize) -> Option<String> {
    let (whole, fraction) = match amount.split_once('.') {
        Some((whole, fraction)) => (whole, fraction),
        None => (amount, "0"),
    };
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let written = amount.split_once('.').map_or(0, |(_, fraction)| fraction.len());
    if !digits(whole) || !digits(fraction) || written > exponent {
        return None;
    }
    let fraction = if written == 0 { "" } else { fraction };
    let joined = format!("{whole}{fraction}{}", "0".repeat(exponent - written));
    let units = joined.trim_start_matches('0').to_owned();
    let most = "2147483647";
    let in_range = (units.len(), units.as_str()) <= (most.len(), most) && !units.is_empty();
    in_range.then_some(units)
}

proptest! {
    #![proptest_config(cases(256))]

    #[test]
    fn every_spelling_of_a_guid_is_the_same(bytes in any_guid()) {
        let simple = hex(&bytes);
        let parts = [&simple[..8], &simple[8..12], &simple[12..16], &simple[16..20], &simple[20..]];
        let canonical = parts.join("-");
        let order = OrderId::from_bytes(bytes).unwrap();
        let key = IdempotencyKey::from_bytes(bytes).unwrap();
        for spelled in [
            canonical.clone(),
            simple.clone(),
            format!("{{{canonical}}}"),
            format!("urn:uuid:{canonical}"),
            canonical.to_uppercase(),
            simple.to_uppercase(),
            format!("{{{}}}", canonical.to_uppercase()),
        ] {
            prop_assert_eq!(spelled.parse(), Ok(order), "{}", spelled);
            prop_assert_eq!(spelled.parse(), Ok(key), "{}", spelled);
        }
        prop_assert_eq!(order.to_string(), &canonical[..]);
        prop_assert_eq!(key.to_string(), &canonical[..]);
        prop_assert_eq!((order.as_bytes(), key.as_bytes()), (&bytes, &bytes));
        let json = serde_json::to_string(&order).unwrap();
        prop_assert_eq!(serde_json::from_str::<OrderId>(&json).unwrap(), order);
        prop_assert!(IdempotencyKey::for_order(order) != key, "a key of its own");
    }

    #[test]
    fn text_that_is_not_a_guid_is_refused(text in prop_oneof![any_text(), near("0123456789abcdefABCDEF-{}")]) {
        let digits: String = text.chars().filter(char::is_ascii_hexdigit).collect();
        match text.parse::<OrderId>() {
            Ok(order) => prop_assert_eq!(hex(order.as_bytes()), digits.to_lowercase()),
            Err(error) => check_refusal(&error, "order id")?,
        }
        if let Err(error) = text.parse::<IdempotencyKey>() {
            check_refusal(&error, "idempotency key")?;
        }
    }

    #[test]
    fn a_misspelled_guid_is_refused(at in 0..ORDER.len(), c in any::<char>()) {
        prop_assume!(!c.is_ascii_hexdigit() && (c != '-' || ORDER.as_bytes()[at] != b'-'));
        let text = format!("{}{c}{}", &ORDER[..at], &ORDER[at + 1..]);
        prop_assert!(text.parse::<OrderId>().is_err(), "{}", text);
        let longer = format!("{}{c}{}", &ORDER[..at], &ORDER[at..]);
        prop_assert!(longer.parse::<OrderId>().is_err(), "{}", longer);
    }

    #[test]
    fn text_that_is_not_a_currency_is_refused(text in prop_oneof![any_text(), near("USDJPYusd $"), "[A-Z]{3}"], exponent in 0_u8..9) {
        match text.parse::<Currency>() {
            Ok(currency) => {
                prop_assert_eq!(currency.code(), &text[..]);
                prop_assert!(currency.numeric().is_some() && currency.exponent() <= 4);
                prop_assert_eq!(Currency::unlisted(&text, currency.exponent()), Ok(currency));
            }
            Err(error) => check_refusal(&error, "currency")?,
        }
        if let Ok(currency) = Currency::unlisted(&text, exponent) {
            let letters = text.len() == 3 && text.bytes().all(|b| b.is_ascii_uppercase());
            prop_assert!(letters && currency.exponent() == exponent && exponent <= 4);
        }
    }

    #[test]
    fn money_is_shown_and_read_back_exactly(money in any_money()) {
        let (currency, decimal) = (money.currency(), money.decimal());
        prop_assert_eq!(Money::from_decimal(&decimal, currency), Ok(money));
        prop_assert_eq!(Money::parse(&decimal, currency.code()), Ok(money));
        prop_assert_eq!(Money::from_minor(money.minor_units(), currency), Ok(money));
        prop_assert_eq!(by_hand(&decimal, currency.exponent().into()), Some(money.minor_units().to_string()));
        prop_assert_eq!(money.to_string(), format!("{decimal} {currency}"));
    }

    #[test]
    fn amounts_are_read_as_by_hand(
        text in prop_oneof![
            any_text(),
            near("0123456789."),
            near("019.,-+eE_' "),
            "[0-9]{1,12}(\\.[0-9]{1,5})?",
            "0{0,30}[0-9]{1,9}(\\.[0-9]{1,4})?",
            "2147483[56][0-9]{2}|214748364[0-9]|21474836\\.4[0-9]|2147483\\.64[0-9]|214748\\.364[0-9]",
        ],
        currency in any_currency(),
    ) {
        let by_hand = by_hand(&text, currency.exponent().into());
        match Money::from_decimal(&text, currency) {
            Ok(money) => prop_assert_eq!(Some(money.minor_units().to_string()), by_hand),
            Err(error) => {
                prop_assert_eq!(by_hand, None, "{}", error);
                check_refusal(&error, "amount")?;
            }
        }
    }

    #[test]
    fn a_misspelled_amount_is_refused(
        money in any_money(),
        at in any::<proptest::sample::Index>(),
        wrong in select(vec!["+", "-", " ", ",", "_", "'", "e", "E", "x", "$", "\u{a0}", "\u{0661}", "\u{ff11}", "\u{2212}", "\0"]),
    ) {
        let decimal = money.decimal();
        let (before, after) = decimal.split_at(at.index(decimal.len() + 1));
        let error = Money::from_decimal(&format!("{before}{wrong}{after}"), money.currency()).unwrap_err();
        check_refusal(&error, "amount")?;
    }

    #[test]
    fn units_out_of_range_are_refused(units in any::<u32>(), currency in any_currency()) {
        let in_range = (1..=2_147_483_647).contains(&units);
        prop_assert_eq!(Money::from_minor(units, currency).is_ok(), in_range);
    }

    #[test]
    fn a_stored_capture_is_read_back(capture in any_capture()) {
        let json = serde_json::to_string(&capture).unwrap();
        prop_assert_eq!(serde_json::from_str::<Capture>(&json).unwrap(), capture);
        let pretty = serde_json::to_string_pretty(&capture).unwrap();
        prop_assert_eq!(serde_json::from_str::<Capture>(&pretty).unwrap(), capture);
    }

    #[test]
    fn a_base_url_is_https_or_loopback(
        text in prop_oneof![
            any_text(),
            near("htps:/.@[]01v27#?% ax"),
            (
                select(vec!["https://", "http://", "HTTP://", "ftp://", "https:", "//", ""]),
                select(vec!["api.example.com", "127.0.0.1", "127.0.0.1.example", "localhost", "localhost.", "LOCALHOST",
                    "[::1]", "[::ffff:127.0.0.1]", "[::]", "0.0.0.0", "10.0.0.1", "127.1", "0x7f000001", "user@h", ""]),
                select(vec!["", ":", ":0", ":1", ":65535", ":65536", ":x"]),
                select(vec!["", "/", "/v1", "/v1/", "/v1/v1", "//", "/a/../b", "/a b", "/\u{e9}", "/%2e%2e", "?q", "#f", "/a\"b"]),
            )
                .prop_map(|(scheme, host, port, path)| format!("{scheme}{host}{port}{path}")),
        ],
    ) {
        match text.parse::<BaseUrl>() {
            Ok(url) => {
                let shown = url.to_string();
                prop_assert_eq!(shown.parse::<BaseUrl>(), Ok(url.clone()));
                let api = Api::new(&Environment::Custom(url));
                prop_assert_eq!(api.base_url(), &shown[..]);
                prop_assert!(shown.is_ascii(), "{}", shown);
                let uri: http::Uri = shown.parse().unwrap();
                let host = uri.host().unwrap().trim_matches(['[', ']']).to_owned();
                // An address: what a name means is for a resolver to say.
                let loopback = host.starts_with("127.") || host == "::1";
                prop_assert!(uri.scheme_str() == Some("https") || loopback, "{}", shown);
                prop_assert!(uri.query().is_none() && !shown.contains('@') && shown.ends_with("/v1"));
            }
            Err(error) => check_refusal(&error, "environment")?,
        }
        if let Err(error) = text.parse::<Environment>() {
            check_refusal(&error, "environment")?;
        }
    }

    #[test]
    fn a_token_is_a_legal_header_or_refused_and_not_shown(
        text in prop_oneof![any_text(), near("abcXYZ0189-._~+/=== \r\n"), "[a-zA-Z0-9._~+/-]{1,80}={0,2}"],
    ) {
        match BearerToken::new(&text) {
            Ok(token) => {
                prop_assert_eq!(token.expose(), &text[..]);
                prop_assert_eq!(token.header().to_str().unwrap(), format!("Bearer {text}"));
                prop_assert!(token.header().is_sensitive());
                prop_assert_eq!(format!("{token:?}"), "BearerToken(hidden)");
            }
            Err(error) => {
                check_refusal(&error, "bearer token")?;
                prop_assert!(text.len() < 15 || !error.to_string().contains(&text));
            }
        }
    }

    #[test]
    fn credentials_are_kept_or_refused_and_not_shown(key in any_text(), secret in any_text()) {
        let quote = |c: char| "\"'`\u{201c}\u{201d}\u{2018}\u{2019}".contains(c);
        let around = |text: &str| {
            text.starts_with(quote) || text.ends_with(quote) || text.starts_with('\u{feff}')
        };
        let inside = |text: &str| text.contains(|c: char| c.is_whitespace() || c.is_control());
        let right = |text: &str| !text.is_empty() && !around(text) && !inside(text);
        match Credentials::new(key.as_str(), secret.as_str()) {
            Ok(credentials) => {
                prop_assert!(right(&key) && right(&secret));
                prop_assert_eq!(format!("{credentials:?}"), "Credentials(hidden)");
            }
            Err(error) => {
                prop_assert!(!right(&key) || !right(&secret));
                check_refusal(&error, if right(&key) { "app secret" } else { "app key" })?;
            }
        }
    }
}

/// A path is sent as it is, so it holds nothing that a request line cannot.
#[test]
fn a_base_url_with_an_illegal_path_is_refused() {
    for path in [
        "/\u{e9}", "/a\"b", "/a b", "/{a}", "/a|b", "/a\\b", "/<a>", "/a^b", "/a`b", "/\u{7f}",
        "/%", "/%zz",
    ] {
        let text = format!("https://api.example.com{path}");
        assert!(text.parse::<BaseUrl>().is_err(), "{text}");
    }
}

/// However long a URL may be, an operation's path still fits after it; a longer one is refused.
#[test]
fn a_base_url_of_any_length_breaks_nothing() {
    for length in [11, 100, 2_047, 2_048, 2_049, 10_000, 65_534, 65_535, 100_000] {
        let text = format!("https://a/{}", "b".repeat(length - 10));
        match text.parse::<BaseUrl>() {
            Ok(url) => {
                assert!(length <= 2_048, "{length}");
                let api = Api::new(&Environment::Custom(url));
                let lookup =
                    capture_core::wire::order::request(&api, crate::order(), &crate::token("t"));
                assert_eq!(lookup.uri(), format!("{text}/v1/orders/{ORDER}").as_str());
            }
            Err(error) => {
                assert!(length > 2_048, "{length}: {error}");
                assert!(error.to_string().contains("2048"), "{error}");
            }
        }
    }
}

/// A secret of exactly the longest length is taken, one byte more is refused.
#[test]
fn the_longest_secrets() {
    for (length, taken) in [(8_192, true), (8_193, false)] {
        assert_eq!(BearerToken::new(&"a".repeat(length)).is_ok(), taken, "{length}");
    }
    for (length, taken) in [(4_096, true), (4_097, false)] {
        let text = "a".repeat(length);
        assert_eq!(Credentials::new(text.as_str(), "good").is_ok(), taken, "{length}");
        assert_eq!(Credentials::new("good", text.as_str()).is_ok(), taken, "{length}");
    }
}

#[test]
fn a_policy_is_kept_within_the_life_of_the_key() {
    let day = Duration::from_secs(86_400);
    for (wished, kept) in
        [(Duration::ZERO, Duration::ZERO), (day, day), (day * 2, day), (Duration::MAX, day)]
    {
        let policy = Policy::default().with_deadline(wished).with_attempt_timeout(wished);
        assert_eq!((policy.deadline(), policy.attempt_timeout()), (kept, kept));
    }
}
