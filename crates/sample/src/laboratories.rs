//! `Covid19Determinaciones`: tests by day and laboratory. The number of rows follows the number of cases; the share of positive
//! tests follows the share of confirmed cases of the day.
//!
//! As in the ministry's file, clean samples have a few dates long before the epidemic, and dots in some large numbers. Every field
//! that is not null is quoted; lines end in LF.

use std::io::Write;

use Change::{BlankLine, Fields, TooFewFields};

use crate::calendar::{RELEASED, date};
use crate::case::Population;
use crate::defect::Consequence::{self, Kept, Rejected, Repaired};
use crate::epidemic_curve::CurveDay;
use crate::file_summary::FileSummary;
use crate::random::{AliasTable, RngStream, RowRng};
use common::failure::{Context as _, Result};

pub(crate) const MEMBER: &str = "Covid19Determinaciones.csv";

const HEADER: &str = "\"fecha\",\"provincia\",\"codigo_indec_provincia\",\"departamento\",\"codigo_indec_departamento\",\
    \"localidad\",\"codigo_indec_localidad\",\"origen_financiamiento\",\"tipo\",\"ultima_actualizacion\",\"total\",\"positivos\"\n";

/// 105,124 rows for 12,827,803 cases (Ministerio de Salud, releases of 2021-06-11).
const CASES_PER_ROW: u64 = 122;
/// Small samples, too, have every week and every defect.
const MIN_ROWS: u64 = 120;

/// Operators of laboratories with their shares, per mille (estimate).
const PUBLIC: [(&str, u32); 5] = [
    ("Provincial", 520),
    ("Municipal", 180),
    ("Nacional", 170),
    ("Universitario público", 80),
    ("FFAA/Seguridad", 50),
];
const PRIVATE: [(&str, u32); 2] = [("Privado", 850), ("Obra social", 150)];
/// Rows of private laboratories, per million (estimate).
const PRIVATE_SHARE: u32 = 400_000;
/// Rows with a mistyped year, per million (estimate; the releases of 2020 have some).
const MISTYPED: u32 = 300;
/// Numbers of four digits with a dot in them, per million (estimate).
const DOTTED: u32 = 200_000;
/// Ratio of positive tests to confirmed cases, per mille: 25.2 % of tests and 31.9 % of cases to 2021-06-11.
const POSITIVE: u64 = 790;

const DAY: usize = 0;
const PROVINCE: usize = 2;
const DEPARTMENT: usize = 4;
const TESTS: usize = 10;
const POSITIVES: usize = 11;

enum Change {
    TooFewFields,
    /// Replaces the raw fields of columns.
    Fields(&'static [(usize, &'static [u8])]),
    BlankLine,
}

/// Defects, and what a correct load does with them.
static DEFECTS: [(Change, Consequence); 16] = [
    (TooFewFields, Rejected("malformed")),
    (Fields(&[(1, b"\"C\xF3rdoba\"")]), Rejected("malformed")),
    (Fields(&[(DAY, b"")]), Rejected("invalid_test_date")),
    (Fields(&[(DAY, b"\"2008-08-13\"")]), Rejected("invalid_test_date")),
    (Fields(&[(DAY, b"\"2022-06-06\"")]), Rejected("invalid_test_date")),
    (Fields(&[(TESTS, b"")]), Rejected("invalid_tests")),
    (Fields(&[(TESTS, b"\"-12\"")]), Rejected("invalid_tests")),
    (Fields(&[(TESTS, b"\"12.5\"")]), Rejected("invalid_tests")),
    (Fields(&[(POSITIVES, b"\"s/d\"")]), Rejected("invalid_positives")),
    (Fields(&[(TESTS, b"\"7\""), (POSITIVES, b"\"8\"")]), Rejected("more_positives_than_tests")),
    (Fields(&[(PROVINCE, b"\"97\""), (DEPARTMENT, b"\"000\"")]), Repaired("unknown_test_province")),
    (Fields(&[(DEPARTMENT, b"\"999\"")]), Repaired("unknown_test_department")),
    (Fields(&[(PROVINCE, b"\"99\""), (DEPARTMENT, b"\"000\"")]), Kept),
    (Fields(&[(TESTS, b"\"1.234\""), (POSITIVES, b"\"1.001\"")]), Kept),
    (Fields(&[(POSITIVES, b"\"\"")]), Kept),
    (BlankLine, Kept),
];

