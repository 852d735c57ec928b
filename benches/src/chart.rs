//! Bars as SVG: no fonts, no scripts, readable on light and on dark.

use std::fmt::Write as _;

pub struct Group {
    pub title: String,
    pub bars: Vec<Bar>,
}

pub struct Bar {
    pub label: String,
    pub value: f64,
    pub ours: bool,
}

const STYLE: &str = "text{font:13px system-ui,sans-serif;fill:#1f2328}.t{font-weight:600}\
.o{fill:#0a7f5a}.p{fill:#8b949e}\
@media(prefers-color-scheme:dark){text{fill:#e6edf3}.o{fill:#2fbf8f}.p{fill:#6e7681}}";

const LABELS: f64 = 230.0;
const WIDTH: f64 = 720.0;
const LINE: f64 = 22.0;

/// Horizontal bars on one scale, in groups.
pub fn bars(title: &str, unit: &str, groups: &[Group]) -> String {
    let all = || groups.iter().flat_map(|group| &group.bars);
    let most = all().map(|bar| bar.value).fold(1.0, f64::max);
    let lines = 2.0 + groups.iter().map(|group| group.bars.len() as f64 + 1.6).sum::<f64>();
    let height = lines * LINE;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height:.0}\" role=\"img\" \
         aria-label=\"{title}\">\n<title>{title}</title>\n<style>{STYLE}</style>\n\
         <text class=\"t\" x=\"0\" y=\"16\">{title} ({unit}; shorter is better)</text>\n"
    );
    let mut y = LINE * 2.0;
    for group in groups {
        let _ = writeln!(svg, "<text class=\"t\" x=\"0\" y=\"{y:.0}\">{}</text>", group.title);
        y += LINE * 0.4;
        for Bar { label, value, ours } in &group.bars {
            let width = value / most * (WIDTH - LABELS - 70.0);
            let (class, base, end) =
                (if *ours { "o" } else { "p" }, y + 13.0, LABELS + width + 6.0);
            let shown = number(*value);
            let _ = writeln!(
                svg,
                "<text x=\"8\" y=\"{base:.0}\">{label}</text>\
                 <rect class=\"{class}\" x=\"{LABELS}\" y=\"{y:.0}\" width=\"{width:.1}\" height=\"16\" rx=\"2\"/>\
                 <text x=\"{end:.0}\" y=\"{base:.0}\">{shown}</text>"
            );
            y += LINE;
        }
        y += LINE * 1.2;
    }
    svg + "</svg>\n"
}

/// A number for people: three digits that count, thousands apart.
pub fn number(value: f64) -> String {
    if value < 10.0 && value.fract() != 0.0 {
        return format!("{value:.2}");
    }
    if value < 100.0 && value.fract() != 0.0 {
        return format!("{value:.1}");
    }
    let digits = format!("{value:.0}");
    let mut shown = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at) % 3 == 0 {
            shown.push(',');
        }
        shown.push(digit);
    }
    shown
}
