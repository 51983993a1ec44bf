//! The messages that the Lambda service logs about an invocation: its start, its end and a report, as text or JSON.

use serde_json::Value;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Invocation {
    Start {
        id: String,
    },
    /// The report, which follows, has the same facts and more.
    End,
    Report {
        id: String,
        summary: String,
        failed: bool,
    },
}

/// Parses a message; returns none if the function itself logged it.
pub fn parse(message: &str) -> Option<Invocation> {
    let message = message.trim_end();
    if message.starts_with("{\"time\"") || message.starts_with("{\"type\"") {
        return parse_json(&serde_json::from_str(message).ok()?);
    }
    let (word, rest) = message.split_once(" RequestId: ")?;
    let id = rest.split([' ', '\t']).next().unwrap_or_default().to_owned();
    match word {
        "START" => Some(Invocation::Start { id }),
        "END" => Some(Invocation::End),
        "REPORT" => {
            let field = |name: &str| {
                let fields = rest.split('\t').map(str::trim);
                fields.filter_map(|field| field.strip_prefix(name)).map(str::trim).next().map(str::to_owned)
            };
            let status = field("Status: ").filter(|status| status != "success");
            let summary = summary(
                field("Duration: "),
                field("Max Memory Used: "),
                field("Memory Size: "),
                field("Init Duration: "),
                status.as_deref(),
            );
            Some(Invocation::Report { id, summary, failed: status.is_some() })
        }
        _ => None,
    }
}

fn parse_json(value: &Value) -> Option<Invocation> {
    let record = value.get("record")?;
    let id = record.get("requestId")?.as_str()?.to_owned();
    match value.get("type")?.as_str()? {
        "platform.start" => Some(Invocation::Start { id }),
        "platform.runtimeDone" | "platform.end" => Some(Invocation::End),
        "platform.report" => {
            let metrics = record.get("metrics")?;
            let number = |name: &str, unit: &str| {
                metrics.get(name).and_then(Value::as_f64).map(|value| format!("{value} {unit}"))
            };
            let status = record.get("status").and_then(Value::as_str).filter(|status| *status != "success");
            let summary = summary(
                number("durationMs", "ms"),
                number("maxMemoryUsedMB", "MB"),
                number("memorySizeMB", "MB"),
                number("initDurationMs", "ms"),
                status,
            );
            Some(Invocation::Report { id, summary, failed: status.is_some() })
        }
        _ => None,
    }
}

fn summary(
    duration: Option<String>,
    used: Option<String>,
    size: Option<String>,
    init: Option<String>,
    status: Option<&str>,
) -> String {
    let memory = used.zip(size).map(|(used, size)| format!("{used} of {size}"));
    let init = init.map(|init| format!("cold start {init}"));
    let parts = [status.map(str::to_owned), duration, memory, init];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invocation_lines_are_parsed() {
        let id = "8f5a".to_owned();
        assert_eq!(
            parse("START RequestId: 8f5a Version: $LATEST\n"),
            Some(Invocation::Start { id: id.clone() })
        );
        assert_eq!(parse("END RequestId: 8f5a"), Some(Invocation::End));
        let report = "REPORT RequestId: 8f5a\tDuration: 1234.56 ms\tBilled Duration: 1235 ms\tMemory Size: 512 MB\tMax Memory Used: 120 MB\tInit Duration: 100.1 ms\t";
        let summary = "1234.56 ms, 120 MB of 512 MB, cold start 100.1 ms".to_owned();
        assert_eq!(parse(report), Some(Invocation::Report { id, summary, failed: false }));
        assert_eq!(parse("downloading RequestId: x"), None);
        assert_eq!(parse("an ordinary line"), None);
    }

    #[test]
    fn json_messages_are_parsed() {
        let report = r#"{"time":"2026-03-02T03:04:05.007Z","type":"platform.report","record":{"requestId":"a","status":"timeout","metrics":{"durationMs":3000.0,"memorySizeMB":128,"maxMemoryUsedMB":64}}}"#;
        let summary = "timeout, 3000 ms, 64 MB of 128 MB".to_owned();
        assert_eq!(parse(report), Some(Invocation::Report { id: "a".into(), summary, failed: true }));
        assert_eq!(parse(r#"{"time":"x","level":"INFO","message":"m"}"#), None);
    }
}
