//! The colours of the light and the dark theme. Tests check the contrast that WCAG 2.2 requires.

/// A colour of both themes, named by its role in the style sheet.
struct Colour {
    role: &'static str,
    light: &'static str,
    dark: &'static str,
}

const COLOURS: [Colour; 10] = [
    Colour { role: "paper", light: "#fdfcf9", dark: "#15171b" },
    Colour { role: "card", light: "#ffffff", dark: "#1c1f24" },
    Colour { role: "ink", light: "#1c1b19", dark: "#efece5" },
    Colour { role: "muted", light: "#5f5b54", dark: "#b0aba1" },
    Colour { role: "rule", light: "#ddd8cd", dark: "#373b42" },
    Colour { role: "one", light: "#b3261e", dark: "#ff8a7a" },
    Colour { role: "two", light: "#1d5c8f", dark: "#78b4ea" },
    Colour { role: "three", light: "#8a6100", dark: "#e0b04a" },
    Colour { role: "four", light: "#3f6b35", dark: "#93c97f" },
    Colour { role: "soft", light: "#c78f86", dark: "#a05f57" },
];

fn properties(of: impl Fn(&Colour) -> &'static str) -> String {
    COLOURS.iter().flat_map(|colour| ["--", colour.role, ":", of(colour), ";"]).collect()
}

/// Returns the custom properties of the style sheet: light by default and in print, dark on screen if the reader prefers it.
pub(super) fn style() -> String {
    let (light, dark) = (properties(|colour| colour.light), properties(|colour| colour.dark));
    format!(
        ":root{{color-scheme:light dark;{light}}}\n@media screen and (prefers-color-scheme:dark){{:root{{{dark}}}}}\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// WCAG's relative luminance of `#rrggbb`.
    fn luminance(colour: &str) -> f64 {
        let channel = |at: usize| {
            let value = f64::from(u8::from_str_radix(&colour[at..at + 2], 16).unwrap()) / 255.0;
            if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * channel(1) + 0.7152 * channel(3) + 0.0722 * channel(5)
    }

    fn contrast(one: &str, other: &str) -> f64 {
        let (one, other) = (luminance(one), luminance(other));
        (one.max(other) + 0.05) / (one.min(other) + 0.05)
    }

    fn colour(role: &str, dark: bool) -> &'static str {
        let colour = COLOURS.iter().find(|colour| colour.role == role).unwrap();
        if dark { colour.dark } else { colour.light }
    }

    #[test]
    fn contrast_matches_examples_of_wcag() {
        assert!((contrast("#000000", "#ffffff") - 21.0).abs() < 1e-9);
        // From the examples of WCAG.
        assert!((contrast("#767676", "#ffffff") - 4.54).abs() < 0.01);
    }

    #[test]
    fn contrast_of_text_and_marks_is_sufficient_in_both_themes() {
        for dark in [false, true] {
            for background in ["paper", "card"] {
                let on = |role: &str| contrast(colour(role, dark), colour(background, dark));
                for role in ["ink", "muted", "one", "two", "three", "four"] {
                    assert!(on(role) >= 4.5, "{role} on {background}, dark: {dark}: {:.2}", on(role));
                }
                assert!(on("ink") >= 7.0, "ink on {background}, dark: {dark}");
                // Columns under a line are graphics, not text.
                assert!(on("soft") >= 2.5, "soft on {background}, dark: {dark}: {:.2}", on("soft"));
            }
        }
    }

    #[test]
    fn style_defines_every_colour_twice() {
        let style = style();
        for colour in &COLOURS {
            assert_eq!(style.matches(&format!("--{}:", colour.role)).count(), 2, "{}", colour.role);
        }
    }
}
