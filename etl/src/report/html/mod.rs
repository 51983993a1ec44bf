//! The report as one HTML file for people: it needs no script, no network and no other file, and it prints.
//!
//! Charts are drawn here, as SVG whose colours are the page's own: so a reader's dark theme, a printer and a phone each get
//! what suits them, which no plotting crate's SVG does. The parts: [`page`] lays out, [`section`] shows one question,
//! [`lead`] picks the numbers that stand on top, [`charts`] draw, [`palette`] has the colours, [`markup`] escapes.

mod charts;
mod lead;
mod markup;
mod page;
mod palette;
mod section;
mod table;

pub(super) use self::page::render;
