//! The columns of `Covid19Casos.csv` that the pipeline reads, by the ministry's names; all others are ignored.

use super::missing::Column;
use crate::parse::header::Header;
use common::failure::Result;

/// The ministry's names, in the order of [`Columns`]'s fields.
const NAMES: [&str; 16] = [
    "id_evento_caso",
    "sexo",
    "edad",
    "edad_años_meses",
    "fecha_inicio_sintomas",
    "fecha_apertura",
    "fecha_internacion",
    "cuidado_intensivo",
    "asistencia_respiratoria_mecanica",
    "fecha_fallecimiento",
    "fecha_diagnostico",
    "carga_provincia_id",
    "residencia_provincia_id",
    "residencia_departamento_id",
    "clasificacion_resumen",
    "ultima_actualizacion",
];

/// Where each column stands in one file.
#[expect(missing_docs, reason = "named as the columns of `covid_case`, see NAMES for the ministry's words")]
#[derive(Debug, Clone, Copy)]
pub struct Columns {
    pub case_id: usize,
    pub sex: usize,
    pub age: usize,
    pub age_unit: usize,
    pub symptoms_on: usize,
    pub registered_on: usize,
    pub admitted_on: usize,
    pub icu: usize,
    pub ventilated: usize,
    pub died_on: usize,
    pub diagnosed_on: usize,
    pub registration_province: usize,
    pub residence_province: usize,
    pub residence_department: usize,
    pub classification: usize,
    pub updated_on: usize,
    /// How many columns the file has in all.
    pub count: usize,
}

impl Columns {
    /// Finds them in a header; a missing one is a failure that names it. `name` is the file, for messages.
    pub fn find(header: &Header, name: &str) -> Result<Self> {
        let [
            case_id,
            sex,
            age,
            age_unit,
            symptoms_on,
            registered_on,
            admitted_on,
            icu,
            ventilated,
            died_on,
            diagnosed_on,
            registration_province,
            residence_province,
            residence_department,
            classification,
            updated_on,
        ] = header.positions(NAMES, name)?;
        Ok(Self {
            case_id,
            sex,
            age,
            age_unit,
            symptoms_on,
            registered_on,
            admitted_on,
            icu,
            ventilated,
            died_on,
            diagnosed_on,
            registration_province,
            residence_province,
            residence_department,
            classification,
            updated_on,
            count: header.columns(),
        })
    }

    /// Where the column of the file stands from which a column of the table comes.
    pub fn source_of(&self, column: Column) -> usize {
        match column {
            Column::Sex => self.sex,
            Column::Age => self.age,
            Column::SymptomsOn => self.symptoms_on,
            Column::AdmittedOn => self.admitted_on,
            Column::Icu => self.icu,
            Column::Ventilated => self.ventilated,
            Column::DiedOn => self.died_on,
            Column::DiagnosedOn => self.diagnosed_on,
            Column::ResidenceProvince => self.residence_province,
            Column::ResidenceDepartment => self.residence_department,
            Column::Classification | Column::UnknownClassification => self.classification,
        }
    }
}
