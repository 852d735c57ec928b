//! Times and dates: any time that a caller may give is moved to where a date can still be written.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http::HeaderValue;
use serde::Serializer;

/// The last second of the year 9999, which is the last that an HTTP date can express.
const LAST_SECOND: u64 = 253_402_300_799;

/// `at`, moved into the years 1970 to 9999.
pub(crate) fn clamp(at: SystemTime) -> SystemTime {
    at.clamp(UNIX_EPOCH, UNIX_EPOCH + Duration::from_secs(LAST_SECOND))
}

/// `at` plus `by`, at most the end of the year 9999.
pub(crate) fn later(at: SystemTime, by: Duration) -> SystemTime {
    let end = UNIX_EPOCH + Duration::from_secs(LAST_SECOND);
    at.checked_add(by).map_or(end, clamp)
}

/// Milliseconds since the Unix epoch.
pub(crate) fn millis(at: SystemTime) -> u64 {
    let since = at.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// A clamped time as the value of a `Date` header.
pub(crate) fn http_date(at: SystemTime) -> HeaderValue {
    let text = httpdate::fmt_http_date(clamp(at));
    HeaderValue::from_str(&text).expect("an HTTP date is ASCII")
}

/// Writes a time as milliseconds since the Unix epoch.
pub(crate) fn as_millis<S: Serializer>(at: &SystemTime, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(millis(*at))
}

/// The same for a time that may be missing.
pub(crate) fn as_millis_if<S: Serializer>(
    at: &Option<SystemTime>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match at {
        Some(at) => as_millis(at, serializer),
        None => serializer.serialize_none(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_stay_between_1970_and_9999() {
        let before = UNIX_EPOCH - Duration::from_secs(1);
        assert_eq!(clamp(before), UNIX_EPOCH);
        assert_eq!(http_date(before), "Thu, 01 Jan 1970 00:00:00 GMT");
        let end = later(UNIX_EPOCH, Duration::MAX);
        assert_eq!(http_date(end), "Fri, 31 Dec 9999 23:59:59 GMT");
        assert_eq!(later(end, Duration::from_secs(1)), end);
    }
}
