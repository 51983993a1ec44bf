//! Why a session could not be had, and whether trying again can help.

use common::failure::Failure;

/// A failed attempt to connect.
#[derive(Debug)]
pub(super) struct Trouble {
    pub(super) kind: Kind,
    pub(super) failure: Failure,
}

/// What to make of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Nobody answers, or not as expected. It may be back soon.
    Unreachable,
    /// The user was refused. Once may be bad luck (a bastion that is still starting); twice is not.
    NotLoggedIn,
    /// The host key is not the pinned one. Nobody may try again.
    WrongHostKey,
}

impl Trouble {
    pub(super) fn unreachable(failure: Failure) -> Self {
        Self { kind: Kind::Unreachable, failure }
    }

    pub(super) fn not_logged_in(failure: Failure) -> Self {
        Self { kind: Kind::NotLoggedIn, failure }
    }

    pub(super) fn wrong_host_key(failure: Failure) -> Self {
        Self { kind: Kind::WrongHostKey, failure }
    }
}
