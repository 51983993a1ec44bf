//! `clasificacion`: the long text for an outcome, with the spellings, stray spaces and frequencies of the ministry's file
//! (Ministerio de Salud, release of 2021-10-17; shares of active cases are estimated).

use crate::calendar::Day;
use crate::clinical_course::{CaseOutcome, ClinicalCourse};
use crate::random::RowRng;

/// Texts with their cumulative share of cases, in ten-thousandths.
type Texts = &'static [(u64, &'static str)];

const DEAD: Texts = &[
    (9_700, "\"Caso confirmado por laboratorio - Fallecido\""),
    (10_000, "\"Caso confirmado por criterio clínico-epidemiologico - Fallecido\""),
];
const IN_HOSPITAL: Texts = &[
    (9_000, "\"Caso confirmado por laboratorio - Activo Internado\""),
    (10_000, "\"Caso confirmado por criterio clínico - epidemiológico -  Activo internado\""),
];
const ACTIVE: Texts = &[
    (8_500, "\"Caso confirmado por laboratorio - Activo\""),
    (10_000, "\"Caso confirmado por criterio clinico-epidemiológico - Activo \""),
];
const RECOVERED: Texts = &[
    (8_890, "\"Caso confirmado por laboratorio - No activo (por tiempo de evolución)\""),
    (9_750, "\"Caso confirmado por criterio clínico-epidemiológico - No activo (por tiempo de evolución)\""),
    (10_000, "\"Caso confirmado por laboratorio - No Activo por criterio de laboratorio\""),
];
const DISCARDED: Texts = &[
    (9_980, "\"Caso Descartado\""),
    (9_992, "\"Otro diagnostico\""),
    (10_000, "\"Caso Invalidado Epidemiologicamente\""),
];
const SUSPECTED_DEAD: Texts = &[
    (6_000, "\"Caso sospechoso - Fallecido - Sin muestra\""),
    (10_000, "\"Caso con resultado negativo-no conclusivo - Fallecido\""),
];
const SUSPECTED_IN_HOSPITAL: Texts = &[
    (5_200, "\"Caso sospechoso - Activo Internado - Con muestra sin resultado concluyente\""),
    (9_500, "\"Caso sospechoso - Activo Internado - Sin muestra\""),
    (10_000, "\"Caso sospechoso - Activo Internado - Muestra no apta\""),
];
const SUSPECTED: Texts = &[
    (5_800, "\"Caso sospechoso - No Activo - Con muestra sin resultado concluyente\""),
    (9_890, "\"Caso sospechoso - No Activo - Sin muestra\""),
    (9_970, "\"Sin clasificar\""),
    (10_000, "\"Caso sospechoso  - No Activo -  Muestra no apta\""),
];

/// Days after registration that a case counts as active: at home, in hospital (estimated).
const ACTIVE_DAYS: (Day, Day) = (10, 30);

/// Returns the quoted text for a case registered `days_ago` days before the release.
pub(crate) fn classification(
    outcome: CaseOutcome,
    course: &ClinicalCourse,
    days_ago: Day,
    rng: &mut RowRng,
) -> &'static str {
    let (dead, in_hospital) = (course.died.is_some(), course.admitted.is_some());
    let texts = match outcome {
        CaseOutcome::Confirmed if dead => DEAD,
        CaseOutcome::Confirmed if in_hospital && days_ago <= ACTIVE_DAYS.1 => IN_HOSPITAL,
        CaseOutcome::Confirmed if days_ago <= ACTIVE_DAYS.0 => ACTIVE,
        CaseOutcome::Confirmed => RECOVERED,
        CaseOutcome::Discarded => DISCARDED,
        CaseOutcome::Suspected if dead => SUSPECTED_DEAD,
        CaseOutcome::Suspected if in_hospital => SUSPECTED_IN_HOSPITAL,
        CaseOutcome::Suspected => SUSPECTED,
    };
    let at = rng.below(10_000);
    texts.iter().find(|(until, _)| at < *until).map_or(texts[0].1, |(_, text)| text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_have_increasing_cumulative_shares_up_to_one() {
        for texts in [
            DEAD,
            IN_HOSPITAL,
            ACTIVE,
            RECOVERED,
            DISCARDED,
            SUSPECTED_DEAD,
            SUSPECTED_IN_HOSPITAL,
            SUSPECTED,
        ] {
            assert!(texts.is_sorted_by(|a, b| a.0 < b.0));
            assert_eq!(texts.last().map(|text| text.0), Some(10_000));
            // The column holds at most 89 characters, without quotes or commas.
            for (_, text) in texts {
                let inner = &text[1..text.len() - 1];
                assert!(inner.chars().count() <= 89 && !inner.contains(['"', ',']), "{text}");
            }
        }
    }
}
