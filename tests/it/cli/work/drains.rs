//! What it takes, how it stops, and what a crash, a second one and refused credentials do.

use std::fs;
use std::time::{Duration, SystemTime};

use capture_journal::{Journal as _, Lists as _, OpenNow, Turn, Want};
use capture_sandbox::{Answer, Operation, Script};
use serde_json::json;

use super::super::command::Run;
use super::super::interrupt::send;
use super::service::{Service, Shop};

#[test]
fn it_drains_what_was_enqueued_before_and_while_it_runs() {
    let shop = Shop::new("drains");
    let mut orders = shop.enqueue(20);
    let service = shop.start(&[]);
    service.wait("the first ones", || shop.captured(&orders) == 20);
    service.wait("that it is drained", || !service.events("drained").is_empty());
    orders.extend(shop.enqueue(7));
    service.wait("the later ones", || shop.captured(&orders) == 27);
    service.wait("that it is drained again", || service.events("drained").len() == 2);
    let started = &service.events("started")[0];
    assert_eq!(started["journal"], shop.journal().display().to_string());
    assert_eq!(started["production"], json!(false));
    let run = service.stop();
    let json = run.json();
    assert_eq!((run.code, &json["captured"], &json["unknown"]), (0, &json!(27), &json!(0)));
    assert_eq!((&json["stopped_by"], &json["next_step"]), (&json!("a signal"), &json!(null)));
    let last: serde_json::Value = serde_json::from_str(run.stderr.lines().last().unwrap()).unwrap();
    assert_eq!((&last["message"], &last["exit_code"]), (&json!("ended"), &json!(0)));
    assert!(run.stderr.contains("\"message\":\"stopping: "), "{run:?}");
    assert_eq!(shop.open().open_now().unwrap(), OpenNow::default());
}

/// What is on its way ends, and what was only claimed is given back.
#[test]
fn a_signal_leaves_nothing_unknown() {
    let shop = Shop::new("stops");
    let orders = shop.enqueue(60);
    shop.server.script(Script::delayed(Duration::from_millis(300)).times(u32::MAX));
    let service = shop.start(&["--concurrency", "4"]);
    service.wait("some", || shop.captured(&orders) >= 8);
    let run = service.stop();
    let captured = shop.captured(&orders);
    assert_eq!((run.code, &run.json()["captured"]), (0, &json!(captured)), "{run:?}");
    assert!(captured < 40, "{captured}");
    let open = shop.open().open_now().unwrap();
    assert_eq!(open, OpenNow { ready: 60 - captured as u64, ..OpenNow::default() });
}

/// The time for a graceful stop ends: what has no reply is unknown, said, and found out by the next one.
#[test]
fn what_has_no_reply_in_time_is_unknown() {
    let shop = Shop::new("grace");
    let orders = shop.enqueue(3);
    shop.server.script(Script::delayed(Duration::from_secs(3600)).times(3));
    let service = shop.start(&["--grace", "1", "--attempt-timeout", "3600", "--deadline", "3600"]);
    service.wait("the money to move", || shop.captured(&orders) >= 1);
    let run = service.stop();
    let json = run.json();
    assert!(run.code == 3 && json["unknown"].as_u64() > Some(0), "{run:?}");
    assert!(run.stderr.contains("unknown: money may have moved"), "{run:?}");
    shop.server.clear_script();
    let service = shop.start(&[]);
    service.wait("all", || shop.open().open_now().unwrap() == OpenNow::default());
    assert_eq!((service.stop().code, shop.captured(&orders)), (0, 3));
}

#[test]
fn killed_at_any_time_the_next_one_goes_on() {
    let shop = Shop::new("killed");
    let orders = shop.enqueue(80);
    shop.server.script(Script::delayed(Duration::from_millis(100)).times(u32::MAX));
    for count in [5, 20, 40] {
        let service = shop.start(&["--concurrency", "8"]);
        service.wait("some", || shop.captured(&orders) >= count);
        service.kill();
        assert!(shop.open().open_now().unwrap().unknown > 0, "it was at something");
    }
    let service = shop.start(&[]);
    service.wait("all", || shop.open().open_now().unwrap() == OpenNow::default());
    let run = service.stop();
    assert_eq!((run.code, shop.captured(&orders)), (0, 80), "{run:?}");
}

