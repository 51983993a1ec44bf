//! The epidemic by place: provinces and departments, of residence and of registration.

use super::shared::{
    CONFIRMED, EPIDEMIOLOGICAL_WEEK, EPIDEMIOLOGICAL_YEAR, IN_MONTH, IN_YEAR, MONTH, MONTH_SHARE, NEWEST,
    PARTIAL_MONTH, WEEK_STARTS_ON, YEAR_SHARE,
};
use crate::report::code_labels;
use crate::report::language::tr;
use crate::report::question::{Chart, Column, ColumnKind, Layout, Placement, Question, RowLimit, question};

pub(super) const LAST_MONTH_BY_PROVINCE: Question = Question {
    title: tr("Confirmados del último mes por provincia", "Confirmed in the last month by province"),
    note: tr(
        "Provincia de residencia, no de carga. Sin especificar (código 99 o desconocido): línea propia. Son cantidades, no tasas: las provincias tienen poblaciones muy distintas.",
        "Province of residence, not of registration. Unspecified (code 99 or unknown) has a row of its own. These are counts, not rates: provinces differ widely in population.",
    ),
    layout: Layout::TableWithTotals,
    chart: Chart::Bars,
    columns: &[
        MONTH,
        NEWEST,
        PARTIAL_MONTH,
        Column::new("province_id", ColumnKind::Number, tr("Código", "Code")).at(Placement::FileOnly),
        Column::coded("province", &code_labels::RESIDENCE, tr("Provincia", "Province")),
        IN_MONTH,
        MONTH_SHARE,
        IN_YEAR,
        YEAR_SHARE,
    ],
    ..question!("last_month_by_province")
};

pub(super) const INCIDENCE_BY_PROVINCE: Question = Question {
    title: tr("Incidencia por provincia y semana", "Incidence by province and week"),
    note: tr(
        "Casos confirmados cada 100.000 habitantes en la semana, por provincia de residencia y fecha de registro. Población: Censo 2022 (INDEC, resultados definitivos). Solo semanas epidemiológicas completas, de domingo a sábado. El total del país incluye a quienes no tienen residencia especificada.",
        "Confirmed cases per 100,000 people in the week, by province of residence and date of registration. Population: 2022 census (INDEC, final results). Whole epidemiological weeks only, Sunday to Saturday. The row of the whole country includes cases whose residence is unspecified.",
    ),
    if_empty: tr(
        "No hay datos: no hay ninguna semana completa de casos cargados.",
        "No data: no whole week of cases is loaded.",
    ),
    unit: tr("casos por semana cada 100.000 habitantes", "cases per week and 100,000 people"),
    layout: Layout::Pivot { row: "province", column: "epidemiological_week", cell: "per_100000" },
    row_limit: RowLimit::Last(7),
    chart: Chart::Heatmap { row: "province", x: "week_starts_on", value: "per_100000" },
    columns: &[
        EPIDEMIOLOGICAL_YEAR,
        EPIDEMIOLOGICAL_WEEK,
        WEEK_STARTS_ON,
        Column::new("province_id", ColumnKind::Number, tr("Código", "Code")),
        Column::coded("province", &code_labels::COUNTRY, tr("Provincia", "Province")),
        Column::new("population", ColumnKind::Count, tr("Población", "Population")),
        Column::new("confirmed", ColumnKind::Count, CONFIRMED),
        Column::new("per_100000", ColumnKind::Rate, tr("Cada 100.000", "Per 100,000")),
    ],
    ..question!("incidence_by_province")
};

pub(super) const DEPARTMENT_RANKING: Question = Question {
    title: tr(
        "Departamentos con más confirmados en el año",
        "Departments with the most confirmed cases in the year",
    ),
    note: tr(
        "Departamento, partido o comuna de residencia; año del último registro. Quincena: los catorce días hasta el último registro, y su cambio respecto de los catorce anteriores. Son cantidades, no tasas. Sin especificar queda al final, con su cantidad.",
        "Department, partido or comuna of residence; the year of the newest registration. Fortnight: the fourteen days up to the newest registration, and the change from the fourteen days before. These are counts, not rates. Unspecified residence comes last, with its count.",
    ),
    row_limit: RowLimit::First(20),
    chart: Chart::Bars,
    columns: &[
        Column::new("place", ColumnKind::Count, tr("N.º", "No.")),
        Column::new("department_id", ColumnKind::Number, tr("Código", "Code")).at(Placement::FileOnly),
        Column::coded("department", &code_labels::RESIDENCE, tr("Departamento", "Department")),
        Column::new("province", ColumnKind::Text, tr("Provincia", "Province")),
        Column::new("confirmed", ColumnKind::Count, CONFIRMED).at(Placement::Bar),
        Column::new("last_fortnight", ColumnKind::Count, tr("Quincena", "Fortnight")),
        Column::new("change_percent", ColumnKind::Change, tr("Cambio", "Change")),
        Column::new("died", ColumnKind::Count, tr("Fallecidos", "Died")).at(Placement::FileOnly),
    ],
    ..question!("department_ranking")
};

pub(super) const RESIDENCE_REGISTRATION: Question = Question {
    title: tr(
        "Confirmados cargados fuera de su provincia",
        "Confirmed cases registered outside their province",
    ),
    note: tr(
        "Pares de provincia de residencia y provincia de carga distintas, de todos los casos cargados. El porcentaje es sobre todos los confirmados con esa residencia. Sin especificar: residencia desconocida, que difiere de toda carga.",
        "Pairs of different provinces of residence and registration, over all loaded cases. The share is of all confirmed cases with that residence. Unspecified: an unknown residence, which differs from every registration.",
    ),
    if_empty: tr(
        "No hay casos cargados fuera de su provincia.",
        "No case is registered outside its province.",
    ),
    row_limit: RowLimit::First(15),
    chart: Chart::Bars,
    columns: &[
        Column::new("residence_province_id", ColumnKind::Number, tr("Código", "Code"))
            .at(Placement::FileOnly),
        Column::coded("residence_province", &code_labels::RESIDENCE, tr("Residencia", "Residence")),
        Column::new("registration_province_id", ColumnKind::Number, tr("Código", "Code"))
            .at(Placement::FileOnly),
        Column::new("registration_province", ColumnKind::Text, tr("Carga", "Registration")),
        Column::new("confirmed", ColumnKind::Count, CONFIRMED).at(Placement::Bar),
        Column::new("share_of_residents_percent", ColumnKind::Percent, tr("% residentes", "% of residents")),
    ],
    ..question!("residence_registration")
};
