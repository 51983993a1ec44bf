//! The page around the questions: its head, the leading numbers, the parts, the foot.

use super::markup::escaped;
use super::{lead, palette, section};
use crate::report::Options;
use crate::report::answer::Finding;
use crate::report::language::{Language, Words};
use crate::report::questions::PARTS;
use crate::report::text;

const STYLE: &str = include_str!("page.css");

const KICKER: Words = Words::new("Informe de la carga publicada", "Report of the published load");
const HEADLINE: Words = Words::new("Covid-19 en la Argentina", "Covid-19 in Argentina");
const CONTENTS: Words = Words::new("Contenido", "Contents");
const HOW_TO_READ: Words = Words::new("Cómo leer estos números", "How to read these numbers");

/// The whole file.
pub(crate) fn render(options: &Options, findings: &[Finding]) -> String {
    let language = options.language;
    let headline = HEADLINE.to(language);
    let style = format!("{}{STYLE}", palette::style());
    let mut page = format!(
        "<!doctype html>\n<html lang=\"{language}\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{headline}: {as_of}</title>\n<link rel=\"icon\" href=\"data:,\">\n<style>\n{style}</style>\n</head>\n<body>\n",
        as_of = escaped(&text::data_as_of(findings, language)),
    );
    page.push_str(&header(options, findings));
    page.push_str("<main>\n");
    page.push_str(&figures(findings, language));
    page.push_str(&contents(language));
    for (name, title, questions) in PARTS {
        page.extend([format!("<h2 id=\"{name}\">{}</h2>\n<div class=\"part\">\n", title.to(language))]);
        page.push_str(&part(questions, findings, language));
        page.push_str("</div>\n");
    }
    page.push_str("</main>\n");
    page.push_str(&footer(options, findings));
    page.push_str("</body>\n</html>\n");
    page
}

/// The sections of a part, two in a row; one that would be alone has the row for itself.
fn part(questions: &[&str], findings: &[Finding], language: Language) -> String {
    let finding = |name: &&str| findings.iter().find(|finding| finding.question.name == *name);
    let mut sections = String::new();
    let mut in_row = 0;
    let mut rest = questions.iter().filter_map(finding).peekable();
    while let Some(finding) = rest.next() {
        let alone = in_row % 2 == 0 && rest.peek().is_none_or(|next| section::is_wide(next.question));
        let wide = section::is_wide(finding.question) || alone;
        in_row = if wide { 0 } else { in_row + 1 };
        sections.push_str(&section::render(finding, wide, language));
    }
    sections
}

fn header(options: &Options, findings: &[Finding]) -> String {
    let language = options.language;
    let as_of = text::data_as_of(findings, language);
    let warning = text::incomplete(findings, language)
        .map(|warning| format!("<p class=\"failed\" role=\"alert\">{}</p>\n", escaped(&warning)));
    format!(
        "<header>\n<p class=\"kicker\">{kicker}</p>\n<h1>{headline}</h1>\n<p class=\"dateline\">{data} <strong>{as_of}</strong></p>\n{warning}</header>\n",
        kicker = KICKER.to(language),
        headline = HEADLINE.to(language),
        data = text::DATA_AS_OF.to(language),
        as_of = escaped(&as_of),
        warning = warning.unwrap_or_default(),
    )
}

fn figures(findings: &[Finding], language: Language) -> String {
    let figures = lead::figures(findings, language);
    if figures.is_empty() {
        return String::new();
    }
    let figure = |figure: &lead::Figure| {
        format!(
            "<li><strong>{}</strong><span>{}</span><small>{}</small></li>",
            escaped(&figure.value),
            escaped(&figure.title),
            escaped(&figure.detail)
        )
    };
    format!("<ul class=\"figures\">{}</ul>\n", figures.iter().map(figure).collect::<String>())
}

fn contents(language: Language) -> String {
    let links =
        PARTS.iter().map(|(name, title, _)| format!("<a href=\"#{name}\">{}</a>", title.to(language)));
    format!("<nav aria-label=\"{}\">{}</nav>\n", CONTENTS.to(language), links.collect::<String>())
}

fn footer(options: &Options, findings: &[Finding]) -> String {
    let language = options.language;
    let facts = text::facts(options, findings);
    let facts = facts.iter().map(|(title, fact)| format!("{title}: {}", escaped(fact)));
    format!(
        "<footer>\n<h2>{how}</h2>\n<p>{definition}</p>\n<p>{source}</p>\n<p class=\"facts\">{facts}</p>\n</footer>\n",
        how = HOW_TO_READ.to(language),
        definition = escaped(text::DEFINITION.to(language)),
        source = escaped(text::SOURCE.to(language)),
        facts = facts.collect::<Vec<_>>().join(" · "),
    )
}
