//! Where it was: provinces and departments, of residence and of registration.

use super::{
    CASES, CONFIRMED, IN_MONTH, IN_YEAR, MONTH, MONTH_SHARE, NEWEST, NO_CASES, PARTIAL_MONTH, YEAR_SHARE,
};
use crate::report::language::Words;
use crate::report::question::{Chart, Column, Extent, Kind, Place, Question, Shape};
use crate::report::vocabulary;

const PROVINCE_NOTE: Words = Words::new(
    "Provincia de residencia, no de carga. Sin especificar (código 99 o desconocido): línea propia. Son cantidades, no \
     tasas: las provincias tienen poblaciones muy distintas.",
    "Province of residence, not of registration. Unspecified (code 99 or unknown) is a line of its own. These are \
     counts, not rates: provinces differ widely in population.",
);

pub(super) const LAST_MONTH_BY_PROVINCE: Question = Question {
    name: "last_month_by_province",
    sql: include_str!("../../../queries/last_month_by_province.sql"),
    title: Words::new("Confirmados del último mes por provincia", "Confirmed in the last month by province"),
    note: PROVINCE_NOTE,
    nothing: NO_CASES,
    unit: CASES,
    shape: Shape::Totalled,
    extent: Extent::Whole,
    chart: Chart::Bars,
    columns: &[
        MONTH,
        NEWEST,
        PARTIAL_MONTH,
        Column::new("province_id", Kind::Number, Words::new("Código", "Code")).at(Place::FileOnly),
        Column::new("province", Kind::Text(&vocabulary::RESIDENCE), Words::new("Provincia", "Province")),
        IN_MONTH.at(Place::Bar),
        MONTH_SHARE,
        IN_YEAR,
        YEAR_SHARE,
    ],
};

pub(super) const INCIDENCE_BY_PROVINCE: Question = Question {
    name: "incidence_by_province",
    sql: include_str!("../../../queries/incidence_by_province.sql"),
    title: Words::new("Incidencia por provincia y semana", "Incidence by province and week"),
    note: Words::new(
        "Casos confirmados cada 100.000 habitantes en la semana, por provincia de residencia y fecha de registro. Población: Censo 2022 (INDEC, resultados definitivos). Solo semanas epidemiológicas completas, de domingo a sábado. El total del país incluye a quienes no tienen residencia especificada.",
        "Confirmed cases for every 100,000 people in the week, by province of residence and date of registration. Population: census of 2022 (INDEC, final results). Whole epidemiological weeks only, Sunday to Saturday. The country’s line includes those whose residence is unspecified.",
    ),
    nothing: Words::new(
        "No hay datos: no hay ninguna semana completa de casos cargados.",
        "No data: no whole week of cases is loaded.",
    ),
    unit: Words::new("casos por semana cada 100.000 habitantes", "cases a week for every 100,000 people"),
    shape: Shape::Grid { line: "province", across: "epidemiological_week", cell: "per_100000" },
    extent: Extent::Last(7),
    chart: Chart::Heat { line: "province", x: "week_starts_on", value: "per_100000" },
    columns: &[
        Column::new("epidemiological_year", Kind::Number, Words::new("Año", "Year")),
        Column::new("epidemiological_week", Kind::Number, Words::new("SE", "Wk")),
        Column::new("week_starts_on", Kind::Date, Words::new("Desde", "From")),
        Column::new("province_id", Kind::Number, Words::new("Código", "Code")),
        Column::new("province", Kind::Text(&vocabulary::COUNTRY), Words::new("Provincia", "Province")),
        Column::new("population", Kind::Count, Words::new("Población", "Population")),
        Column::new("confirmed", Kind::Count, CONFIRMED),
        Column::new("per_100000", Kind::Rate, Words::new("Cada 100.000", "Per 100,000")),
    ],
};

pub(super) const DEPARTMENT_RANKING: Question = Question {
    name: "department_ranking",
    sql: include_str!("../../../queries/department_ranking.sql"),
    title: Words::new(
        "Departamentos con más confirmados en el año",
        "Departments with most confirmed cases in the year",
    ),
    note: Words::new(
        "Departamento, partido o comuna de residencia; año del último registro. Quincena: los catorce días hasta el último registro, y su cambio respecto de los catorce anteriores. Son cantidades, no tasas. Sin especificar queda al final, con su cantidad.",
        "Department, partido or comuna of residence; the year of the newest registration. Fortnight: the fourteen days up to the newest registration, and its change from the fourteen before. These are counts, not rates. The unspecified come last, with their count.",
    ),
    nothing: NO_CASES,
    unit: CASES,
    shape: Shape::Table,
    extent: Extent::First(20),
    chart: Chart::Bars,
    columns: &[
        Column::new("place", Kind::Count, Words::new("N.º", "No.")),
        Column::new("department_id", Kind::Number, Words::new("Código", "Code")).at(Place::FileOnly),
        Column::new(
            "department",
            Kind::Text(&vocabulary::RESIDENCE),
            Words::new("Departamento", "Department"),
        ),
        Column::new("province", Kind::Text(&vocabulary::PLAIN), Words::new("Provincia", "Province")),
        Column::new("confirmed", Kind::Count, CONFIRMED).at(Place::Bar),
        Column::new("last_fortnight", Kind::Count, Words::new("Quincena", "Fortnight")),
        Column::new("change_percent", Kind::Change, Words::new("Cambio", "Change")),
        Column::new("died", Kind::Count, Words::new("Fallecidos", "Died")).at(Place::FileOnly),
    ],
};

pub(super) const RESIDENCE_REGISTRATION: Question = Question {
    name: "residence_registration",
    sql: include_str!("../../../queries/residence_registration.sql"),
    title: Words::new(
        "Confirmados cargados fuera de su provincia",
        "Confirmed cases registered outside their province",
    ),
    note: Words::new(
        "Pares de provincia de residencia y provincia de carga distintas, de todos los casos cargados. El porcentaje es sobre todos los confirmados con esa residencia. Sin especificar: residencia desconocida, que difiere de toda carga.",
        "Pairs of different provinces of residence and registration, of all loaded cases. The share is of all confirmed cases with that residence. Unspecified: an unknown residence, which differs from any registration.",
    ),
    nothing: Words::new(
        "No hay casos cargados fuera de su provincia.",
        "No case is registered outside its province.",
    ),
    unit: CASES,
    shape: Shape::Table,
    extent: Extent::First(15),
    chart: Chart::Bars,
    columns: &[
        Column::new("residence_province_id", Kind::Number, Words::new("Código", "Code")).at(Place::FileOnly),
        Column::new(
            "residence_province",
            Kind::Text(&vocabulary::RESIDENCE),
            Words::new("Residencia", "Residence"),
        ),
        Column::new("registration_province_id", Kind::Number, Words::new("Código", "Code"))
            .at(Place::FileOnly),
        Column::new(
            "registration_province",
            Kind::Text(&vocabulary::PLAIN),
            Words::new("Carga", "Registration"),
        ),
        Column::new("confirmed", Kind::Count, CONFIRMED).at(Place::Bar),
        Column::new(
            "share_of_residents_percent",
            Kind::Percent,
            Words::new("% residentes", "% of residents"),
        ),
    ],
};
