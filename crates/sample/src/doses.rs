//! `datos_nomivac_covid19`: a row for each dose, in the form of the files since 2022.
//!
//! Texts are quoted; numbers of doses and persons are bare; what is unknown is `S.I.`; lines end in CRLF. Doses are in no order of time.

use std::ops::Range;

use Change::{BlankLine, Fields, TooFewFields};

use crate::calendar::date;
use crate::defect::Consequence::{self, Kept, Rejected, Repaired};
use crate::file_summary::FileSummary;
use crate::geography::{Geography, Residence};
use crate::random::{AliasTable, PerMillion, RngStream, RowRng};

pub(crate) const MEMBER: &str = "datos_nomivac_covid19.csv";

pub(crate) const HEADER: &str = "\"sexo\",\"grupo_etario\",\"jurisdiccion_residencia\",\"jurisdiccion_residencia_id\",\"depto_residencia\",\
    \"depto_residencia_id\",\"jurisdiccion_aplicacion\",\"jurisdiccion_aplicacion_id\",\"depto_aplicacion\",\"depto_aplicacion_id\",\
    \"fecha_aplicacion\",\"vacuna\",\"cod_dosis_generica\",\"nombre_dosis_generica\",\"condicion_aplicacion\",\"orden_dosis\",\
    \"lote_vacuna\",\"id_persona_dw\"\r\n";

/// 2021-01-01, in days since 2020-01-01; the months of [`DOSES`] begin there.
const FIRST_DAY: i32 = 366;
/// The days of the months of [`DOSES`].
const MONTHS: [i32; 18] = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31, 31, 28, 31, 30, 31, 30];

/// A kind of dose: its code, its name, its number in the order of a person's doses, thousands of doses by month, and the shares of [`VACCINES`], per mille.
struct Kind {
    code: u8,
    name: &'static str,
    order: u8,
    by_month: [u32; 18],
    vaccines: [u32; VACCINES.len()],
}

const VACCINES: [&str; 8] = [
    "AstraZeneca ChAdOx1 S recombinante",
    "COVISHIELD ChAdOx1nCoV COVID 19",
    "Convidecia CanSino",
    "Moderna ARNm",
    "Pfizer COVID-19",
    "Pfizer Pediátrica",
    "Sinopharm Vacuna SARSCOV 2 inactivada",
    "Sputnik V COVID19 Instituto Gamaleya",
];

/// Doses from January 2021 to June 2022 (estimate, from the nation's totals by month).
const KINDS: [Kind; 5] = [
    Kind {
        code: 8,
        name: "1ra",
        order: 1,
        by_month: [
            270, 480, 2300, 4000, 3300, 7500, 8300, 3500, 2200, 4100, 2200, 1300, 900, 400, 400, 250, 200,
            150,
        ],
        vaccines: [240, 14, 0, 70, 76, 10, 330, 260],
    },
    Kind {
        code: 9,
        name: "2da",
        order: 2,
        by_month: [
            10, 250, 370, 280, 1700, 950, 2700, 8000, 8500, 4400, 4200, 2600, 1500, 800, 800, 500, 300, 250,
        ],
        vaccines: [265, 14, 0, 120, 76, 5, 320, 200],
    },
    Kind {
        code: 14,
        name: "Adicional",
        order: 3,
        by_month: [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 900, 1000, 700, 250, 120, 60, 40, 30],
        vaccines: [200, 0, 6, 220, 150, 0, 240, 184],
    },
    Kind {
        code: 13,
        name: "Refuerzo",
        order: 3,
        by_month: [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 150, 2200, 8200, 3600, 2000, 1700, 1700, 2300],
        vaccines: [300, 0, 4, 280, 290, 0, 46, 80],
    },
    Kind {
        code: 12,
        name: "Unica",
        order: 1,
        by_month: [0, 0, 0, 0, 0, 0, 0, 0, 90, 250, 150, 60, 40, 20, 10, 5, 5, 5],
        vaccines: [0, 0, 1000, 0, 0, 0, 0, 0],
    },
];

