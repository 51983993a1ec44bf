//! How many doses were given, of which vaccine and where: from the optional dataset of the vaccinations.

use crate::report::language::Words;
use crate::report::question::{Chart, Column, Extent, Kind, Place, Question, Shape};
use crate::report::vocabulary;

const NO_DOSES: Words = Words::new(
    "No hay datos: la carga no tiene vacunas (Covid19VacunasAgrupadas, que es opcional). Por qué, lo dice «Archivos de la carga».",
    "No data: the load has no vaccinations (Covid19VacunasAgrupadas, which is optional). “Files of the load” says why.",
);
const DOSES: Words = Words::new("Dosis", "Doses");
const UNIT: Words = Words::new("dosis aplicadas", "doses given");

/// Kinds of doses that people see; single and additional ones are few and stand in the files.
const FIRST: Column = Column::new("first", Kind::Count, Words::new("Primera", "First"));
const SECOND: Column = Column::new("second", Kind::Count, Words::new("Segunda", "Second"));
const SINGLE: Column = Column::new("single", Kind::Count, Words::new("Única", "Single")).at(Place::FileOnly);
const ADDITIONAL: Column =
    Column::new("additional", Kind::Count, Words::new("Adicional", "Additional")).at(Place::FileOnly);
const BOOSTER: Column = Column::new("booster", Kind::Count, Words::new("Refuerzo", "Booster"));

pub(super) const DOSES_BY_PROVINCE: Question = Question {
    name: "doses_by_province",
    sql: include_str!("../../../queries/doses_by_province.sql"),
    title: Words::new("Vacunas por provincia", "Vaccines by province"),
    note: Words::new(
        "Dosis aplicadas hasta el día del archivo del ministerio, que no tiene fechas: no se sabe cuándo, y los años pedidos no dejan ninguna afuera. Provincia donde se aplicaron. Una persona recibe varias dosis: cada 100 habitantes puede haber más de 100. El total incluye dosis únicas y adicionales. Población: Censo 2022 (INDEC, resultados definitivos).",
        "Doses given up to the day of the ministry’s file, which has no dates: nobody knows when, and the wanted years leave none out. The province where they were given. A person gets several doses: there may be more than 100 for every 100 people. The total includes single and additional doses. Population: census of 2022 (INDEC, final results).",
    ),
    nothing: NO_DOSES,
    unit: UNIT,
    shape: Shape::Totalled,
    extent: Extent::Whole,
    chart: Chart::Bars,
    columns: &[
        Column::new(
            "country_per_100",
            Kind::Rate,
            Words::new("Dosis cada 100 habitantes del país", "Doses for every 100 people of the country"),
        )
        .at(Place::Heading),
        Column::new("province_id", Kind::Number, Words::new("Código", "Code")).at(Place::FileOnly),
        Column::new("province", Kind::Text(&vocabulary::RESIDENCE), Words::new("Provincia", "Province")),
        Column::new("doses", Kind::Count, DOSES).at(Place::Bar),
        Column::new("per_100", Kind::Rate, Words::new("Cada 100", "Per 100")),
        FIRST,
        SECOND,
        SINGLE,
        ADDITIONAL,
        BOOSTER,
    ],
};

pub(super) const DOSES_BY_VACCINE: Question = Question {
    name: "doses_by_vaccine",
    sql: include_str!("../../../queries/doses_by_vaccine.sql"),
    title: Words::new("Dosis por vacuna", "Doses by vaccine"),
    note: Words::new(
        "De todo el país, hasta el día del archivo del ministerio. Los nombres son los del ministerio. El total incluye dosis únicas y adicionales.",
        "Of the whole country, up to the day of the ministry’s file. The names are the ministry’s. The total includes single and additional doses.",
    ),
    nothing: NO_DOSES,
    unit: UNIT,
    shape: Shape::Totalled,
    extent: Extent::Whole,
    chart: Chart::Bars,
    columns: &[
        Column::new("vaccine", Kind::Text(&vocabulary::PLAIN), Words::new("Vacuna", "Vaccine")),
        Column::new("doses", Kind::Count, DOSES).at(Place::Bar),
        Column::new("share_percent", Kind::Share, Words::same("%")),
        FIRST,
        SECOND,
        SINGLE,
        ADDITIONAL,
        BOOSTER,
    ],
};
