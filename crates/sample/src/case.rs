//! One clean row of the line list: a pure function of the seed and the row number.
//!
//! Every field that is not null is quoted, numbers too; a null is an empty field; lines end in CRLF.

use crate::calendar::{Dates, Day, RELEASED};
use crate::case_ids::CaseIds;
use crate::classification::classification;
use crate::clinical_course::{CaseOutcome, ClinicalCourse, CourseModel};
use crate::demographics::{Demographics, Person};
use crate::epidemic_curve::EpidemicCurve;
use crate::geography::{Geography, Registry, Residence};
use crate::random::{AliasTable, RngStream, RowRng};
use common::failure::Result;

pub(crate) const HEADER: &str = "\"id_evento_caso\",\"sexo\",\"edad\",\"edad_años_meses\",\"residencia_pais_nombre\",\
    \"residencia_provincia_nombre\",\"residencia_departamento_nombre\",\"carga_provincia_nombre\",\
    \"fecha_inicio_sintomas\",\"fecha_apertura\",\"sepi_apertura\",\"fecha_internacion\",\"cuidado_intensivo\",\
    \"fecha_cui_intensivo\",\"fallecido\",\"fecha_fallecimiento\",\"asistencia_respiratoria_mecanica\",\
    \"carga_provincia_id\",\"origen_financiamiento\",\"clasificacion\",\"clasificacion_resumen\",\
    \"residencia_provincia_id\",\"fecha_diagnostico\",\"residencia_departamento_id\",\"ultima_actualizacion\"\r\n";

/// Rows without an age, per million (8,531 of 29,971,992; Ministerio de Salud, release of 2022-06-05).
const WITHOUT_AGE: u32 = 285;
/// Rows registered a day before or after the day of their id, per million (8 of 2,843; release of 2020-06-25).
const DAY_SHIFTED: u32 = 2_800;

/// Countries of residence (release of 2020-06-25).
const COUNTRIES: [(&str, u32); 12] = [
    ("\"Argentina\",", 278_872),
    ("\"SIN ESPECIFICAR\",", 11_233),
    ("\"Paraguay\",", 20),
    ("\"Chile\",", 11),
    ("\"Bolivia\",", 11),
    ("\"Brasil\",", 10),
    ("\"Alemania\",", 9),
    ("\"Italia\",", 6),
    ("\"Francia\",", 6),
    ("\"Uruguay\",", 5),
    ("\"España\",", 4),
    ("\"EE.UU.\",", 3),
];

/// The tables that rows are drawn from.
pub(crate) struct Population {
    seed: u64,
    rows: u64,
    ids: CaseIds,
    pub(crate) curve: EpidemicCurve,
    demographics: Demographics,
    course_model: CourseModel,
    dates: Dates,
    countries: AliasTable,
    pub(crate) geography: Geography,
}

struct Case<'a> {
    id: u64,
    person: Person,
    without_age: bool,
    country: &'static str,
    residence: &'a Residence,
    registry: &'a Registry,
    registered: Day,
    week: u32,
    course: ClinicalCourse,
    outcome: CaseOutcome,
    classification: &'static str,
}

impl Population {
    pub(crate) fn new(seed: u64, rows: u64) -> Result<Self> {
        Ok(Self {
            seed,
            rows,
            ids: CaseIds::for_rows(rows),
            curve: EpidemicCurve::new()?,
            demographics: Demographics::new(),
            course_model: CourseModel::new()?,
            dates: Dates::new(),
            countries: AliasTable::new(&COUNTRIES.map(|(_, rows)| f64::from(rows))),
            geography: Geography::read()?,
        })
    }

    /// Appends a row; returns whether it has no age, which occurs in clean samples, too.
    pub(crate) fn write_row(&self, row: u64, text: &mut Vec<u8>) -> bool {
        let case = self.draw(row);
        self.render(&case, text);
        case.without_age
    }

    /// Returns the id of a row. Each row picks from its own, equal part of the id range, so ids are distinct and ordered
    /// without coordination.
    fn id(&self, row: u64) -> u64 {
        let part = |row: u64| u128::from(row) * u128::from(self.ids.len()) / u128::from(self.rows);
        let rank = |row| u64::try_from(part(row)).unwrap_or(u64::MAX);
        let (from, to) = (rank(row), rank(row + 1));
        self.ids.at(from + RowRng::new(self.seed, RngStream::Id, row).below(to - from))
    }