#[test]
fn two_of_them_share_one_journal() {
    let shop = Shop::new("shared");
    shop.server.script(Script::delayed(Duration::from_millis(50)).times(u32::MAX));
    let services = [(); 2].map(|()| shop.start(&["--concurrency", "4"]));
    let orders = shop.enqueue(120);
    services[0].wait("all", || shop.open().open_now().unwrap() == OpenNow::default());
    let shares = services.map(|service| service.stop().json()["captured"].as_u64().unwrap());
    assert_eq!((shares[0] + shares[1], shop.captured(&orders)), (120, 120));
    assert!(shares[0] > 0 && shares[1] > 0, "{shares:?}");
}

/// What the API says in its own words may be about a person; an echoed token is a secret.
#[test]
fn the_log_has_no_words_of_the_api() {
    let shop = Shop::new("words");
    let orders = shop.enqueue(4);
    let says = "Jane Canary, jane.canary@example.org, card 4111111111111111";
    let body = json!({ "status": "FAILED", "success": true, "errors": [says, "eyJcanary"],
        "customer": { "email": says }, "message": says });
    let problem = json!({ "title": says, "status": 400, "errors": { "card": [says] } });
    let told = |status: u16, body: &serde_json::Value| {
        Script::status(Answer::new(status).body(body.to_string())).on(Operation::Capture)
    };
    let odd = told(207, &body).order(orders[2]).times(9);
    let lost = told(500, &problem).order(orders[3]).times(9);
    let fails = Answer::new(503).body(problem.to_string());
    let lookups =
        |at: usize| Script::status(fails.clone()).on(Operation::Order).order(orders[at]).times(99);
    let script = told(200, &body).order(orders[0]).times(9);
    let script = script.then(told(400, &problem).order(orders[1]).times(9)).then(odd).then(lost);
    shop.server.script(script.then(lookups(2)).then(lookups(3)));
    let service = shop.start(&["--deadline", "8", "--log", "json"]);
    service.wait("four outcomes", || {
        service.events("not captured").len() >= 2 && service.events("unknown").len() >= 2
    });
    let event = &service.events("not captured")[0];
    assert!(event["order_id"].is_string() && event["idempotency_key"].is_string(), "{event}");
    assert_eq!((&event["level"], event["code"].is_string()), (&json!("WARN"), true), "{event}");
    let (health, metrics) = (service.get("/health").2, service.get("/metrics").2);
    let orders: Vec<_> = orders.iter().map(ToString::to_string).collect();
    let run = service.stop();
    for (name, text) in [("log", &run.stderr), ("health", &health), ("metrics", &metrics)] {
        let text = text.to_lowercase();
        for word in ["jane", "canary", "4111", "example.org", "eyj"] {
            assert!(!text.contains(word), "{word} in the {name}: {text}");
        }
        let names_an_order = orders.iter().any(|order| text.contains(order));
        assert_eq!(names_an_order, name == "log", "{name}: {text}");
    }
}

#[test]
fn what_cannot_work_ends_with_2_before_anything_is_sent() {
    let shop = Shop::new("refused");
    let _ = shop.enqueue(2);
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = taken.local_addr().unwrap().to_string();
    for (flags, rule) in [
        (&["--health", "0.0.0.0:9184"][..], "must be a loopback address"),
        (&["--health", "nonsense"], "must be an address and a port"),
        (&["--health", &taken], "cannot be listened at"),
        (&["--rate", "fast"], "rate fast"),
    ] {
        let run = Run::of(shop.bare(flags).output().unwrap());
        assert_eq!(run.code, 2, "{flags:?}: {run:?}");
        assert!(run.stderr.contains(rule) && run.stderr.starts_with('{'), "{run:?}");
        assert!(run.json()["error"].as_str().unwrap().contains(rule), "{run:?}");
    }
    let mut production = shop.command(&[]);
    production.env("CAPTURE_ENVIRONMENT", "production").env_remove("CAPTURE_JOURNAL");
    let run = Run::of(production.output().unwrap());
    assert!(run.code == 2 && run.stderr.contains("name the journal"), "{run:?}");
    assert!(shop.server.transcript().is_empty());

    // Refused credentials are known once there is something to send.
    let mut service = Service::start(shop.command(&[]).env("CAPTURE_APP_SECRET", "canary/other"));
    let run = service.end();
    assert_eq!(run.code, 2, "{run:?}");
    assert_eq!(run.json()["stopped_by"], json!("the API refuses the credentials"));
    assert_eq!(shop.open().open_now().unwrap(), OpenNow { ready: 2, ..OpenNow::default() });
}

