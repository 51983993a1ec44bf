//! Levels of events, in their order.

/// How severe an event is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Severity {
    Trace,
    Debug,
    Info,
    Warn,
    Error,
}

/// The names of levels in the formats that are recognised.
pub(crate) const NAMES: [(&str, Severity); 24] = [
    ("TRACE", Severity::Trace),
    ("DEBUG", Severity::Debug),
    ("DEBUG1", Severity::Debug),
    ("DEBUG2", Severity::Debug),
    ("DEBUG3", Severity::Debug),
    ("DEBUG4", Severity::Debug),
    ("DEBUG5", Severity::Debug),
    ("FINE", Severity::Debug),
    ("INFO", Severity::Info),
    ("INFORMATION", Severity::Info),
    ("NOTICE", Severity::Info),
    ("LOG", Severity::Info),
    ("WARN", Severity::Warn),
    ("WARNING", Severity::Warn),
    ("ERROR", Severity::Error),
    ("ERR", Severity::Error),
    ("FATAL", Severity::Error),
    ("CRITICAL", Severity::Error),
    ("CRIT", Severity::Error),
    ("SEVERE", Severity::Error),
    ("PANIC", Severity::Error),
    ("ALERT", Severity::Error),
    ("EMERG", Severity::Error),
    ("EMERGENCY", Severity::Error),
];

/// The numbers that bunyan and pino write.
pub(crate) const NUMBERS: [(&str, Severity); 6] = [
    ("10", Severity::Trace),
    ("20", Severity::Debug),
    ("30", Severity::Info),
    ("40", Severity::Warn),
    ("50", Severity::Error),
    ("60", Severity::Error),
];

/// Returns the spellings in which the name of a level is recognised.
pub(crate) fn spellings(name: &str) -> [String; 3] {
    let lower = name.to_ascii_lowercase();
    let mut capitalized = lower.clone();
    if let Some(first) = capitalized.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    [name.to_ascii_uppercase(), lower, capitalized]
}

impl Severity {
    /// All levels, in their order.
    pub const ALL: [Self; 5] = [Self::Trace, Self::Debug, Self::Info, Self::Warn, Self::Error];

    /// Returns the name in upper case.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Trace => "TRACE",
            Self::Debug => "DEBUG",
            Self::Info => "INFO",
            Self::Warn => "WARN",
            Self::Error => "ERROR",
        }
    }

    /// Parses the name of a level, in upper or lower case or capitalized.
    pub fn parse(name: &str) -> Option<Self> {
        let (_, severity) = NAMES.iter().find(|(known, _)| known.eq_ignore_ascii_case(name))?;
        let rest = name.get(1..)?.as_bytes();
        let is_spelling = !rest.iter().any(u8::is_ascii_uppercase)
            || name.starts_with(|c: char| c.is_ascii_uppercase()) && !rest.iter().any(u8::is_ascii_lowercase);
        is_spelling.then_some(*severity)
    }

    /// Returns the level that bunyan and pino write as a number.
    pub(crate) fn of_number(number: &str) -> Option<Self> {
        NUMBERS.iter().find(|(known, _)| *known == number).map(|(_, severity)| *severity)
    }

    /// Finds a level near the start of a line of text, where loggers write it in upper case.
    pub(crate) fn near_start(line: &str) -> Option<Self> {
        let words = line.split([' ', '\t', ':', '|']).filter(|word| !word.is_empty()).take(9);
        let words = words.map(|word| word.trim_matches(['[', ']', '(', ')', ',', '-']));
        words.filter(|word| word.len() >= 3 && word.bytes().all(|byte| byte.is_ascii_uppercase())).find_map(
            |word| match word {
                // Words of sentences, too, so they count in PostgreSQL's logs only.
                "LOG" | "NOTICE" | "ALERT" | "ERR" | "FINE" | "PANIC" => None,
                _ => Self::parse(word),
            },
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_are_ordered_and_parsed_in_three_spellings() {
        assert!(Severity::ALL.is_sorted());
        for (name, expected) in [
            ("warn", Some(Severity::Warn)),
            ("Warning", Some(Severity::Warn)),
            ("fatal", Some(Severity::Error)),
            ("wArN", None),
            ("loud", None),
            ("", None),
        ] {
            assert_eq!(Severity::parse(name), expected, "{name}");
        }
    }

    #[test]
    fn near_start_finds_levels_of_loggers() {
        for (line, expected) in [
            ("2026-03-02 03:04:05,007 WARN metabase.driver :: slow", Some(Severity::Warn)),
            ("2026-03-02 03:04:05,007 - jobs - ERROR - failed", Some(Severity::Error)),
            ("ERROR:root:failed", Some(Severity::Error)),
            ("[main] INFO com.example.Main - started", Some(Severity::Info)),
            ("an error occurred", None),
            ("one two three four five six seven eight nine ten ERROR", None),
        ] {
            assert_eq!(Severity::near_start(line), expected, "{line}");
        }
    }
}
