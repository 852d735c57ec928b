//! The report of a list, as the command makes it and as a browser shows it.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::Duration;

use capture_core::OrderStatus;
use capture_sandbox::{Operation, Script};

use super::batch::Batch;
use super::interrupt::{ended, send, started};

/// Every outcome: replies are lost, orders are cancelled and refunded, the API throttles, lookups fail, and
/// a signal ends the run early. One reference is an attack.
fn scene(attack: &str) -> Batch {
    let batch = Batch::new("report", 200);
    let rows = batch.orders.iter().enumerate().map(|(at, order)| {
        let reference = if at == 31 { attack.to_owned() } else { format!("R-{at}") };
        let deadline = if at % 50 == 7 { "2020-01-01T00:00:00Z" } else { "" };
        format!("{order},100.00,USD,{reference},{deadline}\n")
    });
    let header = "order_id,amount,currency,reference,capture_before\n";
    batch.write("orders.csv", &(header.to_owned() + &rows.collect::<String>()));
    let server = &batch.server;
    for at in 30..36 {
        assert!(server.set_order_status(batch.orders[at], OrderStatus::Cancelled));
    }
    for at in 50..53 {
        assert!(server.set_order_status(batch.orders[at], OrderStatus::Returned));
    }
    let slow = |ms| Script::delayed(Duration::from_millis(ms)).times(u32::MAX);
    let lost = Script::lost_reply();
    server.script(lost.skip(20).times(5).then(Script::status(429).times(3)).then(slow(60)));
    let flags = ["--rate", "none", "--deadline", "3", "--grace", "1", "--json"];
    let arguments = [&["run", "orders.csv"][..], &flags].concat();
    let child = started(&mut batch.command(&arguments));
    while batch.captured() < 130 {
        thread::sleep(Duration::from_millis(5));
    }
    server.clear_script();
    let lost = Script::lost_reply().times(4);
    let blind = Script::status(503).on(Operation::Order).times(u32::MAX);
    // Slow enough that the signal comes before the end.
    server.script(lost.then(blind).then(slow(500)));
    while batch.captured() < 140 {
        thread::sleep(Duration::from_millis(5));
    }
    send("TERM", child.id());
    let run = ended(child);
    assert_eq!(run.code, 3, "{run:?}");
    server.clear_script();
    batch
}

/// Looked for by the names under which it is packaged.
fn chromium() -> Option<&'static str> {
    let names = ["chromium", "chromium-browser", "google-chrome"];
    names.into_iter().find(|name| Command::new(name).arg("--version").output().is_ok())
}

/// What the browser made of a page.
fn browse(chromium: &str, page: &str, flags: &[&str]) -> String {
    let profile = tempfile::tempdir().unwrap();
    let output = Command::new(chromium)
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"])
        .args(["--disable-background-networking", "--disable-sync", "--hide-scrollbars"])
        .args(["--disable-component-update", "--enable-logging=stderr"])
        .arg(format!("--user-data-dir={}", profile.path().display()))
        .args(flags)
        .arg(format!("file://{page}"))
        .output()
        .unwrap();
    let log = String::from_utf8_lossy(&output.stderr);
    assert!(!log.contains("Content Security Policy"), "{log}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn a_report_says_what_results_say_and_a_browser_shows_it() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let attack = format!("<script>document.title='owned'</script><img src=http://{address}/x>");
    let batch = scene(&attack);
    let page = batch.path("report.html");
    let made = batch.run(&["report", "1", "--html", &page, "--json"]);
    assert_eq!((made.code, made.json()["captures"].as_u64()), (0, Some(200)), "{made:?}");
    let html = fs::read_to_string(&page).unwrap();

    let results = batch.results();
    let mut counts: BTreeMap<&str, u32> = BTreeMap::new();
    for result in &results {
        *counts.entry(result["outcome"].as_str().unwrap()).or_default() += 1;
    }
    let mut cells = Vec::new();
    for (name, outcome) in [
        ("Captured", "captured"),
        ("Captured with a caveat", "captured_with_caveat"),
        ("Not captured", "not_captured"),
        ("Unknown", "unknown"),
        ("Left", "left"),
    ] {
        let count = counts[outcome];
        let amount = "</td><td class=\"n\">";
        cells.push(format!("</i>{name}</th><td>USD{amount}{count}{amount}{count}00.00</td>"));
        if outcome != "captured" {
            cells.push(format!("<caption>{name}: {count}</caption>"));
        }
    }
    for part in &cells {
        assert!(html.contains(part), "{part}: {counts:?}");
    }
    let open = results.iter().filter(|it| it["outcome"] != "captured");
    for order in open.map(|it| it["order_id"].as_str().unwrap()) {
        assert!(html.contains(order), "{order}");
    }
    assert!(html.contains("<caption>Not captured before their deadline: 4</caption>"));
    assert!(html.contains("&lt;script&gt;document.title=&#39;owned&#39;&lt;/script&gt;"));

    let Some(chromium) = chromium() else {
        crate::skipped("no chromium here, so nobody looked at the report");
        return;
    };
    let visitor = thread::spawn(move || {
        let mut said = [0; 3];
        listener.accept().unwrap().0.read_exact(&mut said).unwrap();
        said
    });
    let dom = browse(chromium, &page, &["--dump-dom"]);
    assert!(dom.contains("<title>Run 1: orders.csv</title>"), "no script ran: {dom}");
    for part in &cells {
        assert!(dom.contains(part), "{part}: {dom}");
    }
    // Nobody listens any more once something was loaded.
    let _ = TcpStream::connect(address).and_then(|mut stream| stream.write_all(b"end"));
    assert_eq!(&visitor.join().unwrap(), b"end", "the page loaded something");
    // The picture in docs/ is one of these.
    let picture = Path::new(env!("CARGO_TARGET_TMPDIR")).join("report.png");
    let _ = fs::remove_file(&picture);
    let shot = format!("--screenshot={}", picture.display());
    browse(chromium, &page, &[&shot, "--window-size=900,1400"]);
    let bytes = fs::read(&picture).unwrap();
    assert!(bytes.starts_with(b"\x89PNG\r\n") && bytes.len() > 20_000, "{}", bytes.len());
}

#[test]
fn a_report_is_replaced_in_one_step_and_only_its_owner_reads_it() {
    let batch = Batch::new("report-file", 2);
    let page = batch.path("report.html");
    let report = |run: &str| batch.run(&["report", run, "--html", &page]);
    let none = report("1");
    assert!(none.code == 2 && none.stderr.contains("there is none"), "{none:?}");
    assert!(!Path::new(&page).exists());

    assert_eq!(batch.run(&["run", "orders.csv", "--rate", "none"]).code, 0);
    let other = report("2");
    assert!(other.code == 2 && other.stderr.contains("no such list"), "{other:?}");
    fs::write(&page, "old").unwrap();
    let made = report("1");
    assert_eq!(made.code, 0, "{made:?}");
    assert!(made.stdout.contains("run 1: captured 2 (200.00 USD)"), "{made:?}");
    assert!(fs::read_to_string(&page).unwrap().contains("Every line is captured."));
    assert_eq!(fs::metadata(&page).unwrap().permissions().mode() & 0o077, 0);

    fs::remove_file(&page).unwrap();
    symlink(batch.path("elsewhere"), &page).unwrap();
    let link = report("1");
    assert!(link.code == 2 && link.stderr.contains("there is a link"), "{link:?}");
    let nowhere = batch.run(&["report", "1"]);
    assert!(nowhere.code == 2 && nowhere.stderr.contains("--html"), "{nowhere:?}");
}
