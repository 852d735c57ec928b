//! What is read from a request's headers: the token, the body's type, the accepted types.

use http::{HeaderMap, header};

/// The token in the `Authorization` header.
pub(crate) fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("Bearer").then_some(token.trim())
}

/// `application/json`, `text/json` or any `+json`, such as the literal `application/*+json` of the
/// contract; with or without parameters.
pub(crate) fn is_json(headers: &HeaderMap) -> bool {
    let media_type = || {
        let value = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
        Some(value.split(';').next()?.trim())
    };
    media_type().is_some_and(|media_type| {
        let known = ["application/json", "text/json"];
        let suffix = media_type.len().checked_sub("+json".len());
        known.iter().any(|json| json.eq_ignore_ascii_case(media_type))
            || suffix
                .and_then(|at| media_type.get(at..))
                .is_some_and(|suffix| suffix.eq_ignore_ascii_case("+json"))
    })
}

/// Whether the client accepts JSON: there is no `Accept`, or one of its ranges includes JSON.
pub(crate) fn accepts_json(headers: &HeaderMap) -> bool {
    let json = |range: &str| {
        let range = range.to_ascii_lowercase();
        let known = ["*/*", "application/*", "application/json", "text/*", "text/json"];
        known.contains(&range.as_str()) || range.ends_with("+json")
    };
    !headers.contains_key(header::ACCEPT) || weight(headers, json) > 0
}

/// Whether a person asks with a browser: `Accept` names HTML, and prefers it to JSON.
pub(crate) fn prefers_html(headers: &HeaderMap) -> bool {
    let named =
        |name: &'static str| weight(headers, move |range: &str| range.eq_ignore_ascii_case(name));
    named("text/html") > named("application/json")
}

/// The highest weight, in thousandths, of the ranges in `Accept` that match.
fn weight(headers: &HeaderMap, matches: impl Fn(&str) -> bool) -> u32 {
    let values = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let ranges = values.flat_map(|value| value.split(','));
    let weights = ranges.filter_map(|range| {
        let mut parts = range.split(';').map(str::trim);
        if !matches(parts.next()?) {
            return None;
        }
        let quality = parts.find_map(|part| part.strip_prefix("q=").or(part.strip_prefix("Q=")));
        Some(quality.map_or(1000, thousandths))
    });
    weights.max().unwrap_or_default()
}

/// `1`, `0.5` or `0.333`; anything malformed weighs nothing.
fn thousandths(quality: &str) -> u32 {
    let (whole, fraction) = quality.split_once('.').unwrap_or((quality, ""));
    let digits = format!("{whole}{fraction:0<3}");
    digits.parse().ok().filter(|weight| *weight <= 1000).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accept_headers() {
        let browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
        for (accept, json, html) in [
            ("application/json", true, false),
            ("*/*", true, false),
            (browser, true, true),
            ("text/html", false, true),
            ("text/html;q=0.5, application/json", true, false),
            ("text/html, application/json;q=0.9", true, true),
            ("application/problem+json", true, false),
            ("APPLICATION/*; q=0.001", true, false),
            ("application/json;q=0", false, false),
            ("application/json;q=x", false, false),
            ("image/png, text/csv;q=1", false, false),
            ("", false, false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT, accept.parse().unwrap());
            assert_eq!((accepts_json(&headers), prefers_html(&headers)), (json, html), "{accept}");
        }
        assert!(accepts_json(&HeaderMap::new()));
        assert!(!prefers_html(&HeaderMap::new()));
    }
}
