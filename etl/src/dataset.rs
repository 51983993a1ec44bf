//! The datasets: names, files and download URLs.

use object_store::path::Path as Key;

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
    /// Each before those that reference it.
    pub const IN_LOAD_ORDER: [Self; 5] =
        [Self::Provinces, Self::Departments, Self::Cases, Self::Tests, Self::Vaccinations];

    pub const OPTIONAL: [Self; 2] = [Self::Tests, Self::Vaccinations];

    pub const fn is_optional(self) -> bool {
        matches!(self, Self::Tests | Self::Vaccinations)
    }

    /// Returns the name, as in `run_issue.dataset`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Provinces => "provinces",
            Self::Departments => "departments",
            Self::Cases => "cases",
            Self::Tests => "tests",
            Self::Vaccinations => "vaccinations",
        }
    }

    /// Returns the accepted file names; the first that exists is used.
    pub const fn file_names(self) -> &'static [&'static str] {
        match self {
            Self::Provinces => &["provincias.csv"],
            Self::Departments => &["departamentos.csv"],
            Self::Cases => &["Covid19Casos.zip", "Covid19Casos.csv"],
            Self::Tests => &["Covid19Determinaciones.zip", "Covid19Determinaciones.csv"],
            Self::Vaccinations => &["Covid19VacunasAgrupadas.csv.zip", "Covid19VacunasAgrupadas.csv"],
        }
    }

    /// Returns the base name of the CSV inside a zip.
    pub const fn member_name(self) -> &'static str {
        match self {
            Self::Provinces => "provincias.csv",
            Self::Departments => "departamentos.csv",
            Self::Cases => "Covid19Casos.csv",
            Self::Tests => "Covid19Determinaciones.csv",
            Self::Vaccinations => "Covid19VacunasAgrupadas.csv",
        }
    }

    /// Returns the download URL of the ministry or the national data portal.
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

    /// Returns the storage keys of [`Self::file_names`].
    pub fn keys(self) -> impl Iterator<Item = Key> {
        self.file_names().iter().map(|name| Key::from(*name))
    }
}
