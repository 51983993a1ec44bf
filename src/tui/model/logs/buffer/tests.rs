use super::super::parsed_event::tests::parsed;
use super::*;

fn texts(buffer: &LogBuffer) -> Vec<String> {
    (0..buffer.shown()).filter_map(|at| buffer.at(at)).map(|(_, row)| row.text.to_string()).collect()
}

#[test]
fn invocation_is_one_row() {
    let mut buffer = LogBuffer::default();
    buffer.push(parsed(1, 0, "START RequestId: 12345678-abc Version: 1"));
    assert_eq!(texts(&buffer), ["invocation 12345678 is running"]);
    buffer.push(parsed(2, 0, "downloading"));
    buffer.push(parsed(3, 0, "END RequestId: 12345678-abc"));
    buffer.push(parsed(3, 0, "REPORT RequestId: 12345678-abc\tDuration: 5 ms\tBilled Duration: 6 ms"));
    assert_eq!(texts(&buffer), ["invocation 12345678 took 5 ms", "downloading"]);
    buffer.push(parsed(4, 0, "REPORT RequestId: other\tDuration: 7 ms"));
    assert_eq!(buffer.shown(), 3, "a report without a start has a row of its own");
}

#[test]
fn trace_of_several_events_is_one_row() {
    let mut buffer = LogBuffer::default();
    for line in
        ["ERROR java.lang.Exception", "\tat a.b(c.java:1)", "\tat d.e(f.java:2)", "Caused by: x", "next"]
    {
        buffer.push(parsed(1, 0, line));
    }
    assert_eq!(texts(&buffer), ["ERROR java.lang.Exception", "next"]);
    assert_eq!(buffer.at(0).unwrap().1.more.len(), 3);
}

#[test]
fn buffer_drops_old_rows_beyond_its_limits() {
    let mut buffer = LogBuffer::with_limits(100, usize::MAX);
    for number in 0..110 {
        buffer.push(parsed(0, 0, &number.to_string()));
    }
    assert_eq!((buffer.len(), buffer.shown(), buffer.dropped), (100, 100, 10));
    assert_eq!(&*buffer.at(0).unwrap().1.text, "10");
    assert_eq!((buffer.position(10), buffer.position(109)), (0, 99), "numbers stay, positions change");
    let mut buffer = LogBuffer::with_limits(usize::MAX, 100_000);
    for _ in 0..100 {
        buffer.push(parsed(0, 0, &"x".repeat(5000)));
    }
    assert!(buffer.bytes() <= 100_000 && buffer.len() > 10, "{}", buffer.len());
}

#[test]
fn filter_and_hidden_sources_do_not_hide_marks() {
    let mut buffer = LogBuffer::default();
    for (source, message) in [(0, "one"), (1, "two"), (0, "three")] {
        buffer.push(parsed(0, source, message));
    }
    buffer.mark(0, "mark");
    let sources =
        |hidden: [bool; 2]| hidden.map(|hidden| LogSource { name: "etl".to_owned(), hidden, received: 0 });
    buffer.filter.grep = Some(Regex::new("^t").unwrap());
    buffer.show(&sources([false, false]));
    assert_eq!(texts(&buffer), ["two", "three", "mark"]);
    buffer.filter.grep = None;
    buffer.show(&sources([true, false]));
    assert_eq!(texts(&buffer), ["two", "mark"]);
    buffer.push(parsed(0, 0, "hidden"));
    buffer.push(parsed(0, 1, "seen"));
    assert_eq!(texts(&buffer), ["two", "mark", "seen"]);
}

#[test]
fn search_wraps_around() {
    let mut buffer = LogBuffer::default();
    for message in ["a", "b", "ab", "c"] {
        buffer.push(parsed(0, 0, message));
    }
    let has = |letter: char| move |row: &LogRow| row.text.contains(letter);
    assert_eq!(buffer.find(has('a'), 0, true), Some(2));
    assert_eq!(buffer.find(has('a'), 2, true), Some(0));
    assert_eq!(buffer.find(has('a'), 0, false), Some(2));
    assert_eq!(buffer.find(has('z'), 0, true), None);
    assert_eq!(LogBuffer::default().find(has('a'), 0, true), None);
}

#[test]
fn histogram_counts_exactly_the_shown_rows() {
    let mut buffer = LogBuffer::with_limits(100, usize::MAX);
    let total = |buffer: &LogBuffer| buffer.histogram().steps().flat_map(|(_, counts)| counts).sum::<u64>();
    for number in 0..150 {
        buffer.push(parsed(number * 1000, 0, if number % 3 == 0 { "ERROR x" } else { "y" }));
    }
    buffer.mark(0, "mark");
    assert_eq!(total(&buffer), 99, "the mark is a row, but no event");
    buffer.filter.grep = Some(Regex::new("x").unwrap());
    buffer.show(&[]);
    assert_eq!(total(&buffer), buffer.shown() as u64 - 1);
    buffer.push(parsed(1, 0, "START RequestId: 12345678-x Version: 1"));
    buffer.push(parsed(2, 0, "REPORT RequestId: 12345678-x\tDuration: 5 ms\tStatus: error"));
    assert_eq!(total(&buffer), buffer.shown() as u64 - 1);
    buffer.clear();
    assert_eq!(total(&buffer), 0);
}

#[test]
fn condition_and_pattern_select_rows_by_their_original_message() {
    let mut buffer = LogBuffer::default();
    for rows in [1, 20] {
        buffer.push(parsed(0, 0, &format!(r#"{{"level":"WARN","message":"rejected","rows":{rows}}}"#)));
    }
    buffer.push(parsed(0, 0, "done"));
    let patterns = buffer.patterns();
    assert_eq!((patterns[0].template.as_str(), patterns[0].count), ("rejected rows=<n>", 2));
    buffer.filter.pattern = Some(patterns[0].clone());
    buffer.show(&[]);
    assert_eq!(texts(&buffer), ["rejected rows=1", "rejected rows=20"]);
    let now = chrono::DateTime::parse_from_rfc3339("2026-03-02T03:04:05Z").unwrap();
    buffer.filter.condition = Some(crate::tui::domain::Condition::parse("rows > 1", now).unwrap());
    buffer.show(&[]);
    assert_eq!(texts(&buffer), ["rejected rows=20"]);
    assert!(buffer.field_names().contains(&"rows".to_owned()));
    assert!(buffer.filter.pop() && buffer.filter.pop() && !buffer.filter.pop());
}
