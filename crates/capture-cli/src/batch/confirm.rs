//! A person who runs a list says how many captures it has.

use std::io::{self, BufRead as _, IsTerminal as _};

use super::plan::Checked;
use crate::config::BadInput;
use crate::output;

/// Whether the list was approved: by `--confirm`, or on a terminal by its number of captures. Only
/// production asks.
pub(crate) fn confirmed(
    checked: &Checked,
    flag: Option<&str>,
    is_production: bool,
) -> Result<(), BadInput> {
    let expected = checked.confirmation();
    let refuse = |sentence: String| Err(BadInput::new("confirm", sentence));
    match flag {
        Some(given) if given == expected => return Ok(()),
        Some(given) => {
            return refuse(format!(
                "confirm: {given} was approved, and the list is {expected}; nothing was sent"
            ));
        }
        None if !is_production => return Ok(()),
        None => {}
    }
    if !(io::stdin().is_terminal() && io::stderr().is_terminal()) {
        return refuse(format!(
            "confirm: production captures real money; approve the list with --confirm {expected}"
        ));
    }
    output::note(&format!("PRODUCTION: real money. To capture, type {}:", checked.captures()));
    let mut typed = String::new();
    let _ = io::stdin().lock().read_line(&mut typed);
    if typed.trim() == checked.captures().to_string() {
        return Ok(());
    }
    refuse("confirm: that is not the number of captures; nothing was sent".to_owned())
}
