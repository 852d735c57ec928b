//! How long an order in doubt is left alone before it is looked at again.

use std::str::FromStr;
use std::time::Duration;

/// Pauses that grow; the last one repeats.
#[derive(Debug, Clone)]
pub struct Pauses(Vec<Duration>);

impl Pauses {
    /// So many pauses pass within the call. Then the caller is told *unknown*, and the order goes on
    /// by itself.
    pub const WITHIN_THE_CALL: usize = 2;

    /// The pause after so many looks; longer if the API asked for it.
    pub fn after(&self, looks: usize, asked: Option<Duration>) -> Duration {
        let pause = self.0.get(looks).or(self.0.last()).copied().unwrap_or_default();
        pause.max(asked.unwrap_or_default())
    }
}

impl Default for Pauses {
    fn default() -> Self {
        Self([1, 5, 15, 60, 300, 900].map(Duration::from_secs).to_vec())
    }
}

/// Seconds, with commas between them.
impl FromStr for Pauses {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let pause = |part: &str| {
            let seconds = part.trim().parse().ok()?;
            Duration::try_from_secs_f64(seconds).ok().filter(|pause| !pause.is_zero())
        };
        let pauses: Option<_> = text.split(',').map(pause).collect();
        pauses.map(Self).ok_or_else(|| format!("pauses {text:?}: give seconds, such as 1,5,15"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_grow_and_the_last_one_repeats() {
        let pauses: Pauses = "0.5, 2".parse().unwrap();
        let after = |looks, asked: Option<u64>| {
            pauses.after(looks, asked.map(Duration::from_secs)).as_millis()
        };
        assert_eq!([after(0, None), after(1, None), after(9, None)], [500, 2000, 2000]);
        assert_eq!([after(0, Some(7)), after(9, Some(1))], [7000, 2000]);
        for text in ["", "1,", "x", "-1", "0"] {
            assert!(text.parse::<Pauses>().is_err(), "{text}");
        }
    }
}
