//! The rules of `datos_nomivac_covid19`: a row for each dose, in the order of the table in `docs/reference/cleaning-rules.md`.
//!
//! The register writes `S.I.` (*sin información*) for what it does not know. Doses are counted by epidemiological week, Sunday to Saturday.

use std::borrow::Cow;
use std::sync::{Arc, OnceLock};

use super::encoding::value;
use super::geography::Geography;
use super::rules::department;
use super::shared::province;
use super::texts::{Invalid, Rule, TextColumn, Texts};
use super::{Excluded, Row, RowCleaner};
use crate::parse::date::Day;
use crate::parse::field::Field;
use crate::parse::header::Header;
use common::failure::{Failure, Result};

/// The columns that a kept row has, of the table `release_dose`.
pub const COPY_COLUMNS: &str = "applied_on, sex, age_group, residence_province_id, residence_department_id, \
     application_province_id, application_department_id, vaccine, dose, condition, batch";

/// The day of the first dose in Argentina (Ministerio de Salud, *Plan Estratégico para la Vacunación contra la COVID-19*).
pub const FIRST_DOSE: Day = match Day::from_calendar(2020, 12, 29) {
    Some(day) => day,
    None => Day(0),
};

/// Bounds the bytes of a name; the longest of the ministry's have some 50.
const MAX_NAME_LENGTH: usize = 200;

/// The kinds of dose by number: `1ra`, `2da`, and so on.
const ORDINALS: [&str; 10] =
    ["first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth"];

/// The other kinds of dose in `nombre_dosis_generica`.
const KINDS: [(&str, &str); 4] =
    [("unica", "single"), ("única", "single"), ("adicional", "additional"), ("refuerzo", "booster")];

/// The rules for one file; its workers share them.
#[derive(Debug, Clone)]
pub struct DoseRules {
    pub geography: Geography,
    /// The day of the load, the last one on which a dose can have been given. The time of a file is no bound: archives and copies change it.
    pub today: Day,
    /// The texts of the doses by number.
    pub texts: Texts,
    /// Whether rows are encoded, too.
    pub keep_rows: bool,
    /// Set with the header.
    pub layout: Arc<OnceLock<Layout>>,
}

/// What is needed to keep the text of a rejected row without the person's number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layout {
    /// The number of columns.
    pub columns: usize,
    /// The position of `id_persona_dw`, which files have since 2022.
    pub person: Option<usize>,
}

/// A dose. Texts are numbers of [`DoseRules::texts`], 0 if unknown.
#[derive(Debug, PartialEq, Eq)]
pub struct Dose {
    pub week: Week,
    pub sex: u16,
    pub age_group: u16,
    pub residence: Place,
    pub application: Place,
    pub vaccine: u16,
    pub dose: u16,
    pub condition: u16,
    /// The reasons, as in `run_issue.reason`.
    pub repairs: Vec<&'static str>,
}

/// An epidemiological week: weeks since 2000-01-02, from 1; 0 if unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Week(pub(crate) u16);

impl Week {
    fn of(day: Option<Day>) -> Self {
        // 2000-01-01, day 0, was a Saturday.
        Self(day.and_then(|day| u16::try_from((day.0 - 1).div_euclid(7) + 1).ok()).unwrap_or(0))
    }

    /// Returns the week's Sunday.
    pub fn starts_on(self) -> Option<Day> {
        (self.0 > 0).then(|| Day((i32::from(self.0) - 1) * 7 + 1))
    }
}

/// A department, or a province whose department is unknown: `province * 1000 + department`; 0 if both are unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Place(pub(crate) u32);

impl Place {
    /// The largest place that counts can be grouped by; INDEC's last is 94,028.
    pub(crate) const LAST: u32 = (1 << 18) - 1;

    fn new(province: Option<i16>, department: Option<i32>) -> Self {
        let code = department.or_else(|| province.map(|province| i32::from(province) * 1000));
        Self(code.map_or(0, i32::unsigned_abs))
    }

    pub fn province(self) -> Option<i16> {
        i16::try_from(self.0 / 1000).ok().filter(|province| *province > 0)
    }

    pub fn department(self) -> Option<i32> {
        i32::try_from(self.0).ok().filter(|code| code % 1000 > 0)
    }
}

/// The positions of the columns in a file.
#[derive(Debug)]
struct Columns {
    applied_on: usize,
    sex: usize,
    age_group: usize,
    residence: [usize; 2],
    application: [usize; 2],
    vaccine: usize,
    condition: usize,
    order: usize,
    /// Since December 2021.
    kind: Option<usize>,
    batch: Option<usize>,
}

impl Columns {
    /// Returns the column that says which dose of a row it is: the kind if it is known, else the order.
    fn dose<'a>(&self, field: &impl Fn(usize) -> Field<'a>) -> usize {
        self.kind.filter(|kind| !is_unknown(field(*kind))).unwrap_or(self.order)
    }
}

