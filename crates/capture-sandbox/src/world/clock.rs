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

/// A clamped time as RFC 3339 with whole seconds, in UTC.
pub(crate) fn iso(at: SystemTime) -> String {
    let seconds = millis(clamp(at)) / 1000;
    let (days, second) = (seconds / 86_400, seconds % 86_400);
    // Days to a date, counted in eras of 400 years that begin on the first of March.
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

/// A date, or a date and a time in UTC, in RFC 3339; a fraction of a second is dropped.
pub(crate) fn read_iso(text: &str) -> Option<SystemTime> {
    let (date, time) = text.split_once('T').unwrap_or((text, "00:00:00"));
    let [year, month, day] = numbers(date, '-', [4, 2, 2])?;
    let time = time.strip_suffix(['Z', 'z']).unwrap_or(time);
    let (time, fraction) = time.split_once('.').unwrap_or((time, "0"));
    let [hour, minute, second] = numbers(time, ':', [2, 2, 2])?;
    let is_fraction = !fraction.is_empty() && fraction.bytes().all(|b| b.is_ascii_digit());
    let in_range = (1970..=9999).contains(&year) && (1..=12).contains(&month) && hour < 24;
    if !in_range || day == 0 || minute > 59 || second > 59 || !is_fraction {
        return None;
    }
    // Years that begin on the first of March, from the year 0 on.
    let (years, months) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = years * 365 + years / 4 - years / 100 + years / 400 + (153 * months + 2) / 5 + day;
    let seconds = (days - 719_469) * 86_400 + hour * 3600 + minute * 60 + second;
    let at = UNIX_EPOCH + Duration::from_secs(seconds);
    // A day that the month does not have yields another date.
    iso(at).starts_with(date).then_some(at)
}

/// Three numbers, each with so many digits.
fn numbers(text: &str, separator: char, lengths: [usize; 3]) -> Option<[u64; 3]> {
    let mut parts = text.split(separator);
    let [first, second, third] = lengths.map(|length| {
        let part = parts.next()?;
        let is_number = part.len() == length && part.bytes().all(|byte| byte.is_ascii_digit());
        if is_number { part.parse::<u64>().ok() } else { None }
    });
    if parts.next().is_some() { None } else { Some([first?, second?, third?]) }
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
    fn dates_at_the_edges() {
        for (seconds, expect) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_399, "2000-02-28T23:59:59Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (4_107_542_399, "2100-02-28T23:59:59Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
            (LAST_SECOND, "9999-12-31T23:59:59Z"),
        ] {
            assert_eq!(iso(UNIX_EPOCH + Duration::from_secs(seconds)), expect);
            assert_eq!(read_iso(expect), Some(UNIX_EPOCH + Duration::from_secs(seconds)));
        }
        for bad in [
            "",
            "x",
            "2023",
            "2023-02-29",
            "2023-13-01",
            "2023-00-10",
            "2023-01-00",
            "1969-12-31",
            "2023-1-1",
            "2023-01-01T24:00:00Z",
            "2023-01-01T00:60:00",
            "2023-01-01T00:00:00+01:00",
            "2023-01-01T00:00:00.Z",
            "2023-01-01-01",
            "+023-01-01",
            "2023-01-01T",
            "20\u{e9}3-01-01",
        ] {
            assert_eq!(read_iso(bad), None, "{bad}");
        }
        assert_eq!(read_iso("2000-02-29"), read_iso("2000-02-29T00:00:00.999Z"));
    }

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
