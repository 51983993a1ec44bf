//! The rules for fields with a few possible words: sex, classification, yes and no. A word is compared without case and stored in the
//! ministry's spelling; another one is kept as it is.

use std::borrow::Cow;

use super::missing::Column;
use super::rules::Notes;
use crate::parse::field::Field;

/// The ministry's words in `sexo`; NR is "no registrado".
const SEXES: [&str; 3] = ["F", "M", "NR"];

/// The ministry's words in `clasificacion_resumen`.
const CLASSIFICATIONS: [&str; 4] = ["Confirmado", "Descartado", "Sospechoso", "Sin Clasificar"];

/// `sexo`: one of the ministry's words, or another text.
#[inline]
pub fn sex<'a>(field: Field<'a>, notes: &mut Notes) -> Option<Cow<'a, [u8]>> {
    let value = notes.value(field, Column::Sex)?;
    Some(ministry_word(value, &SEXES).map_or_else(|| field.text(), Cow::Borrowed))
}

/// `clasificacion_resumen`: one of the ministry's words, or another text, without stray white space. Records another text.
#[inline]
pub fn classification<'a>(field: Field<'a>, notes: &mut Notes) -> Option<Cow<'a, [u8]>> {
    let value = notes.value(field, Column::Classification)?;
    if let Some(word) = ministry_word(value, &CLASSIFICATIONS) {
        return Some(Cow::Borrowed(word));
    }
    let text = field.collapsed();
    let word = ministry_word(&text, &CLASSIFICATIONS);
    if word.is_none() {
        notes.missing.note(Column::UnknownClassification);
    }
    Some(word.map_or(text, Cow::Borrowed))
}

/// `cuidado_intensivo` and `asistencia_respiratoria_mecanica`: `SI` or `NO`; `None` for nothing and for any other word.
#[inline]
pub fn yes(field: Field<'_>, column: Column, notes: &mut Notes) -> Option<bool> {
    match notes.value(field, column)? {
        b"NO" => Some(false),
        b"SI" => Some(true),
        other => yes_in_any_spelling(other),
    }
}

#[cold]
fn yes_in_any_spelling(word: &[u8]) -> Option<bool> {
    match std::str::from_utf8(word).ok()?.to_lowercase().as_str() {
        "no" => Some(false),
        // With and without the accent, which may be a character of its own.
        "si" | "sí" | "si\u{301}" => Some(true),
        _ => None,
    }
}

/// Returns the word that equals a text without case.
#[inline]
fn ministry_word(text: &[u8], words: &[&'static str]) -> Option<&'static [u8]> {
    let exact = words.iter().find(|word| word.as_bytes() == text);
    let word = exact.or_else(|| words.iter().find(|word| word.as_bytes().eq_ignore_ascii_case(text)));
    word.map(|word| word.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noted<T>(rule: impl FnOnce(&mut Notes) -> T) -> (T, Vec<Column>, Vec<Column>) {
        let mut notes = Notes::default();
        let value = rule(&mut notes);
        (value, notes.missing.iter().collect(), notes.null_words.iter().collect())
    }

    #[test]
    fn classification_in_any_spelling_is_the_ministry_word() {
        let read = |text: &str| {
            let (value, unknown, _) = noted(|notes| {
                classification(Field(text.as_bytes()), notes)
                    .map(|text| String::from_utf8(text.into_owned()).unwrap())
            });
            (value, !unknown.is_empty())
        };
        for (text, word) in [
            ("Confirmado", "Confirmado"),
            ("confirmado", "Confirmado"),
            ("DESCARTADO", "Descartado"),
            ("\u{A0}sospechoso\u{2009}", "Sospechoso"),
            ("Sin clasificar", "Sin Clasificar"),
            (" Sin  Clasificar ", "Sin Clasificar"),
            ("sin\u{A0}clasificar", "Sin Clasificar"),
        ] {
            assert_eq!(read(text), (Some(word.to_owned()), false), "{text:?}");
        }
        assert_eq!(read(" Caso  nuevo"), (Some("Caso nuevo".to_owned()), true));
        assert_eq!(read(""), (None, false));
    }

    #[test]
    fn sex_in_any_case_is_the_ministry_word() {
        for (text, word) in [("F", "F"), (" m ", "M"), ("nr", "NR"), ("x", "x"), ("Mujer", "Mujer")] {
            let (value, ..) = noted(|notes| sex(Field(text.as_bytes()), notes).map(Cow::into_owned));
            assert_eq!(value.as_deref(), Some(word.as_bytes()), "{text:?}");
        }
        assert_eq!(noted(|notes| sex(Field(b""), notes).is_none()), (true, vec![], vec![]));
    }

    #[test]
    fn yes_tells_a_no_from_a_word_that_is_neither() {
        let read = |text: &str| noted(|notes| yes(Field(text.as_bytes()), Column::Icu, notes)).0;
        for word in ["SI", "si", "Si", "Sí", "SÍ", "sí", " SI\u{A0}", "Si\u{301}"] {
            assert_eq!(read(word), Some(true), "{word:?}");
        }
        for word in ["NO", "no", "No "] {
            assert_eq!(read(word), Some(false), "{word:?}");
        }
        for word in ["", "NA", "1", "true", "sin dato"] {
            assert_eq!(read(word), None, "{word:?}");
        }
    }

    #[test]
    fn null_words_are_noted_but_for_the_ministry_own() {
        let read = |text: &str| noted(|notes| classification(Field(text.as_bytes()), notes).is_none());
        for word in ["NULL", "nan", "\\N"] {
            assert_eq!(read(word), (true, vec![], vec![Column::Classification]), "{word}");
        }
        for null in ["NA", "", " "] {
            assert_eq!(read(null), (true, vec![], vec![]), "{null:?}");
        }
    }
}
