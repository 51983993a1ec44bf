//! `Covid19VacunasAgrupadas`: a row for each jurisdiction and vaccine, with the doses of the nation, however many cases the sample has.
//!
//! Texts are quoted and numbers are bare, in the header, too; lines end in CRLF. A dirty sample has one more row for each thing that
//! can be wrong with one.

use std::io::Write;

use super::defect::Consequence::{self, Kept, Rejected, Repaired};
use super::optional::Made;
use super::places::Places;
use super::random::{Draws, Purpose};
use common::failure::{Context as _, Result};

/// The member of the archive.
pub(super) const MEMBER: &str = "Covid19VacunasAgrupadas.csv";

const HEADER: &str = "\"jurisdiccion_codigo_indec\",\"jurisdiccion_nombre\",\"vacuna_nombre\",dosis_unica_cantidad,\
    primera_dosis_cantidad,segunda_dosis_cantidad,dosis_adicional_cantidad,dosis_refuerzo_cantidad\r\n";

/// Doses of each kind, single to booster, for every thousand people, to May 2022 (estimate, from the nation’s totals).
const DOSES: [u64; 5] = [15, 885, 815, 65, 400];

/// Vaccines, and the share of each in each kind of dose, per mille (estimate).
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

/// One jurisdiction had none of one vaccine: 191 rows for 24 and 8.
const NONE_OF_IT: (&str, &str) = ("94", "COVISHIELD");

/// Thousands of people (INDEC, census of 2022), by code.
const PEOPLE: [(&str, u64); 24] = [
    ("02", 3_122),
    ("06", 17_524),
    ("10", 430),
    ("14", 3_841),
    ("18", 1_213),
    ("22", 1_130),
    ("26", 593),
    ("30", 1_426),
    ("34", 607),
    ("38", 812),
    ("42", 362),
    ("46", 384),
    ("50", 2_044),
    ("54", 1_279),
    ("58", 711),
    ("62", 751),
    ("66", 1_441),
    ("70", 823),
    ("74", 542),
    ("78", 337),
    ("82", 3_545),
    ("86", 1_061),
    ("90", 1_732),
    ("94", 186),
];

/// What can be wrong with a row, or seem so, and what a correct load makes of it.
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

/// Writes the whole file.
pub(super) fn write((seed, dirty): (u64, bool), places: &Places, out: &mut dyn Write) -> Result<Made> {
    let or_fail = || format!("cannot write {MEMBER}");
    let mut made = Made::default();
    out.write_all(HEADER.as_bytes()).context(or_fail)?;
    for (province, (_, people)) in places.provinces.iter().zip(PEOPLE) {
        for (vaccine, shares) in VACCINES {
            if NONE_OF_IT == (province.id, vaccine) {
                continue;
            }
            let draws = &mut Draws::new(seed, Purpose::Vaccination, made.rows);
            let doses = DOSES.into_iter().zip(shares).map(|(doses, share)| {
                let expected = people * doses * share / 1000;
                // Some vaccines went to one province rather than to another.
                (expected * (80 + draws.below(41)) / 100).to_string()
            });
            let doses = doses.collect::<Vec<_>>().join(",");
            let line = format!("\"{}\",\"{}\",\"{vaccine}\",{doses}\r\n", province.id, province.name);
            out.write_all(line.as_bytes()).context(or_fail)?;
            made.count(Kept);
        }
    }
    for (line, consequence) in DIRTY.into_iter().filter(|_| dirty) {
        out.write_all(&[line, b"\r\n"].concat()).context(or_fail)?;
        made.count(consequence);
    }
    Ok(made)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tables_fit_together() {
        let places = Places::read().unwrap();
        let ids: Vec<&str> = places.provinces.iter().map(|province| province.id).collect();
        assert_eq!(ids, PEOPLE.map(|(id, _)| id));
        for kind in 0..DOSES.len() {
            assert_eq!(VACCINES.iter().map(|(_, shares)| shares[kind]).sum::<u64>(), 1000, "kind {kind}");
        }
    }
}
