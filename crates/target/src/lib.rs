//! What a target is: a place where the pipeline lives, as a set of capabilities.
//!
//! An adapter (this machine, AWS) implements the traits of [`capability`]; commands and screens ask a [`Target`] for the capability that
//! they need and report it if the target does not have it. No type of an adapter's libraries appears here, and nothing here prints.

#![warn(missing_docs)]

pub mod account;
pub mod capability;
pub mod covid19;
pub mod database;
pub mod description;
pub mod health;
pub mod job;
pub mod settings;
mod texts;

pub use self::account::{MonthCost, ResourceChange, ResourceHistory};
pub use self::capability::{
    AccountHistory, Bastion, BastionAccess, Components, DataRetention, Databases, LoginSecret, NamedEndpoint,
    Progress, Runs, Services, Storage, Target, described,
};
pub use self::database::{
    Database, DatabaseAccess, DatabaseLogin, DatabaseRole, DatabaseServer, password_line,
};
pub use self::description::Description;
pub use self::health::{
    Capabilities, Check, CheckOutcome, CheckSink, Component, ComponentState, DoctorContext, Location, Metric,
    WarningRange,
};
pub use self::job::{ActiveRun, Job, JobKind, Run, RunEnd};
pub use self::settings::{AwsSettings, Origin, Recording, SslMode, WithOrigin};

use common::failure::Failure;

/// Returns the current user as `user@host`, for records of who started or stopped a run.
pub fn current_user() -> String {
    let user = nix::unistd::User::from_uid(nix::unistd::geteuid()).ok().flatten().map(|user| user.name);
    let host = nix::unistd::gethostname().ok().and_then(|name| name.into_string().ok());
    format!("{}@{}", user.unwrap_or_else(|| "?".to_owned()), host.unwrap_or_else(|| "?".to_owned()))
}

/// The error for an id, or the beginning of one, that no run has.
pub fn no_run(typed: &str) -> Failure {
    Failure::new(format!("there is no run `{typed}`"))
        .hint("`covidctl runs` lists them; `latest` is the newest")
}

/// The error for the beginning of an id that several runs share.
pub fn ambiguous_run(typed: &str) -> Failure {
    Failure::new(format!("several runs begin with `{typed}`")).hint("type more of the id")
}
