//! Metabase as code: the connection, column names, keys, a question per query, and one dashboard.
//!
//! `spec` defines what Metabase should contain, `remote` reads what it contains, `payload` builds requests, and [`reconcile()`] creates what is
//! missing and updates what differs; it deletes nothing. Items are recognized by a mark in their description, so they can be renamed.

mod client;
mod keys;
mod payload;
mod reconcile;
mod remote;
mod spec;

pub use self::client::Client;
pub use self::reconcile::{ItemState, ItemStatus, ReconcileMode, reconcile};
pub use self::spec::Connection;
