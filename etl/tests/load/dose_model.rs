//! A second implementation of the rules for doses (`docs/reference/cleaning-rules.md`), with ordinary strings.

use chrono::{Datelike as _, Days, NaiveDate, Utc};
use sqlx::PgConnection;

use crate::model::Georef;
use crate::optional_model::{Dataset, Fate, collapsed, date, digits, known, province, shown};

/// Returns a line for each dose of both tables of counts, sorted.
pub(crate) async fn published(connection: &mut PgConnection) -> Vec<String> {
    let mut lines: Vec<String> = sqlx::query_scalar(
        "SELECT concat_ws('|', 'residence', coalesce(week_starts_on::text, ''), coalesce(residence_province_id::text, ''),
                          coalesce(residence_department_id::text, ''), coalesce(sex, ''), coalesce(age_group, ''), coalesce(dose, ''))
         FROM dose_count CROSS JOIN generate_series(1, doses)
         UNION ALL
         SELECT concat_ws('|', 'application', coalesce(week_starts_on::text, ''), coalesce(application_province_id::text, ''),
                          coalesce(application_department_id::text, ''), coalesce(vaccine, ''), coalesce(dose, ''), coalesce(condition, ''))
         FROM dose_application_count CROSS JOIN generate_series(1, doses)",
    )
    .fetch_all(connection)
    .await
    .unwrap();
    lines.sort();
    lines
}

fn specified(text: &str) -> Option<&str> {
    known(text).filter(|text| !text.eq_ignore_ascii_case("S.I."))
}

fn department(
    text: &str,
    province: Option<i16>,
    georef: &Georef,
    reason: &'static str,
    repairs: &mut Vec<&'static str>,
) -> Option<i32> {
    let code = digits(specified(text)?);
    if code == Some(0) {
        return None;
    }
    let found = code.zip(province).and_then(|(code, province)| {
        let code = match (province, code) {
            (2, code) => code.checked_mul(7)?,
            (94, 14) => 15,
            (94, 7) => 8,
            (_, code) => code,
        };
        let full = i32::from(province) * 1000 + i32::try_from(code).ok().filter(|code| *code < 1000)?;
        georef.departments.contains_key(&full).then_some(full)
    });
    repairs.extend(found.is_none().then_some(reason));
    found
}

fn age_group(text: &str) -> Result<String, ()> {
    let Some(text) = specified(text) else { return Ok(String::new()) };
    let text = text.replace(' ', "");
    let ages = text
        .strip_prefix('<')
        .or_else(|| text.strip_prefix(">="))
        .map_or_else(|| text.split('-').collect::<Vec<_>>(), |age| vec![age, "0"]);
    let valid = ages.len() == 2 && ages.iter().all(|age| age.len() <= 3 && digits(age).is_some());
    if valid { Ok(text) } else { Err(()) }
}

fn kind(text: &str) -> Result<&'static str, ()> {
    Ok(match text.to_lowercase().as_str() {
        "1" | "1ra" => "first",
        "2" | "2da" => "second",
        "3" | "3ra" => "third",
        "4" | "4ta" => "fourth",
        "unica" | "única" => "single",
        "adicional" => "additional",
        "refuerzo" => "booster",
        _ => return Err(()),
    })
}

fn sunday(day: NaiveDate) -> NaiveDate {
    day - Days::new(day.weekday().num_days_from_sunday().into())
}

/// Judges a file that is loaded today.
pub(crate) fn doses(text: &[u8], georef: &Georef) -> Dataset {
    let today = Utc::now().date_naive();
    Dataset::judged(text, |row| {
        let week = match specified(&row["fecha_aplicacion"]) {
            None => None,
            Some(text) => match date(text).filter(|day| *day >= date("2020-12-29").unwrap() && *day <= today)
            {
                Some(day) => Some(sunday(day)),
                None => return Fate::Rejected("invalid_application_date"),
            },
        };
        let mut repairs = Vec::new();
        let mut place = |kind: &str, reasons: [&'static str; 2]| {
            let province =
                province(&row[&format!("jurisdiccion_{kind}_id")], georef, reasons[0], &mut repairs);
            let code = &row[&format!("depto_{kind}_id")];
            let department = department(code, province, georef, reasons[1], &mut repairs);
            [shown(province), shown(department)].join("|")
        };
        let residence = place("residencia", ["unknown_residence_province", "unknown_residence_department"]);
        let application =
            place("aplicacion", ["unknown_application_province", "unknown_application_department"]);
        let name = |column: &str| specified(&row[column]).map(collapsed).unwrap_or_default();
        let sex = name("sexo");
        let sex = if sex.len() == 1 { sex.to_uppercase() } else { sex };
        let age_group = age_group(&row["grupo_etario"]).unwrap_or_else(|()| {
            repairs.push("invalid_age_group");
            String::new()
        });
        let named = row.get("nombre_dosis_generica").and_then(|text| specified(text));
        let dose =
            named.or_else(|| specified(&row["orden_dosis"])).map_or(Ok(""), kind).unwrap_or_else(|()| {
                repairs.push("unknown_dose");
                ""
            });
        let week = shown(week);
        let (vaccine, condition) = (name("vacuna"), name("condicion_aplicacion"));
        let lines = vec![
            format!("residence|{week}|{residence}|{sex}|{age_group}|{dose}"),
            format!("application|{week}|{application}|{vaccine}|{dose}|{condition}"),
        ];
        Fate::Kept(lines, repairs)
    })
}
