//! Whom it concerned: by sex and age, and how badly.

use super::{
    CASES, CONFIRMED, IN_MONTH, IN_YEAR, MONTH, MONTH_SHARE, NEWEST, NO_CASES, PARTIAL_MONTH, YEAR_SHARE,
};
use crate::report::language::Words;
use crate::report::question::{Chart, Column, Extent, Kind, Place, Question, Shape};
use crate::report::vocabulary;

const SEX_NOTE: Words = Words::new(
    "Sexo según el registro. «NR» queda como línea propia. «En el año»: el mismo año del último mes, desde enero.",
    "Sex as registered. “NR” is a line of its own. “In the year”: the last month's own year, from January.",
);
const AGE_NOTE: Words = Words::new(
    "Edad en años a la fecha de los datos, no a la del caso: así la publica el ministerio. Los menores de un año cuentan \
     como 0. Sin edad, o con una imposible: línea propia.",
    "Age in years on the date of the data, not of the case: so the ministry publishes it. Below one year counts as 0. An \
     absent or impossible age is a line of its own.",
);

pub(super) const LAST_MONTH_BY_SEX: Question = Question {
    name: "last_month_by_sex",
    sql: include_str!("../../../queries/last_month_by_sex.sql"),
    title: Words::new("Confirmados del último mes por sexo", "Confirmed in the last month by sex"),
    note: SEX_NOTE,
    nothing: NO_CASES,
    unit: CASES,
    shape: Shape::Totalled,
    extent: Extent::Whole,
    chart: Chart::Bars,
    columns: &[
        MONTH,
        NEWEST,
        PARTIAL_MONTH,
        Column::new("sex", Kind::Text(&vocabulary::SEX), Words::new("Sexo", "Sex")),
        IN_MONTH.at(Place::Bar),
        MONTH_SHARE,
        IN_YEAR,
        YEAR_SHARE,
    ],
};

pub(super) const LAST_MONTH_BY_AGE: Question = Question {
    name: "last_month_by_age",
    sql: include_str!("../../../queries/last_month_by_age.sql"),
    title: Words::new("Confirmados del último mes por edad", "Confirmed in the last month by age"),
    note: AGE_NOTE,
    nothing: NO_CASES,
    unit: CASES,
    shape: Shape::Totalled,
    extent: Extent::Whole,
    chart: Chart::Bars,
    columns: &[
        MONTH,
        NEWEST,
        PARTIAL_MONTH,
        Column::new("age_band", Kind::Text(&vocabulary::AGE), Words::new("Edad", "Age")),
        IN_MONTH.at(Place::Bar),
        MONTH_SHARE,
        IN_YEAR,
        YEAR_SHARE,
    ],
};

pub(super) const AGE_PYRAMID: Question = Question {
    name: "age_pyramid",
    sql: include_str!("../../../queries/age_pyramid.sql"),
    title: Words::new("Confirmados por edad y sexo", "Confirmed by age and sex"),
    note: Words::new(
        "Todos los casos cargados. Edad a la fecha de los datos, no a la del caso. Quien no figura como mujer ni como varón está en una columna propia, que el gráfico no muestra.",
        "All loaded cases. Age on the date of the data, not of the case. Whoever is registered as neither woman nor man has a column of their own, which the chart does not show.",
    ),
    nothing: NO_CASES,
    unit: CASES,
    shape: Shape::Totalled,
    extent: Extent::Whole,
    chart: Chart::Pyramid { label: "age_band", left: "women", right: "men" },
    columns: &[
        Column::new("age_band", Kind::Text(&vocabulary::AGE), Words::new("Edad", "Age")),
        Column::new("women", Kind::Count, Words::new("Mujeres", "Women")),
        Column::new("men", Kind::Count, Words::new("Varones", "Men")),
        Column::new("not_registered", Kind::Count, Words::new("No registrado", "Not registered")),
    ],
};

