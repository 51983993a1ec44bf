//! An existing stack, as CloudFormation describes it.

use chrono::{DateTime, Utc};

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Stack {
    /// Identifies the stack even after its deletion.
    pub(crate) id: String,
    pub(crate) status: String,
    pub(crate) reason: Option<String>,
    pub(crate) parameters: Vec<(String, String)>,
    /// Result and time of the last drift detection.
    pub(crate) drift: Option<(bool, DateTime<Utc>)>,
}
