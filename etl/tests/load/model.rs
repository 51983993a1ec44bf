//! A second implementation of `docs/reference/cleaning-rules.md`: slow, in memory, with ordinary strings.
//!
//! It shares no code with the pipeline's parser or rules; the tests compare the two.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::ops::Index;

use chrono::{Datelike as _, Days, NaiveDate};

use crate::model_reader::{self, Row};
use crate::outcome::{Case, Loaded, Rejected};

/// The requested years.
pub(crate) enum Years {
    All,
    Latest,
    Listed(&'static [i32]),
}

/// Provinces with their names, and departments with theirs.
#[derive(Debug, Default, Clone)]
pub(crate) struct Georef {
    pub(crate) provinces: BTreeMap<i16, String>,
    pub(crate) departments: BTreeMap<i32, (String, i16)>,
}

impl Georef {
    /// Reads the two files, which must be valid.
    pub(crate) fn read(provinces: &[u8], departments: &[u8]) -> Self {
        let mut georef = Self::default();
        for row in records(provinces) {
            let name = match row["id"].as_str() {
                "02" => "CABA",
                "94" => "Tierra del Fuego",
                _ => &row["nombre"],
            };
            georef.provinces.insert(row["id"].parse().unwrap(), name.to_owned());
        }
        for row in records(departments) {
            let department = (row["nombre"].clone(), row["provincia_id"].parse().unwrap());
            georef.departments.insert(row["id"].parse().unwrap(), department);
        }
        georef
    }
}

fn records(file: &[u8]) -> Vec<HashMap<String, String>> {
    csv::Reader::from_reader(file).deserialize().map(Result::unwrap).collect()
}

/// The outcome of loading a line list (as UTF-8 without BOM) into an empty database.
pub(crate) fn load(text: &[u8], georef: &Georef, years: &Years) -> Loaded {
    let mut rows = model_reader::rows(text).into_iter();
    let columns: HashMap<String, usize> = rows
        .next()
        .and_then(|header| header.fields)
        .unwrap()
        .iter()
        .enumerate()
        .map(|(at, name)| (name.to_lowercase(), at))
        .collect();
    let rows: Vec<Row> = rows.collect();
    let dataset_date = rows
        .iter()
        .filter_map(|row| Fields::of(row, &columns))
        .find_map(|fields| date(&fields["ultima_actualizacion"]));
    let mut model = Model {
        georef,
        years,
        dataset_date: dataset_date.unwrap(),
        seen: HashSet::new(),
        repairs: Vec::new(),
    };

    let (mut loaded, mut issues) = (Loaded::default(), BTreeMap::new());
    for each in &rows {
        loaded.read += 1;
        model.repairs.clear();
        match Fields::of(each, &columns)
            .ok_or(Verdict::Rejected("malformed"))
            .and_then(|fields| model.case(&fields))
        {
            Ok(case) => {
                loaded.cases.push(case);
                for reason in &model.repairs {
                    loaded.repaired += 1;
                    *issues.entry(("cases", "repaired", *reason)).or_insert(0) += 1;
                }
            }
            Err(Verdict::Filtered) => loaded.filtered += 1,
            Err(Verdict::Rejected(reason)) => {
                let raw = String::from_utf8_lossy(&each.raw).replace('\0', "");
                loaded.rejects.push(Rejected { line: each.line, reason: reason.to_owned(), raw });
                *issues.entry(("cases", "rejected", reason)).or_insert(0) += 1;
            }
        }
    }
    loaded.loaded = i64::try_from(loaded.cases.len()).unwrap();
    loaded.rejected = i64::try_from(loaded.rejects.len()).unwrap();
    loaded.issues = issues
        .into_iter()
        .map(|((dataset, kind, reason), rows)| (format!("{dataset} {kind} {reason}"), rows))
        .collect();
    loaded.cases.sort();
    loaded.rejects.sort();
    loaded
}

/// The fields of a row, trimmed, by the names of the columns.
struct Fields<'a> {
    columns: &'a HashMap<String, usize>,
    values: &'a [String],
}

impl<'a> Fields<'a> {
    fn of(row: &'a Row, columns: &'a HashMap<String, usize>) -> Option<Self> {
        Some(Self { columns, values: row.fields.as_deref()? })
    }
}

impl Index<&str> for Fields<'_> {
    type Output = str;

    fn index(&self, column: &str) -> &str {
        trimmed(&self.values[self.columns[column]])
    }
}

enum Verdict {
    Filtered,
    Rejected(&'static str),
}

struct Model<'a> {
    georef: &'a Georef,
    years: &'a Years,
    dataset_date: NaiveDate,
    /// Ids of accepted rows.
    seen: HashSet<i64>,
    repairs: Vec<&'static str>,
}

