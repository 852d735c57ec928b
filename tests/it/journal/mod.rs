//! The journal: every store, the client over it, and the file on bad days.

mod durable;
mod every;
mod file;
mod fleet;
mod flush;
mod foreman;
mod foremen;
mod killed;
mod lists;
mod outbox;
mod run;
pub(crate) mod server;
mod service;
mod store;
mod tls;
mod torture;

use capture_journal::Disk;
use server::Database;
use store::Directory;

/// The same tests for each store.
macro_rules! stores {
    ($($test:ident),* $(,)?) => {
        mod memory {
            $(#[test] fn $test() { super::store::$test::<super::Disk>(); })*
        }
        mod sqlite {
            $(#[test] fn $test() { super::store::$test::<super::Directory>(); })*
        }
        mod postgres {
            $(#[test] fn $test() {
                if super::server::is_there() { super::store::$test::<super::Database>(); }
            })*
        }
    };
}

stores!(
    a_decided_order_answers_from_the_record,
    a_holder_that_ended_leaves_a_doubt_that_is_as_old_as_its_first_claim,
    an_unknown_outcome_is_resumed_from_its_own_ticket,
    what_was_never_sent_starts_afresh_unless_somebody_may_have_sent_it,
    other_values_are_refused_while_the_order_is_open_or_captured,
    a_new_key_begins_anew_once_the_order_is_not_captured,
    two_who_ask_in_one_turn_get_one_work,
    work_that_is_due_is_handed_out_once_and_oldest_first,
    what_is_wanted_says_when_more_is_due,
    one_that_stays_in_doubt_waits_longer_each_time,
    a_body_that_was_not_read_is_sent_again_under_its_key,
    a_confirmed_refusal_does_not_explain_a_later_send,
);

#[test]
fn evidence_merges_in_memory() {
    store::evidence_of_a_holder_that_lost_its_hold::<Disk>(|journal| journal.lose_hold());
}

/// Somebody removed the holder's file while it was at work.
#[test]
fn evidence_merges_in_a_file() {
    store::evidence_of_a_holder_that_lost_its_hold::<Directory>(|journal| {
        let holders = journal.path().with_extension("journal.holders");
        for entry in std::fs::read_dir(holders).unwrap() {
            std::fs::remove_file(entry.unwrap().path()).unwrap();
        }
    });
}

/// Its lease ran out while it was at work.
#[test]
fn evidence_merges_in_a_database() {
    if server::is_there() {
        store::evidence_of_a_holder_that_lost_its_hold::<Database>(|journal| {
            journal.run_out();
        });
    }
}
