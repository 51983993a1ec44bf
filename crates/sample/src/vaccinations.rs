//! `Covid19VacunasAgrupadas`: a row for each jurisdiction and vaccine with the national doses, whatever the number of cases.
//!
//! Texts are quoted and numbers are bare, in the header, too; lines end in CRLF. A dirty sample has one more row for each defect.

use std::io::Write;

use crate::defect::Consequence::{self, Kept, Rejected, Repaired};
use crate::file_summary::FileSummary;
use crate::geography::Geography;
use crate::random::{RngStream, RowRng};
use common::failure::{Context as _, Result};

pub(crate) const MEMBER: &str = "Covid19VacunasAgrupadas.csv";

const HEADER: &str = "\"jurisdiccion_codigo_indec\",\"jurisdiccion_nombre\",\"vacuna_nombre\",dosis_unica_cantidad,\
    primera_dosis_cantidad,segunda_dosis_cantidad,dosis_adicional_cantidad,dosis_refuerzo_cantidad\r\n";

/// Doses per thousand people, from single to booster, to May 2022 (estimate, from the nation’s totals).
const DOSES: [u64; 5] = [15, 885, 815, 65, 400];

/// The share of each vaccine in each kind of dose, per mille (estimate).
const VACCINES: [(&str, [u64; 5]); 8] = [
    ("AstraZeneca", [0, 240, 265, 200, 300]),
    ("COVISHIELD", [0, 14, 14, 0, 0]),
    ("Cansino", [1000, 0, 0, 6, 4]),
    ("Moderna", [0, 70, 120, 220, 280]),
    ("Pfizer", [0, 76, 76, 150, 290]),
    ("Pfizer Pediátrica", [0, 10, 5, 0, 0]),
    ("Sinopharm", [0, 330, 320, 240, 46]),
    ("Sputnik", [0, 260, 200, 184, 80]),
];

/// The one combination without a row: 191 rows for 24 jurisdictions and 8 vaccines.
const WITHOUT_DOSES: (&str, &str) = ("94", "COVISHIELD");

/// Rows with defects and oddities, and what a correct load does with them.
const DIRTY: [(&[u8], Consequence); 9] = [
    (b"\"06\",\"Buenos Aires\",\"Sputnik\"", Rejected("malformed")),
    (b"\"06\",\"Buenos Aires\",\"Sputnik\xF3\",0,1,1,1,1", Rejected("malformed")),
    (b"\"06\",\"Buenos Aires\",\"\",0,12,7,0,3", Rejected("invalid_vaccine")),
    (b"\"06\",\"Buenos Aires\",\"Otra\",0,-12,7,0,3", Rejected("invalid_doses")),
    (b"\"06\",\"Buenos Aires\",\"Otra\",0,12,s/d,0,3", Rejected("invalid_doses")),
    (b"\"06\",\"Buenos Aires\",\" Sputnik \",0,12,7,0,3", Rejected("duplicate_vaccine")),
    (b"\"97\",\"Montevideo\",\"Moderna\",0,12,7,0,3", Repaired("unknown_vaccination_province")),
    (b"\"99\",\"S.I.\",\"Sputnik\",,1.234,987,,\r\n", Kept),
    (b"S.I.,S.I.,Pfizer,NA,\"12\",7,\"\",3", Kept),
];

pub(crate) fn write(
    (seed, dirty): (u64, bool),
    geography: &Geography,
    out: &mut dyn Write,
) -> Result<FileSummary> {
    let context = || format!("cannot write {MEMBER}");
    let mut summary = FileSummary::default();
    out.write_all(HEADER.as_bytes()).context(context)?;
    for province in &geography.provinces {
        for (vaccine, shares) in VACCINES {
            if WITHOUT_DOSES == (province.id.as_str(), vaccine) {
                continue;
            }
            let rng = &mut RowRng::new(seed, RngStream::Vaccination, summary.rows);
            let doses = DOSES.into_iter().zip(shares).map(|(doses, share)| {
                let expected = province.population * doses * share / 1000;
                // Vaccines were not distributed evenly.
                (expected * (80 + rng.below(41)) / 100).to_string()
            });
            let doses = doses.collect::<Vec<_>>().join(",");
            let line = format!("\"{}\",\"{}\",\"{vaccine}\",{doses}\r\n", province.id, province.name);
            out.write_all(line.as_bytes()).context(context)?;
            summary.count(Kept);
        }
    }
    for (line, consequence) in DIRTY.into_iter().filter(|_| dirty) {
        out.write_all(&[line, b"\r\n"].concat()).context(context)?;
        summary.count(consequence);
    }
    Ok(summary)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_of_vaccines_sum_to_one() {
        for kind in 0..DOSES.len() {
            assert_eq!(VACCINES.iter().map(|(_, shares)| shares[kind]).sum::<u64>(), 1000, "kind {kind}");
        }
    }
}
