//! Fault 85, beyond its rows: lookups by hand and a client over TLS, and proof that the search for
//! secrets (`canaries.rs`) had something to search.

use capture_conformance::fixture::{capture, setup};
use capture_conformance::parallel::side_by_side;
use capture_conformance::rows;
use capture_conformance::wire::{Dialogue, Server};

use super::authority::Authority;
use super::canaries::{logged, search, show};
use super::drivers::Driver;

/// Runs after all rows.
pub(crate) fn check<D: Driver>() {
    let echoes: Vec<_> = rows::all().into_iter().filter(|row| row.name.starts_with("85")).collect();
    assert!(echoes.len() > 20, "{}", echoes.len());
    side_by_side(&echoes, 16, |row| {
        let mut dialogue = row.dialogue.clone();
        dialogue.lookup.extend(dialogue.capture.clone());
        let server = Server::start(dialogue);
        let client = D::new(setup(&format!("http://{}", server.address()), row.own_token));
        let status = client.status(capture().order_id());
        search("a status", &format!("{status:?} {status:#?}"));
        if let Err(error) = status {
            search("a status", &format!("{error} {}", capture_core::one_line(&error)));
        }
    });
    let authority = Authority::new();
    let tls = Some(authority.server(&["h2", "http/1.1"]));
    let server = Server::with(Dialogue::default(), tls, None);
    let client =
        D::trusting(setup(&format!("https://{}", server.address()), true), authority.root());
    show(&client, &client.capture(&capture()));
    let logged = logged();
    for target in D::LOGS {
        assert!(logged.contains(*target), "{target} logged nothing: {logged:?}");
    }
}
