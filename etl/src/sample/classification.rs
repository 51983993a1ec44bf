//! `clasificacion`: the long text that goes with an outcome.
//!
//! With the spellings and stray spaces that the ministry's file has, and about as often (Ministerio de Salud, release of
//! 2021-10-17; texts of active cases as in its releases, their shares estimated).

use super::calendar::Day;
use super::course::{Course, Outcome};
use super::random::Draws;

/// Texts with the share of cases up to and with each, in ten-thousandths.
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
const OVER: Texts = &[
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

/// Days after its registration that a case counts as active; longer in hospital (estimated).
const ACTIVE_DAYS: (Day, Day) = (10, 30);

/// The quoted text for a case that was registered so many days before the release.
pub(super) fn classification(
    outcome: Outcome,
    course: &Course,
    days_ago: Day,
    draws: &mut Draws,
) -> &'static str {
    let (dead, in_hospital) = (course.died.is_some(), course.admitted.is_some());
    let texts = match outcome {
        Outcome::Confirmed if dead => DEAD,
        Outcome::Confirmed if in_hospital && days_ago <= ACTIVE_DAYS.1 => IN_HOSPITAL,
        Outcome::Confirmed if days_ago <= ACTIVE_DAYS.0 => ACTIVE,
        Outcome::Confirmed => OVER,
        Outcome::Discarded => DISCARDED,
        Outcome::Suspected if dead => SUSPECTED_DEAD,
        Outcome::Suspected if in_hospital => SUSPECTED_IN_HOSPITAL,
        Outcome::Suspected => SUSPECTED,
    };
    let at = draws.below(10_000);
    texts.iter().find(|(until, _)| at < *until).map_or(texts[0].1, |(_, text)| text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_list_covers_all_draws_in_order() {
        for texts in
            [DEAD, IN_HOSPITAL, ACTIVE, OVER, DISCARDED, SUSPECTED_DEAD, SUSPECTED_IN_HOSPITAL, SUSPECTED]
        {
            assert!(texts.is_sorted_by(|a, b| a.0 < b.0));
            assert_eq!(texts.last().map(|text| text.0), Some(10_000));
            // The column is at most 89 characters wide, and nothing in the file has quotes or commas inside.
            for (_, text) in texts {
                let inner = &text[1..text.len() - 1];
                assert!(inner.chars().count() <= 89 && !inner.contains(['"', ',']), "{text}");
            }
        }
    }
}
