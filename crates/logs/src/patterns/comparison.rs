//! Compares the patterns of two logs: what one run says that the other one does not, or says more or less often.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::{Pattern, VALUE, covers};

/// A pattern that is this many times as frequent, or rare, has changed.
const FACTOR: u64 = 2;

/// With fewer events than this in both logs, a difference is no change.
const MIN_COUNT: u64 = 4;

/// How a pattern differs between two logs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PatternChange {
    /// Only in the second log.
    New(Pattern),
    /// Only in the first log.
    Gone(Pattern),
    /// More frequent in the second log, with the count in the first one.
    More(Pattern, u64),
    /// Less frequent in the second log, with the count in the first one.
    Less(Pattern, u64),
}

impl PatternChange {
    /// Returns the pattern: that of the second log, unless it is gone.
    pub const fn pattern(&self) -> &Pattern {
        let (Self::New(pattern) | Self::Gone(pattern) | Self::More(pattern, _) | Self::Less(pattern, _)) =
            self;
        pattern
    }

    /// Returns `new`, `gone`, `more` or `less`.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::New(_) => "new",
            Self::Gone(_) => "gone",
            Self::More(..) => "more",
            Self::Less(..) => "less",
        }
    }

    /// Returns the counts in the first and in the second log.
    pub const fn counts(&self) -> (u64, u64) {
        match self {
            Self::New(pattern) => (0, pattern.count),
            Self::Gone(pattern) => (pattern.count, 0),
            Self::More(pattern, before) | Self::Less(pattern, before) => (*before, pattern.count),
        }
    }

    const fn rank(&self) -> usize {
        match self {
            Self::New(_) => 0,
            Self::More(..) => 1,
            Self::Less(..) => 2,
            Self::Gone(_) => 3,
        }
    }
}

/// Returns what changed from the first log to the second: new patterns first; of each kind the most severe first, then the earliest.
pub fn compare_patterns(first: Vec<Pattern>, second: Vec<Pattern>) -> Vec<PatternChange> {
    let mut before: BTreeMap<_, Pattern> = BTreeMap::new();
    for pattern in first {
        before.insert((pattern.level, pattern.template.clone()), pattern);
    }
    let mut changes = Vec::new();
    for pattern in second {
        let key = (pattern.level, pattern.template.clone());
        let known = before.remove(&key).map(|known| known.count).or_else(|| general(&mut before, &pattern));
        match known {
            None => changes.push(PatternChange::New(pattern)),
            Some(known) if pattern.count.max(known) < MIN_COUNT => {}
            Some(known) if pattern.count >= known * FACTOR => {
                changes.push(PatternChange::More(pattern, known));
            }
            Some(known) if known >= pattern.count * FACTOR => {
                changes.push(PatternChange::Less(pattern, known));
            }
            Some(_) => {}
        }
    }
    changes.extend(before.into_values().map(PatternChange::Gone));
    changes.sort_by_key(|change| {
        let pattern = change.pattern();
        (change.rank(), Reverse(pattern.level), pattern.first, pattern.template.clone())
    });
    changes
}

/// Removes the patterns that are the same except that a word became a value in one log only; returns their count.
fn general(
    before: &mut BTreeMap<(Option<crate::Severity>, String), Pattern>,
    pattern: &Pattern,
) -> Option<u64> {
    let same = |(level, template): &(Option<crate::Severity>, String)| {
        *level == pattern.level
            && (pattern.template.contains(VALUE) && covers(&pattern.template, template)
                || template.contains(VALUE) && covers(template, &pattern.template))
    };
    let keys: Vec<_> = before.keys().filter(|key| same(key)).cloned().collect();
    let counts = keys.iter().filter_map(|key| before.remove(key)).map(|pattern| pattern.count);
    (!keys.is_empty()).then(|| counts.sum())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::PatternMiner;
    use super::*;

    fn patterns(lines: &[(&str, usize)]) -> Vec<Pattern> {
        let mut miner = PatternMiner::default();
        for (at, (line, times)) in (0..).zip(lines) {
            (0..*times).for_each(|_| miner.add(line, at));
        }
        miner.patterns()
    }

    #[test]
    fn changes_are_ordered_by_kind_and_severity() {
        let first = patterns(&[
            ("INFO begin", 1),
            ("INFO step 1", 10),
            ("INFO rare", 1),
            ("WARN old", 3),
            ("INFO twice", 8),
        ]);
        let second = patterns(&[
            ("INFO begin", 1),
            ("INFO fresh", 1),
            ("ERROR fresh", 1),
            ("INFO step 7", 11),
            ("INFO rare", 2),
            ("INFO twice", 2),
        ]);
        let changes = compare_patterns(first, second);
        let shown: Vec<_> = changes
            .iter()
            .map(|change| (change.name(), change.pattern().template.as_str(), change.counts()))
            .collect();
        assert_eq!(
            shown,
            [
                ("new", "ERROR fresh", (0, 1)),
                ("new", "INFO fresh", (0, 1)),
                ("less", "INFO twice", (8, 2)),
                ("gone", "WARN old", (3, 0)),
            ]
        );
    }

    #[test]
    fn word_that_is_a_value_in_one_log_only_is_no_change() {
        let names: Vec<String> = ('a'..='z').map(|name| format!("user {name} left")).collect();
        let many: Vec<(&str, usize)> = names.iter().map(|name| (name.as_str(), 1)).collect();
        assert!(compare_patterns(patterns(&many), patterns(&[("user b left", 20)])).is_empty());
        assert!(compare_patterns(patterns(&[("user b left", 20)]), patterns(&many)).is_empty());
    }

    proptest! {
        #[test]
        fn equal_logs_have_no_changes(lines in prop::collection::vec("[a-c]{1,2} [a-z] [0-9]", 0..60)) {
            let lines: Vec<(&str, usize)> = lines.iter().map(|line| (line.as_str(), 1)).collect();
            prop_assert!(compare_patterns(patterns(&lines), patterns(&lines)).is_empty());
        }
    }
}
