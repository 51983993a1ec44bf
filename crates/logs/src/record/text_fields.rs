//! Fields in lines of text: `name=value` pairs, the reports of Lambda, and the exception of a trace.

use std::borrow::Cow;

use super::timestamp;

/// Names of fields in Lambda's reports, and what the service calls them.
pub(super) const LAMBDA_FIELDS: [(&str, &str); 8] = [
    ("request_id", "RequestId: "),
    ("duration", "Duration: "),
    ("billed_duration", "Billed Duration: "),
    ("memory_size", "Memory Size: "),
    ("max_memory_used", "Max Memory Used: "),
    ("init_duration", "Init Duration: "),
    ("status", "Status: "),
    ("error_type", "Error Type: "),
];

/// Endings of the class of an exception.
const EXCEPTIONS: [&str; 5] = ["Error", "Exception", "Interrupt", "Exit", "Failure"];

pub(super) fn is_lambda(text: &str) -> bool {
    let Some((word, _)) = text.split_once(" RequestId: ") else { return false };
    matches!(word, "START" | "END" | "REPORT")
}

pub(super) fn lambda_field<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let (invocation, rest) = text.split_once(' ')?;
    if name == "invocation" {
        return Some(invocation);
    }
    let (_, label) = LAMBDA_FIELDS.iter().find(|(known, _)| *known == name)?;
    let value = rest.split('\t').find_map(|field| field.trim().strip_prefix(label))?.trim();
    Some(if name == "request_id" { value.split(' ').next()? } else { value })
}

/// Returns the value in a pair `name=value`, with its quotes if it has any.
pub(super) fn pair<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let bytes = text.as_bytes();
    memchr::memmem::find_iter(bytes, name.as_bytes()).find_map(|at| {
        let end = at + name.len();
        let starts = at == 0 || matches!(bytes[at - 1], b' ' | b'\t' | b'{' | b'(' | b',');
        (starts && bytes.get(end) == Some(&b'=')).then(|| value(&text[end + 1..])).flatten()
    })
}

/// Returns the value at the start of a text, with its quotes.
fn value(text: &str) -> Option<&str> {
    let bytes = text.as_bytes();
    if bytes.first() == Some(&b'"') {
        let mut at = 1;
        while let Some(found) = memchr::memchr2(b'"', b'\\', bytes.get(at..)?) {
            if bytes[at + found] == b'"' {
                return text.get(..=at + found);
            }
            at += found + 2;
        }
        return None;
    }
    let end = bytes.iter().position(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b',' | b'}' | b')'));
    text.get(..end.unwrap_or(bytes.len()))
}

/// Removes the quotes of a value and resolves its escapes.
pub(super) fn unquote(value: &str) -> Cow<'_, str> {
    match value.strip_prefix('"').and_then(|value| value.strip_suffix('"')) {
        Some(inside) => super::unescape(inside),
        None => value.into(),
    }
}

/// Returns the names of all pairs.
pub(super) fn names(text: &str) -> impl Iterator<Item = &str> {
    memchr::memchr_iter(b'=', text.as_bytes()).filter_map(|at| {
        let before = &text[..at];
        let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-' | '@');
        let name = &before[before.trim_end_matches(is_part).len()..];
        let follows =
            text[at + 1..].starts_with(|c: char| !c.is_whitespace() && !matches!(c, '=' | '>' | '~'));
        let starts = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_' || c == '@');
        (starts && follows).then_some(name)
    })
}

/// Returns a line without the time at its start.
pub(super) fn without_time(text: &str) -> &str {
    let inside = text.strip_prefix('[').unwrap_or(text);
    match timestamp::leading(inside) {
        Some((_, length)) => inside[length..].trim_start_matches([']', ' ', '\t', ':', '-']),
        None => text,
    }
}

/// Returns whether a line names an exception, as the first line of a trace of Java and the last one of Python do; with its class.
pub(crate) fn exception_class(line: &str) -> Option<&str> {
    let class = line.split([':', ' ']).next()?;
    let is_path = class.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && class.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'$'));
    let ends = line.len() == class.len() || line[class.len()..].starts_with(':');
    (is_path && ends && EXCEPTIONS.iter().any(|ending| class.ends_with(ending))).then_some(class)
}

/// Returns the class of the exception in a trace: of Java's first, of Python's last one.
pub(super) fn exception(text: &str) -> Option<String> {
    let is_python = text.contains("Traceback (most recent call last)");
    let mut classes = text.lines().filter_map(|line| {
        let line = line
            .strip_prefix("Exception in thread ")
            .map_or(line, |rest| rest.split_once("\" ").map_or(rest, |(_, exception)| exception));
        exception_class(line)
    });
    let class = if is_python { classes.next_back() } else { classes.next() };
    class.map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_found_by_their_whole_name() {
        let text = r#"xrows=1 rows=2, note="a \"b\" c" empty= last=3"#;
        assert_eq!(pair(text, "rows"), Some("2"));
        assert_eq!(pair(text, "note").map(unquote).as_deref(), Some("a \"b\" c"));
        assert_eq!(pair(text, "empty"), Some(""));
        assert_eq!(pair(text, "last"), Some("3"));
        assert_eq!(pair(r#"open="x"#, "open"), None);
        assert_eq!(names(text).collect::<Vec<_>>(), ["xrows", "rows", "note", "last"]);
    }
}