pub(super) const SEVERITY_BY_AGE: Question = Question {
    name: "severity_by_age",
    sql: include_str!("../../../queries/severity_by_age.sql"),
    title: Words::new("Gravedad de los casos confirmados, por edad", "Severity of confirmed cases, by age"),
    note: Words::new(
        "Todos los casos cargados. Cada columna cuenta los casos en que eso consta: no es un embudo estricto, porque hay fallecidos sin internación registrada. Lo que no se registró no se ve; los porcentajes son pisos, no probabilidades.",
        "All loaded cases. Each column counts the cases in which that is on record: it is no strict funnel, because people died without a recorded admission. What was not recorded cannot be seen; the shares are floors, not probabilities.",
    ),
    nothing: NO_CASES,
    unit: Words::new("% de los casos confirmados de esa edad", "% of the confirmed cases of that age"),
    shape: Shape::Totalled,
    extent: Extent::Whole,
    chart: Chart::Dots {
        label: "age_band",
        series: &["admitted_percent", "icu_percent", "ventilated_percent", "died_percent"],
        interval: None,
    },
    columns: &[
        Column::new("age_band", Kind::Text(&vocabulary::AGE), Words::new("Edad", "Age")),
        Column::new("confirmed", Kind::Count, CONFIRMED),
        Column::new("admitted", Kind::Count, Words::new("Internados", "Admitted")),
        Column::new("icu", Kind::Count, Words::new("UCI", "ICU")),
        Column::new("ventilated", Kind::Count, Words::new("Respirador", "Ventilated")),
        Column::new("died", Kind::Count, Words::new("Fallecidos", "Died")),
        Column::new("admitted_percent", Kind::Percent, Words::new("Internados", "Admitted"))
            .at(Place::FileOnly),
        Column::new("icu_percent", Kind::Percent, Words::new("Cuidados intensivos", "Intensive care"))
            .at(Place::FileOnly),
        Column::new("ventilated_percent", Kind::Percent, Words::new("Respirador", "Ventilator"))
            .at(Place::FileOnly),
        Column::new("died_percent", Kind::Percent, Words::new("Fallecidos", "Died")).at(Place::FileOnly),
    ],
};

pub(super) const FATALITY_BY_AGE: Question = Question {
    name: "fatality_by_age",
    sql: include_str!("../../../queries/fatality_by_age.sql"),
    title: Words::new("Letalidad de los casos confirmados, por edad", "Fatality of confirmed cases, by age"),
    note: Words::new(
        "Fallecidos sobre confirmados, de todos los casos cargados; no es la mortalidad de la población ni la de las infecciones, de las que muchas no se confirman. El intervalo es el de Wilson, al 95 %: con pocos casos es ancho. La letalidad de casos recientes puede subir todavía.",
        "Deaths out of confirmed cases, of all that are loaded; it is the mortality neither of the population nor of infections, many of which are never confirmed. The interval is Wilson’s, at 95%: with few cases it is wide. The fatality of recent cases may still rise.",
    ),
    nothing: NO_CASES,
    unit: Words::new("% de los casos confirmados de esa edad", "% of the confirmed cases of that age"),
    shape: Shape::Totalled,
    extent: Extent::Whole,
    chart: Chart::Dots {
        label: "age_band",
        series: &["fatality_percent"],
        interval: Some(("low_percent", "high_percent")),
    },
    columns: &[
        Column::new("age_band", Kind::Text(&vocabulary::AGE), Words::new("Edad", "Age")),
        Column::new("confirmed", Kind::Count, CONFIRMED),
        Column::new("died", Kind::Count, Words::new("Fallecidos", "Died")),
        Column::new("fatality_percent", Kind::Percent, Words::new("Letalidad", "Fatality")),
        Column::new("low_percent", Kind::Percent, Words::new("de", "from")),
        Column::new("high_percent", Kind::Percent, Words::new("a", "to")),
    ],
};