/// Cleans the doses.
#[derive(Debug)]
pub struct DoseCleaner {
    rules: DoseRules,
    columns: Columns,
    name: String,
    sex: TextColumn,
    age_group: TextColumn,
    vaccine: TextColumn,
    condition: TextColumn,
    dose: TextColumn,
}

impl DoseCleaner {
    /// Returns the cleaner of a file with this header; `name` is for messages.
    pub fn new(header: &Header, name: &str, rules: DoseRules) -> Result<Self> {
        let [
            applied_on,
            sex,
            age_group,
            province,
            department,
            at_province,
            at_department,
            vaccine,
            condition,
            order,
        ] = header.positions(
            [
                "fecha_aplicacion",
                "sexo",
                "grupo_etario",
                "jurisdiccion_residencia_id",
                "depto_residencia_id",
                "jurisdiccion_aplicacion_id",
                "depto_aplicacion_id",
                "vacuna",
                "condicion_aplicacion",
                "orden_dosis",
            ],
            name,
        )?;
        let columns = Columns {
            applied_on,
            sex,
            age_group,
            residence: [province, department],
            application: [at_province, at_department],
            vaccine,
            condition,
            order,
            kind: header.position(&["nombre_dosis_generica"]),
            batch: header.position(&["lote_vacuna"]),
        };
        if rules.geography.largest_code().unsigned_abs() > Place::LAST {
            let what = "doses cannot be counted by provinces with codes of more than two digits";
            return Err(Failure::new(what).hint("use georef's provincias.csv and departamentos.csv"));
        }
        let layout = Layout { columns: header.columns(), person: header.position(&["id_persona_dw"]) };
        rules.layout.get_or_init(|| layout);
        let column = |rule: Rule| TextColumn::new(rule);
        Ok(Self {
            rules,
            columns,
            name: name.to_owned(),
            sex: column(self::sex),
            age_group: column(self::age_group),
            vaccine: column(self::name),
            condition: column(self::name),
            dose: column(self::dose),
        })
    }

    #[cold]
    fn too_many_texts(&self) -> Excluded {
        let what =
            format!("`{}` has too many different vaccines, conditions, sexes or groups of age", self.name);
        Excluded::Failed(Failure::new(what).hint("this is no register of doses; check the file"))
    }

    /// Appends a row of the line list in COPY's binary format.
    fn encode(&self, row: &Row<'_>, applied_on: Option<Day>, dose: &Dose, encoded: &mut Vec<u8>) {
        let field = |index: usize| row.fields.get(row.text, index);
        let Columns { sex, age_group, vaccine, condition, batch, .. } = self.columns;
        encoded.extend_from_slice(&11_i16.to_be_bytes());
        value(encoded, applied_on.map(|day| day.0.to_be_bytes()));
        value(encoded, self.sex.text(field(sex)));
        value(encoded, self.age_group.text(field(age_group)));
        value(encoded, dose.residence.province().map(i16::to_be_bytes));
        value(encoded, dose.residence.department().map(i32::to_be_bytes));
        value(encoded, dose.application.province().map(i16::to_be_bytes));
        value(encoded, dose.application.department().map(i32::to_be_bytes));
        value(encoded, self.vaccine.text(field(vaccine)));
        value(encoded, self.dose.text(field(self.columns.dose(&field))));
        value(encoded, self.condition.text(field(condition)));
        value(encoded, batch.map(field).filter(|batch| !is_unknown(*batch)).map(Field::collapsed));
    }
}

impl RowCleaner for DoseCleaner {
    type Accepted = Dose;
    type Notes = ();

    fn clean_row(&mut self, row: &Row<'_>, encoded: &mut Vec<u8>, (): &mut ()) -> Result<Dose, Excluded> {
        let field = |index: usize| row.fields.get(row.text, index);
        let Columns { applied_on, sex, age_group, residence, application, vaccine, condition, .. } =
            self.columns;
        let dose = self.columns.dose(&field);
        let applied_on = self::applied_on(field(applied_on), self.rules.today)
            .map_err(|Invalid| Excluded::Rejected("invalid_application_date"))?;
        let mut repairs = Vec::new();
        let mut place = |[province_code, department_code]: [usize; 2],
                         [unknown_province, unknown_department]: [_; 2]| {
            let geography = &self.rules.geography;
            let province = province(field(province_code), geography, unknown_province, &mut repairs);
            let code = field(department_code);
            let department = (!is_unknown(code))
                .then(|| department(code, province, geography, || repairs.push(unknown_department)))
                .flatten();
            Place::new(province, department)
        };
        let residence = place(residence, ["unknown_residence_province", "unknown_residence_department"]);
        let application =
            place(application, ["unknown_application_province", "unknown_application_department"]);
        let texts = &self.rules.texts;
        let mut text = |column: &mut TextColumn, index: usize, invalid| {
            let (number, is_invalid) = column.clean(field(index), texts)?;
            if is_invalid {
                repairs.push(invalid);
            }
            Some(number)
        };
        let mut clean = || {
            Some((
                text(&mut self.sex, sex, "invalid_sex")?,
                text(&mut self.age_group, age_group, "invalid_age_group")?,
                text(&mut self.vaccine, vaccine, "invalid_vaccine")?,
                text(&mut self.condition, condition, "invalid_condition")?,
                text(&mut self.dose, dose, "unknown_dose")?,
            ))
        };
        let Some((sex, age_group, vaccine, condition, dose)) = clean() else {
            return Err(self.too_many_texts());
        };
        let week = Week::of(applied_on);
        let dose = Dose { week, sex, age_group, residence, application, vaccine, dose, condition, repairs };
        if self.rules.keep_rows {
            self.encode(row, applied_on, &dose, encoded);
        }
        Ok(dose)
    }
}

