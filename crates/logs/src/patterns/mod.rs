//! Groups events into patterns: templates of their messages, with counts and first and last time.
//!
//! Every event is masked by itself, so the patterns do not depend on the order of the events. If the word at one position of otherwise equal
//! templates has many values, it is a value, too, and the templates become one; this is decided at the end, again for all of them.

mod comparison;
mod mask;

use std::collections::{BTreeMap, HashMap};

use foldhash::fast::FixedState;

pub use self::comparison::{PatternChange, compare_patterns};
use crate::{Millis, Record, Severity};

/// Beyond this many templates, they are merged before the end, to bound memory.
const MAX_TEMPLATES: usize = 20_000;

/// Templates that differ in one word are merged if it has at least this many values.
const MIN_VALUES: usize = 12;

/// A pattern of messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    /// The template.
    pub template: String,
    /// The level of its events.
    pub level: Option<Severity>,
    /// How many events have it.
    pub count: u64,
    /// The time of the first one.
    pub first: Millis,
    /// The time of the last one.
    pub last: Millis,
    /// The message of the first one, cut to [`EXAMPLE_LEN`].
    pub example: String,
    /// The next ones, as many as the miner keeps.
    pub more: Vec<Box<str>>,
}

/// Bytes of an example.
pub const EXAMPLE_LEN: usize = 1000;

/// Finds the patterns of events.
#[derive(Debug, Clone, Default)]
pub struct PatternMiner {
    /// By template and level.
    templates: HashMap<Box<[u8]>, Group, FixedState>,
    buffer: Vec<u8>,
    /// How many messages are kept of each template, besides the first one.
    more: usize,
}

#[derive(Debug, Clone)]
struct Group {
    count: u64,
    first: Millis,
    last: Millis,
    example: Box<str>,
    more: Vec<Box<str>>,
}

impl PatternMiner {
    /// Returns a miner that keeps the first `lines` messages of each pattern, and at least one.
    pub fn keeping(lines: usize) -> Self {
        Self { more: lines.saturating_sub(1), ..Self::default() }
    }

    /// Counts an event.
    pub fn add(&mut self, message: &str, time: Millis) {
        let record = Record::new(message);
        mask::template(record, &mut self.buffer);
        self.buffer.push(record.severity().map_or(0, |level| level as u8 + 1));
        if let Some(group) = self.templates.get_mut(self.buffer.as_slice()) {
            group.count += 1;
            group.last = group.last.max(time);
            if group.more.len() < self.more {
                group.more.push(example(message));
            }
            if time < group.first {
                (group.first, group.example) = (time, example(message));
            }
            return;
        }
        let group = Group { count: 1, first: time, last: time, example: example(message), more: Vec::new() };
        self.templates.insert(self.buffer.as_slice().into(), group);
        if self.templates.len() >= MAX_TEMPLATES {
            self.shrink();
        }
    }

    /// Returns the patterns: the most frequent first.
    pub fn patterns(&self) -> Vec<Pattern> {
        let groups = self.templates.iter().map(|(key, group)| (Key::parse(key), group.clone()));
        let mut merged: BTreeMap<Key, Group> = BTreeMap::new();
        groups.for_each(|(key, group)| insert(&mut merged, key, group, self.more));
        let mut patterns: Vec<Pattern> = generalized(merged, self.more)
            .into_iter()
            .map(|(key, group)| Pattern {
                template: key.words.join(" "),
                level: key.level,
                count: group.count,
                first: group.first,
                last: group.last,
                example: group.example.into(),
                more: group.more,
            })
            .collect();
        patterns.sort_by(|a, b| {
            b.count.cmp(&a.count).then_with(|| (&a.template, a.level).cmp(&(&b.template, b.level)))
        });
        patterns
    }

