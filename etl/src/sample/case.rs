//! One row of the line list: drawn from the tables, then written in the ministry's own format.
//!
//! A row is a pure function of the seed and its number. Every field that is not null is quoted, numbers too; null is nothing
//! between two commas; lines end in CRLF. What is wrong with a row on purpose is `damage`'s business.

use super::calendar::{Dates, Day, RELEASED};
use super::classification::classification;
use super::course::{Course, Courses, Outcome};
use super::ids::Ids;
use super::people::{People, Person};
use super::places::{Places, Registry, Residence};
use super::random::{Draws, Purpose, Weighted};
use super::waves::Waves;
use common::failure::Result;

/// The columns of the ministry's file, in its order.
pub(super) const COLUMNS: [&str; 25] = [
    "id_evento_caso",
    "sexo",
    "edad",
    "edad_años_meses",
    "residencia_pais_nombre",
    "residencia_provincia_nombre",
    "residencia_departamento_nombre",
    "carga_provincia_nombre",
    "fecha_inicio_sintomas",
    "fecha_apertura",
    "sepi_apertura",
    "fecha_internacion",
    "cuidado_intensivo",
    "fecha_cui_intensivo",
    "fallecido",
    "fecha_fallecimiento",
    "asistencia_respiratoria_mecanica",
    "carga_provincia_id",
    "origen_financiamiento",
    "clasificacion",
    "clasificacion_resumen",
    "residencia_provincia_id",
    "fecha_diagnostico",
    "residencia_departamento_id",
    "ultima_actualizacion",
];

/// The header line.
pub(super) fn header() -> String {
    COLUMNS.map(|name| format!("\"{name}\"")).join(",") + "\r\n"
}

/// Rows without an age, per million (8,531 of 29,971,992; Ministerio de Salud, release of 2022-06-05).
const WITHOUT_AGE: u32 = 285;
/// Registrations that are a day before or after the day of their id, per million (8 of 2,843; release of 2020-06-25).
const NEXT_DAY: u32 = 2_800;

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

/// Everything that rows are drawn from.
pub(super) struct Population {
    seed: u64,
    rows: u64,
    ids: Ids,
    waves: Waves,
    people: People,
    courses: Courses,
    dates: Dates,
    countries: Weighted,
    pub(super) places: Places,
}

/// One case, before it is text.
struct Case<'a> {
    id: u64,
    person: Person,
    ageless: bool,
    country: &'static str,
    residence: &'a Residence,
    registry: &'a Registry,
    registered: Day,
    week: u32,
    course: Course,
    outcome: Outcome,
    classification: &'static str,
}

impl Population {
    pub(super) fn new(seed: u64, rows: u64) -> Result<Self> {
        Ok(Self {
            seed,
            rows,
            ids: Ids::for_rows(rows),
            waves: Waves::new(),
            people: People::new(),
            courses: Courses::new(),
            dates: Dates::new(),
            countries: Weighted::new(&COUNTRIES.map(|(_, rows)| f64::from(rows))),
            places: Places::read()?,
        })
    }

    /// Writes a row; says whether it has no age, which happens in the best of files.
    pub(super) fn write_row(&self, row: u64, text: &mut Vec<u8>) -> bool {
        let case = self.draw(row);
        self.render(&case, text);
        case.ageless
    }

    /// The id of a row. Rows share the range of ids in equal parts, and each takes one from its own: ids are distinct
    /// and in the order of the file without knowing each other.
    fn id(&self, row: u64) -> u64 {
        let part = |row: u64| u128::from(row) * u128::from(self.ids.len()) / u128::from(self.rows);
        let place = |row| u64::try_from(part(row)).unwrap_or(u64::MAX);
        let (from, to) = (place(row), place(row + 1));
        self.ids.at(from + Draws::new(self.seed, Purpose::Id, row).below(to - from))
    }

    fn draw(&self, row: u64) -> Case<'_> {
        let draws = &mut Draws::new(self.seed, Purpose::Case, row);
        let id = self.id(row);
        let mut wave = self.waves.at(Ids::place_in_time(id), self.ids.len());
        if draws.chance(NEXT_DAY) {
            wave = self.waves.shifted(wave, if draws.chance(500_000) { 1 } else { -1 });
        }
        let late = draws.chance(wave.late);
        let outcome = match draws.below(1_000_000) {
            at if at < u64::from(wave.confirmed) => Outcome::Confirmed,
            at if at < u64::from(wave.confirmed + wave.suspected) => Outcome::Suspected,
            _ => Outcome::Discarded,
        };
        let confirmed = outcome == Outcome::Confirmed;
        let person = self.people.draw(draws, confirmed);
        let average = if confirmed { wave.fatality } else { self.courses.fatality(outcome, late) };
        let dies = draws.chance(self.people.fatality(person, average));
        let course = self.courses.draw(outcome, late, wave.day, dies, draws);
        let (residence, registry) = self.places.draw(draws, late);
        Case {
            id,
            person,
            ageless: draws.chance(WITHOUT_AGE),
            country: COUNTRIES[self.countries.pick(draws)].0,
            residence,
            registry,
            registered: wave.day,
            week: wave.week,
            course,
            outcome,
            classification: classification(outcome, &course, RELEASED - wave.day, draws),
        }
    }

    fn render(&self, case: &Case<'_>, text: &mut Vec<u8>) {
        let course = &case.course;
        number(text, case.id);
        text.extend_from_slice(case.person.sex.field());
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
            Outcome::Confirmed => b",\"Confirmado\",",
            Outcome::Discarded => b",\"Descartado\",",
            Outcome::Suspected => b",\"Sospechoso\",",
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

/// Age is counted on the day of the release: below one year in months, which only the recently registered still are.
fn age(text: &mut Vec<u8>, case: &Case<'_>) {
    let months = case.person.age == 0 && RELEASED - case.registered < 335;
    if case.ageless {
        text.push(b',');
    } else if months {
        // Born at any time up to the registration, so at least as old as the registration is.
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

/// `"1234",`
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