/// Whether a field is null or the register's `S.I.`.
fn is_unknown(field: Field<'_>) -> bool {
    field.value().is_none() || field.is(b"S.I.")
}

/// `fecha_aplicacion`: from the day of the first dose to that of the load; `None` if unknown.
fn applied_on(field: Field<'_>, today: Day) -> Result<Option<Day>, Invalid> {
    if is_unknown(field) {
        return Ok(None);
    }
    field.day().filter(|day| (FIRST_DOSE..=today).contains(day)).map(Some).ok_or(Invalid)
}

/// A name of any kind, with white space collapsed.
fn name(field: Field<'_>) -> Result<Option<Cow<'_, [u8]>>, Invalid> {
    if is_unknown(field) {
        return Ok(None);
    }
    let name = field.collapsed();
    if name.len() > MAX_NAME_LENGTH { Err(Invalid) } else { Ok(Some(name)) }
}

/// `sexo`: `F`, `M` or `X` in any case, or another text.
fn sex(field: Field<'_>) -> Result<Option<Cow<'_, [u8]>>, Invalid> {
    let upper = |text: Cow<'_, [u8]>| Cow::Owned(text.to_ascii_uppercase());
    name(field).map(|text| text.map(|text| if text.len() == 1 { upper(text) } else { text }))
}

/// `grupo_etario`: `<12`, `12-17` or `>=100`, with any ages: the groups of 2021 are others than those since.
fn age_group(field: Field<'_>) -> Result<Option<Cow<'_, [u8]>>, Invalid> {
    if is_unknown(field) {
        return Ok(None);
    }
    let text: Vec<u8> = field.text().iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect();
    let is_age = |age: &[u8]| (1..=3).contains(&age.len()) && age.iter().all(u8::is_ascii_digit);
    let is_group = match &text[..] {
        [b'<', age @ ..] | [b'>', b'=', age @ ..] => is_age(age),
        ages => ages.split(|byte| *byte == b'-').count() == 2 && ages.split(|byte| *byte == b'-').all(is_age),
    };
    is_group.then_some(Some(Cow::Owned(text))).ok_or(Invalid)
}

/// `nombre_dosis_generica`: `1ra`, `2da`, `Refuerzo`, `Adicional`, `Unica`; or `orden_dosis`: 1, 2, and so on.
fn dose(field: Field<'_>) -> Result<Option<Cow<'_, [u8]>>, Invalid> {
    if is_unknown(field) {
        return Ok(None);
    }
    let text = String::from_utf8_lossy(field.trimmed()).to_lowercase();
    let named = KINDS.iter().find(|(name, _)| *name == text).map(|(_, kind)| *kind);
    let ordinal = || {
        let number = text.trim_end_matches(char::is_alphabetic);
        ORDINALS.get(number.parse::<usize>().ok()?.checked_sub(1)?).copied()
    };
    named.or_else(ordinal).map(|kind| Some(Cow::Borrowed(kind.as_bytes()))).ok_or(Invalid)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str = "sexo,grupo_etario,jurisdiccion_residencia_id,depto_residencia_id,jurisdiccion_aplicacion_id,\
        depto_aplicacion_id,fecha_aplicacion,vacuna,condicion_aplicacion,orden_dosis";

    #[test]
    fn codes_that_the_counts_cannot_hold_are_refused() {
        let header = Header::parse(HEADER.as_bytes(), "x.csv").unwrap();
        let cleaner = |geography| {
            let rules = DoseRules {
                geography,
                today: FIRST_DOSE,
                texts: Texts::default(),
                keep_rows: false,
                layout: Arc::default(),
            };
            DoseCleaner::new(&header, "x.csv", rules)
        };
        assert!(cleaner(Geography::new([6, 94], [6441, 94_028])).is_ok());
        for geography in [Geography::new([300], []), Geography::new([], [300_001])] {
            assert!(cleaner(geography).unwrap_err().to_string().contains("more than two digits"));
        }
    }

    #[test]
    fn week_begins_on_sunday() {
        let starts_on = |day: &str| Week::of(Day::parse(day.as_bytes())).starts_on();
        assert_eq!(starts_on("2021-03-06"), Day::parse(b"2021-02-28"));
        assert_eq!(starts_on("2021-03-07"), Day::parse(b"2021-03-07"));
        assert_eq!(Week::of(None).starts_on(), None);
    }
}
