//! One suite for every adapter, over real sockets, without opt-outs: faults, differences, TLS, HTTP/2,
//! cancellation, crowds, secrets.
//!
//! [`suite!`] instantiates it for the three drivers. What no wire can carry is listed in
//! [`rows::UNCARRIED`]; the one difference between the adapters, that ureq has no HTTP/2, is pinned
//! in [`http2`].

mod byo;
mod cancel;
mod crowd;
mod drivers;
mod http2;
mod proxy;
mod replies;
mod rows;
mod sandbox;
mod secrets;
mod settings;
mod tls;
mod wire;

use std::sync::OnceLock;
use std::thread;

use capture_core::{Capture, IdempotencyKey, Money, OrderId};
use drivers::{Hyper, Reqwest, Ureq};

pub(crate) const ORDER: &str = "5f1a3c5e-7c1d-4e0b-9d6a-0c4f5b6a7d81";
pub(crate) const OTHER_ORDER: &str = "11111111-7c1d-4e0b-9d6a-0c4f5b6a7d81";

/// The key of every row: its first waits are near the shortest (511, 531, 564, 599, 573 ms).
const QUICK_KEY: &str = "1d120e99-7a63-4210-98dc-78f56fde12cf";

pub(crate) fn order_id() -> OrderId {
    ORDER.parse().expect("a GUID")
}

pub(crate) fn money() -> Money {
    Money::parse("100.00", "USD").expect("an amount")
}

/// The capture that every row makes.
pub(crate) fn capture() -> Capture {
    let key: IdempotencyKey = QUICK_KEY.parse().expect("a GUID");
    Capture::new(order_id(), money(), key)
}

/// The whole suite for each of these drivers, and what compares them.
macro_rules! suite {
    ($($adapter:ident: $Driver:ty),+ $(,)?) => {
        $(mod $adapter {
            use super::*;

            #[test]
            fn every_row_ends_as_it_must() {
                secrets::watch(|| rows::check(&reports()[stringify!($adapter)]));
            }

            #[test]
            fn every_tls_row_ends_as_it_must() {
                secrets::watch(|| tls::check::<$Driver>());
            }

            #[test]
            fn faults_below_http_are_survived() {
                sandbox::check::<$Driver>();
            }

            #[test]
            fn http2_is_spoken_where_the_library_can() {
                secrets::watch(|| http2::check::<$Driver>());
            }

            #[test]
            fn proxies_in_the_environment_do_not_divert() {
                proxy::check::<$Driver>(module_path!());
            }

            #[test]
            fn broken_off_anywhere_it_is_settled_later() {
                secrets::watch(|| cancel::check::<$Driver>());
            }

            #[test]
            fn a_crowd_shares_one_login_and_each_order_is_captured_once() {
                secrets::watch(|| crowd::check::<$Driver>());
            }

            #[test]
            fn a_crowd_leaves_no_memory_behind() {
                secrets::watch(|| crowd::check_memory::<$Driver>(module_path!()));
            }

            #[test]
            fn a_dead_connection_is_noticed_late() {
                secrets::watch(|| settings::a_dead_connection_is_noticed_late::<$Driver>());
            }

            #[test]
            fn no_secret_is_shown_or_logged() {
                secrets::watch(|| {
                    reports();
                    secrets::check::<$Driver>();
                });
            }
        })+

        /// What became of every row through every adapter; run once, all side by side.
        fn reports() -> &'static rows::Reports {
            static REPORTS: OnceLock<rows::Reports> = OnceLock::new();
            REPORTS.get_or_init(|| {
                thread::scope(|scope| {
                    let running = [$((stringify!($adapter), scope.spawn(rows::run_all::<$Driver>))),+];
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
    secrets::watch(|| rows::compare(reports()));
}

#[test]
fn no_row_is_lost() {
    secrets::watch(|| rows::count(reports()));
}
