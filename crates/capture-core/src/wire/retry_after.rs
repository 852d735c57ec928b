//! `Retry-After`: how long a reply asks to wait.

use std::time::{Duration, SystemTime};

use http::{HeaderMap, header};

/// The wait that a reply asks for: `Retry-After` in seconds, or as a date relative to the reply's
/// own `Date` (RFC 9110 section 10.2.3). Anything malformed, doubled or past asks for nothing.
pub(crate) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let mut all = headers.get_all(header::RETRY_AFTER).iter();
    let (asked, None) = (all.next()?.to_str().ok()?, all.next()) else {
        return None;
    };
    if !asked.is_empty() && asked.bytes().all(|b| b.is_ascii_digit()) {
        return Some(Duration::from_secs(asked.parse().unwrap_or(u64::MAX)))
            .filter(|wait| !wait.is_zero());
    }
    let date = |text: &str| -> Option<SystemTime> { httpdate::parse_http_date(text).ok() };
    let sent = date(headers.get(header::DATE)?.to_str().ok()?)?;
    date(asked)?.duration_since(sent).ok().filter(|wait| !wait.is_zero())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_in_seconds_and_as_a_date() {
        let date = "Tue, 01 Sep 2026 10:00:00 GMT";
        for (values, expect) in [
            (&["7"][..], Some(7)),
            (&["0007"], Some(7)),
            (&["1000000000000"], Some(1_000_000_000_000)),
            (&["99999999999999999999999"], Some(u64::MAX)),
            (&["Tue, 01 Sep 2026 10:00:09 GMT"], Some(9)),
            (&["Tuesday, 01-Sep-26 10:00:09 GMT"], Some(9)),
            (&["Tue, 01 Sep 2026 09:00:00 GMT"], None),
            (&["0"], None),
            (&["-1"], None),
            (&["1.5"], None),
            (&["soon"], None),
            (&[""], None),
            (&["7", "8"], None),
            (&[], None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::DATE, date.parse().unwrap());
            for value in values {
                headers.append(header::RETRY_AFTER, value.parse().unwrap());
            }
            assert_eq!(retry_after(&headers), expect.map(Duration::from_secs), "{values:?}");
        }
        let mut headers = HeaderMap::new();
        headers.insert(header::RETRY_AFTER, date.parse().unwrap());
        assert_eq!(retry_after(&headers), None, "a date without the reply's own Date");
    }
}
