//! The ministry's files, in the order in which they are loaded: what each is called, and where it comes from.
//!
//! One table for everything that names a dataset: the store's keys, the tally, the messages, the generator.

use object_store::path::Path as Key;

/// One of the published files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Dataset {
    /// The 24 jurisdictions (georef).
    Provinces,
    /// Departments, partidos and comunas (georef).
    Departments,
    /// The line list of notified cases.
    Cases,
    /// Tests by day and laboratory. Optional.
    Tests,
    /// Doses of vaccines by province. Optional.
    Vaccinations,
}

impl Dataset {
    /// Each before those that refer to it.
    pub const IN_LOAD_ORDER: [Self; 5] =
        [Self::Provinces, Self::Departments, Self::Cases, Self::Tests, Self::Vaccinations];

    /// Those without which everything else is loaded all the same.
    pub const OPTIONAL: [Self; 2] = [Self::Tests, Self::Vaccinations];

    /// Whether a load, or a download, can do without it.
    pub const fn is_optional(self) -> bool {
        matches!(self, Self::Tests | Self::Vaccinations)
    }

    /// The name in `run_issue.dataset` and `rejected_row.dataset`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Provinces => "provinces",
            Self::Departments => "departments",
            Self::Cases => "cases",
            Self::Tests => "tests",
            Self::Vaccinations => "vaccinations",
        }
    }

    /// The names under which it may stand at the top of the store; the first that exists is taken.
    pub const fn file_names(self) -> &'static [&'static str] {
        match self {
            Self::Provinces => &["provincias.csv"],
            Self::Departments => &["departamentos.csv"],
            Self::Cases => &["Covid19Casos.zip", "Covid19Casos.csv"],
            Self::Tests => &["Covid19Determinaciones.zip", "Covid19Determinaciones.csv"],
            Self::Vaccinations => &["Covid19VacunasAgrupadas.csv.zip", "Covid19VacunasAgrupadas.csv"],
        }
    }

    /// The base name of the CSV inside a zip.
    pub const fn member_name(self) -> &'static str {
        match self {
            Self::Provinces => "provincias.csv",
            Self::Departments => "departamentos.csv",
            Self::Cases => "Covid19Casos.csv",
            Self::Tests => "Covid19Determinaciones.csv",
            Self::Vaccinations => "Covid19VacunasAgrupadas.csv",
        }
    }

    /// Where the ministry and the national data portal publish it.
    pub const fn url(self) -> &'static str {
        match self {
            Self::Provinces => {
                "https://infra.datos.gob.ar/catalog/modernizacion/dataset/7/distribution/7.7/download/provincias.csv"
            }
            Self::Departments => {
                "https://infra.datos.gob.ar/catalog/modernizacion/dataset/7/distribution/7.8/download/departamentos.csv"
            }
            Self::Cases => "https://sisa.msal.gov.ar/datos/descargas/covid-19/files/Covid19Casos.zip",
            Self::Tests => {
                "https://sisa.msal.gov.ar/datos/descargas/covid-19/files/Covid19Determinaciones.zip"
            }
            Self::Vaccinations => {
                "https://sisa.msal.gov.ar/datos/descargas/covid-19/files/Covid19VacunasAgrupadas.csv.zip"
            }
        }
    }

    /// The keys that correspond to [`Self::file_names`].
    pub fn keys(self) -> impl Iterator<Item = Key> {
        self.file_names().iter().map(|name| Key::from(*name))
    }
}