pub(crate) struct Laboratories<'a> {
    seed: u64,
    rows: u64,
    dirty: u32,
    population: &'a Population,
    public: AliasTable,
    private: AliasTable,
}

impl<'a> Laboratories<'a> {
    /// `cases` is the number of rows of the line list; `dirty` is a share per million.
    pub(crate) fn new((seed, cases, dirty): (u64, u64, u32), population: &'a Population) -> Self {
        let rows = if cases == 0 { 0 } else { (cases / CASES_PER_ROW).max(MIN_ROWS) };
        let weights = |kinds: &[(&str, u32)]| {
            AliasTable::new(&kinds.iter().map(|(_, weight)| f64::from(*weight)).collect::<Vec<_>>())
        };
        let (public, private) = (weights(&PUBLIC), weights(&PRIVATE));
        Self { seed, rows, dirty, population, public, private }
    }

    pub(crate) fn write(&self, out: &mut dyn Write) -> Result<FileSummary> {
        let context = || format!("cannot write {MEMBER}");
        let mut summary = FileSummary::default();
        out.write_all(HEADER.as_bytes()).context(context)?;
        for row in 0..self.rows {
            let (mut fields, mut consequence) = self.row(row);
            let mut end = &b"\n"[..];
            if let Some((change, planted)) = self.defect(row) {
                // The defect alone must decide the consequence.
                fields[DAY] = quoted(&date(self.wave(row).day).to_string());
                consequence = *planted;
                match change {
                    TooFewFields => fields.truncate(9),
                    Fields(changed) => {
                        for (column, value) in *changed {
                            fields[*column] = value.to_vec();
                        }
                    }
                    BlankLine => end = b"\n\n",
                }
            }
            out.write_all(&[&fields.join(&b','), end].concat()).context(context)?;
            summary.count(consequence);
        }
        Ok(summary)
    }

    fn wave(&self, row: u64) -> &CurveDay {
        self.population.curve.at(row, self.rows)
    }

    /// Returns a row and its consequence: a clean sample has mistyped years, too.
    fn row(&self, row: u64) -> (Vec<Vec<u8>>, Consequence) {
        let rng = &mut RowRng::new(self.seed, RngStream::Laboratory, row);
        let wave = self.wave(row);
        let day = date(wave.day).to_string();
        let mistyped = rng.chance(MISTYPED);
        let day = if mistyped { format!("20{:02}{}", 8 + rng.below(11), &day[4..]) } else { day };
        let (province, province_id, department, department_id) = self.place(rng);
        let (funding, kind) = if rng.chance(PRIVATE_SHARE) {
            ("Privado", PRIVATE[self.private.pick(rng)].0)
        } else {
            ("Público", PUBLIC[self.public.pick(rng)].0)
        };
        let tests = tests(rng);
        let share = u64::from(wave.confirmed) * POSITIVE / 1000 * (50 + rng.below(101)) / 100;
        let positives = ((tests * share + rng.below(1_000_000)) / 1_000_000).min(tests);
        let dotted = tests >= 1000 && rng.chance(DOTTED);
        let number = if dotted { format!("{}.{:03}", tests / 1000, tests % 1000) } else { tests.to_string() };
        let locality = department.to_uppercase();
        let locality_id = format!("{province_id}{department_id}010");
        let mut fields: Vec<Vec<u8>> = [
            day.as_str(),
            province,
            province_id,
            department,
            department_id,
            &locality,
            &locality_id,
            funding,
            kind,
            &date(RELEASED).to_string(),
            &number,
        ]
        .map(quoted)
        .into();
        fields.push(if positives == 0 { Vec::new() } else { quoted(&positives.to_string()) });
        (fields, if mistyped { Rejected("invalid_test_date") } else { Kept })
    }

