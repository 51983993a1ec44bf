//! Contradictions within a case, such as a death before the first symptoms.

use crate::clean::case::Case;
use crate::clean::rules::FIRST_REGISTRATION;

/// The classification of confirmed cases.
pub(super) const CONFIRMED: &[u8] = b"Confirmado";

/// Names in the order of [`contradictions`]. They are values of `contradiction_count.contradiction`, a contract.
const NAMES: [&str; 10] = [
    "died_unconfirmed",
    "died_unadmitted",
    "ventilated_without_icu",
    "icu_unadmitted",
    "registered_before_symptoms",
    "diagnosed_before_registered",
    "died_before_registered",
    "died_before_symptoms",
    "died_before_admitted",
    "before_pandemic",
];

/// Number of cases by contradiction.
#[derive(Debug, Default)]
pub(super) struct Contradictions([u32; NAMES.len()]);

impl Contradictions {
    pub(super) fn add(&mut self, case: &Case<'_>) {
        for (number, applies) in self.0.iter_mut().zip(contradictions(case)) {
            *number += u32::from(applies);
        }
    }

    pub(super) fn by_name(&self) -> impl Iterator<Item = (&'static str, [u32; 1])> {
        NAMES.into_iter().zip(self.0.map(|cases| [cases]))
    }
}

/// Returns the contradictions of a case. An unknown day contradicts nothing.
fn contradictions(case: &Case<'_>) -> [bool; NAMES.len()] {
    let registered_on = Some(case.registered_on);
    let Case { symptoms_on, admitted_on, died_on, diagnosed_on, .. } = *case;
    let before =
        |earlier: Option<_>, later| earlier.zip(later).is_some_and(|(earlier, later)| earlier < later);
    let died = died_on.is_some();
    [
        died && case.classification.as_deref() != Some(CONFIRMED),
        died && admitted_on.is_none(),
        case.ventilated && !case.icu,
        case.icu && admitted_on.is_none(),
        before(registered_on, symptoms_on),
        before(diagnosed_on, registered_on),
        before(died_on, registered_on),
        before(died_on, symptoms_on),
        before(died_on, admitted_on),
        [symptoms_on, admitted_on, died_on, diagnosed_on]
            .into_iter()
            .flatten()
            .any(|day| day < FIRST_REGISTRATION),
    ]
}
