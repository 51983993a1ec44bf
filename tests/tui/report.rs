//! A report's text in a real terminal: as wide as that is, whatever the width of the stored text.

use crate::support::Target;
use crate::terminal::Terminal;

#[test]
fn the_text_is_as_wide_as_the_terminal() {
    let target = Target::new();
    target.ok(&["demo", "--headless", "--rows", "2000"]);
    let rule = |width: usize| "─".repeat(width);
    for width in [90, 130] {
        let terminal = Terminal::new(width, 40);
        terminal.run(&target.command(&["reports", "show"]));
        let text = terminal.see("publicación anterior con la que comparar");
        let width = usize::from(width);
        assert!(text.lines().any(|line| line == rule(width)), "{width} columns:\n{text}");
    }
    // For a program, and for a file, it is what is stored.
    let piped = target.ok(&["reports", "show"]).out;
    assert!(piped.lines().any(|line| line == rule(80)) && !piped.contains(&rule(81)), "{piped}");
}