    /// Returns the pattern of a message among `patterns`, which this miner returned for events with this message among them.
    pub fn find<'a>(patterns: &'a [Pattern], message: &str) -> Option<&'a Pattern> {
        let record = Record::new(message);
        let mut buffer = Vec::new();
        mask::template(record, &mut buffer);
        let template = String::from_utf8_lossy(&buffer).into_owned();
        let level = record.severity();
        let same = patterns.iter().find(|pattern| pattern.level == level && pattern.template == template);
        same.or_else(|| {
            patterns.iter().find(|pattern| pattern.level == level && covers(&pattern.template, &template))
        })
    }

    /// Merges templates; if that is not enough, only their first words and their lengths are kept.
    fn shrink(&mut self) {
        let mut groups: BTreeMap<Key, Group> = BTreeMap::new();
        for (key, group) in self.templates.drain() {
            insert(&mut groups, Key::parse(&key), group, self.more);
        }
        let mut groups = generalized(groups, self.more);
        if groups.len() > MAX_TEMPLATES / 2 {
            let all = std::mem::take(&mut groups);
            for (mut key, group) in all {
                key.words.iter_mut().skip(1).for_each(|word| VALUE.clone_into(word));
                insert(&mut groups, key, group, self.more);
            }
        }
        if groups.len() > MAX_TEMPLATES / 2 {
            let all = std::mem::take(&mut groups);
            for (mut key, group) in all {
                key.words = vec![VALUE.to_owned()];
                insert(&mut groups, key, group, self.more);
            }
        }
        self.templates = groups.into_iter().map(|(key, group)| (key.bytes(), group)).collect();
    }
}

const VALUE: &str = "<*>";

/// Whether a template is another one with words that became values.
fn covers(general: &str, template: &str) -> bool {
    let (mut left, mut right) = (general.split(' '), template.split(' '));
    loop {
        match (left.next(), right.next()) {
            (None, None) => return true,
            (Some(a), Some(b)) if a == b || a == VALUE || is_named_value(a, b) => {}
            _ => return false,
        }
    }
}

