//! A thousand captures through one client: one login, one more when the token expires, every order
//! captured once (faults 91 to 93), and memory for those under way only.

use std::collections::BTreeSet;
use std::time::Duration;

use capture_conformance::fixture::{capture, money, setup};
use capture_conformance::replies::{SUCCESS, with};
use capture_conformance::wire::{Act, Dialogue, Do, Server, http2, on_capture};
use capture_core::{Capture, IdempotencyKey, Setup};
use capture_sandbox::{Sandbox, Script, Sent};
use stats_alloc::{Region, Stats};

use super::authority::Authority;
use super::child::{again, succeeds};
use super::drivers::Driver;

/// Counts what the test binary allocates, to show that a second crowd needs no more memory.
#[global_allocator]
static ALLOCATOR: &stats_alloc::StatsAlloc<std::alloc::System> = &stats_alloc::INSTRUMENTED_SYSTEM;

/// How many captures there are, and how many are under way at any time: the sandbox serves 256
/// connections, and HTTP/1.1 has one for each. Over HTTP/2 all are under way at once.
const CROWD: usize = 1_000;
const AT_A_TIME: usize = 200;

/// Two crowds in a row through this adapter.
pub(crate) fn check<D: Driver>() {
    if D::HTTP2 {
        all_at_once::<D>();
    }
    let sandbox = Sandbox::start();
    let client = D::new(Setup::new(&sandbox.environment(), sandbox.credentials()));
    all_captured(&sandbox, &client);
    assert_eq!(sandbox.logins(), 1);
    assert_eq!(refused(&sandbox), 0);

    // The server forgets the token while the client still uses it: every capture that does so is refused.
    // The answers come late, so that many are under way before the first one is refused.
    sandbox.advance(Duration::from_secs(601));
    sandbox.script(Script::delayed(Duration::from_millis(300)).times(32));
    all_captured(&sandbox, &client);
    assert_eq!(sandbox.logins(), 2, "{} were refused", refused(&sandbox));
    assert!(refused(&sandbox) >= 32, "only {} met the expired token", refused(&sandbox));
}

/// All at once over one HTTP/2 connection.
fn all_at_once<D: Driver>() {
    let authority = Authority::new();
    let dialogue = Dialogue { frames: vec![http2::CAPTURED; 1 + CROWD], ..Dialogue::default() };
    let server = Server::with(dialogue, Some(authority.server(&["h2"])), None);
    let client =
        D::trusting(setup(&format!("https://{}", server.address()), true), authority.root());
    assert_eq!(client.capture(&capture()).name(), "captured");
    let captures = captures();
    for (capture, outcome) in captures.iter().zip(client.crowd(&captures, CROWD)) {
        assert_eq!((outcome.capture(), outcome.name()), (capture, "captured"), "{outcome:?}");
    }
    assert_eq!(server.connections(), 1);
    let sent: BTreeSet<_> = server.seen().into_iter().map(|seen| seen.body).collect();
    assert_eq!((server.seen().len(), sent.len()), (1 + CROWD, 1 + CROWD));
}

/// Memory is used for the captures under way, and none is kept. In a child, where nothing else
/// allocates; two crowds, because the first one fills tables; a connection for each capture, so that
/// no idle ones remain.
pub(crate) fn check_memory<D: Driver>(module: &str) {
    if let Ok(url) = std::env::var(URL) {
        let client = D::new(setup(&url, true));
        through(&client);
        let used = through(&client);
        let each = used.bytes_allocated / CROWD;
        assert!(each <= MOST_EACH, "a capture takes {each} bytes");
        let kept = used.bytes_allocated.saturating_sub(used.bytes_deallocated);
        assert!(kept <= MOST_KEPT, "{kept} bytes stay after {CROWD} captures");
        return;
    }
    let farewell = Act::say(with(200, "connection: close\r\n", SUCCESS)).then(Do::Finish);
    let server = Server::start(on_capture(vec![farewell; 2 * CROWD]));
    let url = format!("http://{}", server.address());
    succeeds(again(module, "a_crowd_leaves_no_memory_behind").env(URL, url));
    assert_eq!(server.seen().len(), 2 * CROWD);
}

/// Set in the child.
const URL: &str = "CAPTURE_CONFORMANCE_URL";

/// All that one capture may allocate from its beginning to its end, its connection included; it never
/// holds more at a time. A reply of the longest size allowed would be 1 MiB.
const MOST_EACH: usize = 512 * 1024;

/// What may be kept after a crowd: less than 64 bytes of each capture.
const MOST_KEPT: usize = 64 * CROWD;

/// What a crowd allocates and frees.
fn through<D: Driver>(client: &D) -> Stats {
    let captures = captures();
    let used = Region::new(ALLOCATOR);
    let outcomes = client.crowd(&captures, AT_A_TIME);
    assert!(outcomes.iter().all(|outcome| outcome.name() == "captured"));
    drop(outcomes);
    client.settle();
    used.change()
}

fn captures() -> Vec<Capture> {
    let new = |n: usize| {
        let order = format!("{n:08x}-7c1d-4e0b-9d6a-0c4f5b6a7d81").parse().expect("a GUID");
        Capture::new(order, money(), IdempotencyKey::for_order(order))
    };
    (1..=CROWD).map(new).collect()
}

fn all_captured<D: Driver>(sandbox: &capture_sandbox::Server, client: &D) {
    let new = |_| {
        let order = sandbox.create_order(money());
        Capture::new(order, money(), IdempotencyKey::for_order(order))
    };
    let captures: Vec<_> = (0..CROWD).map(new).collect();
    let before = sandbox.ledger().entries().len();
    let outcomes = client.crowd(&captures, AT_A_TIME);
    for (capture, outcome) in captures.iter().zip(&outcomes) {
        assert_eq!(outcome.capture(), capture);
        assert_eq!((outcome.name(), outcome.code()), ("captured", "reply"), "{outcome:?}");
        assert_eq!(sandbox.ledger().captures(capture.order_id()), 1);
    }
    assert_eq!(sandbox.ledger().entries().len() - before, CROWD);
}

fn refused(sandbox: &capture_sandbox::Server) -> usize {
    let is_401 = |sent: Sent| matches!(sent, Sent::Status(status) if status == 401);
    sandbox.transcript().iter().filter(|exchange| is_401(exchange.sent)).count()
}
