//! Chooses what is shown: lines that match, and lines around them.
//!
//! Works on whatever is shown in order, one item at a time, as `grep -C` does; it remembers no more items than there may be
//! around a match.

use std::collections::VecDeque;

use regex::Regex;

/// Reads a regular expression that was typed.
pub fn regex(typed: &str) -> Result<Regex, String> {
    Regex::new(typed).map_err(|error| {
        // The sentence stands last, after a picture of the place.
        let text = error.to_string();
        let why = text.lines().last().unwrap_or_default();
        format!("`{typed}` is not a regular expression: {}", why.strip_prefix("error: ").unwrap_or(why))
    })
}

/// What lines must and must not match.
#[derive(Debug, Default)]
pub struct Filter {
    /// At least one of these, where there are any.
    pub grep: Vec<Regex>,
    /// None of these.
    pub exclude: Vec<Regex>,
}

impl Filter {
    /// Whether something is never shown, not even around a match.
    pub fn excludes(&self, text: &str) -> bool {
        self.exclude.iter().any(|pattern| pattern.is_match(text))
    }

    /// Whether something is wanted.
    pub fn matches(&self, text: &str) -> bool {
        self.grep.is_empty() || self.grep.iter().any(|pattern| pattern.is_match(text))
    }
}

/// Something to show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Picked<T> {
    /// Items were left out here.
    Gap,
    /// One that matches, or stands near one that does.
    Item(T),
}

/// Picks items with some context.
#[derive(Debug)]
pub struct Picker<T> {
    context: usize,
    before: VecDeque<T>,
    /// How many of the following items are still near the last match.
    after: usize,
    /// Whether an item was left out for good since the last one that was picked.
    gap: bool,
    any: bool,
}

impl<T> Picker<T> {
    /// With this many items on each side of a match.
    pub const fn new(context: usize) -> Self {
        Self { context, before: VecDeque::new(), after: 0, gap: false, any: false }
    }

    /// Takes the next item and gives what is to be shown by now.
    pub fn take(&mut self, item: T, matches: bool) -> Vec<Picked<T>> {
        let mut picked = Vec::new();
        if matches {
            // Without context every line stands for itself.
            if self.gap && self.any && self.context > 0 {
                picked.push(Picked::Gap);
            }
            picked.extend(self.before.drain(..).map(Picked::Item));
            picked.push(Picked::Item(item));
            (self.after, self.gap, self.any) = (self.context, false, true);
        } else if self.after > 0 {
            self.after -= 1;
            picked.push(Picked::Item(item));
        } else {
            self.before.push_back(item);
            if self.before.len() > self.context {
                self.before.pop_front();
                self.gap = true;
            }
        }
        picked
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn pick(context: usize, lines: &str) -> String {
        let mut picker = Picker::new(context);
        let shown = lines.chars().flat_map(|line| picker.take(line, line.is_uppercase()));
        shown.map(|picked| if let Picked::Item(line) = picked { line } else { '|' }).collect()
    }

    #[test]
    fn context_is_merged_and_gaps_are_marked() {
        assert_eq!(pick(0, "aBcDe"), "BD");
        assert_eq!(pick(1, "abCdefGhi"), "bCd|fGh");
        assert_eq!(pick(2, "abCdefGhi"), "abCdefGhi");
        assert_eq!(pick(1, "aBcDe"), "aBcDe");
        assert_eq!(pick(1, "aBcdE"), "aBcdE", "next to each other is no gap");
        assert_eq!(pick(3, "abc"), "");
    }

    #[test]
    fn a_wrong_expression_is_refused_in_a_sentence() {
        assert!(regex("a(b").unwrap_err().ends_with("expression: unclosed group"));
        assert!(regex("a|b").is_ok());
    }

    #[test]
    fn an_exclusion_wins() {
        let filter = Filter {
            grep: vec![Regex::new("a").unwrap(), Regex::new("b").unwrap()],
            exclude: vec![Regex::new("c").unwrap()],
        };
        assert!(filter.matches("xb") && !filter.matches("xy"));
        assert!(filter.excludes("abc") && !filter.excludes("ab"));
    }

    proptest! {
        #[test]
        fn exactly_the_lines_near_a_match_in_order(matches in prop::collection::vec(any::<bool>(), 0..60), context in 0_usize..5) {
            let mut picker = Picker::new(context);
            let shown: Vec<_> =
                matches.iter().enumerate().flat_map(|(line, matches)| picker.take(line, *matches)).collect();
            let lines: Vec<usize> =
                shown.iter().filter_map(|picked| if let Picked::Item(line) = picked { Some(*line) } else { None }).collect();
            let near = |line: usize| {
                (line.saturating_sub(context)..=line + context).any(|other| matches.get(other) == Some(&true))
            };
            prop_assert_eq!(&lines, &(0..matches.len()).filter(|line| near(*line)).collect::<Vec<_>>());
            let gaps = lines.windows(2).filter(|pair| pair[1] > pair[0] + 1).count();
            let marked = shown.iter().filter(|picked| **picked == Picked::Gap).count();
            prop_assert_eq!(marked, if context == 0 { 0 } else { gaps });
        }
    }
}
