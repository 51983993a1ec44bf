//! Compares what a page shows with what a command prints.
//!
//! Times, durations, sizes, ids and hashes differ from run to run; every other word must be there, in its order. Pages leave out lines, and `…` the rest
//! of one. Columns may have other widths.

use regex::Regex;

/// What differs from run to run, and a word for it.
const VARYING: [(&str, &str); 8] = [
    (r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b", "<id>"),
    (r"\b\d{8}_\d{6}_", "<time>_"),
    (r"\b20(?:2[6-9]|[3-9]\d)-\d\d-\d\d\b", "<date>"),
    (r"\b\d\d:\d\d:\d\d(?:\.\d+)?\b", "<time>"),
    (r"\b\d+(?:\.\d+)? (?:B|kB|MB|GB|TB)\b", "<size>"),
    (r"\b(bytes|seconds|files)=\d+(?:\.\d+)?", "$1=<number>"),
    (r"`[^`]*/bin`", "`<folder>/bin`"),
    (r" +", " "),
];

fn without_varying(text: &str) -> String {
    VARYING.iter().fold(text.to_owned(), |text, (pattern, word)| {
        Regex::new(pattern).unwrap().replace_all(&text, *word).into_owned()
    })
}

/// Returns whether the output contains what is shown.
pub(super) fn matches(shown: &str, output: &str) -> bool {
    let lines = shown.lines().map(str::trim).filter(|line| !line.is_empty()).map(without_varying);
    let lines = lines.map(|line| {
        let words = line.split_whitespace().map(|word| match word {
            "…" => r"[^\n]*".to_owned(),
            word => regex::escape(word),
        });
        words.collect::<Vec<_>>().join(r"\s+")
    });
    // Between two lines of the page there may be others.
    let pattern = lines.collect::<Vec<_>>().join(r"\s+(?:[^\n]*\n)*?\s*");
    Regex::new(&pattern).unwrap().is_match(&without_varying(output))
}

#[test]
fn words_must_match_and_varying_parts_need_not() {
    let shown =
        "20:45:49 INFO run succeeded loaded=19911 seconds=1.7\n\nerror: refused: the cases of 2020; …\n";
    let output = |loaded: u32| {
        format!(
            "09:00:00 INFO  run succeeded loaded={loaded} seconds=0.123\nanother line\nerror: refused: the\ncases of 2020; and more\n"
        )
    };
    assert!(matches(shown, &output(19_911)));
    assert!(!matches(shown, &output(19_912)));
    assert!(!matches(shown, "20:45:49 INFO run succeeded loaded=19911 seconds=1.7\n"));
}
