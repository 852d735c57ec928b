//! The list of orders: its request and its pages in both directions, and how far it is read.

use std::time::{Duration, SystemTime};

use capture_core::driver::{ListQuery, Query as _, QueryStep};
use capture_core::wire::order::OrderStatus;
use capture_core::wire::orders::{self, MOST_ON_PAGE, NotAPage, Page, Query, Sort, read_reply};
use capture_core::{ListError, Listed, OrderId, Search, StatusError, TokenError};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::driver::Say::{Lost, Reply};
use crate::{api, cases, reply, token};

const JSON: [(&str, &str); 1] = [("content-type", "application/json; charset=utf-8")];

fn id(number: u8) -> OrderId {
    OrderId::from_bytes([number; 16]).unwrap()
}

/// An item as the documentation describes an order, with a person in it.
fn item(number: u8, status: i64) -> Value {
    json!({
        "id": id(number), "correlationId": "c", "referenceNumber": "r", "status": status,
        "orderPlacedDate": "2026-09-01T10:00:00", "expiryDate": "2026-09-08T10:00:00.25Z",
        "billingAddress": { "city": "Canaryville" }, "firstName": "Canary", "currencyCode": "EUR",
    })
}

fn page_of(body: &str) -> Result<Page, NotAPage> {
    read_reply(&reply(200, &JSON, body.to_owned()))
}

#[test]
fn an_item_is_read_for_its_id_status_dates_and_currency() {
    let page = page_of(&json!([item(1, 5)]).to_string()).unwrap();
    let [order] = page.orders[..] else { panic!("{page:?}") };
    let at = |seconds| Some(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds));
    assert_eq!((order.order, order.status), (id(1), OrderStatus::CaptureRequired));
    assert_eq!((order.placed, order.expires), (at(1_788_256_800), at(1_788_861_600)));
    assert_eq!(order.currency.map(String::from).as_deref(), Some("EUR"));
    assert!(!format!("{page:?}").contains("Canary"), "{page:?}");

    for (change, expect) in [
        (json!({ "statusName": "CAPTUREREQUIRED" }), Some((true, true, true))),
        (json!({ "expiryDate": null }), Some((true, false, true))),
        (json!({ "expiryDate": "soon" }), Some((true, false, true))),
        (json!({ "orderPlacedDate": 1_788_256_800 }), Some((false, true, true))),
        (json!({ "currencyCode": "Euro" }), Some((true, true, false))),
        (json!({ "status": "5" }), None),
        (json!({ "status": null }), None),
        (json!({ "statusName": "Completed" }), None),
        (json!({ "id": "1" }), None),
        (json!({ "id": null }), None),
        (json!({ "ID": id(2) }), None),
        (json!({ "EXPIRYDATE": null }), None),
    ] {
        let mut item = item(1, 5);
        item.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        let page = page_of(&json!([item]).to_string()).unwrap();
        let read = page.orders.first().map(|order| {
            (order.placed.is_some(), order.expires.is_some(), order.currency.is_some())
        });
        assert_eq!((read, page.unreadable), (expect, usize::from(expect.is_none())), "{change}");
    }
}

