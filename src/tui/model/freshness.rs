//! How fresh the data are, and which stage holds them back: read off the parts, which a target gives with their ages.

use chrono::{DateTime, NaiveDate, Utc};

use target::Run;
use target::{Component, ComponentState};

/// A stage's part, and what people call the stage.
const STAGES: [(&str, &str); 3] =
    [("datasets", "the datasets"), ("last etl", "the load"), ("last report", "the report")];

/// What can be said of freshness.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Freshness {
    /// The date that the published dataset bears.
    pub updated_on: Option<NaiveDate>,
    /// When it was published.
    pub loaded_at: Option<DateTime<Utc>>,
    /// The stage that is behind, and why.
    pub held_by: Option<String>,
}

/// Reads it off.
pub fn freshness(parts: &[Component], runs: &[Run]) -> Freshness {
    // The history has no pointer: on AWS it is made of records, and a rollback's record names the dataset that it published again.
    let published =
        runs.iter().find(|run| matches!(run.kind.as_str(), "etl" | "rollback") && run.status == "succeeded");
    Freshness {
        updated_on: published.and_then(|run| run.dataset_updated_on),
        loaded_at: published.and_then(|run| run.finished_at),
        held_by: held_by(parts),
    }
}

fn held_by(parts: &[Component]) -> Option<String> {
    let mut before: Option<(&Component, &str)> = None;
    for (name, what) in STAGES {
        let Some(part) = parts.iter().find(|part| part.name == name) else { continue };
        match part.state {
            ComponentState::Failed => return Some(format!("{what} failed")),
            ComponentState::Missing => {
                return Some(format!("{what} is missing").replace("datasets is", "datasets are"));
            }
            ComponentState::Busy => return Some(format!("{what} is on its way")),
            // Nobody can say that nothing holds it back.
            ComponentState::Unknown => return Some(format!("perhaps: {what} cannot be looked at")),
            ComponentState::Ready | ComponentState::Stopped => {}
        }
        if let (Some((earlier, earlier_what)), Some(since)) = (before, part.since)
            && earlier.since.is_some_and(|earlier| earlier > since)
        {
            return Some(format!("{what} is older than {earlier_what}"));
        }
        before = Some((part, what));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(name: &str, state: ComponentState, second: i64) -> Component {
        let since = DateTime::from_timestamp(second, 0);
        Component { name: name.into(), state, since, detail: String::new() }
    }

    #[test]
    fn the_first_stage_that_is_behind_is_named() {
        let ready = ComponentState::Ready;
        let fresh = [part("datasets", ready, 1), part("last etl", ready, 2), part("last report", ready, 3)];
        assert_eq!(held_by(&fresh), None);
        let newer = [part("datasets", ready, 9), part("last etl", ready, 2), part("last report", ready, 3)];
        assert_eq!(held_by(&newer).unwrap(), "the load is older than the datasets");
        let failed = [part("datasets", ready, 1), part("last etl", ComponentState::Failed, 2)];
        assert_eq!(held_by(&failed).unwrap(), "the load failed");
        let unknown = [part("datasets", ComponentState::Unknown, 1), part("last etl", ready, 2)];
        assert_eq!(held_by(&unknown).unwrap(), "perhaps: the datasets cannot be looked at");
        assert_eq!(
            held_by(&[part("datasets", ComponentState::Missing, 0)]).unwrap(),
            "the datasets are missing"
        );
        assert_eq!(held_by(&[]), None);
    }
}
