//! The datasets: names, files and download URLs.

use object_store::path::Path as Key;

use crate::named_enum::named_enum;

named_enum! {
    /// Each before those that reference it; the name is the value of `run_issue.dataset`.
    pub enum Dataset {
        /// The 24 jurisdictions (georef).
        Provinces = "provinces",
        /// Departments, partidos and comunas (georef).
        Departments = "departments",
        /// The line list of notified cases.
        Cases = "cases",
        /// Tests by day and laboratory. Optional.
        Tests = "tests",
        /// Doses of vaccines by province. Optional.
        Vaccinations = "vaccinations",
        /// The register of doses, a row for each. Optional.
        Doses = "doses",
    }
}

impl Dataset {
    pub const OPTIONAL: [Self; 3] = [Self::Tests, Self::Vaccinations, Self::Doses];

    pub fn is_optional(self) -> bool {
        Self::OPTIONAL.contains(&self)
    }

    /// Returns the accepted file names, the published one first, that of the CSV last. The first that exists is used.
    pub const fn file_names(self) -> &'static [&'static str] {
        match self {
            Self::Provinces => &["provincias.csv"],
            Self::Departments => &["departamentos.csv"],
            Self::Cases => &["Covid19Casos.zip", "Covid19Casos.csv"],
            Self::Tests => &["Covid19Determinaciones.zip", "Covid19Determinaciones.csv"],
            Self::Vaccinations => &["Covid19VacunasAgrupadas.csv.zip", "Covid19VacunasAgrupadas.csv"],
            Self::Doses => &["datos_nomivac_covid19.zip", "datos_nomivac_covid19.csv"],
        }
    }

    /// Returns the base name of the CSV inside a zip.
    pub const fn member_name(self) -> &'static str {
        self.file_names()[self.file_names().len() - 1]
    }

    /// Returns the download URL of the ministry or the national data portal.
    pub fn url(self) -> String {
        let folder = match self {
            Self::Provinces => {
                "https://infra.datos.gob.ar/catalog/modernizacion/dataset/7/distribution/7.7/download"
            }
            Self::Departments => {
                "https://infra.datos.gob.ar/catalog/modernizacion/dataset/7/distribution/7.8/download"
            }
            Self::Cases | Self::Tests | Self::Vaccinations | Self::Doses => {
                "https://sisa.msal.gov.ar/datos/descargas/covid-19/files"
            }
        };
        format!("{folder}/{}", self.file_names()[0])
    }

    /// Returns the storage keys of the accepted file names.
    pub fn keys(self) -> impl Iterator<Item = Key> {
        self.file_names().iter().map(|name| Key::from(*name))
    }
}
