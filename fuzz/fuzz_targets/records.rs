//! CSV: however a text is cut into blocks, its records are the same; and no record makes a cleaning rule panic.

#![no_main]

use etl::clean::columns::Columns;
use etl::clean::geography::Geography;
use etl::clean::years::{Period, Years, YearsWanted};
use etl::clean::CaseRules;
use etl::extract::blocks::Blocks;
use etl::parse::date::Day;
use etl::parse::header::Header;
use etl::parse::record::{Records, cut, is_text};
use libfuzzer_sys::fuzz_target;

const COLUMNS: usize = 16;

fuzz_target!(|input: (u8, &[u8])| {
    let (size, text) = input;
    let whole = read(text, 1);
    assert_eq!(in_pieces(text, usize::from(size) + 1), whole);
    let rules = rules();
    let mut records = Records::new(text, 1, COLUMNS);
    while let Some(record) = records.next() {
        if record.well_formed && is_text(record.raw) {
            // Whether the row is accepted does not matter here.
            drop(rules.clean(record.raw, records.fields()));
        }
    }
    through_blocks(text);
});

/// Line, text, and whether it is well formed.
type Found<'a> = Vec<(u64, &'a [u8], bool)>;

fn read(text: &[u8], first_line: u64) -> Found<'_> {
    let mut records = Records::new(text, first_line, COLUMNS);
    std::iter::from_fn(|| records.next().map(|record| (record.line, record.raw, record.well_formed))).collect()
}

/// As the reader does: a piece without a cut grows.
fn in_pieces(text: &[u8], size: usize) -> Found<'_> {
    let (mut start, mut line, mut found) = (0, 1, Vec::new());
    while start < text.len() {
        let mut take = size;
        let end = loop {
            if start + take >= text.len() {
                break text.len();
            }
            match cut(&text[start..start + take], COLUMNS) {
                Some(end) => break start + end,
                None => take *= 2,
            }
        };
        found.extend(read(&text[start..end], line));
        line += memchr::memchr_iter(b'\n', &text[start..end]).count() as u64;
        start = end;
    }
    found
}

fn rules() -> CaseRules {
    let names = "id_evento_caso,sexo,edad,edad_años_meses,fecha_inicio_sintomas,fecha_apertura,fecha_internacion,cuidado_intensivo,\
                 asistencia_respiratoria_mecanica,fecha_fallecimiento,fecha_diagnostico,carga_provincia_id,residencia_provincia_id,\
                 residencia_departamento_id,clasificacion_resumen,ultima_actualizacion";
    let header = Header::parse(names.as_bytes(), "seed").expect("a header");
    let dataset_date = Day::parse(b"2022-06-26").expect("a date");
    CaseRules {
        columns: Columns::find(&header, "seed").expect("all columns"),
        period: Period { years: Years::new(&YearsWanted::All, dataset_date), dataset_date },
        geography: Geography::new([2, 6, 14], [2_000, 6_007, 14_014]),
    }
}

/// A file whose header is whatever the text begins with: its blocks are the file.
fn through_blocks(text: &[u8]) {
    let mut input = text;
    let Ok((_, mut blocks)) = Blocks::open(&mut input, "x.csv") else { return };
    let mut length = 0;
    while let Ok(Some(block)) = blocks.next(Vec::new()) {
        length += block.text().len();
    }
    assert!(length <= text.len());
}
