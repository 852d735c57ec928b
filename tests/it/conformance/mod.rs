//! One suite for every adapter, over real sockets, without opt-outs: faults, differences, TLS, HTTP/2,
//! cancellation, crowds, secrets.
//!
//! The rows over plain HTTP/1.1 are those of `capture-conformance`, which runs them through any transport.
//! [`suite!`] instantiates it for the three drivers. `docs/faults.md` names the rows and tests that
//! hold each fault; `docs/architecture.md` explains how rows are written (Testing). The one difference
//! between the adapters, that ureq has no HTTP/2, is pinned in [`http2`].

mod authority;
mod byo;
mod canaries;
mod cancel;
mod child;
mod crowd;
mod drivers;
mod http2;
mod listing;
mod proxy;
mod report;
mod sandbox;
mod secrets;
mod secured;
mod settings;
mod silence;
mod tls;

use std::sync::OnceLock;
use std::thread;

use capture_conformance::rows;
use capture_core::Capture;
use drivers::{Driver, Hyper, Reqwest, Ureq};
use report::Reports;

/// The name of every row, over HTTP/1.1, HTTP/2 and TLS.
pub(crate) fn row_names() -> Vec<String> {
    let plain = rows::all().into_iter().map(|row| row.name);
    let frames = http2::ROWS.iter().map(|row| row.0.to_owned());
    plain.chain(frames).chain(tls::names::<Reqwest>()).collect()
}

/// Runs every row of `capture-conformance` through this adapter, and searches all that it can show.
fn run_all<D: Driver>() -> Vec<rows::Ran> {
    run_rows::<D>(rows::all(), D::settle)
}

/// Runs these rows; before each capture the connections meet `between`.
fn run_rows<D: Driver>(rows: Vec<rows::Row>, between: fn(&D)) -> Vec<rows::Ran> {
    rows::run(rows, move |setup| {
        let client = D::new(setup);
        move |capture: &Capture| {
            between(&client);
            let outcome = client.capture(capture);
            canaries::show(&client, &outcome);
            outcome
        }
    })
}

/// The rows of a connection that misbehaves after its reply.
fn stale_rows() -> Vec<rows::Row> {
    let rows: Vec<_> = rows::all().into_iter().filter(|row| row.name.starts_with("21 ")).collect();
    assert!(rows.len() >= 15, "{} rows", rows.len());
    rows
}

/// The whole suite for each of these drivers, and what compares them.
macro_rules! suite {
    ($($adapter:ident: $Driver:ty),+ $(,)?) => {
        $(mod $adapter {
            use super::*;

            #[test]
            fn every_row_ends_as_expected() {
                canaries::watch(|| report::check(&reports()[stringify!($adapter)]));
            }

            #[test]
            fn stale_replies_meet_a_runtime_that_only_runs_during_a_capture() {
                canaries::watch(|| report::check(&run_rows::<$Driver>(stale_rows(), |_| ())));
            }

            #[test]
            fn every_tls_row_ends_as_expected() {
                canaries::watch(|| tls::check::<$Driver>());
            }

            #[test]
            fn faults_below_http_are_survived() {
                sandbox::check::<$Driver>();
            }

            #[test]
            fn http2_is_used_where_the_library_supports_it() {
                canaries::watch(|| http2::check::<$Driver>());
            }

            #[test]
            fn proxies_in_the_environment_are_ignored() {
                proxy::check::<$Driver>(module_path!());
            }

            #[test]
            fn a_capture_dropped_anywhere_is_settled_later() {
                canaries::watch(|| cancel::check::<$Driver>());
            }

            #[test]
            fn a_crowd_shares_one_login_and_each_order_is_captured_once() {
                canaries::watch(|| crowd::check::<$Driver>());
            }

            #[test]
            fn a_crowd_leaves_no_memory_behind() {
                canaries::watch(|| crowd::check_memory::<$Driver>(module_path!()));
            }

            #[test]
            fn every_list_ends_as_expected() {
                canaries::watch(|| listing::check::<$Driver>());
            }

            #[test]
            fn the_list_of_the_sandbox_is_read_to_its_end() {
                canaries::watch(|| listing::check_sandbox::<$Driver>());
            }

            #[test]
            fn a_dead_connection_is_noticed_late() {
                canaries::watch(|| settings::a_dead_connection_is_noticed_late::<$Driver>());
            }

            #[test]
            fn no_secret_is_shown_or_logged() {
                canaries::watch(|| {
                    reports();
                    secrets::check::<$Driver>();
                });
            }
        })+

        /// The results of every row through every adapter; run once, all side by side.
        fn reports() -> &'static Reports {
            static REPORTS: OnceLock<Reports> = OnceLock::new();
            REPORTS.get_or_init(|| {
                thread::scope(|scope| {
                    let running = [$((stringify!($adapter), scope.spawn(run_all::<$Driver>))),+];
                    running.map(|(adapter, rows)| (adapter, rows.join().expect("no panic"))).into()
                })
            })
        }
    };
}

suite! {
    reqwest: Reqwest,
    ureq: Ureq,
    hyper: Hyper,
}

#[test]
fn the_adapters_agree_on_every_outcome_and_every_byte() {
    canaries::watch(|| report::compare(reports()));
}

#[test]
fn no_row_is_lost() {
    canaries::watch(|| report::count(reports()));
}
