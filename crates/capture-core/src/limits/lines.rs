//! The lines that a message names: at most ten, with the count of the rest.

use std::fmt;

use serde::{Serialize, Serializer, ser::SerializeStruct};

/// How many lines a message names.
pub(crate) const NAMED: usize = 10;

/// The first lines of some rows, and how many rows there are.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Lines {
    named: Vec<u32>,
    count: u64,
}

impl Lines {
    /// These lines, of so many rows.
    pub(crate) fn of(mut named: Vec<u32>, count: u64) -> Self {
        named.sort_unstable();
        Self { named, count }
    }

    /// Rows may come in any order; the lowest lines stay.
    pub(crate) fn add(&mut self, line: u32) {
        self.count += 1;
        let at = self.named.partition_point(|named| *named <= line);
        if at < NAMED {
            self.named.insert(at, line);
            self.named.truncate(NAMED);
        }
    }

    pub(crate) fn named(&self) -> &[u32] {
        &self.named
    }

    pub(crate) fn count(&self) -> u64 {
        self.count
    }

    pub(crate) fn more(&self) -> u64 {
        self.count - self.named.len() as u64
    }
}

/// `line 17`, `lines 3, 9 and 17`, `lines 3, 9 and 118 more`.
impl fmt::Display for Lines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts: Vec<String> = self.named.iter().map(u32::to_string).collect();
        if self.more() > 0 {
            parts.push(format!("{} more", self.more()));
        }
        let plural = if self.count == 1 { "" } else { "s" };
        match parts.split_last() {
            Some((last, [])) => write!(f, "line{plural} {last}"),
            Some((last, others)) => write!(f, "line{plural} {} and {last}", others.join(", ")),
            None => Ok(()),
        }
    }
}

impl Serialize for Lines {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("Lines", 2)?;
        fields.serialize_field("lines", &self.named)?;
        fields.serialize_field("more", &self.more())?;
        fields.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_are_named_whatever_the_order() {
        for (lines, shown) in [
            (vec![], ""),
            (vec![17], "line 17"),
            (vec![17, 3], "lines 3 and 17"),
            ((1..=10).rev().collect(), "lines 1, 2, 3, 4, 5, 6, 7, 8, 9 and 10"),
            ((1..=12).rev().collect(), "lines 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 and 2 more"),
        ] {
            let mut kept = Lines::default();
            lines.into_iter().for_each(|line| kept.add(line));
            assert_eq!(kept.to_string(), shown);
        }
    }
}
