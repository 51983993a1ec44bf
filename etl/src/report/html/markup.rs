//! Text and numbers that are safe in HTML and SVG.

use common::terminal::is_hostile;

/// Escapes text for the content of an element or a quoted attribute.
pub(super) fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            '\n' | '\t' => safe.push(' '),
            c if is_hostile(c) => safe.push(char::REPLACEMENT_CHARACTER),
            c => safe.push(c),
        }
    }
    safe
}

/// Formats a coordinate with at most one decimal.
pub(super) fn coordinate(value: f64) -> String {
    let text = format!("{value:.1}");
    match text.strip_suffix(".0") {
        Some("-0") => "0".to_owned(),
        Some(whole) => whole.to_owned(),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escaped_text_has_no_markup() {
        assert_eq!(
            escape("<b a=\"x\">'&\u{1b}\u{9b}\u{202e}\n"),
            "&lt;b a=&quot;x&quot;&gt;&#39;&amp;\u{fffd}\u{fffd}\u{fffd} "
        );
    }

    #[test]
    fn coordinate_has_at_most_one_decimal() {
        assert_eq!([0.04, -0.04, 1.0, 2.55, -3.25].map(coordinate), ["0", "0", "1", "2.5", "-3.2"]);
    }
}