impl Model<'_> {
    /// Applies every rule, in the order of the contract.
    fn case(&mut self, row: &Fields<'_>) -> Result<Case, Verdict> {
        let case_id = number(&row["id_evento_caso"])
            .and_then(|id| i64::try_from(id).ok())
            .filter(|id| *id > 0)
            .ok_or(Verdict::Rejected("missing_case_id"))?;
        let registered_on = date(&row["fecha_apertura"])
            .filter(|date| *date >= day("2020-01-01") && *date <= self.dataset_date)
            .ok_or(Verdict::Rejected("invalid_registration_date"))?;
        let wanted = match self.years {
            Years::All => true,
            Years::Latest => registered_on.year() == self.dataset_date.year(),
            Years::Listed(years) => years.contains(&registered_on.year()),
        };
        if !wanted {
            return Err(Verdict::Filtered);
        }
        let registration_province_id = self
            .province(&row["carga_provincia_id"])
            .ok_or(Verdict::Rejected("unknown_registration_province"))?;
        if !self.seen.insert(case_id) {
            return Err(Verdict::Rejected("duplicate_case_id"));
        }
        let residence_province_id = self.residence_province(&row["residencia_provincia_id"]);
        Ok(Case {
            case_id,
            sex: word(&row["sexo"], &["F", "M", "NR"], str::to_owned),
            age: self.age(&row["edad"], &row["edad_años_meses"]),
            symptoms_on: self.date(&row["fecha_inicio_sintomas"], "invalid_symptoms_on"),
            registered_on,
            admitted_on: self.date(&row["fecha_internacion"], "invalid_admitted_on"),
            icu: is_yes(&row["cuidado_intensivo"]),
            ventilated: is_yes(&row["asistencia_respiratoria_mecanica"]),
            died_on: self.date(&row["fecha_fallecimiento"], "invalid_died_on"),
            diagnosed_on: self.date(&row["fecha_diagnostico"], "invalid_diagnosed_on"),
            registration_province_id,
            residence_province_id,
            residence_department_id: self
                .residence_department(&row["residencia_departamento_id"], residence_province_id),
            classification: word(
                &row["clasificacion_resumen"],
                &["Confirmado", "Descartado", "Sospechoso", "Sin Clasificar"],
                |text| text.split_whitespace().collect::<Vec<_>>().join(" "),
            ),
        })
    }

    fn province(&self, code: &str) -> Option<i16> {
        let code = i16::try_from(self::code(code)?).ok()?;
        self.georef.provinces.contains_key(&code).then_some(code)
    }

    fn age(&mut self, age: &str, unit: &str) -> Option<i16> {
        if is_blank(age) {
            self.repairs.push("missing_age");
            return None;
        }
        match number(age) {
            Some(0..=120) if unit.to_lowercase() == "meses" => Some(0),
            Some(age @ 0..=120) => i16::try_from(age).ok(),
            _ => {
                self.repairs.push("age_out_of_range");
                None
            }
        }
    }

    fn date(&mut self, text: &str, reason: &'static str) -> Option<NaiveDate> {
        let last = self.dataset_date + Days::new(1);
        let valid = date(text).filter(|date| *date >= day("1900-01-01") && *date <= last);
        if valid.is_none() && !is_blank(text) {
            self.repairs.push(reason);
        }
        valid
    }

    fn residence_province(&mut self, code: &str) -> Option<i16> {
        let province = self.province(code);
        if province.is_none() && !is_blank(code) && self::code(code) != Some(99) {
            self.repairs.push("unknown_residence_province");
        }
        province
    }

    fn residence_department(&mut self, code: &str, province: Option<i16>) -> Option<i32> {
        if is_blank(code) || self::code(code) == Some(0) {
            return None;
        }
        let known = self::code(code).zip(province).and_then(|(code, province)| {
            let lacks = |department| !self.georef.departments.contains_key(&department);
            let full = match (province, code) {
                (2, comuna) => comuna.checked_mul(7)?.checked_add(2000)?,
                (94, 14) if lacks(94_014) => 94_015,
                (94, 7) if lacks(94_007) => 94_008,
                (province, code) => code.checked_add(u128::try_from(province).unwrap() * 1000)?,
            };
            let full = i32::try_from(full).ok()?;
            (self.georef.departments.get(&full)?.1 == province).then_some(full)
        });
        if known.is_none() {
            self.repairs.push("unknown_residence_department");
        }
        known
    }
}

/// Removes surrounding blanks, also those without width.
fn trimmed(text: &str) -> &str {
    text.trim_matches(|at: char| {
        at.is_whitespace() || "\u{FEFF}\u{200B}\u{200C}\u{200D}\u{200E}\u{200F}\u{2060}".contains(at)
    })
}

fn is_blank(text: &str) -> bool {
    ["", "na", "null", "nan", "\\n"].contains(&text.to_ascii_lowercase().as_str())
}

fn is_yes(text: &str) -> bool {
    ["si", "sí", "si\u{301}"].contains(&text.to_lowercase().as_str())
}

/// Parses digits; `None` for a number too long for any column.
fn number(text: &str) -> Option<u128> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
}

/// Parses a number, with or without zeros after a point.
fn code(text: &str) -> Option<u128> {
    match text.split_once('.') {
        Some((whole, zeros)) if !zeros.is_empty() && zeros.trim_matches('0').is_empty() => number(whole),
        _ => number(text),
    }
}

/// Returns the ministry's spelling of a word, or else the text.
fn word(text: &str, words: &[&str], other: impl Fn(&str) -> String) -> Option<String> {
    let plain = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ").to_ascii_lowercase();
    let word = words.iter().find(|word| plain(word) == plain(text));
    (!is_blank(text)).then(|| word.map_or_else(|| other(text), |word| (*word).to_owned()))
}

/// Parses exactly `YYYY-MM-DD`.
fn date(text: &str) -> Option<NaiveDate> {
    NaiveDate::parse_from_str(text, "%Y-%m-%d")
        .ok()
        .filter(|date| date.format("%Y-%m-%d").to_string() == text)
}

fn day(text: &str) -> NaiveDate {
    date(text).unwrap()
}

/// Returns the reasons of rejected rows, so that a test can assert that there are some.
pub(crate) fn reasons(loaded: &Loaded) -> BTreeSet<&str> {
    loaded.issues.keys().filter_map(|issue| issue.strip_prefix("cases ")).collect()
}
