//! Faults 115 to 121: what the order says when it is looked up in doubt.

use super::row::Row;
use crate::fixture::ORDER;
use crate::replies::{gzip, json, order, order_body, other_order, raw, waiting, with};
use crate::wire::{Act, Dialogue, Do};

pub(super) fn rows() -> Vec<Row> {
    let doubt = |lookup: Vec<Act>| Dialogue {
        capture: vec![Act::does(vec![Do::Finish])],
        lookup,
        ..Dialogue::default()
    };
    let mut rows = Vec::new();
    for (name, status, outcome) in [
        ("115 the order is completed", 7, "captured order_status"),
        ("116 the order is cancelled", 2, "not_captured order_cancelled"),
        ("118 the order was refunded since", 6, "captured refunded"),
    ] {
        rows.push(Row::new(
            name,
            doubt(vec![Act::say(order(status))]),
            outcome,
            "C? L200",
            "T C L",
        ));
    }
    let named = format!(r#"{{"id":"{ORDER}","status":7,"statusName":"Cancelled"}}"#);
    let twice = format!(r#"{{"id":"{ORDER}","status":5,"status":7}}"#);
    let odd = |members: &str| json(200, &format!(r#"{{"id":"{ORDER}",{members}}}"#));
    let coded = "content-type: application/json\r\ncontent-encoding: gzip\r\n";
    for (name, reply, status) in [
        ("120 a 404", json(404, r#"{"title":"Not Found","status":404}"#), 404),
        ("120 a 500", json(500, ""), 500),
        ("120 a page", with(200, "content-type: text/html\r\n", order_body(ORDER, 7)), 200),
        ("120 another order", other_order(7), 200),
        ("120 another order, cancelled", other_order(2), 200),
        ("120 no id", json(200, r#"{"status":7}"#), 200),
        ("120 a 202", json(202, &order_body(ORDER, 7)), 202),
        ("120 a gzipped order", with(200, coded, gzip(order_body(ORDER, 7).as_bytes())), 200),
        ("120 a number and a name that differ", json(200, &named), 200),
        ("120 a number as text", odd(r#""status":"7""#), 200),
        ("120 a word for a number", odd(r#""status":"Completed""#), 200),
        ("120 an unknown name alone", odd(r#""statusName":"Paid""#), 200),
        ("120 two statuses", json(200, &twice), 200),
        ("121 draft", order(0), 200),
        ("121 on hold", order(1), 200),
        ("121 problem", order(3), 200),
        ("121 processing", order(4), 200),
        ("121 a new number", order(8), 200),
    ] {
        let attempts = format!("C? L{status} L503");
        rows.push(Row::new(
            name,
            doubt(vec![Act::say(reply)]),
            "unknown no_reply",
            &attempts,
            "T C L L",
        ));
    }
    let open = "content-type: application/json\r\ncontent-length: 999\r\n";
    for (name, act, attempt) in [
        ("120 no answer", Act::does(vec![Do::Finish]), "L?"),
        ("120 a reset", Act::does(vec![Do::Reset]), "L?"),
        (
            "120 half an order",
            Act::say(raw("HTTP/1.1 200 OK", open, order_body(ORDER, 7))).then(Do::Finish),
            "L200~",
        ),
    ] {
        let attempts = format!("C? {attempt} L503");
        rows.push(Row::new(name, doubt(vec![act]), "unknown no_reply", &attempts, "T C L L"));
    }
    rows.push(
        Row::new(
            "120 silence",
            doubt(vec![Act::does(vec![Do::Hang])]),
            "unknown no_reply",
            "C? L? L503",
            "T C L L",
        )
        .hangs(),
    );
    rows.push(Row::new(
        "119 the order lags behind",
        Dialogue {
            capture: vec![Act::does(vec![Do::Finish]), Act::does(vec![Do::Finish])],
            lookup: vec![Act::say(waiting()), Act::say(order(4)), Act::say(order(7))],
            ..Dialogue::default()
        },
        "captured order_status",
        "C? L200 C? L200 L200",
        "T C L C L L",
    ));
    rows
}
