//! The plan of `up` as data, by stack and resource.

use std::fmt;

use serde::Serialize;

/// What happens to a resource, in the words of CloudFormation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ResourceAction {
    Add,
    /// Changed in place.
    Modify,
    Replace,
    /// Known at execution.
    PerhapsReplace,
    Remove,
}

/// A change of a resource.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    pub action: ResourceAction,
    /// Logical id.
    pub resource: String,
    /// Such as `AWS::EC2::VPC`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The condition of the template on which it depends.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub condition: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum StackAction {
    Create,
    /// The remains of a failed creation are deleted first.
    CreateAnew,
    Change,
    /// Nothing changes.
    Unchanged,
    /// An operation is in progress, which is waited for.
    Wait,
    /// Left out, because a parameter or a release is missing.
    LeftOut,
}

/// A stack of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Step {
    pub stack: String,
    pub action: StackAction,
    pub changes: Vec<Change>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

impl Step {
    /// Returns whether the step does anything.
    pub const fn is_work(&self) -> bool {
        matches!(
            self.action,
            StackAction::Create | StackAction::CreateAnew | StackAction::Change | StackAction::Wait
        )
    }
}

impl fmt::Display for ResourceAction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Add => "+",
            Self::Modify => "~",
            Self::Replace => "replaced",
            Self::PerhapsReplace => "perhaps replaced",
            Self::Remove => "-",
        })
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} ({})", self.action, self.resource, self.kind)?;
        match &self.condition {
            Some(condition) => write!(f, ", if {condition}"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for StackAction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Create => "is created",
            Self::CreateAnew => "is deleted, because its creation had failed, and created anew",
            Self::Change => "is changed",
            Self::Unchanged => "no changes",
            Self::Wait => "is waited for",
            Self::LeftOut => "is left out",
        })
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.stack, self.action)?;
        if let Some(reason) = &self.reason {
            write!(f, ": {reason}")?;
        }
        writeln!(f)?;
        for change in &self.changes {
            writeln!(f, "  {change}")?;
        }
        match &self.hint {
            Some(hint) => writeln!(f, "  hint: {hint}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plan_displays_changes_and_serializes() {
        let step = Step {
            stack: "network".to_owned(),
            action: StackAction::Change,
            changes: vec![Change {
                action: ResourceAction::PerhapsReplace,
                resource: "Vpc".to_owned(),
                kind: "AWS::EC2::VPC".to_owned(),
                condition: None,
            }],
            reason: None,
            hint: None,
        };
        assert_eq!(step.to_string(), "network is changed\n  perhaps replaced Vpc (AWS::EC2::VPC)\n");
        assert_eq!(
            serde_json::to_value(&step).unwrap(),
            serde_json::json!({ "stack": "network", "action": "change", "changes": [
                { "action": "perhaps-replace", "resource": "Vpc", "type": "AWS::EC2::VPC" }] })
        );
    }
}
