//! Draws fixtures of the screens as SVG files into the directory of the first argument, and writes the reference page of keys to the
//! directory of the second. `cargo xtask pictures` runs it.

use std::fmt::Write as _;
use std::path::PathBuf;

use common::failure::{Context as _, Failure, Result};
use covidctl::tui::fixtures::fixture;
use covidctl::tui::keys;
use covidctl::tui::theme::Theme;
use covidctl::tui::view::view;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;
use ratatui::style::{Color, Modifier};
use unicode_width::UnicodeWidthStr as _;

/// The fixtures that the documentation shows, and whether on a light background.
const PICTURES: [(&str, bool); 12] = [
    ("overview", false),
    ("overview-aws", false),
    ("runs", false),
    ("run", false),
    ("logs", false),
    ("data", false),
    ("data", true),
    ("tunnels", false),
    ("database", false),
    ("patterns", false),
    ("health-aws", false),
    ("help", false),
];

const SIZE: (u16, u16) = (110, 30);

/// Width and height of a cell, and the font size.
const CELL: (f32, f32) = (8.4, 18.0);
const FONT_SIZE: f32 = 14.0;

struct Palette {
    background: &'static str,
    text: &'static str,
}

const DARK: Palette = Palette { background: "#14181f", text: "#d5dae2" };
const LIGHT: Palette = Palette { background: "#fbfbf9", text: "#24292f" };

fn main() -> Result<()> {
    let folder = std::env::args_os().nth(1).map(PathBuf::from);
    let pages = std::env::args_os().nth(2).map(PathBuf::from);
    let (Some(folder), Some(pages)) = (folder, pages) else {
        return Err(Failure::usage("usage: pictures PICTURES_DIR REFERENCE_DIR"));
    };
    std::fs::write(pages.join("keys.md"), keys::markdown())
        .context(|| "cannot write `keys.md`".to_owned())?;
    for (name, light) in PICTURES {
        let theme = Theme { color: true, light };
        let model = fixture(name, SIZE);
        let mut terminal =
            Terminal::new(TestBackend::new(SIZE.0, SIZE.1)).context(|| "cannot draw".to_owned())?;
        terminal.draw(|frame| view(&model, theme, frame)).context(|| "cannot draw".to_owned())?;
        let palette = if light { LIGHT } else { DARK };
        let file = folder.join(format!("{name}{}.svg", if light { "-light" } else { "" }));
        std::fs::write(&file, svg(terminal.backend().buffer(), &palette, name))
            .context(|| format!("cannot write `{}`", file.display()))?;
    }
    Ok(())
}

fn svg(buffer: &Buffer, palette: &Palette, name: &str) -> String {
    let (columns, rows) = (f32::from(buffer.area.width), f32::from(buffer.area.height));
    let (width, height) = (columns * CELL.0 + 16.0, rows * CELL.1 + 16.0);
    // Writing to a string cannot fail.
    let mut out = String::new();
    _ = writeln!(
        out,
        r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0} {height:.0}" role="img" aria-label="covidctl: {name}">
<rect width="100%" height="100%" rx="8" fill="{}"/>
<g font-family="ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace" font-size="{FONT_SIZE}">"#,
        palette.background
    );
    for y in 0..buffer.area.height {
        let mut x = 0;
        while x < buffer.area.width {
            let cell = &buffer[(x, y)];
            let (style, start) = ((cell.fg, cell.bg, cell.modifier), x);
            let mut text = String::new();
            // Cells of one style are one text element; its length keeps it in its columns with every font.
            while x < buffer.area.width {
                let cell = &buffer[(x, y)];
                if (cell.fg, cell.bg, cell.modifier) != style {
                    break;
                }
                text.push_str(cell.symbol());
                x += u16::try_from(cell.symbol().width()).unwrap_or(1).max(1);
            }
            piece(&mut out, palette, (start, y, x - start), &text, style);
        }
    }
    out.push_str("</g>\n</svg>\n");
    out
}

