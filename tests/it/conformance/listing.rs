//! The list of waiting orders through every adapter: what the network does, what is read, what came in.

use std::sync::Arc;
use std::time::Duration;

use capture_conformance::fixture::{ORDER, OTHER_ORDER, money, setup};
use capture_conformance::notation::words;
use capture_conformance::parallel::{all_ended, run_rows};
use capture_conformance::replies::{gzip, json, later, order_body, page, raw, with};
use capture_conformance::rows::letter;
use capture_conformance::wire::{Act, Dialogue, Do, Server};
use capture_core::driver::MAX_BODY;
use capture_core::{ListError, Listed, Policy, Search, Setup};
use capture_sandbox::{NewOrder, Sandbox, Script};

use super::canaries::search;
use super::drivers::Driver;

/// What the pages meet, how the list ends, and the requests that came in.
type Row = (&'static str, Vec<Act>, &'static str, &'static str);

fn rows() -> Vec<Row> {
    let item = |id| order_body(id, 5);
    let say = |items: &[String], has_next| Act::say(page(items, has_next));
    let (first, second) =
        (|next| say(&[item(ORDER)], next), |next| say(&[item(OTHER_ORDER)], next));
    let unauthorized = || Act::say(json(401, ""));
    let whole = page(&[item(ORDER)], Some(false));
    let coded = "content-type: application/json\r\ncontent-encoding: gzip\r\n";
    let open = "content-type: application/json\r\ncontent-length: 9999\r\n";
    let long = [item(ORDER), format!("\"{}\"", "x".repeat(MAX_BODY))];
    vec![
        ("no order waits", vec![say(&[], Some(false))], "0 read, complete", "T O"),
        ("one page", vec![first(Some(false))], "1 read, complete", "T O"),
        ("two pages", vec![first(Some(true)), second(Some(false))], "2 read, complete", "T O O"),
        (
            "pages that do not say where they end",
            vec![first(None), second(None), say(&[], None)],
            "2 read, complete",
            "T O O O",
        ),
        (
            "an array without an envelope",
            vec![Act::say(json(200, &format!("[{}]", item(ORDER)))), Act::say(json(200, "[]"))],
            "1 read, complete",
            "T O O",
        ),
        (
            "items that cannot be read, and one that does not wait",
            vec![say(&["7".into(), item(ORDER), order_body(OTHER_ORDER, 7)], Some(false))],
            "1 read, 1 unreadable, complete",
            "T O",
        ),
        ("a page again", vec![first(Some(true)), first(Some(true))], "stuck", "T O O"),
        ("an empty page, and more", vec![say(&[], Some(true))], "stuck", "T O"),
        (
            "a refused token",
            vec![unauthorized(), first(Some(false))],
            "1 read, complete",
            "T O T O",
        ),
        (
            "a refused token on the second page",
            vec![first(Some(true)), unauthorized(), second(Some(false))],
            "2 read, complete",
            "T O O T O",
        ),
        ("every token is refused", vec![unauthorized(); 3], "unauthorized", "T O T O O"),
        ("come back tomorrow", vec![Act::say(later())], "unavailable", "T O"),
        ("and on the second page", vec![first(Some(true))], "unavailable", "T O O"),
        ("throttled", vec![Act::say(json(429, ""))], "throttled", "T O"),
        ("a refusal", vec![Act::say(json(400, r#"{"title":"t","status":400}"#))], "refused", "T O"),
        (
            "a redirect",
            vec![Act::say(with(302, "location: http://TRAP/v1/orders\r\n", ""))],
            "unreadable",
            "T O",
        ),
        (
            "a web page",
            vec![Act::say(with(200, "content-type: text/html\r\n", "[]"))],
            "unreadable",
            "T O",
        ),
        ("a gzipped page", vec![Act::say(with(200, coded, gzip(b"[]")))], "unreadable", "T O"),
        ("no list", vec![Act::say(json(200, r#"{"success":true}"#))], "unreadable", "T O"),
        ("no answer", vec![Act::does(vec![Do::Finish])], "no_reply", "T O"),
        ("a reset", vec![Act::does(vec![Do::Reset])], "no_reply", "T O"),
        ("silence", vec![Act::does(vec![Do::Hang])], "no_reply", "T O"),
        (
            "half a page",
            vec![Act::say(raw("HTTP/1.1 200 OK", open, &whole)).then(Do::Finish)],
            "no_reply",
            "T O",
        ),
        ("a page that is too long", vec![say(&long, Some(false))], "no_reply", "T O"),
    ]
}

/// Every row through this adapter.
pub(crate) fn check<D: Driver>() {
    let rows: Arc<[Row]> = rows().into();
    let act = |(name, list, expect, wire): &Row| {
        let trap = Server::start(Dialogue::default());
        let dialogue = Dialogue { list: list.clone(), ..Dialogue::default() };
        let server = Server::with(dialogue, None, Some(trap.address()));
        let policy = Policy::default().with_attempt_timeout(Duration::from_millis(1500));
        let setup = setup(&format!("http://{}", server.address()), false).with_policy(policy);
        let ended = D::new(setup).waiting_orders(&Search::default());
        search("a list", &format!("{ended:?} {ended:#?}"));
        assert_eq!(words_of(&ended), *expect, "{name}: {ended:?}");
        let came = words(server.seen().iter().map(|seen| letter(seen.endpoint).into()));
        assert_eq!(came, *wire, "{name}: {ended:?}");
        assert_eq!(trap.connections(), 0, "{name}");
    };
    all_ended(run_rows(&rows, rows.len(), |row| row.0.to_owned(), act));
}

fn words_of(ended: &Result<Listed, ListError>) -> String {
    let listed = match ended {
        Ok(listed) => listed,
        Err(error) => return error.cause().into(),
    };
    let mut words = vec![format!("{} read", listed.orders.len())];
    words.extend((listed.unreadable > 0).then(|| format!("{} unreadable", listed.unreadable)));
    words.push(if listed.is_complete { "complete" } else { "incomplete" }.into());
    words.join(", ")
}

/// Three pages of the sandbox, with a refused token in between; what was captured is not listed.
pub(crate) fn check_sandbox<D: Driver>() {
    let script = r#"{"rules": [{"on": {"operation": "orders"}, "skip": 1, "do": {"status": 401, "effect": false}}]}"#;
    let sandbox = Sandbox::builder().script(Script::from_json(script).expect("a script"));
    let sandbox = sandbox.start().expect("a sandbox");
    let window = Duration::from_secs(3600);
    let new = NewOrder::new(money()).window(window);
    let orders: Vec<_> = (0..250).map(|_| sandbox.create_order(new)).collect();
    assert!(sandbox.set_order_status(orders[0], capture_core::OrderStatus::Completed));
    let client = D::new(Setup::new(&sandbox.environment(), sandbox.credentials()));
    let listed = client.waiting_orders(&Search::default()).expect("a list");
    let read: Vec<_> = listed.orders.iter().map(|order| order.order).collect();
    assert_eq!((&read[..], listed.unreadable), (&orders[1..], 0));
    assert!(listed.is_complete);
    for order in &listed.orders {
        let (placed, expires) = (order.placed.expect("a date"), order.expires.expect("a date"));
        // Both are cut to seconds.
        let apart = expires.duration_since(placed).expect("a window");
        assert!(apart.abs_diff(window) <= Duration::from_secs(1), "{order:?}");
    }
    assert_eq!(sandbox.logins(), 2);
    let most = Search { most: 100.try_into().expect("not 0"), ..Search::default() };
    let listed = client.waiting_orders(&most).expect("a list");
    assert_eq!((listed.orders.len(), listed.is_complete), (100, false));
    let past = Search { placed_to: Some(std::time::UNIX_EPOCH), ..Search::default() };
    assert_eq!(client.waiting_orders(&past).expect("a list").orders, []);
}
