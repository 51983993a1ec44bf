//! Doses by vaccine and province, from the optional dataset of vaccinations.

use super::shared::PERCENT;
use crate::report::code_labels;
use crate::report::language::{Localized, tr};
use crate::report::question::{Chart, Column, ColumnKind, Layout, Placement, Question, question};

const NO_DOSES: Localized = tr(
    "No hay datos: la carga no tiene vacunas (Covid19VacunasAgrupadas, que es opcional). Por qué, lo dice «Archivos de la carga».",
    "No data: the load has no vaccinations (Covid19VacunasAgrupadas, which is optional). See “Files of the load” for the reason.",
);
const DOSES: Localized = tr("Dosis", "Doses");
const UNIT: Localized = tr("dosis aplicadas", "doses given");

const FIRST: Column = Column::new("first", ColumnKind::Count, tr("Primera", "First"));
const SECOND: Column = Column::new("second", ColumnKind::Count, tr("Segunda", "Second"));
const SINGLE: Column =
    Column::new("single", ColumnKind::Count, tr("Única", "Single")).at(Placement::FileOnly);
const ADDITIONAL: Column =
    Column::new("additional", ColumnKind::Count, tr("Adicional", "Additional")).at(Placement::FileOnly);
const BOOSTER: Column = Column::new("booster", ColumnKind::Count, tr("Refuerzo", "Booster"));

pub(super) const DOSES_BY_PROVINCE: Question = Question {
    title: tr("Vacunas por provincia", "Vaccines by province"),
    note: tr(
        "Dosis aplicadas hasta el día del archivo del ministerio, que no tiene fechas: no se sabe cuándo, y los años pedidos no dejan ninguna afuera. Provincia donde se aplicaron. Una persona recibe varias dosis: cada 100 habitantes puede haber más de 100. El total incluye dosis únicas y adicionales. Población: Censo 2022 (INDEC, resultados definitivos).",
        "Doses given up to the date of the ministry’s file. The file has no dates of vaccination, so that doses of all years are included. Province of vaccination. A person receives several doses: there can be more than 100 doses per 100 people. The total includes single and additional doses. Population: 2022 census (INDEC, final results).",
    ),
    if_empty: NO_DOSES,
    unit: UNIT,
    layout: Layout::TableWithTotals,
    chart: Chart::Bars,
    columns: &[
        Column::new(
            "country_per_100",
            ColumnKind::Rate,
            tr("Dosis cada 100 habitantes del país", "Doses per 100 people of the country"),
        )
        .at(Placement::Heading),
        Column::new("province_id", ColumnKind::Number, tr("Código", "Code")).at(Placement::FileOnly),
        Column::coded("province", &code_labels::RESIDENCE, tr("Provincia", "Province")),
        Column::new("doses", ColumnKind::Count, DOSES).at(Placement::Bar),
        Column::new("per_100", ColumnKind::Rate, tr("Cada 100", "Per 100")),
        FIRST,
        SECOND,
        SINGLE,
        ADDITIONAL,
        BOOSTER,
    ],
    ..question!("doses_by_province")
};

pub(super) const DOSES_BY_VACCINE: Question = Question {
    title: tr("Dosis por vacuna", "Doses by vaccine"),
    note: tr(
        "De todo el país, hasta el día del archivo del ministerio. Los nombres son los del ministerio. El total incluye dosis únicas y adicionales.",
        "Whole country, up to the date of the ministry’s file. Vaccines have the ministry’s names. The total includes single and additional doses.",
    ),
    if_empty: NO_DOSES,
    unit: UNIT,
    layout: Layout::TableWithTotals,
    chart: Chart::Bars,
    columns: &[
        Column::new("vaccine", ColumnKind::Text, tr("Vacuna", "Vaccine")),
        Column::new("doses", ColumnKind::Count, DOSES).at(Placement::Bar),
        Column::new("share_percent", ColumnKind::Share, PERCENT),
        FIRST,
        SECOND,
        SINGLE,
        ADDITIONAL,
        BOOSTER,
    ],
    ..question!("doses_by_vaccine")
};