    fn draw(&self, row: u64) -> Case<'_> {
        let rng = &mut RowRng::new(self.seed, RngStream::Case, row);
        let id = self.id(row);
        let mut wave = self.curve.at(CaseIds::index_in_time(id), self.ids.len());
        if rng.chance(DAY_SHIFTED) {
            wave = self.curve.shifted(wave, if rng.chance(500_000) { 1 } else { -1 });
        }
        let late = rng.chance(wave.late);
        let outcome = match rng.below(1_000_000) {
            at if at < u64::from(wave.confirmed) => CaseOutcome::Confirmed,
            at if at < u64::from(wave.confirmed + wave.suspected) => CaseOutcome::Suspected,
            _ => CaseOutcome::Discarded,
        };
        let confirmed = outcome == CaseOutcome::Confirmed;
        let person = self.demographics.draw(rng, confirmed);
        let average = if confirmed { wave.fatality } else { self.course_model.fatality(outcome, late) };
        let dies = rng.chance(self.demographics.fatality(person, average));
        let course = self.course_model.draw(outcome, late, wave.day, dies, rng);
        let (residence, registry) = self.geography.draw(rng, late);
        Case {
            id,
            person,
            without_age: rng.chance(WITHOUT_AGE),
            country: COUNTRIES[self.countries.pick(rng)].0,
            residence,
            registry,
            registered: wave.day,
            week: wave.week,
            course,
            outcome,
            classification: classification(outcome, &course, RELEASED - wave.day, rng),
        }
    }

    fn render(&self, case: &Case<'_>, text: &mut Vec<u8>) {
        let course = &case.course;
        number(text, case.id);
        text.extend_from_slice(case.person.sex.as_bytes());
        age(text, case);
        text.extend_from_slice(case.country.as_bytes());
        text.extend_from_slice(case.residence.names.as_bytes());
        text.extend_from_slice(case.registry.name.as_bytes());
        self.date(text, course.symptoms);
        self.date(text, Some(case.registered));
        number(text, u64::from(case.week));
        self.date(text, course.admitted);
        yes_or_no(text, course.in_intensive_care);
        self.date(text, course.intensive_care);
        yes_or_no(text, course.died.is_some());
        self.date(text, course.died);
        yes_or_no(text, course.ventilated);
        text.extend_from_slice(case.registry.id.as_bytes());
        text.extend_from_slice(if course.publicly_paid { "\"Público\"," } else { "\"Privado\"," }.as_bytes());
        text.extend_from_slice(case.classification.as_bytes());
        text.extend_from_slice(match case.outcome {
            CaseOutcome::Confirmed => b",\"Confirmado\",",
            CaseOutcome::Discarded => b",\"Descartado\",",
            CaseOutcome::Suspected => b",\"Sospechoso\",",
        });
        text.extend_from_slice(case.residence.province_id.as_bytes());
        self.date(text, course.diagnosed);
        text.extend_from_slice(case.residence.department_id.as_bytes());
        text.extend_from_slice(self.dates.quoted(RELEASED));
        text.extend_from_slice(b"\r\n");
    }

    fn date(&self, text: &mut Vec<u8>, day: Option<Day>) {
        if let Some(day) = day {
            text.extend_from_slice(self.dates.quoted(day));
        }
        text.push(b',');
    }
}

/// Appends age and unit on the day of the release: in months below one year, which only recent registrations are.
fn age(text: &mut Vec<u8>, case: &Case<'_>) {
    let months = case.person.age == 0 && RELEASED - case.registered < 335;
    if case.without_age {
        text.push(b',');
    } else if months {
        // At least as old as the registration.
        let least = u64::from((RELEASED - case.registered).unsigned_abs() / 30);
        number(text, least.max(case.id % 12).min(11));
    } else {
        number(text, u64::from(case.person.age.max(1)));
    }
    text.extend_from_slice(if months { "\"Meses\"," } else { "\"Años\"," }.as_bytes());
}

fn yes_or_no(text: &mut Vec<u8>, yes: bool) {
    text.extend_from_slice(if yes { b"\"SI\"," } else { b"\"NO\"," });
}

/// Appends `"1234",`.
fn number(text: &mut Vec<u8>, value: u64) {
    let (mut digits, mut from, mut left) = ([0_u8; 20], 20, value);
    loop {
        from -= 1;
        digits[from] = b'0' + u8::try_from(left % 10).unwrap_or(0);
        left /= 10;
        if left == 0 {
            break;
        }
    }
    text.push(b'"');
    text.extend_from_slice(&digits[from..]);
    text.extend_from_slice(b"\",");
}
