//! Metabase as code: the connection, the columns' names, a question per query and one dashboard, from this repository.
//!
//! `desired` says what there should be, `client` speaks to Metabase, `found` says what there is, and [`reconcile`] makes the
//! one out of the other: what is missing is created, what differs is changed, nothing is ever deleted. Things of ours are
//! known by a line at the end of their description, so that they may be renamed here and moved there.

mod body;
mod client;
mod declare;
mod desired;
mod found;
mod keys;
mod reconcile;

pub use self::client::{Access, Client};
pub use self::desired::Connection;
pub use self::reconcile::{Mode, Part, State, reconcile};