/// Every known place of the list, and all that says whether another page follows.
#[test]
fn a_page_is_an_array_or_has_one() {
    for (body, expect) in [
        (json!([item(1, 5)]), Ok(None)),
        (json!({ "orders": [item(1, 5)] }), Ok(None)),
        (json!({ "Items": [item(1, 5)], "data": null }), Ok(None)),
        (json!({ "data": [item(1, 5)], "errors": [] }), Ok(None)),
        (json!({ "results": [item(1, 5)], "hasNextPage": true }), Ok(Some(true))),
        (json!({ "orders": [item(1, 5)], "hasNextPage": false }), Ok(Some(false))),
        (json!({ "orders": [item(1, 5)], "isLastPage": true }), Ok(Some(false))),
        (json!({ "orders": [item(1, 5)], "pageCount": 2, "pageNumber": 1 }), Ok(Some(true))),
        (json!({ "orders": [item(1, 5)], "pageCount": 2, "pageNumber": 2 }), Ok(Some(false))),
        (json!({ "orders": [item(1, 5)], "pageCount": "2", "pageNumber": 1 }), Ok(None)),
        (json!({ "orders": [item(1, 5)], "pageCount": 2 }), Ok(None)),
        (json!({ "orders": [item(1, 5)], "hasNextPage": null, "isLastPage": 1 }), Ok(None)),
        (
            json!({ "orders": [item(1, 5)], "hasNextPage": false, "isLastPage": false }),
            Ok(Some(true)),
        ),
        (json!({}), Err(NotAPage::Lists(0))),
        (json!({ "orders": {} }), Err(NotAPage::Lists(0))),
        (json!({ "orders": null, "errors": [] }), Err(NotAPage::Lists(0))),
        (json!({ "orders": [], "items": [] }), Err(NotAPage::Lists(2))),
    ] {
        let page = page_of(&body.to_string());
        assert_eq!(page.map(|page| page.has_next), expect, "{body}");
    }
    let twice = page_of(r#"{"orders":[],"ORDERS":[]}"#).unwrap_err();
    assert!(twice.to_string().contains("more than once"), "{twice}");
    for odd in ["", "7", "[", "[]x", "[1,]", "{\"orders\":[}", "\u{feff}"] {
        assert!(matches!(page_of(odd), Err(NotAPage::Unreadable(_))), "{odd}");
    }
    assert_eq!(page_of("\u{feff} [ ] ").unwrap().orders, []);
    let accepted = reply(202, &JSON, "[]");
    assert_eq!(read_reply(&accepted), Err(NotAPage::Status(202)));
    let html = reply(200, &[("content-type", "text/html")], "[]");
    assert_eq!(read_reply(&html), Err(NotAPage::NotJson));
}

#[test]
fn a_page_is_bounded_in_its_items_and_depth() {
    let of = |count| format!("[{}]", vec!["0"; count].join(","));
    assert_eq!(page_of(&of(MOST_ON_PAGE)).unwrap().unreadable, MOST_ON_PAGE);
    assert_eq!(page_of(&of(MOST_ON_PAGE + 1)), Err(NotAPage::TooMany(MOST_ON_PAGE + 1)));
    let deep = "[".repeat(100_000) + &"]".repeat(100_000);
    assert_eq!(page_of(&deep).unwrap().unreadable, 1);
    let inside = format!(r#"[{{"id":"{}","status":5,"x":{deep}}}]"#, id(1));
    assert_eq!(page_of(&inside).unwrap().orders.len(), 1);
}

#[test]
fn the_query_as_it_is_written() {
    let at = SystemTime::UNIX_EPOCH + Duration::from_secs(1_788_256_800);
    let query = Query {
        statuses: vec![5, 7],
        from: Some(at),
        to: Some(at + Duration::from_secs(86_400)),
        text: Some("a&b c=\u{e9}".into()),
        merchant: Some("m".into()),
        sort: Some(Sort::Descending),
        size: 100,
        number: 3,
    };
    let text = "status=5&status=7&from=2026-09-01T10:00:00Z&to=2026-09-02T10:00:00Z&query=a%26b%20c%3D%C3%A9&mid=m&sort=desc&pageSize=100&pageNumber=3";
    assert_eq!(query.to_string(), text);
    assert_eq!((Query::read(text).unwrap(), query.before()), (query, 200));
    let day = Query::read("to=2026-09-01&TO=2026-09-02&else=1").unwrap();
    assert_eq!(day.to, Some(at + Duration::from_secs(86_400 + 50_399)));
    for (bad, field) in [
        ("status=x", "Status"),
        ("status=2147483648", "Status"),
        ("from=yesterday", "From"),
        ("to=", "To"),
        ("sort=up", "Sort"),
        ("pageSize=0", "PageSize"),
        ("pageNumber=-1", "PageNumber"),
    ] {
        assert_eq!(Query::read(bad).unwrap_err().field.as_deref(), Some(field), "{bad}");
    }
}

fn any_query() -> impl Strategy<Value = Query> {
    let at = || {
        let seconds = 0..253_402_300_799_u64;
        option::of(seconds.prop_map(|s| SystemTime::UNIX_EPOCH + Duration::from_secs(s)))
    };
    let sort = option::of(prop_oneof![Just(Sort::Ascending), Just(Sort::Descending)]);
    let texts = (option::of(any::<String>()), option::of("[ -~]{0,20}"));
    let page = (1..=u32::MAX, 1..=u32::MAX);
    (vec(any::<i32>(), 0..4), at(), at(), texts, sort, page).prop_map(
        |(statuses, from, to, (text, merchant), sort, (size, number))| Query {
            statuses,
            from,
            to,
            text,
            merchant,
            sort,
            size,
            number,
        },
    )
}

proptest! {
    #![proptest_config(cases(512))]

    #[test]
    fn a_server_reads_the_query_that_a_client_writes(query in any_query()) {
        let request = orders::request(&api(), &query, &token("t"));
        prop_assert_eq!(Query::read(request.uri().query().unwrap()), Ok(query));
    }

    #[test]
    fn a_client_reads_the_page_that_a_server_writes(
        items in vec((any::<u8>().prop_filter("nil", |n| *n > 0), 0..8_i64), 0..20),
        after in 0..1000_usize,
        number in 1..50_u32,
    ) {
        let query = Query { number, ..Query::default() };
        let written: Vec<_> = items.iter().map(|(number, status)| item(*number, *status)).collect();
        let total = query.before() + items.len() + after;
        let page = read_reply(&orders::page(&query, total, &written)).unwrap();
        let read: Vec<_> = page.orders.iter().map(|order| (order.order, order.status)).collect();
        let expect: Vec<_> = items.iter().map(|(n, s)| (id(*n), OrderStatus::from_number(*s))).collect();
        prop_assert_eq!((read, page.unreadable), (expect, 0));
        prop_assert_eq!(page.has_next, Some(total > query.before() + 10));
    }

    #[test]
    fn arbitrary_bytes_are_read_without_a_panic(body in vec(any::<u8>(), 0..300), query in any::<String>()) {
        let _ = read_reply(&reply(200, &JSON, body));
        let _ = Query::read(&query);
    }

    /// What is broken in one item costs this item at most, or the whole page, and adds no order.
    #[test]
    fn a_broken_byte_adds_no_order(at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut body = json!({ "orders": [item(1, 5), item(2, 5)], "hasNextPage": false }).to_string().into_bytes();
        let at = at.index(body.len());
        body[at] = byte;
        if let Ok(page) = read_reply(&reply(200, &JSON, body)) {
            prop_assert_eq!(page.orders.len() + page.unreadable, 2);
        }
    }
}

/// Feeds these replies to a query; the numbers of the pages that it asked for, and how it ended.
fn list(search: &Search, replies: &[Value]) -> (Vec<u32>, Result<Listed, ListError>) {
    let (mut query, mut asked) = (ListQuery::new(&api(), search), Vec::new());
    for body in replies {
        let request = query.request(token("t"));
        asked.push(Query::read(request.uri().query().unwrap()).unwrap().number);
        match query.received(Ok(reply(200, &JSON, body.to_string()))) {
            QueryStep::Done(end) => return (asked, end),
            QueryStep::Again(delay) => assert_eq!(delay, Duration::ZERO),
        }
    }
    panic!("another page is wanted after {asked:?}");
}

fn waiting(numbers: &[u8], has_next: Option<bool>) -> Value {
    let items: Vec<_> = numbers.iter().map(|number| item(*number, 5)).collect();
    json!({ "orders": items, "hasNextPage": has_next })
}

#[test]
fn pages_are_read_until_the_last() {
    let any = Search::default();
    let most = Search { most: 3.try_into().unwrap(), ..any };
    let more = |numbers: &[u8]| waiting(numbers, Some(true));
    let last = |numbers: &[u8]| waiting(numbers, Some(false));
    let bare = |numbers: &[u8]| Value::from_iter(numbers.iter().map(|number| item(*number, 5)));
    let unreadable = json!({ "orders": [7, item(2, 5), {}], "hasNextPage": true });
    let others = json!({ "orders": [item(1, 7), item(2, 5)], "hasNextPage": false });
    for (search, replies, asked, ids, unread, complete) in [
        (any, vec![last(&[])], 1, &[][..], 0, true),
        (any, vec![last(&[1, 2])], 1, &[1, 2], 0, true),
        (any, vec![more(&[1, 2]), last(&[3])], 2, &[1, 2, 3], 0, true),
        // An order that moved to the next page meanwhile.
        (any, vec![more(&[1, 2]), more(&[2, 3]), last(&[])], 3, &[1, 2, 3], 0, true),
        (any, vec![bare(&[1]), bare(&[2]), bare(&[])], 3, &[1, 2], 0, true),
        (any, vec![unreadable, last(&[3])], 2, &[2, 3], 2, true),
        (any, vec![others], 1, &[2], 0, true),
        (most, vec![more(&[1, 2]), more(&[3, 4])], 2, &[1, 2, 3, 4], 0, false),
        (most, vec![more(&[1, 2]), last(&[3])], 2, &[1, 2, 3], 0, true),
    ] {
        let (pages, end) = list(&search, &replies);
        let listed = end.unwrap();
        let expect: Vec<_> = ids.iter().copied().map(id).collect();
        let read: Vec<_> = listed.orders.iter().map(|order| order.order).collect();
        assert_eq!(pages, (1..=asked).collect::<Vec<_>>(), "{replies:?}");
        assert_eq!((read, listed.unreadable, listed.is_complete), (expect, unread, complete));
    }
}

#[test]
fn a_list_that_does_not_go_on_is_an_error() {
    let any = Search::default();
    let bare = json!([item(1, 5)]);
    for (replies, page) in [
        (vec![waiting(&[], Some(true))], 1),
        (vec![waiting(&[1], Some(true)), waiting(&[1], Some(true))], 2),
        (vec![waiting(&[1, 2], Some(true)), waiting(&[2, 1], Some(true))], 2),
        (
            vec![
                waiting(&[1, 2], Some(true)),
                waiting(&[3], Some(true)),
                waiting(&[1], Some(true)),
            ],
            3,
        ),
        (vec![bare.clone(), bare], 2),
        (vec![json!([7])], 1),
    ] {
        let end = list(&any, &replies).1;
        assert!(matches!(end, Err(ListError::Stuck(at)) if at == page), "{end:?}");
    }
}

#[test]
fn the_token_is_renewed_on_every_page() {
    let mut query = ListQuery::new(&api(), &Search::default());
    for (number, last) in [(1, false), (2, true)] {
        let _ = query.request(token("old"));
        let again = query.received(Ok(reply(401, &[], "")));
        assert!(matches!(again, QueryStep::Again(Duration::ZERO)), "{again:?}");
        assert_eq!(query.token_request().refused, Some(&token("old")));
        let request = query.request(token("new"));
        assert_eq!(request.headers()["authorization"], "Bearer new");
        let body = waiting(&[number], Some(!last)).to_string();
        let step = query.received(Ok(reply(200, &JSON, body)));
        assert_eq!(matches!(step, QueryStep::Done(Ok(_))), last, "{step:?}");
        assert!(last || query.token_request().refused.is_none(), "the next page may use any");
    }
    let mut query = ListQuery::new(&api(), &Search::default());
    for wait in [0, 2] {
        let _ = query.request(token("t"));
        let again = query.received(Ok(reply(403, &[], "")));
        assert!(matches!(again, QueryStep::Again(delay) if delay == Duration::from_secs(wait)));
    }
    let _ = query.request(token("t"));
    let end = query.received(Ok(reply(401, &[], "")));
    let refused = ListError::NoPage(StatusError::Unauthorized);
    assert!(matches!(end, QueryStep::Done(Err(error)) if error.to_string() == refused.to_string()));
}

/// Each error has a name for machines, advice for people, and the wait that the API asked for.
#[test]
fn every_error_names_its_cause_and_what_to_do() {
    let ended = |reply| {
        let mut query = ListQuery::new(&api(), &Search::default());
        let _ = query.request(token("canary-token-that-is-long"));
        match query.received(reply) {
            QueryStep::Done(Err(error)) => error,
            other => panic!("{other:?}"),
        }
    };
    let throttled = TokenError::Throttled { retry_after: Some(Duration::from_secs(9)) };
    let stuck = waiting(&[], Some(true)).to_string();
    for (error, says, cause, wait, advice) in [
        (ended(Lost.result()), "no complete reply", "no_reply", None, "Check the network"),
        (
            ended(Reply(429, &[("retry-after", "900")], "").result()),
            "status 429",
            "throttled",
            Some(900),
            "Wait until",
        ),
        (
            ended(Reply(400, &[], r#"{"title":"t","status":400}"#).result()),
            "refused the request (status 400)",
            "refused",
            None,
            "may list orders",
        ),
        (
            ended(Reply(204, &[], "").result()),
            "page 1 of the orders is unreadable: status 204",
            "unreadable",
            None,
            "URL leads to the API",
        ),
        (
            ended(Reply(200, &[], "{}").result()),
            "0 of the members orders, items, data and results",
            "unreadable",
            None,
            "support",
        ),
        (ended(Ok(reply(200, &JSON, stuck))), "page 1", "stuck", None, "support"),
        (
            ListError::NoPage(throttled.into()),
            "no bearer token",
            "login_throttled",
            Some(9),
            "accepts logins",
        ),
    ] {
        assert!(error.to_string().contains(says), "{says}: {error}");
        let told = (error.cause(), error.retry_after().map(|wait| wait.as_secs()));
        assert_eq!(told, (cause, wait), "{error}");
        assert!(error.advice().contains(advice), "{error}: {}", error.advice());
    }
    let body = r#"{"status":400,"title":"canary-token-that-is-long"}"#;
    let echo = ended(Ok(reply(400, &[], body)));
    assert!(!format!("{echo} {echo:?}").contains("canary"), "{echo:?}");
}
