//! Moments and days: for people in UTC, as RFC 3339 has it, and in rows as milliseconds since 1970.

use std::time::{Duration, SystemTime};

/// The last second of the year 9999.
const LAST: Duration = Duration::from_secs(253_402_300_799);

/// A moment to the second: `2026-11-29T14:03:11Z`. One before 1970 is shown as 1970.
#[must_use]
pub fn utc(at: SystemTime) -> String {
    let since = at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().min(LAST);
    humantime::format_rfc3339_seconds(SystemTime::UNIX_EPOCH + since).to_string()
}

/// Milliseconds since 1970; a time before counts as 1970.
#[must_use]
pub fn unix_ms(at: SystemTime) -> i64 {
    let since = at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// The moment so many milliseconds after the beginning of 1970.
#[must_use]
pub fn moment(ms: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_millis(ms)
}

/// The first moment of a day: `2026-11-29`.
#[must_use]
pub fn day(text: &str) -> Option<SystemTime> {
    humantime::parse_rfc3339(&format!("{text}T00:00:00Z")).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_written_as_rfc_3339_has_them() {
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (1_798_553_471, "2026-12-29T14:11:11Z"),
            (1 << 50, "9999-12-31T23:59:59Z"),
        ] {
            assert_eq!(utc(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)), text);
        }
        assert_eq!(utc(SystemTime::UNIX_EPOCH - Duration::from_secs(9)), "1970-01-01T00:00:00Z");
    }

    #[test]
    fn days_are_read() {
        let leap_day = SystemTime::UNIX_EPOCH + Duration::from_secs(951_782_400);
        assert_eq!(day("2000-02-29"), Some(leap_day));
        for bad in ["", "2001-02-29", "2000-2-29", "29.02.2000", "2000-02-29T00:00:00Z"] {
            assert_eq!(day(bad), None, "{bad}");
        }
    }
}
