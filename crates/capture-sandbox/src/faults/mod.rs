//! What goes wrong: scripts, presets, dice, and what a rule does to a request or a handshake.

mod act;
mod action;
mod answer;
mod content;
mod encode;
mod end;
mod error_code;
mod framing;
mod handshake;
mod json;
mod members;
mod on;
mod path;
mod preset;
mod raw;
mod rules;
mod script;
mod times;
mod written;

pub(crate) use act::{Act, LONGEST_DELAY, Said};
pub use action::{Action, Reply};
pub use answer::Answer;
pub(crate) use answer::put_headers;
pub(crate) use encode::{encode, has_body, says_close};
pub(crate) use end::Place;
pub use end::{End, LastStream};
pub use error_code::ErrorCode;
pub(crate) use framing::Framing;
pub use handshake::Handshake;
pub(crate) use on::{Asked, On};
pub use preset::PRESETS;
pub(crate) use raw::Framed;
pub use raw::{Drip, Raw};
pub(crate) use rules::Rules;
pub use script::Script;