    /// Returns province, its code, department and its code, distributed as the residences of cases.
    fn place(&self, rng: &mut RowRng) -> (&'a str, &'a str, &'a str, &'a str) {
        let bare = |text: &'a str| text.trim_matches(['"', ',']);
        loop {
            let (residence, _) = self.population.geography.draw(rng, true);
            let province_id = bare(&residence.province_id);
            if province_id == "99" {
                continue;
            }
            let (province, department) = residence.names.split_once(',').unwrap_or_default();
            let department_id = match bare(&residence.department_id) {
                "0" => "000",
                code => code,
            };
            return (bare(province), province_id, bare(department), department_id);
        }
    }

    /// Returns the planted defect of a row: each defect has one reserved row, the others are random.
    fn defect(&self, row: u64) -> Option<&'static (Change, Consequence)> {
        if self.dirty == 0 {
            return None;
        }
        let kinds = DEFECTS.len() as u64;
        let part = self.rows / kinds;
        let reserved_defect = usize::try_from(row / part).ok().and_then(|kind| DEFECTS.get(kind));
        if row % part == part / 2 && reserved_defect.is_some() {
            return reserved_defect;
        }
        let mut rng = RowRng::new(self.seed, RngStream::LaboratoryDefect, row);
        rng.chance(self.dirty).then(|| rng.choose(&DEFECTS))
    }
}

/// Returns a laboratory's tests in a day: mostly a few, about a hundred on average (10,470,203 in 105,124 rows to 2021-06-11).
fn tests(rng: &mut RowRng) -> u64 {
    let few = 1 + rng.below(40);
    match rng.below(100) {
        0..4 => few * 50,
        4..34 => few * 7,
        _ => few,
    }
}

fn quoted(text: &str) -> Vec<u8> {
    format!("\"{text}\"").into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(cases: u64, dirty: u32) -> (String, FileSummary) {
        let population = Population::new(5, cases).unwrap();
        let mut bytes = Vec::new();
        let summary = Laboratories::new((5, cases, dirty), &population).write(&mut bytes).unwrap();
        (String::from_utf8_lossy(&bytes).into_owned(), summary)
    }

    #[test]
    fn clean_file_has_ministry_format_and_national_shares() {
        let cases = 1_000_000;
        let (text, summary) = file(cases, 0);
        assert!(text.starts_with(HEADER));
        assert_eq!(text.matches('\n').count() as u64, summary.rows + 1);
        let (mut tests, mut positives, mut mistyped) = (0, 0, 0);
        for line in text.lines().skip(1) {
            let fields: Vec<&str> = line.split(',').collect();
            assert_eq!(fields.len(), 12, "{line}");
            assert!(fields[..11].iter().all(|field| field.len() > 2 && field.starts_with('"')), "{line}");
            let number = |field: &str| field.replace(['"', '.'], "").parse::<u64>().unwrap_or(0);
            assert!(number(fields[11]) <= number(fields[10]), "{line}");
            tests += number(fields[10]);
            positives += number(fields[11]);
            mistyped += u64::from(fields[0] < "\"2020");
        }
        assert!((7..10).contains(&(10 * tests / cases)), "{tests} tests of {cases} cases");
        assert!((20..32).contains(&(100 * positives / tests)), "{positives} of {tests} are positive");
        let planted: Vec<_> =
            summary.planted.iter().map(|(consequence, rows)| (*consequence, *rows)).collect();
        assert_eq!(planted, [(Rejected("invalid_test_date"), mistyped)]);
    }

    #[test]
    fn dirty_file_has_every_consequence() {
        for cases in [1_000, 300_000] {
            let (_, summary) = file(cases, 1);
            let mut planted: Vec<_> = summary.planted.iter().map(|(consequence, _)| *consequence).collect();
            let mut wanted: Vec<_> = DEFECTS.iter().map(|(_, consequence)| *consequence).collect();
            wanted.retain(|consequence| *consequence != Kept);
            wanted.dedup();
            let key = |consequence: &Consequence| format!("{consequence:?}");
            planted.sort_by_key(key);
            wanted.sort_by_key(key);
            assert_eq!(planted, wanted, "{cases} cases");
        }
        assert_eq!(file(0, 1_000_000).0, HEADER);
    }
}