fn is_named_value(general: &str, word: &str) -> bool {
    general.strip_suffix(VALUE).is_some_and(|name| name.ends_with('=') && word.starts_with(name))
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Key {
    level: Option<Severity>,
    words: Vec<String>,
}

impl Key {
    /// Parses a template with its level at the end.
    fn parse(bytes: &[u8]) -> Self {
        let (level, template) = bytes.split_last().map_or((0, bytes), |(level, template)| (*level, template));
        let level = usize::from(level).checked_sub(1).and_then(|at| Severity::ALL.get(at)).copied();
        let words = String::from_utf8_lossy(template).split(' ').map(str::to_owned).collect();
        Self { level, words }
    }

    fn bytes(&self) -> Box<[u8]> {
        let mut bytes = self.words.join(" ").into_bytes();
        bytes.push(self.level.map_or(0, |level| level as u8 + 1));
        bytes.into()
    }
}

fn insert(groups: &mut BTreeMap<Key, Group>, key: Key, group: Group, more: usize) {
    match groups.get_mut(&key) {
        None => {
            groups.insert(key, group);
        }
        Some(known) => {
            known.count += group.count;
            known.last = known.last.max(group.last);
            let room = more.saturating_sub(known.more.len());
            known.more.extend(std::iter::once(group.example.clone()).chain(group.more).take(room));
            if group.first < known.first {
                (known.first, known.example) = (group.first, group.example);
            }
        }
    }
}

/// Merges templates that differ in one word only, if there are many of them: position by position, from the left.
fn generalized(mut groups: BTreeMap<Key, Group>, more: usize) -> BTreeMap<Key, Group> {
    let longest = groups.keys().map(|key| key.words.len()).max().unwrap_or(0);
    for position in 0..longest {
        let mut values: HashMap<Key, usize> = HashMap::new();
        let without = |key: &Key| {
            let word = key.words.get(position).filter(|word| word.as_str() != VALUE)?;
            let value = value_of(word);
            let mut general = key.clone();
            general.words[position] = value;
            Some(general)
        };
        for key in groups.keys() {
            if let Some(general) = without(key) {
                *values.entry(general).or_default() += 1;
            }
        }
        if values.values().all(|values| *values < MIN_VALUES) {
            continue;
        }
        let all = std::mem::take(&mut groups);
        for (key, group) in all {
            let general = without(&key)
                .filter(|general| values.get(general).is_some_and(|values| *values >= MIN_VALUES));
            insert(&mut groups, general.unwrap_or(key), group, more);
        }
    }
    groups
}

/// The word as a value: the name of a pair stays.
fn value_of(word: &str) -> String {
    word.split_once('=').map_or_else(|| VALUE.to_owned(), |(name, _)| format!("{name}={VALUE}"))
}

fn example(message: &str) -> Box<str> {
    let message = message.trim_end();
    message[..message.floor_char_boundary(EXAMPLE_LEN)].into()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn mine(messages: &[&str]) -> Vec<Pattern> {
        let mut miner = PatternMiner::default();
        (0..).zip(messages).for_each(|(time, message)| miner.add(message, time));
        miner.patterns()
    }

    #[test]
    fn events_are_grouped_with_counts_and_times() {
        let patterns = mine(&["loaded 1 rows", "WARN slow", "loaded 22 rows", "loaded 3 rows", "WARN slow"]);
        let shown: Vec<_> = patterns
            .iter()
            .map(|p| (p.template.as_str(), p.level, p.count, p.first, p.last, p.example.as_str()))
            .collect();
        assert_eq!(
            shown,
            [
                ("loaded <n> rows", None, 3, 0, 3, "loaded 1 rows"),
                ("WARN slow", Some(Severity::Warn), 2, 1, 4, "WARN slow"),
            ]
        );
    }

    #[test]
    fn word_with_many_values_is_a_value() {
        let names: Vec<String> = ('a'..='z').map(|name| format!("user {name} left")).collect();
        let mut messages: Vec<&str> = names.iter().map(String::as_str).collect();
        messages.extend(["door open", "door shut"]);
        let templates: Vec<_> =
            mine(&messages).into_iter().map(|pattern| (pattern.template, pattern.count)).collect();
        assert_eq!(
            templates,
            [("user <*> left".to_owned(), 26), ("door open".to_owned(), 1), ("door shut".to_owned(), 1)]
        );
        let patterns = mine(&messages);
        assert_eq!(PatternMiner::find(&patterns, "user q left").unwrap().count, 26);
        assert_eq!(PatternMiner::find(&patterns, "door shut").unwrap().template, "door shut");
    }

    #[test]
    fn memory_is_bounded_for_text_without_patterns() {
        let mut miner = PatternMiner::default();
        let word = |mut number: usize| {
            let mut word = String::new();
            while number > 0 {
                word.push(char::from(b'a' + u8::try_from(number % 26).unwrap()));
                number /= 26;
            }
            word
        };
        for number in 1..50_000 {
            miner.add(&format!("{} {} {}", word(number), word(number * 7), word(number * 11)), 0);
        }
        assert!(miner.templates.len() < MAX_TEMPLATES);
        assert_eq!(miner.patterns().iter().map(|pattern| pattern.count).sum::<u64>(), 49_999);
    }

    proptest! {
        #[test]
        fn patterns_do_not_depend_on_order_and_count_every_event(
            mut messages in prop::collection::vec("(INFO|WARN|ERROR) (a|b|c|d) [a-z]{1,2}( [0-9]{1,3})?( x=[a-z])?", 0..200)
        ) {
            let mine = |messages: &[String]| {
                let mut miner = PatternMiner::default();
                for message in messages {
                    miner.add(message, 7);
                }
                let mut patterns = miner.patterns();
                for pattern in &mut patterns {
                    pattern.example.clear();
                }
                patterns
            };
            let patterns = mine(&messages);
            prop_assert_eq!(patterns.iter().map(|pattern| pattern.count).sum::<u64>(), messages.len() as u64);
            for message in &messages {
                prop_assert!(PatternMiner::find(&patterns, message).is_some(), "{}", message);
            }
            messages.reverse();
            prop_assert_eq!(mine(&messages), patterns);
        }
    }
}
