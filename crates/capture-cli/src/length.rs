//! Lengths of time, as flags have them.

use std::time::Duration;

use capture_core::Invalid;

/// A whole number of seconds, minutes, hours or days, such as `6h`.
pub(crate) fn length(field: &'static str, text: &str) -> Result<Duration, Invalid> {
    read(text).ok_or_else(|| {
        Invalid::new(field, text, "must be a length of time in s, m, h or d, such as 6h")
    })
}

/// The same; `None` if it is none.
pub(crate) fn read(text: &str) -> Option<Duration> {
    let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 60 * 60,
        "d" => 24 * 60 * 60,
        _ => return None,
    };
    let number: u32 = number.bytes().all(|b| b.is_ascii_digit()).then(|| number.parse().ok())??;
    Some(Duration::from_secs(u64::from(number) * seconds))
}
