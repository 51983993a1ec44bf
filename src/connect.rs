//! Connects to the target that the settings name.

use std::sync::Arc;

use common::failure::{Failure, Result};
use target::Target;
#[cfg(feature = "aws")]
use target::{AccountHistory, Bastion, Components as _};
use tunnel::EventSink;

use crate::local::Local;
use crate::settings::{Settings, TargetKind};

/// Returns the target that the settings name; no service is asked yet. `events` receives what its tunnels report.
pub fn target(settings: &Settings, events: EventSink) -> Result<Target> {
    match settings.kind {
        TargetKind::Local => Ok(Arc::new(Local::new(settings)).target()),
        TargetKind::Aws => aws_target(settings, events),
    }
}

/// Returns the local target, for commands that exist there alone.
pub fn local(settings: &Settings) -> Result<Local> {
    match settings.kind {
        TargetKind::Local => Ok(Local::new(settings)),
        TargetKind::Aws => Err(wrong_kind(settings, TargetKind::Local)),
    }
}

/// Returns the stacks on AWS, for commands that exist there alone. `events` receives what its tunnels report.
#[cfg(feature = "aws")]
pub fn aws(settings: &Settings, events: EventSink) -> Result<aws::Aws> {
    match settings.kind {
        // Its account may have no room for stacks of this project, and must not get any by mistake.
        TargetKind::Aws if settings.aws.description.is_some() => {
            Err(target::described(&settings.target.value))
        }
        TargetKind::Aws => Ok(aws::Aws::new(&settings.aws, events)),
        TargetKind::Local => Err(wrong_kind(settings, TargetKind::Aws)),
    }
}

#[cfg(feature = "aws")]
#[expect(clippy::unnecessary_wraps, reason = "the build without AWS returns an error")]
fn aws_target(settings: &Settings, events: EventSink) -> Result<Target> {
    let aws = Arc::new(aws::Aws::new(&settings.aws, events));
    let has_bastion = aws.location().capabilities.bastion;
    let bastion = has_bastion.then(|| Arc::clone(&aws) as Arc<dyn Bastion>);
    let account = Some(Arc::clone(&aws) as Arc<dyn AccountHistory>);
    Ok(Target { bastion, account, ..Target::of(aws) })
}

#[cfg(not(feature = "aws"))]
fn aws_target(_: &Settings, _: EventSink) -> Result<Target> {
    Err(no_aws())
}

/// The error of a build without the feature `aws`.
#[cfg(not(feature = "aws"))]
pub fn no_aws() -> Failure {
    Failure::usage("this build of covidctl has no target `aws`")
        .hint("build it with the default features: cargo build --release")
}

/// The error of a command for another kind of target.
pub fn wrong_kind(settings: &Settings, needed: TargetKind) -> Failure {
    let fitting = settings.targets.iter().filter(|target| target.kind == needed);
    let flags: Vec<String> = fitting.map(|target| format!("--target {}", target.name)).collect();
    Failure::usage(format!("this command needs a target of the kind `{needed}`")).hint(flags.join(" or "))
}
