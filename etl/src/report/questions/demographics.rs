//! The epidemic by sex and age, and its severity.

use super::shared::{
    CONFIRMED, HIGH_PERCENT, IN_MONTH, IN_YEAR, LOW_PERCENT, MONTH, MONTH_SHARE, NEWEST, PARTIAL_MONTH,
    YEAR_SHARE,
};
use crate::report::code_labels;
use crate::report::language::tr;
use crate::report::question::{Chart, Column, ColumnKind, Layout, Placement, Question, question};

pub(super) const LAST_MONTH_BY_SEX: Question = Question {
    title: tr("Confirmados del último mes por sexo", "Confirmed in the last month by sex"),
    note: tr(
        "Sexo según el registro. «NR» queda como línea propia. «En el año»: el mismo año del último mes, desde enero.",
        "Sex as registered. “NR” has a row of its own. “In the year”: the year of the last month, from January.",
    ),
    layout: Layout::TableWithTotals,
    chart: Chart::Bars,
    columns: &[
        MONTH,
        NEWEST,
        PARTIAL_MONTH,
        Column::coded("sex", &code_labels::SEX, tr("Sexo", "Sex")),
        IN_MONTH,
        MONTH_SHARE,
        IN_YEAR,
        YEAR_SHARE,
    ],
    ..question!("last_month_by_sex")
};

pub(super) const LAST_MONTH_BY_AGE: Question = Question {
    title: tr("Confirmados del último mes por edad", "Confirmed in the last month by age"),
    note: tr(
        "Edad en años a la fecha de los datos, no a la del caso: así la publica el ministerio. Los menores de un año cuentan como 0. Sin edad, o con una imposible: línea propia.",
        "Age in years on the date of the data, not of the case, as the ministry publishes it. Ages below one year count as 0. Missing and impossible ages have a row of their own.",
    ),
    layout: Layout::TableWithTotals,
    chart: Chart::Bars,
    columns: &[
        MONTH,
        NEWEST,
        PARTIAL_MONTH,
        Column::coded("age_band", &code_labels::AGE, tr("Edad", "Age")),
        IN_MONTH,
        MONTH_SHARE,
        IN_YEAR,
        YEAR_SHARE,
    ],
    ..question!("last_month_by_age")
};

pub(super) const AGE_PYRAMID: Question = Question {
    title: tr("Confirmados por edad y sexo", "Confirmed by age and sex"),
    note: tr(
        "Todos los casos cargados. Edad a la fecha de los datos, no a la del caso. Quien no figura como mujer ni como varón está en una columna propia, que el gráfico no muestra.",
        "All loaded cases. Age on the date of the data, not of the case. People registered as neither woman nor man have a column of their own, which the chart does not show.",
    ),
    layout: Layout::TableWithTotals,
    chart: Chart::Pyramid { label: "age_band", left: "women", right: "men" },
    columns: &[
        Column::coded("age_band", &code_labels::AGE, tr("Edad", "Age")),
        Column::new("women", ColumnKind::Count, tr("Mujeres", "Women")),
        Column::new("men", ColumnKind::Count, tr("Varones", "Men")),
        Column::new("not_registered", ColumnKind::Count, tr("No registrado", "Not registered")),
    ],
    ..question!("age_pyramid")
};

pub(super) const SEVERITY_BY_AGE: Question = Question {
    title: tr("Gravedad de los casos confirmados, por edad", "Severity of confirmed cases, by age"),
    note: tr(
        "Todos los casos cargados. Cada columna cuenta los casos en que eso consta: no es un embudo estricto, porque hay fallecidos sin internación registrada. Lo que no se registró no se ve; los porcentajes son pisos, no probabilidades.",
        "All loaded cases. Each column counts the cases with that event on record. The columns are not a strict funnel, because some people died without a recorded admission. Events that were not recorded are missing: the shares are lower bounds, not probabilities.",
    ),
    unit: tr("% de los casos confirmados de esa edad", "% of the confirmed cases of that age"),
    layout: Layout::TableWithTotals,
    chart: Chart::DotPlot {
        label: "age_band",
        series: &["admitted_percent", "icu_percent", "ventilated_percent", "died_percent"],
        interval: None,
    },
    columns: &[
        Column::coded("age_band", &code_labels::AGE, tr("Edad", "Age")),
        Column::new("confirmed", ColumnKind::Count, CONFIRMED),
        Column::new("admitted", ColumnKind::Count, tr("Internados", "Admitted")),
        Column::new("icu", ColumnKind::Count, tr("UCI", "ICU")),
        Column::new("ventilated", ColumnKind::Count, tr("Respirador", "Ventilated")),
        Column::new("died", ColumnKind::Count, tr("Fallecidos", "Died")),
        Column::new("admitted_percent", ColumnKind::Percent, tr("Internados", "Admitted"))
            .at(Placement::FileOnly),
        Column::new("icu_percent", ColumnKind::Percent, tr("Cuidados intensivos", "Intensive care"))
            .at(Placement::FileOnly),
        Column::new("ventilated_percent", ColumnKind::Percent, tr("Respirador", "Ventilator"))
            .at(Placement::FileOnly),
        Column::new("died_percent", ColumnKind::Percent, tr("Fallecidos", "Died")).at(Placement::FileOnly),
    ],
    ..question!("severity_by_age")
};

pub(super) const FATALITY_BY_AGE: Question = Question {
    title: tr("Letalidad de los casos confirmados, por edad", "Fatality of confirmed cases, by age"),
    note: tr(
        "Fallecidos sobre confirmados, de todos los casos cargados; no es la mortalidad de la población ni la de las infecciones, de las que muchas no se confirman. El intervalo es el de Wilson, al 95 %: con pocos casos es ancho. La letalidad de casos recientes puede subir todavía.",
        "Deaths as a share of all loaded confirmed cases. This is not the mortality of the population, nor that of infections, many of which are never confirmed. The interval is the Wilson 95% interval, which is wide if there are few cases. The fatality of recent cases may still rise.",
    ),
    unit: tr("% de los casos confirmados de esa edad", "% of the confirmed cases of that age"),
    layout: Layout::TableWithTotals,
    chart: Chart::DotPlot {
        label: "age_band",
        series: &["fatality_percent"],
        interval: Some(("low_percent", "high_percent")),
    },
    columns: &[
        Column::coded("age_band", &code_labels::AGE, tr("Edad", "Age")),
        Column::new("confirmed", ColumnKind::Count, CONFIRMED),
        Column::new("died", ColumnKind::Count, tr("Fallecidos", "Died")),
        Column::new("fatality_percent", ColumnKind::Percent, tr("Letalidad", "Fatality")),
        LOW_PERCENT,
        HIGH_PERCENT,
    ],
    ..question!("fatality_by_age")
};
