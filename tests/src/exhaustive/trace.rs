//! The events between two states, as a trace shows them.

use std::fmt;

use capture_core::Operation;

use super::events::Kind;
use super::server::ServerModel;

/// What happened, for a trace.
pub(crate) enum Event<'a> {
    Token(&'static str, bool),
    Answer(Operation, &'a Kind, &'a ServerModel, bool),
    Waited(bool),
    Life(&'a str),
    /// The process dies, and perhaps a day passes.
    Died(&'static str, bool),
    Server(&'a str),
}

impl fmt::Display for Event<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let late = |late: &bool| if *late { ", after the deadline" } else { "" };
        match self {
            Self::Token(what, is_late) => write!(f, "token: {what}{}", late(is_late)),
            Self::Answer(operation, kind, server, is_late) => {
                let operation = if *operation == Operation::Capture { "capture" } else { "lookup" };
                let ServerModel { order, captures, in_flight, .. } = server;
                let truth =
                    format!("{order:?}, captured {captures}x, {} on the way", in_flight.len());
                write!(f, "{operation}: {}{} [truth: {truth}]", kind.name, late(is_late))
            }
            Self::Waited(is_late) => write!(f, "waited{}", late(is_late)),
            Self::Died(what, old) => {
                write!(f, "{what}{}", if *old { "; a day passes" } else { "" })
            }
            Self::Life(what) | Self::Server(what) => f.write_str(what),
        }
    }
}