const AGE_GROUPS: [&str; 12] =
    ["<12", "12-17", "18-29", "30-39", "40-49", "50-59", "60-69", "70-79", "80-89", "90-99", ">=100", "S.I."];

/// The shares of [`AGE_GROUPS`] in the doses to May 2021, to September 2021, and later, per ten thousand (estimate): the oldest came first.
const AGES: [(usize, [u32; AGE_GROUPS.len()]); 3] = [
    (5, [0, 10, 850, 1200, 1200, 1500, 2600, 1800, 709, 120, 1, 10]),
    (9, [0, 300, 2300, 2000, 1800, 1400, 1100, 700, 337, 60, 1, 2]),
    (18, [1300, 1000, 1900, 1600, 1450, 1100, 900, 510, 207, 30, 1, 2]),
];

const CONDITIONS: [(&str, u32); 7] = [
    ("Personal de Salud", 60),
    ("Personal Estratégico", 70),
    ("18 a 59 años sin Factores de Riesgo", 400),
    ("18 a 59 años con Factores de Riesgo", 190),
    ("60 años o más", 200),
    ("Niños y adolescentes", 77),
    ("Otros", 3),
];

/// People whose sex the register does not know, per million, and who is neither female nor male (estimate).
const SEXES: [(&str, u32); 4] = [("F", 521_000), ("M", 478_000), ("S.I.", 600), ("X", 400)];
/// Doses given outside the department of residence, per million (estimate).
const ELSEWHERE: PerMillion = 120_000;
/// Doses whose date is unknown, per million (estimate).
const UNDATED: PerMillion = 30;

const SEX: usize = 0;
const AGE_GROUP: usize = 1;
const PROVINCE: usize = 3;
const DEPARTMENT: usize = 5;
const DAY: usize = 10;
const VACCINE: usize = 11;
const KIND: usize = 13;
const ORDER: usize = 15;

enum Change {
    TooFewFields,
    /// Replaces the raw fields of columns.
    Fields(&'static [(usize, &'static [u8])]),
    BlankLine,
}

/// Defects, and what a correct load does with them.
static DEFECTS: [(Change, Consequence); 18] = [
    (TooFewFields, Rejected("malformed")),
    (Fields(&[(VACCINE, b"\"Pfizer \xF3\"")]), Rejected("malformed")),
    (Fields(&[(DAY, b"\"2021-02-30\"")]), Rejected("invalid_application_date")),
    (Fields(&[(DAY, b"\"2020-12-28\"")]), Rejected("invalid_application_date")),
    (Fields(&[(DAY, b"\"2202-01-15\"")]), Rejected("invalid_application_date")),
    (Fields(&[(AGE_GROUP, b"\"treinta\"")]), Repaired("invalid_age_group")),
    (Fields(&[(PROVINCE, b"\"97\""), (DEPARTMENT, b"\"000\"")]), Repaired("unknown_residence_province")),
    (Fields(&[(DEPARTMENT, b"\"999\"")]), Repaired("unknown_residence_department")),
    (Fields(&[(7, b"\"97\""), (9, b"\"000\"")]), Repaired("unknown_application_province")),
    (Fields(&[(9, b"\"999\"")]), Repaired("unknown_application_department")),
    (Fields(&[(KIND, b"\"Ninguna\"")]), Repaired("unknown_dose")),
    (Fields(&[(DAY, b"\"S.I.\"")]), Kept),
    (Fields(&[(SEX, b"\"S.I.\""), (AGE_GROUP, b"\"S.I.\"")]), Kept),
    (Fields(&[(PROVINCE, b"\"S.I.\""), (DEPARTMENT, b"\"S.I.\"")]), Kept),
    (Fields(&[(VACCINE, b"\"S.I.\"")]), Kept),
    (Fields(&[(KIND, b"\"S.I.\""), (ORDER, b"1")]), Kept),
    (Fields(&[(SEX, b"f"), (VACCINE, b"\" Moderna  ARNm \"")]), Kept),
    (BlankLine, Kept),
];

