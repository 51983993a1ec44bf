//! The languages of a report, and text that exists in each of them.

use std::fmt;
use std::str::FromStr;

use common::failure::Failure;

/// The language of a report's text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Language {
    /// `es`, with the conventions of Argentina.
    #[default]
    #[value(name = "es")]
    Spanish,
    /// `en`.
    #[value(name = "en")]
    English,
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Spanish => "es",
            Self::English => "en",
        })
    }
}

impl FromStr for Language {
    type Err = Failure;

    fn from_str(text: &str) -> Result<Self, Failure> {
        match text {
            "es" => Ok(Self::Spanish),
            "en" => Ok(Self::English),
            _ => Err(Failure::usage(format!("`{text}` is not a language of reports")).hint("write es or en")),
        }
    }
}

/// The same words in every language.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Words {
    es: &'static str,
    en: &'static str,
}

impl Words {
    /// Spanish first, the default language.
    pub const fn new(es: &'static str, en: &'static str) -> Self {
        Self { es, en }
    }

    /// Words that are the same everywhere, such as a sign.
    pub const fn same(text: &'static str) -> Self {
        Self { es: text, en: text }
    }

    /// The words in one language.
    pub const fn to(self, language: Language) -> &'static str {
        match language {
            Language::Spanish => self.es,
            Language::English => self.en,
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::ValueEnum as _;

    use super::*;

    #[test]
    fn a_language_reads_what_it_writes_everywhere() {
        for language in [Language::Spanish, Language::English] {
            let name = language.to_string();
            assert_eq!(name.parse::<Language>().unwrap(), language);
            assert_eq!(<Language as clap::ValueEnum>::from_str(&name, false).unwrap(), language);
            assert_eq!(language.to_possible_value().unwrap().get_name(), name);
        }
        assert_eq!("fr".parse::<Language>().unwrap_err().exit().code(), 2);
    }
}
