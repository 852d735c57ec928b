//! The frame of the page, and how text gets into it.

use std::fmt::{self, Write as _};

use capture_core::printable;
use capture_journal::Stands;

/// Text from a file or from the network. Nothing in it is markup, and nothing in it is invisible.
pub(super) struct Text<'a>(pub(super) &'a str);

/// Longer than any reference or reason that is worth reading.
const LONGEST: usize = 600;

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for c in printable(self.0, LONGEST).chars() {
            match c {
                '&' => f.write_str("&amp;"),
                '<' => f.write_str("&lt;"),
                '>' => f.write_str("&gt;"),
                '"' => f.write_str("&quot;"),
                '\'' => f.write_str("&#39;"),
                c => f.write_char(c),
            }?;
        }
        Ok(())
    }
}

/// An outcome in words.
pub(super) fn name(stands: Stands) -> &'static str {
    match stands {
        Stands::Captured => "Captured",
        Stands::CapturedWithCaveat => "Captured with a caveat",
        Stands::NotCaptured => "Not captured",
        Stands::Unknown => "Unknown",
        Stands::Left => "Left",
    }
}

/// Its colour.
pub(super) fn class(stands: Stands) -> &'static str {
    match stands {
        Stands::Captured => "c",
        Stands::CapturedWithCaveat => "v",
        Stands::NotCaptured => "x",
        Stands::Unknown => "u",
        Stands::Left => "l",
    }
}

/// `850 ms`, `12.5 s`, `17 min`, `3 h`.
pub(super) fn duration(ms: u64) -> String {
    match ms {
        0..=9_999 => format!("{ms} ms"),
        10_000..=599_999 => format!("{}.{} s", ms / 1000, ms % 1000 / 100),
        600_000..=35_999_999 => format!("{} min", ms / 60_000),
        _ => format!("{} h", ms / 3_600_000),
    }
}

/// Nothing is loaded, whatever gets into the page.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'";

/// All up to the first section.
pub(super) fn begin(html: &mut String, title: &str) {
    let title = Text(title);
    let _ = writeln!(
        html,
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{POLICY}\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <title>{title}</title>\n<style>\n{}</style>\n</head>\n<body>\n<main>\n<h1>{title}</h1>",
        include_str!("style.css")
    );
}

/// All after the last section.
pub(super) fn end(html: &mut String) {
    *html += "</main>\n</body>\n</html>\n";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_is_markup() {
        for (text, expect) in [
            ("R-17", "R-17"),
            ("<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;"),
            ("\" onload='x' &amp;", "&quot; onload=&#39;x&#39; &amp;amp;"),
            ("a\u{202e}b\u{0}", r"a\u{202e}b\u{0}"),
            ("Müller", "Müller"),
        ] {
            assert_eq!(Text(text).to_string(), expect);
        }
    }

    #[test]
    fn durations_are_short() {
        for (ms, expect) in [
            (0, "0 ms"),
            (9_999, "9999 ms"),
            (12_560, "12.5 s"),
            (600_000, "10 min"),
            (36_000_000, "10 h"),
        ] {
            assert_eq!(duration(ms), expect);
        }
    }
}
