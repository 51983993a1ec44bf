//! How fresh the published data is, and which stage of the pipeline is behind.

use chrono::{DateTime, NaiveDate, Utc};

use crate::tui::domain::{Component, ComponentState, Run};

/// The components of the pipeline's stages in order, with a noun and the verb that agrees with it.
const STAGES: [(&str, &str, &str); 3] = [
    ("datasets", "the datasets", "are"),
    ("last etl", "the load", "is"),
    ("last report", "the report", "is"),
];

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Freshness {
    /// The date of the published dataset.
    pub updated_on: Option<NaiveDate>,
    pub published_at: Option<DateTime<Utc>>,
    /// The first stage that is behind, and why.
    pub delayed_by: Option<String>,
}

pub fn freshness(components: &[Component], runs: &[Run]) -> Freshness {
    // On AWS the history consists of records; the record of a rollback has the date of the release that it published.
    let published =
        runs.iter().find(|run| matches!(run.kind.as_str(), "etl" | "rollback") && run.status == "succeeded");
    Freshness {
        updated_on: published.and_then(|run| run.dataset_updated_on),
        published_at: published.and_then(|run| run.finished_at),
        delayed_by: delayed_by(components),
    }
}

fn delayed_by(components: &[Component]) -> Option<String> {
    let mut before: Option<(&Component, &str)> = None;
    for (name, noun, verb) in STAGES {
        let Some(stage) = components.iter().find(|component| component.name == name) else { continue };
        match stage.state {
            ComponentState::Failed => return Some(format!("{noun} failed")),
            ComponentState::Missing => return Some(format!("{noun} {verb} missing")),
            ComponentState::Busy => return Some(format!("{noun} {verb} in progress")),
            ComponentState::Unknown => return Some(format!("the state of {noun} is unknown")),
            ComponentState::Ready | ComponentState::Stopped => {}
        }
        if let (Some((earlier, earlier_noun)), Some(since)) = (before, stage.since)
            && earlier.since.is_some_and(|earlier| earlier > since)
        {
            return Some(format!("{noun} {verb} older than {earlier_noun}"));
        }
        before = Some((stage, noun));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn component(name: &str, state: ComponentState, second: i64) -> Component {
        let since = DateTime::from_timestamp(second, 0);
        Component { name: name.into(), state, since, detail: String::new() }
    }

    #[test]
    fn delayed_by_names_the_first_stage_that_is_behind() {
        let ready = ComponentState::Ready;
        let stages = |datasets, load| {
            [("datasets", datasets), ("last etl", load), ("last report", 3)]
                .map(|(name, second)| component(name, ready, second))
        };
        assert_eq!(delayed_by(&stages(1, 2)), None);
        assert_eq!(delayed_by(&stages(9, 2)).unwrap(), "the load is older than the datasets");
        let failed = [component("datasets", ready, 1), component("last etl", ComponentState::Failed, 2)];
        assert_eq!(delayed_by(&failed).unwrap(), "the load failed");
        let unknown = [component("datasets", ComponentState::Unknown, 1), component("last etl", ready, 2)];
        assert_eq!(delayed_by(&unknown).unwrap(), "the state of the datasets is unknown");
        let missing = [component("datasets", ComponentState::Missing, 0)];
        assert_eq!(delayed_by(&missing).unwrap(), "the datasets are missing");
        assert_eq!(delayed_by(&[]), None);
    }
}
