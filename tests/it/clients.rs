//! What every client promises whatever its transport: it can be shared, and it trusts extra roots.

use capture_client::{Client, Outcome};
use capture_core::{Capture, IdempotencyKey, Money, Setup};
use capture_sandbox::{Sandbox, Server};

fn is_shared<T: Send + Sync + Clone + 'static>() {}

#[test]
fn every_client_is_send_sync_and_clone() {
    is_shared::<capture_reqwest::Client>();
    is_shared::<capture_ureq::Client>();
    is_shared::<capture_hyper::Client>();
}

/// An async client's futures can be spawned on any runtime.
#[test]
fn futures_are_send() {
    fn spawned<F: Future + Send>(_: F) {}
    let (reqwest, hyper) = (setup(&Sandbox::start()), setup(&Sandbox::start()));
    let reqwest = capture_reqwest::Client::new(reqwest).unwrap();
    let hyper: capture_hyper::Client = Client::new(hyper).unwrap();
    let money = Money::parse("100.00", "USD").unwrap();
    let order = "5f1a3c5e-7c1d-4e0b-9d6a-0c4f5b6a7d81".parse().unwrap();
    let capture = Capture::new(order, money, IdempotencyKey::for_order(order));
    spawned(reqwest.capture(&capture));
    spawned(hyper.capture(&capture));
    spawned(hyper.status(order));
}

#[test]
fn extra_roots_are_trusted_beside_the_built_in_ones() {
    let server = Sandbox::builder().tls().start().unwrap();
    let pem = server.authority_pem().expect("it serves TLS");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();

    let reqwest = |pem: &str| {
        capture_reqwest::Client::with_extra_roots(setup(&server), pem.as_bytes()).unwrap()
    };
    let ureq =
        |pem: &str| capture_ureq::Client::with_extra_roots(setup(&server), pem.as_bytes()).unwrap();
    let hyper = |pem: &str| -> capture_hyper::Client {
        Client::with_extra_roots(setup(&server), pem.as_bytes()).unwrap()
    };
    for (pem, code) in [(pem, "reply"), ("", "login_not_sent")] {
        let order = || order(&server);
        let outcomes: [(&str, Outcome); 3] = [
            ("reqwest", runtime.block_on(async { reqwest(pem).capture(&order()).await })),
            ("ureq", ureq(pem).capture(&order())),
            ("hyper", runtime.block_on(async { hyper(pem).capture(&order()).await })),
        ];
        for (transport, outcome) in outcomes {
            assert_eq!(outcome.code(), code, "{transport}: {outcome}");
        }
    }
}

#[test]
fn roots_that_are_none_are_refused() {
    let server = Sandbox::start();
    for result in [
        capture_reqwest::Client::with_extra_roots(setup(&server), b"x").map(drop),
        capture_ureq::Client::with_extra_roots(setup(&server), b"x").map(drop),
        capture_hyper::Client::<capture_hyper::Connector>::with_extra_roots(setup(&server), b"x")
            .map(drop),
    ] {
        let error = result.unwrap_err();
        assert!(capture_core::one_line(&error).contains("give them in PEM"), "{error:?}");
    }
}

fn setup(server: &Server) -> Setup {
    Setup::new(&server.environment(), server.credentials())
}

fn order(server: &Server) -> Capture {
    let money = Money::parse("100.00", "USD").unwrap();
    let order = server.create_order(money);
    Capture::new(order, money, IdempotencyKey::for_order(order))
}
