//! Text and columns that several questions have.

use crate::report::language::{Localized, tr};
use crate::report::question::{Column, ColumnKind, Placement};

pub(super) const NO_LOAD: Localized =
    tr("No hay datos: todavía no terminó bien ninguna carga.", "No data: no load has succeeded yet.");
pub(super) const NO_RECORD: Localized = tr(
    "No hay registro: la carga es de una versión anterior, o no terminó bien ninguna.",
    "No record: an older version made the load, or no load has succeeded.",
);

pub(super) const CONFIRMED: Localized = tr("Confirmados", "Confirmed");
pub(super) const PERCENT: Localized = Localized::same("%");

pub(super) const PARTIAL: Column = Column::new("partial", ColumnKind::Flag, tr("parcial", "partial"));
pub(super) const LOW_PERCENT: Column = Column::new("low_percent", ColumnKind::Percent, tr("de", "from"));
pub(super) const HIGH_PERCENT: Column = Column::new("high_percent", ColumnKind::Percent, tr("a", "to"));

pub(super) const EPIDEMIOLOGICAL_YEAR: Column =
    Column::new("epidemiological_year", ColumnKind::Number, tr("Año", "Year"));
pub(super) const EPIDEMIOLOGICAL_WEEK: Column =
    Column::new("epidemiological_week", ColumnKind::Number, tr("SE", "Wk"));
pub(super) const WEEK_STARTS_ON: Column =
    Column::new("week_starts_on", ColumnKind::Date, tr("Desde", "From"));

/// The month of the three questions on the last month, before the columns of each.
pub(super) const MONTH: Column =
    Column::new("month", ColumnKind::Month, tr("Mes", "Month")).at(Placement::Heading);
pub(super) const NEWEST: Column =
    Column::new("newest_on", ColumnKind::Date, tr("datos hasta", "data until")).at(Placement::Heading);
pub(super) const PARTIAL_MONTH: Column =
    Column::new("partial", ColumnKind::Flag, tr("mes parcial", "partial month")).at(Placement::Heading);
/// The counts of the three questions on the last month, after the columns of each.
pub(super) const IN_MONTH: Column =
    Column::new("confirmed", ColumnKind::Count, tr("En el mes", "In the month")).at(Placement::Bar);
pub(super) const MONTH_SHARE: Column = Column::new("share_percent", ColumnKind::Share, PERCENT);
pub(super) const IN_YEAR: Column =
    Column::new("confirmed_in_year", ColumnKind::Count, tr("En el año", "In the year"));
pub(super) const YEAR_SHARE: Column = Column::new("share_of_year_percent", ColumnKind::Share, PERCENT);
