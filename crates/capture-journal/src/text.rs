//! How an explanation reads.

use std::fmt;

use crate::explain::{Asked, Chain, Event, Explanation};

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "order {} at {}", self.order_id, self.environment)?;
        for asked in &self.captures {
            asked.fmt(f)?;
        }
        for (name, texts) in [("known", &self.known), ("not known", &self.not_known)] {
            texts.iter().try_for_each(|text| writeln!(f, "{name}: {text}"))?;
        }
        if let Some(what) = &self.blocked_by {
            writeln!(f, "blocked by: {what}")?;
        }
        writeln!(f, "next: {}", self.next_step)?;
        self.chain.iter().try_for_each(|chain| writeln!(f, "journal: {chain}"))
    }
}

impl fmt::Display for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { money, idempotency_key, asked_at, standing, events } = self;
        let standing = match *standing {
            "ready" => "not sent yet",
            "claimed" => "taken, and not decided",
            other => &other.replace('_', " "),
        };
        writeln!(f, "{asked_at}  asked for {money}, key {idempotency_key}: {standing}")?;
        events.iter().try_for_each(|event| writeln!(f, "  {event}"))
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Claimed { at, by } => write!(f, "{at}  {by} took it"),
            Self::Attempt { at, operation, phase, status, request_id, says } => {
                let status = status.map_or("---".to_owned(), |status| status.to_string());
                let phase = phase.replace('_', " ");
                write!(f, "{at}    {operation:<7}  {phase:<10}  {status}  {says}")?;
                request_id.iter().try_for_each(|id| write!(f, " (request id {id})"))
            }
            Self::Recorded { at, says, is_note: false } => write!(f, "{at}  recorded: {says}"),
            Self::Recorded { at, says, is_note: true } => {
                write!(f, "{at}  recorded late, when another process had it: {says}")
            }
            Self::Silent => write!(f, "{:20}  nothing was recorded", ""),
        }
    }
}

impl fmt::Display for Chain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.broken_at {
            None if self.records == 1 => f.write_str("intact over 1 record")?,
            None => write!(f, "intact over {} records", self.records)?,
            Some(number) => write!(
                f,
                "NOT intact from record {number} of {}: records from there on were edited, added or removed",
                self.records
            )?,
        }
        f.write_str(" (tamper-evident, not tamper-proof)")
    }
}
