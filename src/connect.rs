//! Connects to the target that the settings name.

use std::sync::Arc;

use common::failure::{Failure, Result};
use target::Target;
use tunnel::EventSink;

use crate::local::Local;
use crate::settings::Settings;

/// Returns the target that the settings name; no service is asked yet. `events` receives what its tunnels report.
pub fn target(settings: &Settings, events: EventSink) -> Result<Target> {
    match settings.target.value.as_str() {
        "local" => Ok(Arc::new(Local::new(settings)).target()),
        "aws" => aws_target(settings, events),
        other => Err(no_target(other)),
    }
}

/// Returns the local target, for commands that exist there alone.
pub fn local(settings: &Settings) -> Result<Local> {
    match settings.target.value.as_str() {
        "local" => Ok(Local::new(settings)),
        "aws" => Err(Failure::usage("this command needs the target `local`").hint("--target local")),
        other => Err(no_target(other)),
    }
}

/// Returns the target on AWS, for commands that exist there alone. `events` receives what its tunnels report.
#[cfg(feature = "aws")]
pub fn aws(settings: &Settings, events: EventSink) -> Result<aws::Aws> {
    match settings.target.value.as_str() {
        "aws" => Ok(aws::Aws::new(&settings.aws, events)),
        "local" => Err(Failure::usage("this command needs the target `aws`").hint("--target aws")),
        other => Err(no_target(other)),
    }
}

#[cfg(feature = "aws")]
#[expect(clippy::unnecessary_wraps, reason = "the build without AWS returns an error")]
fn aws_target(settings: &Settings, events: EventSink) -> Result<Target> {
    let aws = Arc::new(aws::Aws::new(&settings.aws, events));
    Ok(Target { bastion: Some(Arc::clone(&aws) as _), ..Target::of(aws) })
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

fn no_target(name: &str) -> Failure {
    Failure::usage(format!("there is no target `{name}`")).hint("the targets are local and aws")
}
