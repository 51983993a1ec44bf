//! Logs in files and on standard input: their events in the order of the file, with bounded memory.

mod events;
mod input;

pub use self::events::{FileEvent, FileReader};
pub use self::input::TextInput;
