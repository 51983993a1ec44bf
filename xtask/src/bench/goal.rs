//! Compares measurements with goals. A missed goal does not change the exit code, because the numbers depend on the machine.

pub(super) fn at_least(what: &str, measured: f64, limit: f64, unit: &str) -> String {
    line(what, measured, &format!("at least {limit} {unit}"), unit, measured >= limit)
}

pub(super) fn at_most(what: &str, measured: f64, limit: f64, unit: &str) -> String {
    line(what, measured, &format!("at most {limit} {unit}"), unit, measured <= limit)
}

/// Renders goals, one per line, below a heading.
pub(super) fn lines(goals: &[String]) -> String {
    format!("\n{:<48}{:>12}   wanted\n{}", "goal", "measured", goals.join("\n"))
}

fn line(what: &str, measured: f64, wanted: &str, unit: &str, reached: bool) -> String {
    let verdict = if reached { "reached" } else { "missed" };
    format!("{what:<48}{:>12}   {wanted}: {verdict}", format!("{measured:.2} {unit}"))
}
