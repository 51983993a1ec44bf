//! The key figures at the top of the page, each with the detail that puts it into context.

use super::markup::escape;
use crate::report::answer::{Answer, Value};
use crate::report::content::Content;
use crate::report::format;
use crate::report::language::{Language, tr};

/// Renders the list of key figures. A figure is left out if its question failed or has no rows.
pub(super) fn render(content: &Content) -> String {
    let figures = [latest_year(content), latest_week(content), incidence(content), fatality(content)];
    let items: String = figures.into_iter().flatten().collect();
    if items.is_empty() { items } else { format!("<ul class=\"figures\">{items}</ul>\n") }
}

fn item(value: &str, title: &str, detail: &str) -> String {
    let [value, title, detail] = [value, title, detail].map(escape);
    format!("<li><strong>{value}</strong><span>{title}</span><small>{detail}</small></li>")
}

/// One row of an answer.
struct Row<'a> {
    answer: &'a Answer,
    values: &'a [Value],
    language: Language,
}

impl<'a> Row<'a> {
    /// Returns the last row of a question in which `column` has this value, or the last of all.
    fn last(content: &'a Content, question: &str, filter: Option<(&str, &Value)>) -> Option<Self> {
        let answer = content.answer(question)?;
        let mut rows =
            answer.rows.iter().map(|values| Row { answer, values, language: content.options.language });
        rows.rfind(|row| filter.is_none_or(|(column, value)| row.value(column) == Some(value)))
    }

    fn value(&self, column: &str) -> Option<&'a Value> {
        self.values.get(self.answer.question.position(column)?)
    }

    fn formatted(&self, column: &str) -> Option<String> {
        let at = self.answer.question.position(column)?;
        Some(format::value(&self.values[at], &self.answer.columns()[at], self.language))
    }
}

fn latest_year(content: &Content) -> Option<String> {
    let row = Row::last(content, "confirmed_by_year", None)?;
    let title = tr("confirmados en", "confirmed in").get(row.language);
    let until = tr("hasta el", "until").get(row.language);
    Some(item(
        &row.formatted("confirmed")?,
        &format!("{title} {}", row.formatted("year")?),
        &format!("{until} {}", row.formatted("newest_on")?),
    ))
}

fn latest_week(content: &Content) -> Option<String> {
    let row = Row::last(content, "confirmed_by_week", Some(("partial", &Value::Flag(false))))?;
    let title = tr("en la última semana completa (SE", "in the latest whole week (wk").get(row.language);
    let detail = match row.value("change_percent")? {
        Value::Missing => tr("que la semana anterior", "than the week before"),
        _ => tr("respecto de la semana anterior", "from the week before"),
    };
    Some(item(
        &row.formatted("confirmed")?,
        &format!("{title} {})", row.formatted("epidemiological_week")?),
        &format!("{} {}", row.formatted("change_percent")?, detail.get(row.language)),
    ))
}

fn incidence(content: &Content) -> Option<String> {
    let row = Row::last(content, "incidence_by_province", Some(("province_id", &Value::Missing)))?;
    let title = tr("cada 100.000 habitantes en esa semana", "per 100,000 people in that week");
    let detail = tr("población: Censo 2022", "population: 2022 census");
    Some(item(&row.formatted("per_100000")?, title.get(row.language), detail.get(row.language)))
}

fn fatality(content: &Content) -> Option<String> {
    let row = Row::last(content, "confirmed_by_year", None)?;
    let title = tr("letalidad de los casos del año", "fatality of this year’s cases").get(row.language);
    let died = tr("fallecidos entre los confirmados", "deaths among the confirmed cases").get(row.language);
    Some(item(&row.formatted("fatality_percent")?, title, &format!("{} {died}", row.formatted("died")?)))
}
