//! Writes `provincias.csv` and `departamentos.csv` as georef publishes them.
//!
//! Columns are in alphabetical order; texts, codes among them, are quoted, coordinates are bare and have four decimals; lines end
//! in CRLF.

use crate::geography::{Department, Geography, Province};

pub(crate) fn provinces(geography: &Geography) -> String {
    let header = "\"categoria\",\"centroide_lat\",\"centroide_lon\",\"fuente\",\"id\",\"iso_id\",\"iso_nombre\",\
        \"nombre\",\"nombre_completo\"";
    lines(header, geography.provinces.iter().map(province))
}

fn province(province: &Province) -> String {
    let Province { id, name, iso, latitude, longitude, georef_name, preposition, .. } = province;
    let (category, full_name) = match preposition.as_str() {
        CITY => ("Ciudad Autónoma", georef_name.clone()),
        preposition => ("Provincia", format!("{preposition} {georef_name}")),
    };
    // ISO uses the short name of Tierra del Fuego.
    let iso_name = if id == "94" { name } else { georef_name };
    format!(
        r#""{category}",{latitude},{longitude},"IGN","{id}","{iso}","{iso_name}","{georef_name}","{full_name}""#
    )
}

pub(crate) fn departments(geography: &Geography) -> String {
    let header = "\"categoria\",\"centroide_lat\",\"centroide_lon\",\"fuente\",\"id\",\"nombre\",\
        \"nombre_completo\",\"provincia_id\",\"provincia_interseccion\",\"provincia_nombre\"";
    let with_province = geography.departments.iter().filter_map(|department| {
        let province = geography.provinces.iter().find(|province| province.id == department.province())?;
        Some(self::department(department, province))
    });
    lines(header, with_province)
}

fn department(department: &Department, province: &Province) -> String {
    let Department { id, name, latitude, longitude, share, .. } = department;
    let Province { id: province_id, georef_name, source, .. } = province;
    let (category, full_name) = match province_id.as_str() {
        "02" => ("Comuna", name.clone()),
        "06" => ("Partido", format!("Partido de {name}")),
        _ => ("Departamento", format!("Departamento {name}")),
    };
    let place = format!(r#""{category}",{latitude},{longitude},"{source}","{id}","{name}","{full_name}""#);
    format!(r#"{place},"{province_id}",{share},"{georef_name}""#)
}

fn lines(header: &str, lines: impl Iterator<Item = String>) -> String {
    let mut text = format!("{header}\r\n");
    for line in lines {
        text.push_str(&line);
        text.push_str("\r\n");
    }
    text
}

/// The preposition of CABA in `provinces.tsv`.
const CITY: &str = "-";

#[cfg(test)]
mod tests {
    use super::*;

    fn records(text: &str) -> Vec<csv::StringRecord> {
        assert!(text.ends_with("\r\n"));
        assert_eq!(text.matches('\n').count(), text.matches("\r\n").count());
        csv::ReaderBuilder::new()
            .has_headers(false)
            .from_reader(text.as_bytes())
            .records()
            .map(Result::unwrap)
            .collect()
    }

    #[test]
    fn provinces_have_format_of_georef() {
        let text = provinces(&Geography::read().unwrap());
        let records = records(&text);
        assert_eq!(records.len(), 25);
        assert!(text.contains(
            r#""Provincia",-26.8754,-54.6517,"IGN","54","AR-N","Misiones","Misiones","Provincia de Misiones""#
        ));
        assert!(text.contains(r#""Tierra del Fuego, Antártida e Islas del Atlántico Sur""#));
        assert!(text.contains(r#""Provincia del Chaco""#));
        assert_eq!(text.matches("\"Ciudad Autónoma\",").count(), 1);
    }

    #[test]
    fn departments_have_format_of_georef() {
        let text = departments(&Geography::read().unwrap());
        let records = records(&text);
        assert_eq!(records.len(), 530);
        let of = |category: &str| records.iter().filter(|record| &record[0] == category).count();
        assert_eq!([of("Departamento"), of("Partido"), of("Comuna")], [379, 135, 15]);
        assert!(
            text.contains(r#""06412","José C. Paz","Partido de José C. Paz","06",0.0002,"Buenos Aires""#)
        );
        assert!(
            text.contains(r#""02007","Comuna 1","Comuna 1","02",0.0869,"Ciudad Autónoma de Buenos Aires""#)
        );
    }
}