/// The tables that doses are drawn from.
pub(crate) struct Doses<'a> {
    seed: u64,
    rows: u64,
    dirty: PerMillion,
    geography: &'a Geography,
    /// Kind and month.
    cells: AliasTable,
    vaccines: Vec<AliasTable>,
    ages: Vec<AliasTable>,
    sexes: AliasTable,
    conditions: AliasTable,
}

impl<'a> Doses<'a> {
    /// `dirty` is a share per million.
    pub(crate) fn new((seed, rows, dirty): (u64, u64, PerMillion), geography: &'a Geography) -> Self {
        let table = |weights: &[u32]| {
            AliasTable::new(&weights.iter().map(|weight| f64::from(*weight)).collect::<Vec<_>>())
        };
        let cells: Vec<u32> = KINDS.iter().flat_map(|kind| kind.by_month).collect();
        Self {
            seed,
            rows,
            dirty,
            geography,
            cells: table(&cells),
            vaccines: KINDS.iter().map(|kind| table(&kind.vaccines)).collect(),
            ages: AGES.iter().map(|(_, shares)| table(shares)).collect(),
            sexes: table(&SEXES.map(|(_, weight)| weight)),
            conditions: table(&CONDITIONS.map(|(_, weight)| weight)),
        }
    }

    /// Returns the text of rows and what a correct load counts of them.
    pub(crate) fn block(&self, rows: Range<u64>) -> (Vec<u8>, FileSummary) {
        let room = usize::try_from(rows.end - rows.start).unwrap_or(0) * 260;
        let (mut text, mut summary) = (Vec::with_capacity(room), FileSummary::default());
        for row in rows {
            let mut fields = self.fields(row);
            let (mut end, mut consequence) = (&b"\r\n"[..], Kept);
            if let Some((change, planted)) = self.defect(row) {
                consequence = *planted;
                match change {
                    TooFewFields => fields.truncate(12),
                    Fields(changed) => {
                        for (column, value) in *changed {
                            fields[*column] = value.to_vec();
                        }
                    }
                    BlankLine => end = b"\r\n\r\n",
                }
            }
            text.extend_from_slice(&fields.join(&b','));
            text.extend_from_slice(end);
            summary.count(consequence);
        }
        (text, summary)
    }

    fn fields(&self, row: u64) -> Vec<Vec<u8>> {
        let rng = &mut RowRng::new(self.seed, RngStream::Dose, row * 2);
        let cell = self.cells.pick(rng);
        let (number, month) = (cell / MONTHS.len(), cell % MONTHS.len());
        let kind = &KINDS[number];
        let first = FIRST_DAY + MONTHS[..month].iter().sum::<i32>();
        let day = first + i32::try_from(rng.below(MONTHS[month].unsigned_abs().into())).unwrap_or(0);
        let day = if rng.chance(UNDATED) { "S.I.".to_owned() } else { date(day).to_string() };
        let phase = AGES.iter().position(|(until, _)| month < *until).unwrap_or(AGES.len() - 1);
        let (residence, _) = self.geography.draw(rng, true);
        let application = if rng.chance(ELSEWHERE) { self.geography.draw(rng, true).0 } else { residence };
        let mut fields = Vec::with_capacity(18);
        fields.push(quoted(SEXES[self.sexes.pick(rng)].0));
        fields.push(quoted(AGE_GROUPS[self.ages[phase].pick(rng)]));
        fields.extend(place(residence));
        fields.extend(place(application));
        fields.push(quoted(&day));
        fields.push(quoted(VACCINES[self.vaccines[number].pick(rng)]));
        fields.push(kind.code.to_string().into());
        fields.push(quoted(kind.name));
        fields.push(quoted(CONDITIONS[self.conditions.pick(rng)].0));
        fields.push(kind.order.to_string().into());
        fields.push(quoted(&format!("L{:05}", rng.below(4_000))));
        fields.push(rng.below(45_000_000).to_string().into());
        fields
    }

