//! What is known about the build: version, commit, date, and the repository that released it. `build.rs` finds it out.

/// Version, and the commit with its date in parentheses.
pub const VERSION: &str = env!("BUILD_VERSION");

/// The first digits of the commit; ends with `+` if files were changed. None in a debug build.
pub const COMMIT: Option<&str> = known(env!("BUILD_COMMIT"));

/// Date of the commit, such as `2026-11-29`.
pub const DATE: Option<&str> = known(env!("BUILD_DATE"));

/// URL of the repository, such as `https://github.com/owner/name`.
pub const REPOSITORY: Option<&str> = known(env!("BUILD_REPOSITORY"));

const fn known(text: &str) -> Option<&str> {
    if text.is_empty() { None } else { Some(text) }
}
