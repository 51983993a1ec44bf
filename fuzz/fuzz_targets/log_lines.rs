//! Log lines and filters: every format is one line of visible text, and JSON can be parsed.

#![no_main]

use libfuzzer_sys::fuzz_target;
use logs::{Entry, Event, FilterPattern, MergedEvent, OutputFormat, Renderer, parse_regex};

fuzz_target!(|input: (&str, &str)| {
    let (message, filter) = input;
    if let Ok(pattern) = FilterPattern::parse(filter) {
        pattern.matches(message);
    }
    if let Ok(regex) = parse_regex(filter) {
        regex.is_match(message);
    }
    for format in [OutputFormat::Text, OutputFormat::Json, OutputFormat::Raw] {
        let renderer = Renderer { format, utc: true, color: false, names: vec!["etl".to_owned()] };
        let event = Event {
            time: 1_700_000_000_000,
            ingested: 1_700_000_000_000,
            group: "g".to_owned(),
            stream: "s".to_owned(),
            event_id: "1".to_owned(),
            message: message.to_owned(),
        };
        let line = renderer.entry(&Entry::new(MergedEvent { source: 0, event, late: None }));
        let shown = line.strip_suffix('\n').expect("a line");
        assert!(!shown.contains(|at: char| at.is_control() && at != '\t' && at != '\n'), "{shown:?}");
        if format == OutputFormat::Json {
            let value: serde_json::Value = serde_json::from_str(shown).expect("JSON");
            assert_eq!(value["source"], "etl");
        }
    }
});
