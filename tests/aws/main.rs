//! The target `aws`, against an emulator of AWS with real tasks, a real bastion and a real database behind it.

#![expect(clippy::unwrap_used, reason = "helpers of tests may panic like the tests themselves")]

mod access_denied;
mod bastion;
mod database;
mod doctor;
mod download;
mod end_to_end;
mod foreign;
mod iam_tokens;
mod log_volume;
mod permissions;
mod real_answers;
mod recovery;
mod runs;
mod screens;
mod selftest;
mod stacks;
mod support;
