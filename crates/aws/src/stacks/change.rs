//! What `up` would do, as data: stack by stack, resource by resource, to be shown before anything happens.

use std::fmt;

use serde::Serialize;

/// What happens to a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// It is made.
    Add,
    /// It is changed where it is.
    Modify,
    /// Another one takes its place.
    Replace,
    /// Only CloudFormation knows, and only then.
    PerhapsReplace,
    /// It goes.
    Remove,
}

/// A change of one resource.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    /// What happens to it.
    pub action: Action,
    /// Its name in the template.
    pub resource: String,
    /// Its type, such as `AWS::EC2::VPC`.
    #[serde(rename = "type")]
    pub kind: String,
    /// It only happens where this condition of the template holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub condition: Option<String>,
}

/// What happens to a stack.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fate {
    /// It is made.
    Create,
    /// What an earlier attempt has left is deleted, and it is made anew.
    CreateAnew,
    /// It is changed.
    Change,
    /// It is what it should be.
    Unchanged,
    /// Something is going on in it; that is waited for, and then looked at.
    Wait,
    /// Something is missing.
    LeftOut,
}

/// One stack of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Step {
    /// `network`, …
    pub stack: String,
    /// What happens to it.
    pub action: Fate,
    /// What happens in it.
    pub changes: Vec<Change>,
    /// Why it is left out or waited for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What to do about that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

impl Step {
    /// Whether something has to be done.
    pub const fn is_work(&self) -> bool {
        matches!(self.action, Fate::Create | Fate::CreateAnew | Fate::Change | Fate::Wait)
    }
}

impl fmt::Display for Action {
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

impl fmt::Display for Fate {
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
    fn a_plan_can_be_read_and_parsed() {
        let step = Step {
            stack: "network".to_owned(),
            action: Fate::Change,
            changes: vec![Change {
                action: Action::PerhapsReplace,
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
