//! The columns of `Covid19Casos.csv` that the pipeline reads, by the ministry's names; all others are ignored.

use super::missing::Column;
use crate::named_enum::named_enum;
use crate::parse::header::Header;
use common::failure::Result;

named_enum! {
    /// A column of the file, by its name in the header.
    pub enum CsvColumn {
        CaseId = "id_evento_caso",
        Sex = "sexo",
        Age = "edad",
        AgeUnit = "edad_años_meses",
        SymptomsOn = "fecha_inicio_sintomas",
        RegisteredOn = "fecha_apertura",
        AdmittedOn = "fecha_internacion",
        Icu = "cuidado_intensivo",
        Ventilated = "asistencia_respiratoria_mecanica",
        DiedOn = "fecha_fallecimiento",
        DiagnosedOn = "fecha_diagnostico",
        RegistrationProvince = "carga_provincia_id",
        ResidenceProvince = "residencia_provincia_id",
        ResidenceDepartment = "residencia_departamento_id",
        Classification = "clasificacion_resumen",
        UpdatedOn = "ultima_actualizacion",
    }
}

impl CsvColumn {
    /// Returns the source of a column of the table.
    pub const fn of(column: Column) -> Self {
        match column {
            Column::Sex => Self::Sex,
            Column::Age => Self::Age,
            Column::SymptomsOn => Self::SymptomsOn,
            Column::AdmittedOn => Self::AdmittedOn,
            Column::Icu => Self::Icu,
            Column::Ventilated => Self::Ventilated,
            Column::DiedOn => Self::DiedOn,
            Column::DiagnosedOn => Self::DiagnosedOn,
            Column::ResidenceProvince => Self::ResidenceProvince,
            Column::ResidenceDepartment => Self::ResidenceDepartment,
            Column::Classification | Column::UnknownClassification => Self::Classification,
        }
    }
}

/// The positions of the columns in a file.
#[derive(Debug, Clone, Copy)]
pub struct Columns {
    positions: [usize; CsvColumn::ALL.len()],
    /// The number of all columns of the file.
    pub count: usize,
}

impl Columns {
    /// Finds the columns in a header; fails if one is missing. `name` is the file, for messages.
    pub fn find(header: &Header, name: &str) -> Result<Self> {
        let positions = header.positions(CsvColumn::ALL.map(CsvColumn::name), name)?;
        Ok(Self { positions, count: header.columns() })
    }

    #[inline]
    pub const fn position(&self, column: CsvColumn) -> usize {
        self.positions[column as usize]
    }
}
