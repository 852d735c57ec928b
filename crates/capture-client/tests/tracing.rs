//! What a client reports to `tracing`. A binary of its own: callsites are cached for a whole process.

#[path = "it/stub.rs"]
#[allow(dead_code, reason = "the other tests use more of it")]
mod stub;

use std::sync::{Arc, Mutex};

use capture_client::{Outcome, Policy, Resend, Ticket};
use stub::{CANARY, Fate, capture, client};

#[test]
fn tracing_gets_a_span_and_an_event_for_each_attempt() {
    #[derive(Clone, Default)]
    struct Buffer(Arc<Mutex<Vec<u8>>>);
    impl std::io::Write for Buffer {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let written = Buffer::default();
    let writer = written.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    tracing::subscriber::with_default(subscriber, || {
        let (client, _) = client(&[Fate::Answered, Fate::ReplyLost]);
        assert!(matches!(client.capture(&capture()), Outcome::Captured(_)));
        let now = std::time::SystemTime::now();
        let (client, _) = stub::client(&[Fate::Answered, Fate::Refunded]);
        assert!(client.resume(Ticket::interrupted(capture(), now)).code() == "refunded");
        let (client, _) = stub::client(&[Fate::Answered, Fate::ReplyLost]);
        let never = Policy::default().with_lookup(false).with_resend(Resend::Never);
        let outcome = client.with_policy(never).capture(&capture());
        assert_eq!(outcome.code(), "no_reply");
    });
    let text = String::from_utf8(written.0.lock().unwrap().clone()).unwrap();
    for part in [
        "capture{otel.kind=\"client\"",
        "server.address=\"api-sandbox.flex-charge.com\"",
        "capture.order_id=5f1a3c5e-7c1d-4e0b-9d6a-0c4f0065092a",
        "http.request.method=\"POST\"",
        "http.response.status_code=200",
        "error.type=\"maybe_sent\"",
        "capture.operation=\"lookup\"",
        "capture.outcome=\"captured\" capture.code=\"order_status\"",
    ] {
        assert!(text.contains(part), "{part}\n{text}");
    }
    assert_eq!(text.lines().filter(|line| line.contains("http.request.method")).count(), 7);
    let lookup = text.lines().find(|line| line.contains("http.request.method=\"GET\""));
    assert!(lookup.is_some_and(|line| line.contains(" INFO ")), "{text}");
    assert!(
        text.lines().all(|line| line.contains("capture{")),
        "every event is in the span\n{text}"
    );
    assert!(!text.contains(CANARY), "{text}");
    // What a person has to look at is a warning, with what keeps the outcome unknown.
    let levels = |code: &str| -> Vec<&str> {
        let code = format!("capture.code=\"{code}\"");
        let ends = text.lines().filter(|line| line.contains(&code));
        ends.filter_map(|line| line.split_whitespace().nth(1)).collect()
    };
    assert_eq!(levels("order_status"), ["INFO"], "{text}");
    assert_eq!(levels("refunded"), ["WARN"], "{text}");
    assert_eq!(levels("no_reply"), ["WARN"], "{text}");
    assert!(text.contains("capture.obstacle=\"lookup_off\""), "{text}");
}
