//! The report as one HTML file that needs no script, no network and no other file, and that can be printed.
//!
//! Charts are SVG that takes its colours from the page, so that it follows the reader's dark theme, a printer and a phone. Plotting
//! crates do not do that. The colours are at the top of `page.css`; tests check the contrast that WCAG 2.2 requires.

mod charts;
mod key_figures;
mod markup;
mod section;

use self::markup::escape;
use super::content::{Content, DATA_AS_OF, DEFINITION, SOURCE};
use super::language::{Language, Localized, tr};
use super::questions::{SECTIONS, Section};

const STYLE: &str = include_str!("page.css");

const KICKER: Localized = tr("Informe de la carga publicada", "Report of the published load");
const HEADLINE: Localized = tr("Covid-19 en la Argentina", "Covid-19 in Argentina");
const CONTENTS: Localized = tr("Contenido", "Contents");
const HOW_TO_READ: Localized = tr("Cómo leer estos números", "How to read these numbers");

/// Renders the whole file.
pub(super) fn render(content: &Content) -> String {
    let language = content.options.language;
    let section = |section: &Section| {
        let (anchor, title) = (section.anchor, section.title.get(language));
        let questions = section_questions(&section.page, content);
        format!("<h2 id=\"{anchor}\">{title}</h2>\n<div class=\"part\">\n{questions}</div>\n")
    };
    let sections: String = SECTIONS.iter().map(section).collect();
    format!(
        "<!doctype html>\n<html lang=\"{language}\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{headline}: {as_of}</title>\n<link rel=\"icon\" href=\"data:,\">\n<style>\n{STYLE}</style>\n</head>\n<body>\n\
         {header}<main>\n{figures}{contents}{sections}</main>\n{footer}</body>\n</html>\n",
        headline = HEADLINE.get(language),
        as_of = escape(&content.data_as_of()),
        header = header(content),
        figures = key_figures::render(content),
        contents = contents(language),
        footer = footer(content),
    )
}

/// Renders the questions of a section, two side by side. A question that would be alone takes the full width.
fn section_questions(questions: &[&str], content: &Content) -> String {
    let result = |name: &&str| content.results.iter().find(|result| result.question.name == *name);
    let mut html = String::new();
    let mut in_row = 0;
    let mut rest = questions.iter().filter_map(result).peekable();
    while let Some(result) = rest.next() {
        let is_alone = in_row % 2 == 0 && rest.peek().is_none_or(|next| section::is_wide(next.question));
        let is_wide = section::is_wide(result.question) || is_alone;
        in_row = if is_wide { 0 } else { in_row + 1 };
        html.push_str(&section::render(result, is_wide, content.options.language));
    }
    html
}

fn header(content: &Content) -> String {
    let language = content.options.language;
    let warning = content
        .incomplete_warning()
        .map(|warning| format!("<p class=\"failed\" role=\"alert\">{}</p>\n", escape(&warning)));
    format!(
        "<header>\n<p class=\"kicker\">{}</p>\n<h1>{}</h1>\n<p class=\"dateline\">{} <strong>{}</strong></p>\n{}</header>\n",
        KICKER.get(language),
        HEADLINE.get(language),
        DATA_AS_OF.get(language),
        escape(&content.data_as_of()),
        warning.unwrap_or_default(),
    )
}

fn contents(language: Language) -> String {
    let link =
        |section: &Section| format!("<a href=\"#{}\">{}</a>", section.anchor, section.title.get(language));
    let links: String = SECTIONS.iter().map(link).collect();
    format!("<nav aria-label=\"{}\">{links}</nav>\n", CONTENTS.get(language))
}

fn footer(content: &Content) -> String {
    let language = content.options.language;
    let provenance = content.provenance().map(|(title, value)| format!("{title}: {}", escape(&value)));
    format!(
        "<footer>\n<h2>{}</h2>\n<p>{}</p>\n<p>{}</p>\n<p class=\"facts\">{}</p>\n</footer>\n",
        HOW_TO_READ.get(language),
        escape(DEFINITION.get(language)),
        escape(SOURCE.get(language)),
        provenance.join(" · "),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns WCAG's relative luminance of `#rrggbb`.
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

    /// Returns a colour of the style sheet, which defines the light theme first.
    fn colour(role: &str, dark: bool) -> &'static str {
        let property = format!("--{role}:");
        let definition = STYLE.split(&property).nth(if dark { 2 } else { 1 });
        &definition.unwrap()[.."#rrggbb".len()]
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
    fn style_defines_every_used_colour_in_both_themes() {
        for used in STYLE.split("var(--").skip(1) {
            let role = used.split(')').next().unwrap();
            for dark in [false, true] {
                assert!(luminance(colour(role, dark)) <= 1.0, "{role}, dark: {dark}");
            }
        }
    }
}
