//! The report as one HTML file that needs no script, no network and no other file, and that can be printed.
//!
//! Charts are SVG that takes its colours from the page, so that it follows the reader's dark theme, a printer and a phone. Plotting
//! crates do not do that.

mod charts;
mod key_figures;
mod markup;
mod palette;
mod section;

use self::key_figures::KeyFigure;
use self::markup::escape;
use super::content::{Content, DATA_AS_OF, DEFINITION, SOURCE};
use super::language::{Language, Localized, tr};
use super::questions::SECTIONS;

const STYLE: &str = include_str!("page.css");

const KICKER: Localized = tr("Informe de la carga publicada", "Report of the published load");
const HEADLINE: Localized = tr("Covid-19 en la Argentina", "Covid-19 in Argentina");
const CONTENTS: Localized = tr("Contenido", "Contents");
const HOW_TO_READ: Localized = tr("Cómo leer estos números", "How to read these numbers");

/// Renders the whole file.
pub(super) fn render(content: &Content) -> String {
    let language = content.options.language;
    let section = |(anchor, title, questions): &(&str, Localized, &[&str])| {
        let questions = section_questions(questions, content);
        let title = title.get(language);
        format!("<h2 id=\"{anchor}\">{title}</h2>\n<div class=\"part\">\n{questions}</div>\n")
    };
    let sections: String = SECTIONS.iter().map(section).collect();
    format!(
        "<!doctype html>\n<html lang=\"{language}\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{headline}: {as_of}</title>\n<link rel=\"icon\" href=\"data:,\">\n<style>\n{palette}{STYLE}</style>\n</head>\n<body>\n\
         {header}<main>\n{figures}{contents}{sections}</main>\n{footer}</body>\n</html>\n",
        headline = HEADLINE.get(language),
        as_of = escape(&content.data_as_of()),
        palette = palette::style(),
        header = header(content),
        figures = key_figure_list(&key_figures::key_figures(content)),
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

fn key_figure_list(figures: &[KeyFigure]) -> String {
    if figures.is_empty() {
        return String::new();
    }
    let item = |figure: &KeyFigure| {
        let [value, title, detail] = [&figure.value, &figure.title, &figure.detail].map(|text| escape(text));
        format!("<li><strong>{value}</strong><span>{title}</span><small>{detail}</small></li>")
    };
    format!("<ul class=\"figures\">{}</ul>\n", figures.iter().map(item).collect::<String>())
}

fn contents(language: Language) -> String {
    let link =
        |(anchor, title, _): &(_, Localized, _)| format!("<a href=\"#{anchor}\">{}</a>", title.get(language));
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
