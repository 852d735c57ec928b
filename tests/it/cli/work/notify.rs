//! What a service manager is told, over a real datagram socket.

use std::os::unix::net::UnixDatagram;
use std::thread;
use std::time::{Duration, Instant};

use capture_sandbox::Script;

use super::super::interrupt::send;
use super::service::{Service, Shop};

/// What came until then, each with when.
fn messages(socket: &UnixDatagram, until: Instant) -> Vec<(Instant, String)> {
    let mut found = Vec::new();
    loop {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return found;
        }
        socket.set_read_timeout(Some(left)).unwrap();
        let mut buffer = [0; 4096];
        if let Ok(length) = socket.recv(&mut buffer) {
            found.push((Instant::now(), String::from_utf8(buffer[..length].to_vec()).unwrap()));
        }
    }
}

fn beats(messages: &[(Instant, String)]) -> usize {
    messages.iter().filter(|(_, text)| text == "WATCHDOG=1").count()
}

fn soon(seconds: u64) -> Instant {
    Instant::now() + Duration::from_secs(seconds)
}

/// Ready, a beat at least each half of the limit, none while a turn hangs, and stopping.
#[test]
fn the_watchdog_is_fed_only_while_the_work_goes_round() {
    let shop = Shop::new("watchdog");
    let orders = shop.enqueue(2);
    let place = tempfile::tempdir().unwrap();
    let socket = UnixDatagram::bind(place.path().join("notify")).unwrap();
    let mut command = shop.command(&[]);
    command.env("NOTIFY_SOCKET", place.path().join("notify"));
    command.env("WATCHDOG_USEC", "4000000").env_remove("WATCHDOG_PID");
    let service = Service::start(&mut command);
    let told = messages(&socket, soon(7));
    assert_eq!(told[0].1, "READY=1\nSTATUS=started", "{told:?}");
    assert!(told.iter().any(|(_, text)| text.contains("captured 2, not captured 0")), "{told:?}");
    assert_eq!(shop.captured(&orders), 2);
    let times: Vec<_> =
        told.iter().filter(|(_, text)| text == "WATCHDOG=1").map(|(at, _)| *at).collect();
    let gaps: Vec<_> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!(
        !gaps.is_empty() && gaps.iter().all(|gap| *gap < Duration::from_millis(2900)),
        "{gaps:?}"
    );
    assert!(times.len() <= 9, "not at every round: {gaps:?}");

    // Another program holds the database: a turn hangs, and so does all that depends on it.
    let mut other = rusqlite::Connection::open(shop.journal()).unwrap();
    let lock = other.transaction_with_behavior(rusqlite::TransactionBehavior::Exclusive).unwrap();
    let _ = messages(&socket, soon(2)); // those that were on their way
    let silent = messages(&socket, soon(10));
    assert_eq!(beats(&silent), 0, "{silent:?}");
    service.wait("that health knows", || service.health().0 == 503);
    assert_eq!(
        service.health().1["reason"],
        "the work does not go round: perhaps the journal's disk hangs"
    );
    lock.commit().unwrap();
    assert!(beats(&messages(&socket, soon(4))) > 0);
    assert_eq!(service.health().0, 200);

    // It drains for a while, and is not killed for that.
    shop.server.script(Script::delayed(Duration::from_secs(6)).times(1));
    let orders = shop.enqueue(1);
    service.wait("the money to move", || shop.captured(&orders) == 1);
    let _ = messages(&socket, soon(1));
    send("TERM", service.id());
    let told = messages(&socket, soon(4));
    assert!(told.iter().any(|(_, text)| text.starts_with("STOPPING=1\nSTATUS=")), "{told:?}");
    assert!(beats(&told) > 0, "{told:?}");
    assert_eq!(service.health().1["reason"], "it is stopping");
    let mut service = service;
    assert_eq!(service.end().code, 0);
}

/// A name that is in no file system; a watchdog of another process; no socket at all.
#[cfg(target_os = "linux")]
#[test]
fn abstract_sockets_and_the_watchdog_of_another_process() {
    use std::os::linux::net::SocketAddrExt as _;
    use std::os::unix::net::SocketAddr;
    let shop = Shop::new("abstract");
    let name = format!("capture-test-{}", std::process::id());
    let socket = UnixDatagram::bind_addr(&SocketAddr::from_abstract_name(&name).unwrap()).unwrap();
    let mut command = shop.command(&[]);
    command.env("NOTIFY_SOCKET", format!("@{name}")).env("WATCHDOG_USEC", "2000000");
    command.env("WATCHDOG_PID", std::process::id().to_string());
    let service = Service::start(&mut command);
    let told = messages(&socket, soon(3));
    assert!(told[0].1.starts_with("READY=1"), "{told:?}");
    assert_eq!(beats(&told), 0, "{told:?}");
    // Nobody reads: the queue of the socket is full, and the work goes on.
    let orders = shop.enqueue(40);
    service.wait("all", || shop.captured(&orders) == 40);
    thread::sleep(Duration::from_millis(100));
    assert_eq!(service.stop().code, 0);
    for socket in ["relative", "", "/nowhere/at/all"] {
        let mut command = shop.command(&[]);
        let service = Service::start(command.env("NOTIFY_SOCKET", socket));
        assert_eq!(service.stop().code, 0, "{socket}");
    }
}
