//! Selects the items that match, with context, as `grep -C` does. Buffers at most the context before a match.

use std::collections::VecDeque;

use regex::Regex;

/// Parses a regular expression from the command line.
///
/// # Errors
/// One sentence with the reason.
pub fn parse_regex(typed: &str) -> Result<Regex, String> {
    Regex::new(typed).map_err(|error| {
        // The reason is the last line, after an excerpt that marks the position.
        let text = error.to_string();
        let why = text.lines().last().unwrap_or_default();
        format!("`{typed}` is not a regular expression: {}", why.strip_prefix("error: ").unwrap_or(why))
    })
}

/// Patterns that lines must and must not match.
#[derive(Debug, Default)]
pub struct LineFilter {
    /// At least one of these must match, if there are any.
    pub grep: Vec<Regex>,
    /// None of these may match.
    pub exclude: Vec<Regex>,
}

impl LineFilter {
    /// Returns whether a line is dropped, even as context.
    pub fn excludes(&self, text: &str) -> bool {
        self.exclude.iter().any(|pattern| pattern.is_match(text))
    }

    /// Returns whether a line matches.
    pub fn matches(&self, text: &str) -> bool {
        self.grep.is_empty() || self.grep.iter().any(|pattern| pattern.is_match(text))
    }
}

/// An item of the output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ContextItem<T> {
    /// Items were omitted here.
    Gap,
    /// An item that matches, or its context.
    Item(T),
}

/// Selects matching items with context.
#[derive(Debug)]
pub struct ContextFilter<T> {
    context: usize,
    before: VecDeque<T>,
    /// How many of the next items are context of the last match.
    after: usize,
    /// Whether an item was omitted since the last selected one.
    gap: bool,
    any: bool,
}

impl<T> ContextFilter<T> {
    /// Returns a filter with this many items of context on each side of a match.
    pub const fn new(context: usize) -> Self {
        Self { context, before: VecDeque::new(), after: 0, gap: false, any: false }
    }

    /// Takes the next item and returns the output that is complete.
    pub fn push(&mut self, item: T, matches: bool) -> Vec<ContextItem<T>> {
        let mut selected = Vec::new();
        if matches {
            // Without context there are no gaps, as in grep.
            if self.gap && self.any && self.context > 0 {
                selected.push(ContextItem::Gap);
            }
            selected.extend(self.before.drain(..).map(ContextItem::Item));
            selected.push(ContextItem::Item(item));
            (self.after, self.gap, self.any) = (self.context, false, true);
        } else if self.after > 0 {
            self.after -= 1;
            selected.push(ContextItem::Item(item));
        } else {
            self.before.push_back(item);
            if self.before.len() > self.context {
                self.before.pop_front();
                self.gap = true;
            }
        }
        selected
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn select(context: usize, lines: &str) -> String {
        let mut filter = ContextFilter::new(context);
        let shown = lines.chars().flat_map(|line| filter.push(line, line.is_uppercase()));
        shown.map(|selected| if let ContextItem::Item(line) = selected { line } else { '|' }).collect()
    }

    #[test]
    fn context_filter_merges_context_and_marks_gaps() {
        assert_eq!(select(0, "aBcDe"), "BD");
        assert_eq!(select(1, "abCdefGhi"), "bCd|fGh");
        assert_eq!(select(2, "abCdefGhi"), "abCdefGhi");
        assert_eq!(select(1, "aBcDe"), "aBcDe");
        assert_eq!(select(1, "aBcdE"), "aBcdE", "adjacent items have no gap");
        assert_eq!(select(3, "abc"), "");
    }

    #[test]
    fn parse_regex_reports_invalid_expression_in_one_sentence() {
        assert!(parse_regex("a(b").unwrap_err().ends_with("expression: unclosed group"));
        assert!(parse_regex("a|b").is_ok());
    }

    #[test]
    fn line_filter_excludes_line_that_also_matches() {
        let filter = LineFilter {
            grep: vec![Regex::new("a").unwrap(), Regex::new("b").unwrap()],
            exclude: vec![Regex::new("c").unwrap()],
        };
        assert!(filter.matches("xb") && !filter.matches("xy"));
        assert!(filter.excludes("abc") && !filter.excludes("ab"));
    }

    proptest! {
        #[test]
        fn context_filter_returns_exactly_items_near_match_in_order(matches in prop::collection::vec(any::<bool>(), 0..60), context in 0_usize..5) {
            let mut filter = ContextFilter::new(context);
            let shown: Vec<_> =
                matches.iter().enumerate().flat_map(|(line, matches)| filter.push(line, *matches)).collect();
            let lines: Vec<usize> =
                shown.iter().filter_map(|selected| if let ContextItem::Item(line) = selected { Some(*line) } else { None }).collect();
            let near = |line: usize| {
                (line.saturating_sub(context)..=line + context).any(|other| matches.get(other) == Some(&true))
            };
            prop_assert_eq!(&lines, &(0..matches.len()).filter(|line| near(*line)).collect::<Vec<_>>());
            let gaps = lines.windows(2).filter(|pair| pair[1] > pair[0] + 1).count();
            let marked = shown.iter().filter(|selected| **selected == ContextItem::Gap).count();
            prop_assert_eq!(marked, if context == 0 { 0 } else { gaps });
        }
    }
}