type Style = (Color, Color, Modifier);

fn piece(
    out: &mut String,
    palette: &Palette,
    (x, y, width): (u16, u16, u16),
    text: &str,
    (fg, bg, modifier): Style,
) {
    let (left, top) = (f32::from(x) * CELL.0 + 8.0, f32::from(y) * CELL.1 + 8.0);
    let length = f32::from(width) * CELL.0;
    let (mut front, mut back) = (named(fg), named(bg));
    if modifier.contains(Modifier::REVERSED) {
        (front, back) = (Some(back.unwrap_or(palette.background)), Some(front.unwrap_or(palette.text)));
    }
    if let Some(back) = back {
        let height = CELL.1;
        _ = writeln!(
            out,
            r#"<rect x="{left:.1}" y="{top:.1}" width="{length:.1}" height="{height}" fill="{back}"/>"#
        );
    }
    if text.trim().is_empty() {
        return;
    }
    if text.chars().all(|character| block(character).is_some() || character == ' ') {
        return blocks(out, (left, top), text, front.unwrap_or(palette.text));
    }
    let weight = if modifier.contains(Modifier::BOLD) { r#" font-weight="bold""# } else { "" };
    let (left, length, text) = within_spaces((left, length), text);
    let base = top + CELL.1 - 4.5;
    let front = front.unwrap_or(palette.text);
    _ = writeln!(
        out,
        r#"<text x="{left:.1}" y="{base:.1}" textLength="{length:.1}" lengthAdjust="spacingAndGlyphs" fill="{front}"{weight}>{text}</text>"#
    );
}

/// Returns the text without the spaces around it, escaped, and where it is. Browsers collapse spaces, and would stretch the rest.
fn within_spaces((left, length): (f32, f32), text: &str) -> (f32, f32, String) {
    let spaces = |count: usize| f32::from(u16::try_from(count).unwrap_or(0)) * CELL.0;
    let before = spaces(text.len() - text.trim_start_matches(' ').len());
    let after = spaces(text.len() - text.trim_end_matches(' ').len());
    let escaped = text.trim_matches(' ').replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    (left + before, length - before - after, escaped.replace(' ', "\u{a0}"))
}

/// The parts of a cell's width and, from below, of its height that a block element fills.
fn block(character: char) -> Option<(f32, f32)> {
    let eighths =
        |from: char| f32::from(u8::try_from(u32::from(character) - u32::from(from)).unwrap_or(0)) / 8.0;
    match character {
        '▁'..='█' => Some((1.0, eighths('▀'))),
        '▉'..='▏' => Some((1.0 - eighths('█'), 1.0)),
        _ => None,
    }
}

/// Draws block elements as rectangles: fonts leave gaps between them.
fn blocks(out: &mut String, (left, top): (f32, f32), text: &str, color: &str) {
    let mut x = left;
    for character in text.chars() {
        if let Some((width, height)) = block(character) {
            let (width, height) = (width * CELL.0 + if width < 1.0 { 0.0 } else { 0.3 }, height * CELL.1);
            let y = top + CELL.1 - height;
            _ = writeln!(
                out,
                r#"<rect x="{x:.1}" y="{y:.1}" width="{width:.1}" height="{height:.1}" fill="{color}"/>"#
            );
        }
        x += CELL.0;
    }
}

/// The ANSI colours as hexadecimal RGB.
fn named(color: Color) -> Option<&'static str> {
    Some(match color {
        Color::Red => "#e5534b",
        Color::Green => "#57ab5a",
        Color::Yellow => "#c69026",
        Color::Blue => "#539bf5",
        Color::Magenta => "#b083f0",
        Color::Cyan => "#39c5cf",
        Color::DarkGray => "#768390",
        Color::Gray => "#909dab",
        Color::Black => "#1c2128",
        Color::White => "#f0f3f6",
        _ => return None,
    })
}
