//! Moments as the API writes them: RFC 3339, of which it leaves out the zone.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The last second of the year 9999.
const LAST_SECOND: u64 = 253_402_300_799;

/// A moment with whole seconds, in UTC: `2026-11-29T14:03:11Z`. One that four digits of a year cannot
/// express is moved to where they can.
#[must_use]
pub fn write(at: SystemTime) -> String {
    let since = at.duration_since(UNIX_EPOCH).unwrap_or_default();
    let seconds = since.as_secs().min(LAST_SECOND);
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

/// A date, or a date and a time, from 1970 on; a fraction of a second is dropped. Without a zone it is
/// in UTC.
#[must_use]
pub fn read(text: &str) -> Option<SystemTime> {
    let (date, time) = text.split_once('T').unwrap_or((text, "00:00:00"));
    let [year, month, day] = numbers(date, '-', [4, 2, 2])?;
    let (time, ahead, behind) = zone(time)?;
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
    // A day that the month does not have yields another date.
    if !write(UNIX_EPOCH + Duration::from_secs(seconds)).starts_with(date) {
        return None;
    }
    let seconds = (seconds + behind).checked_sub(ahead).filter(|at| *at <= LAST_SECOND)?;
    Some(UNIX_EPOCH + Duration::from_secs(seconds))
}

/// A time without its zone, and by how many seconds the zone is ahead of UTC, or behind.
fn zone(time: &str) -> Option<(&str, u64, u64)> {
    if let Some(time) = time.strip_suffix(['Z', 'z']) {
        return Some((time, 0, 0));
    }
    let Some(at) = time.find(['+', '-']) else { return Some((time, 0, 0)) };
    let (hours, minutes) = time[at + 1..].split_once(':')?;
    let [hours, minutes, _] = numbers(&format!("{hours}:{minutes}:00"), ':', [2, 2, 2])?;
    if hours > 23 || minutes > 59 {
        return None;
    }
    let seconds = hours * 3600 + minutes * 60;
    let is_ahead = time[at..].starts_with('+');
    Some(if is_ahead { (&time[..at], seconds, 0) } else { (&time[..at], 0, seconds) })
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
            assert_eq!(write(UNIX_EPOCH + Duration::from_secs(seconds)), expect);
            assert_eq!(read(expect), Some(UNIX_EPOCH + Duration::from_secs(seconds)));
        }
        assert_eq!(write(UNIX_EPOCH - Duration::from_secs(1)), "1970-01-01T00:00:00Z");
        let beyond = UNIX_EPOCH + Duration::from_secs(LAST_SECOND + 1);
        assert_eq!(write(beyond), "9999-12-31T23:59:59Z");
    }

    #[test]
    fn zones_and_fractions() {
        for (text, expect) in [
            ("2024-07-19T10:00:00", "2024-07-19T10:00:00Z"), // as recorded
            ("2024-07-19T10:00:00.9999999", "2024-07-19T10:00:00Z"),
            ("2024-07-19T10:00:00.5z", "2024-07-19T10:00:00Z"),
            ("2024-07-19T10:00:00+00:00", "2024-07-19T10:00:00Z"),
            ("2024-07-19T10:00:00.1+05:30", "2024-07-19T04:30:00Z"),
            ("2024-07-19T20:00:00-05:30", "2024-07-20T01:30:00Z"),
            ("2024-07-19", "2024-07-19T00:00:00Z"),
        ] {
            assert_eq!(read(text).map(write).as_deref(), Some(expect), "{text}");
        }
    }

    #[test]
    fn what_is_no_date() {
        for bad in [
            "",
            "2023",
            "2023-02-29",
            "2023-13-01",
            "2023-00-01",
            "2023-01-00",
            "2023-1-1",
            "1969-12-31",
            "2023-01-01T24:00:00",
            "2023-01-01T00:60:00",
            "2023-01-01T00:00:60",
            "2023-01-01T00:00",
            "2023-01-01T00:00:00.",
            "2023-01-01T00:00:00.x",
            "2023-01-01T00:00:00+1:00",
            "2023-01-01T00:00:00+01",
            "2023-01-01T00:00:00+24:00",
            "2023-01-01T00:00:00+01:60",
            "2023-01-01T00:00:00+01:00Z+",
            "1970-01-01T00:00:00+01:00",
            "9999-12-31T23:59:59-00:01",
            "+023-01-01",
            "2023-01-01-01",
            "tomorrow",
        ] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }
}