    /// Returns the planted defect of a row: each defect has one reserved row, the others are random.
    fn defect(&self, row: u64) -> Option<&'static (Change, Consequence)> {
        if self.dirty == 0 {
            return None;
        }
        let part = (self.rows / DEFECTS.len() as u64).max(1);
        let reserved_defect = usize::try_from(row / part).ok().and_then(|kind| DEFECTS.get(kind));
        if row % part == part / 2 && reserved_defect.is_some() {
            return reserved_defect;
        }
        let mut rng = RowRng::new(self.seed, RngStream::Dose, row * 2 + 1);
        rng.chance(self.dirty).then(|| rng.choose(&DEFECTS))
    }
}

/// Returns name and code of a province, and of its department.
fn place(residence: &Residence) -> [Vec<u8>; 4] {
    let (province, department) = residence.names.split_once(',').unwrap_or_default();
    let [province, department, province_id, department_id] =
        [province, department, &residence.province_id, &residence.department_id]
            .map(|text| text.trim_matches(['"', ',']));
    if province_id == "99" {
        return ["S.I.", "0", "S.I.", "0"].map(quoted);
    }
    match department_id {
        "0" => [province, province_id, "S.I.", "000"].map(quoted),
        _ => [province, province_id, department, department_id].map(quoted),
    }
}

fn quoted(text: &str) -> Vec<u8> {
    [b"\"", text.as_bytes(), b"\""].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(rows: u64, dirty: PerMillion) -> (String, FileSummary) {
        let geography = Geography::read().unwrap();
        let (text, summary) = Doses::new((1, rows, dirty), &geography).block(0..rows);
        (String::from_utf8_lossy(&text).into_owned(), summary)
    }

    #[test]
    fn shares_sum_to_one() {
        for kind in &KINDS {
            assert_eq!(kind.vaccines.iter().sum::<u32>(), 1000, "{}", kind.name);
        }
        for (until, shares) in &AGES {
            assert_eq!(shares.iter().sum::<u32>(), 10_000, "to month {until}");
        }
        assert_eq!(SEXES.iter().map(|(_, weight)| weight).sum::<u32>(), 1_000_000);
        assert_eq!(CONDITIONS.iter().map(|(_, weight)| weight).sum::<u32>(), 1000);
    }

    #[test]
    fn rows_have_every_column_and_follow_the_campaign() {
        let (text, summary) = text(20_000, 0);
        let columns = HEADER.split(',').count();
        let rows: Vec<Vec<&str>> =
            text.lines().map(|line| line.split(',').map(|field| field.trim_matches('"')).collect()).collect();
        assert_eq!((rows.len(), summary.rows, summary.planted), (20_000, 20_000, Vec::new()));
        assert!(rows.iter().all(|row| row.len() == columns));
        let share = |keep: &dyn Fn(&[&str]) -> bool| rows.iter().filter(|row| keep(row)).count() / 200;
        assert!((36..44).contains(&share(&|row| row[KIND] == "1ra")));
        assert_eq!(share(&|row| row[KIND] == "Refuerzo" && row[DAY] < "2021-11-01"), 0);
        assert!(share(&|row| row[3] == row[7]) > 85, "most are vaccinated at home");
    }

    #[test]
    fn dirty_rows_have_every_consequence() {
        let (_, summary) = text(2_000, 1);
        let mut planted: Vec<String> =
            summary.planted.iter().map(|(planted, _)| format!("{planted:?}")).collect();
        let mut wanted: Vec<String> = DEFECTS
            .iter()
            .filter(|(_, planted)| *planted != Kept)
            .map(|(_, planted)| format!("{planted:?}"))
            .collect();
        planted.sort();
        wanted.sort();
        wanted.dedup();
        assert_eq!(planted, wanted);
    }
}
