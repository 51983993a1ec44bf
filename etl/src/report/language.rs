//! The languages of a report, and text in each of them.

use std::fmt;

use serde::Deserialize;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Language {
    /// `es`, with the conventions of Argentina.
    #[default]
    #[value(name = "es")]
    Spanish,
    #[value(name = "en")]
    English,
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(tr("es", "en").get(*self))
    }
}

/// The same text in every language.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct Localized {
    es: &'static str,
    en: &'static str,
}

/// Translates a text into Spanish, the default language, and English.
pub const fn tr(es: &'static str, en: &'static str) -> Localized {
    Localized { es, en }
}

impl Localized {
    pub const fn get(self, language: Language) -> &'static str {
        match language {
            Language::Spanish => self.es,
            Language::English => self.en,
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::ValueEnum;

    use super::*;

    #[test]
    fn language_parses_what_it_displays() {
        for language in [Language::Spanish, Language::English] {
            assert_eq!(Language::from_str(&language.to_string(), false), Ok(language));
        }
        assert!(Language::from_str("fr", false).is_err());
    }
}
