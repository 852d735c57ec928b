//! Time as an input: what both clocks say at one moment.

use std::ops::{Add, AddAssign};
use std::time::{Duration, SystemTime};

/// What the monotonic clock and the wall clock say at one moment.
///
/// The machine reads no clock: its driver passes the time with each step. Waits and deadlines follow
/// the monotonic clock. The age of a key follows whichever clock says more, because
/// the monotonic clock may stand still while a machine sleeps, and the wall clock may be set back.
///
/// It needs no `Instant`, which browsers and edge workers cannot make:
///
/// ```
/// use std::time::{Duration, Instant, SystemTime};
/// use capture_core::driver::Now;
///
/// let began = Instant::now(); // one fixed moment for all captures that share a client
/// let now = || Now::new(began.elapsed(), SystemTime::now());
/// assert!(now().since(Now::new(Duration::ZERO, SystemTime::UNIX_EPOCH)) >= Duration::ZERO);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Now {
    monotonic: Duration,
    wall: SystemTime,
}

impl Now {
    /// A moment: the time since a fixed moment of your choosing, by a clock that never runs
    /// backwards, and the wall clock's time.
    #[must_use]
    pub fn new(monotonic: Duration, wall: SystemTime) -> Self {
        Self { monotonic, wall }
    }

    /// The monotonic clock: the time since the driver's fixed moment.
    #[must_use]
    pub fn monotonic(&self) -> Duration {
        self.monotonic
    }

    /// The wall clock.
    #[must_use]
    pub fn wall(&self) -> SystemTime {
        self.wall
    }

    /// The time since an earlier moment by the monotonic clock; zero if that lies ahead.
    #[must_use]
    pub fn since(&self, earlier: Self) -> Duration {
        self.monotonic.saturating_sub(earlier.monotonic)
    }
}

/// A later moment by both clocks, for drivers with virtual time.
impl Add<Duration> for Now {
    type Output = Self;

    fn add(self, passed: Duration) -> Self {
        Self {
            monotonic: self.monotonic.saturating_add(passed),
            wall: self.wall.checked_add(passed).unwrap_or(self.wall),
        }
    }
}

impl AddAssign<Duration> for Now {
    fn add_assign(&mut self, passed: Duration) {
        *self = *self + passed;
    }
}
