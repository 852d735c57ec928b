//! The retry budget that the captures of one client share.

use std::time::Duration;

use capture_core::driver::{Now, RetryBudget, Shared, TokenRequest};

use crate::{base, token};

fn spent(budget: &mut RetryBudget, now: Now) -> usize {
    (0..10_000).take_while(|_| budget.spend(now)).count()
}

#[test]
fn a_hundred_and_a_fifth_in_any_ten_seconds() {
    let (start, second) = (base(), Duration::from_secs(1));
    let mut budget = RetryBudget::default();
    assert_eq!(spent(&mut budget, start), 100);
    assert_eq!(spent(&mut budget, start + 9 * second), 0);
    assert_eq!(spent(&mut budget, start + 10 * second), 100);
    (0..50).for_each(|_| budget.earn(start + 11 * second));
    assert_eq!(spent(&mut budget, start + 12 * second), 10);
    assert_eq!(spent(&mut budget, start + 20 * second), 100, "50 first sends still count");
    assert_eq!(spent(&mut budget, start + 1_000_000 * second), 100);
    assert_eq!(spent(&mut budget, start), 0, "a clock that stands still gives nothing");
}

#[test]
fn a_resend_without_budget_gets_no_permit() {
    let now = base();
    let mut shared = Shared::new(token("token"));
    let request = |resend| TokenRequest { refused: None, resend };
    assert_eq!(shared.permits_left(now), 100);
    assert_eq!((0..200).filter(|_| shared.permits(request(true), now)).count(), 100);
    assert!(!shared.permits(request(true), now));
    assert!(shared.permits(request(false), now), "a first send needs none");
    assert_eq!(shared.permits_left(now), 0);
    (1..50).for_each(|_| assert!(shared.permits(request(false), now)));
    assert_eq!(shared.permits_left(now), 10, "a fifth of the first sends");
}
