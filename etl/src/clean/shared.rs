//! Fields that both optional datasets have.

use super::geography::Geography;
use super::rules::UNSPECIFIED_PROVINCE;
use crate::parse::field::Field;

/// Parses a province. Unspecified ones (0, 99, blank, `S.I.`) are no repair; unknown codes are.
pub(super) fn province(
    field: Field<'_>,
    geography: &Geography,
    unknown: &'static str,
    repairs: &mut Vec<&'static str>,
) -> Option<i16> {
    field.value()?;
    let code = field.code();
    if field.is(b"S.I.") || code.is_some_and(|code| code == 0 || code == UNSPECIFIED_PROVINCE) {
        return None;
    }
    let province = code.and_then(|code| geography.province(code));
    if province.is_none() {
        repairs.push(unknown);
    }
    province
}

/// More than any laboratory or province has counted; a sum of many such numbers does not overflow.
const MAX_QUANTITY: i64 = 999_999_999;

/// Parses a whole number without sign, with or without a dot before every three digits, as in `1.234`.
pub(super) fn quantity(field: Field<'_>) -> Option<i64> {
    let text = field.value()?;
    let mut groups = text.split(|byte| *byte == b'.');
    let first = groups.next()?;
    if text.contains(&b'.') && !((1..=3).contains(&first.len()) && groups.all(|group| group.len() == 3)) {
        return None;
    }
    let digits: Vec<u8> = text.iter().copied().filter(|byte| *byte != b'.').collect();
    Field(&digits)
        .unsigned()
        .and_then(|number| i64::try_from(number).ok())
        .filter(|number| *number <= MAX_QUANTITY)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::rules::department;
    use super::*;

    #[test]
    fn quantity_accepts_dots_before_thousands() {
        let read = |text: &str| quantity(Field(text.as_bytes()));
        for (text, number) in [("0", 0), ("007", 7), ("1.234", 1234), ("12.345.678", 12_345_678), (" 5 ", 5)]
        {
            assert_eq!(read(text), Some(number), "{text}");
        }
        for wrong in ["", "NA", "-1", "+1", "1,5", "1.5", "1.2345", "1234.567", ".123", "1.", "1..234", "x"] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
        assert_eq!(read("999.999.999"), Some(999_999_999));
        for absurd in ["1000000000", "9223372036854775807", "99999999999999999999"] {
            assert_eq!(read(absurd), None, "{absurd}");
        }
    }

    #[test]
    fn unspecified_province_and_department_are_no_repair() {
        let geography = Geography::new([2, 6], [2007, 6441]);
        let read = |province_code: &str, department_code: &str| {
            let mut repairs = Vec::new();
            let found = province(Field(province_code.as_bytes()), &geography, "province", &mut repairs);
            let field = Field(department_code.as_bytes());
            let place = field
                .value()
                .and_then(|_| department(field, found, &geography, || repairs.push("department")));
            (found, place, repairs)
        };
        assert_eq!(read("06", "441"), (Some(6), Some(6441), vec![]));
        assert_eq!(read("2", "001"), (Some(2), Some(2007), vec![]));
        for nowhere in ["", "NA", "0", "00", "99", "S.I."] {
            assert_eq!(read(nowhere, "000"), (None, None, vec![]), "{nowhere}");
        }
        assert_eq!(read("97", ""), (None, None, vec!["province"]));
        assert_eq!(read("06", "999"), (Some(6), None, vec!["department"]));
        assert_eq!(read("Chaco", "441"), (None, None, vec!["province", "department"]));
    }

    proptest! {
        #[test]
        fn quantity_ignores_dots(number in 0..=MAX_QUANTITY) {
            let plain = number.to_string();
            let mut dotted = String::new();
            for (at, digit) in plain.char_indices() {
                if at > 0 && (plain.len() - at).is_multiple_of(3) {
                    dotted.push('.');
                }
                dotted.push(digit);
            }
            prop_assert_eq!(quantity(Field(plain.as_bytes())), Some(number));
            prop_assert_eq!(quantity(Field(dotted.as_bytes())), Some(number));
        }
    }
}
