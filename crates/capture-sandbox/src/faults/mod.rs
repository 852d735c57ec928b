//! What goes wrong: scripts, presets, and what a rule does to a request.

pub(crate) mod act;
pub(crate) mod answer;
pub(crate) mod content;
pub(crate) mod error_code;
pub(crate) mod members;
pub(crate) mod raw;
pub(crate) mod rules;
pub(crate) mod script;