/// A doubt that an earlier process left cannot be looked up: the service does not ask for ever.
#[test]
fn credentials_that_are_refused_for_a_doubt_end_it_with_2() {
    let shop = Shop::new("refused-doubt");
    let order = shop.enqueue(1)[0];
    // Claimed by a process that ended before it could say more.
    let mut gone = shop.open();
    let want =
        Turn { at: SystemTime::now(), settled: Vec::new(), asks: Vec::new(), want: Want::most(1) };
    assert_eq!(gone.turn(&want).unwrap().work.len(), 1);
    drop(gone);
    let mut service = Service::start(shop.command(&[]).env("CAPTURE_APP_SECRET", "canary/other"));
    let run = service.end();
    assert_eq!(run.code, 2, "{run:?}");
    assert_eq!(run.json()["stopped_by"], json!("the API refuses the credentials"));
    assert_eq!((shop.captured(&[order]), shop.open().open_now().unwrap().unknown), (0, 1));
}

/// Revoked while it works: what was sent counts, and the code does not say that nothing was.
#[test]
fn credentials_that_are_refused_later_end_it_with_4() {
    let shop = Shop::new("revoked");
    let orders = shop.enqueue(3);
    let mut service = shop.start(&[]);
    service.wait("the first ones", || shop.captured(&orders) == 3);
    service.wait("their records", || !service.events("drained").is_empty());
    let refused = Script::status(401).on(Operation::Capture).times(u32::MAX);
    shop.server.script(refused.then(Script::status(401).on(Operation::Token).times(u32::MAX)));
    let _ = shop.enqueue(1);
    let run = service.end();
    assert_eq!((run.code, &run.json()["captured"]), (4, &json!(3)), "{run:?}");
}

/// Somebody takes the file away: nothing more is sent, and what was on its way is told.
#[test]
fn a_lost_journal_ends_it_with_3() {
    let shop = Shop::new("lost");
    let orders = shop.enqueue(1);
    shop.server.script(Script::delayed(Duration::from_millis(1500)).times(1));
    let mut service = shop.start(&[]);
    service.wait("the money to move", || shop.captured(&orders) == 1);
    let (journal, away) = (shop.journal(), shop.journal().with_extension("away"));
    fs::rename(&journal, &away).unwrap();
    let run = service.end();
    assert_eq!((run.code, &run.json()["stopped_by"]), (3, &json!("the journal failed")));
    assert!(run.stderr.contains("the journal's file was removed or replaced"), "{run:?}");
    assert!(run.stderr.contains("\"not recorded\""), "{run:?}");
    assert_eq!((&run.json()["captured"], &run.json()["unknown"]), (&json!(0), &json!(1)));
    fs::rename(&away, &journal).unwrap();
    let service = shop.start(&[]);
    service.wait("the record", || shop.open().open_now().unwrap() == OpenNow::default());
    assert_eq!((service.stop().code, shop.captured(&orders)), (0, 1));
}

/// A second signal waits for nothing.
#[test]
fn a_second_signal_ends_it_at_once() {
    let shop = Shop::new("twice");
    let orders = shop.enqueue(1);
    shop.server.script(Script::delayed(Duration::from_secs(3600)).times(1));
    let mut service = shop.start(&["--attempt-timeout", "3600", "--deadline", "3600"]);
    service.wait("the money to move", || shop.captured(&orders) == 1);
    send("TERM", service.id());
    service.wait("that it stops", || !service.events("stopping").is_empty());
    send("INT", service.id());
    assert_eq!(service.end().code, 3);
}
