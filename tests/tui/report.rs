//! The text of a report fits the width of the terminal.

use crate::support::Target;
use crate::terminal::Terminal;

#[test]
fn report_is_as_wide_as_the_terminal_and_stored_width_when_piped() {
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
    // Piped output has the stored width.
    let piped = target.ok(&["reports", "show"]).out;
    assert!(piped.lines().any(|line| line == rule(80)) && !piped.contains(&rule(81)), "{piped}");
}
