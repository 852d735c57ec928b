//! The orders that `capture sandbox` begins with, and the file that names them.

use std::io::{self, Write};
use std::ops::RangeInclusive;
use std::path::Path;
use std::time::Duration;

use capture_core::Invalid;
use capture_core::wire::date;
use capture_sandbox::Server;

use crate::args::Sandbox;
use crate::file::{self, Readers};
use crate::length::read;

/// So many are drawn at a time, so that few are in memory twice.
const AT_A_TIME: usize = 10_000;

/// Draws the orders that are asked for, and writes the file.
pub(crate) fn fill(server: &Server, args: &Sandbox) -> Result<(), Invalid> {
    let windows = args.window.as_deref().map(windows).transpose()?;
    let count = args.orders.unwrap_or(0) as usize;
    let done = match &args.export {
        None => draw(server, count, windows.as_ref(), &mut io::sink()),
        Some(path) => export(path, |file| draw(server, count, windows.as_ref(), file)),
    };
    done.map_err(|error| {
        let path = args.export.as_deref().unwrap_or(Path::new("-"));
        Invalid::new("export", &path.display().to_string(), format!("cannot be written: {error}"))
    })
}

fn export(path: &Path, rows: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    file::write_with(path, Readers::Everyone, |file| {
        file.write_all(b"order_id,amount,currency,capture_before,reference\n")?;
        rows(file)
    })
}

fn draw(
    server: &Server,
    count: usize,
    windows: Option<&RangeInclusive<Duration>>,
    file: &mut dyn Write,
) -> io::Result<()> {
    let mut number = 0_u32;
    while (number as usize) < count {
        let next = AT_A_TIME.min(count - number as usize);
        for drawn in server.draw_orders(next, windows) {
            number += 1;
            let (order, money, before) = (drawn.order, drawn.money, date::write(drawn.void_at));
            let (amount, currency) = (money.decimal(), money.currency());
            writeln!(file, "{order},{amount},{currency},{before},shop-{number:07}")?;
        }
    }
    Ok(())
}

/// Two lengths of time, such as `10m..7d`.
fn windows(text: &str) -> Result<RangeInclusive<Duration>, Invalid> {
    let refuse = |rule| Invalid::new("window", text, rule);
    let ends = text.split_once("..").and_then(|(from, to)| Some((read(from)?, read(to)?)));
    let Some((from, to)) = ends else {
        return Err(refuse("must be two lengths of time in s, m, h or d, such as 10m..7d"));
    };
    if from > to {
        return Err(refuse("must begin with the shorter one"));
    }
    Ok(from..=to)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_are_two_lengths_of_time() {
        for (text, from, to) in [
            ("10m..7d", 600, 604_800),
            ("1s..1s", 1, 1),
            ("0s..2h", 0, 7200),
            ("4294967295s..4294967295d", 4_294_967_295, 371_085_174_288_000),
        ] {
            let range = windows(text).unwrap();
            assert_eq!((range.start().as_secs(), range.end().as_secs()), (from, to), "{text}");
        }
        for bad in [
            "",
            "..",
            "10m",
            "10m..",
            "10m..7",
            "10..7d",
            "m..d",
            "-1m..7d",
            "+1m..7d",
            "1.5h..7d",
            "10m...7d",
            "10m..7w",
            "10m..7\u{e9}",
            "99999999999s..1d",
        ] {
            let error = windows(bad).unwrap_err().to_string();
            assert!(error.contains("such as 10m..7d"), "{bad}: {error}");
        }
        let error = windows("2h..1h").unwrap_err().to_string();
        assert_eq!(error, r#"window "2h..1h": must begin with the shorter one"#);
    }
}
