//! Line lists for tests, in the ministry's format or others, from lists of fields.

use std::io::{Cursor, Write as _};

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use crate::model::Georef;

/// The ministry's columns, in its order.
pub(crate) const COLUMNS: [&str; 25] = [
    "id_evento_caso",
    "sexo",
    "edad",
    "edad_años_meses",
    "residencia_pais_nombre",
    "residencia_provincia_nombre",
    "residencia_departamento_nombre",
    "carga_provincia_nombre",
    "fecha_inicio_sintomas",
    "fecha_apertura",
    "sepi_apertura",
    "fecha_internacion",
    "cuidado_intensivo",
    "fecha_cui_intensivo",
    "fallecido",
    "fecha_fallecimiento",
    "asistencia_respiratoria_mecanica",
    "carga_provincia_id",
    "origen_financiamiento",
    "clasificacion",
    "clasificacion_resumen",
    "residencia_provincia_id",
    "fecha_diagnostico",
    "residencia_departamento_id",
    "ultima_actualizacion",
];

/// Few provinces and departments, including those with special codes.
pub(crate) const PROVINCES: &str = "\"categoria\",\"id\",\"nombre\"\r\n\
    \"Ciudad Autónoma\",\"02\",\"Ciudad Autónoma de Buenos Aires\"\r\n\
    \"Provincia\",\"06\",\"Buenos Aires\"\r\n\
    \"Provincia\",\"38\",\"Jujuy\"\r\n\
    \"Provincia\",\"94\",\"Tierra del Fuego, Antártida e Islas del Atlántico Sur\"\r\n";

/// See [`PROVINCES`].
pub(crate) const DEPARTMENTS: &str = "\"id\",\"nombre\",\"provincia_id\"\r\n\
    \"02007\",\"Comuna 1\",\"02\"\r\n\"02049\",\"Comuna 7\",\"02\"\r\n\"02105\",\"Comuna 15\",\"02\"\r\n\
    \"06126\",\"Campana\",\"06\"\r\n\"06441\",\"La Plata\",\"06\"\r\n\"38021\",\"Doctor Manuel Belgrano\",\"38\"\r\n\
    \"94008\",\"Río Grande\",\"94\"\r\n\"94015\",\"Ushuaia\",\"94\"\r\n";

/// The same for the model.
pub(crate) fn georef() -> Georef {
    Georef::read(PROVINCES.as_bytes(), DEPARTMENTS.as_bytes())
}

/// The fields of a row, in the order of [`COLUMNS`]; `None` is null.
pub(crate) type Row = Vec<Option<String>>;

/// Returns the `number`-th of many valid rows that differ in every column.
pub(crate) fn row(number: u32) -> Row {
    let pick = |values: &'static [&'static str], each: u32| values[(number / each) as usize % values.len()];
    let date = |every: u32| {
        number.is_multiple_of(every).then(|| format!("2021-{:02}-{:02}", number % 12 + 1, number % 28 + 1))
    };
    let (province, department) =
        [("02", "007"), ("06", "441"), ("38", "0"), ("94", "014"), ("99", "0"), ("02", "015")]
            [(number / 3 % 6) as usize];
    let text = |text: &str| Some(text.to_owned());
    vec![
        Some((1_000_000 + number).to_string()),
        text(pick(&["F", "M", "NR"], 1)),
        (!number.is_multiple_of(11)).then(|| (number / 2 % 121).to_string()),
        text(if number.is_multiple_of(13) { "Meses" } else { "Años" }),
        text("Argentina"),
        text("Córdoba"),
        text("SIN ESPECIFICAR"),
        text("CABA"),
        date(2),
        Some(format!("{}-{:02}-{:02}", 2020 + number % 3, number % 5 + 1, number / 7 % 28 + 1)),
        text("14"),
        date(5),
        text(pick(&["NO", "SI"], 2)),
        None,
        text("NO"),
        date(9),
        text(pick(&["NO", "SI"], 5)),
        text(pick(&["06", "02", "94", "38"], 2)),
        text("Público"),
        text("Caso confirmado por laboratorio - No activo (por tiempo de evolución)"),
        text(pick(&["Confirmado", "Descartado", "Sospechoso", "Sin Clasificar"], 3)),
        text(province),
        date(3),
        text(department),
        text("2022-06-05"),
    ]
}

/// Returns `count` different valid rows.
pub(crate) fn good(count: u32) -> Vec<Row> {
    (0..count).map(row).collect()
}

/// The format of a file.
#[derive(Clone, Copy)]
pub(crate) struct Format {
    pub(crate) end: &'static str,
    pub(crate) quoted: bool,
    pub(crate) null: &'static str,
}

/// The ministry's format from 2021 on.
pub(crate) const MINISTRY: Format = Format { end: "\r\n", quoted: true, null: "" };

impl Format {
    pub(crate) fn line(self, fields: &[Option<String>]) -> String {
        let fields: Vec<_> = fields
            .iter()
            .map(|field| match field {
                Some(value) if self.quoted => format!("\"{}\"", value.replace('"', "\"\"")),
                Some(value) => value.clone(),
                None => self.null.to_owned(),
            })
            .collect();
        fields.join(",") + self.end
    }

    pub(crate) fn header(self) -> String {
        self.line(&COLUMNS.map(|name| Some(name.to_owned())))
    }

    pub(crate) fn file(self, rows: &[Row]) -> String {
        rows.iter().fold(self.header(), |text, row| text + &self.line(row))
    }
}

/// Returns a file in the ministry's format.
pub(crate) fn file(rows: &[Row]) -> String {
    MINISTRY.file(rows)
}

/// Returns a zip archive with one member.
pub(crate) fn zip(member: &str, content: impl AsRef<[u8]>, options: SimpleFileOptions) -> Vec<u8> {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    archive.start_file(member, options).unwrap();
    archive.write_all(content.as_ref()).unwrap();
    archive.finish().unwrap().into_inner()
}

/// Deflated, like the ministry's.
pub(crate) fn deflated() -> SimpleFileOptions {
    SimpleFileOptions::default().compression_method(CompressionMethod::Deflated)
}
