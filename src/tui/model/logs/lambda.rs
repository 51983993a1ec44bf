//! The messages that the Lambda service logs about an invocation: its start, its end and a report, as text or JSON.

use serde_json::Value;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::tui) enum Invocation {
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
pub(super) fn parse(message: &str) -> Option<Invocation> {
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
            let field = |name| {
                let value = rest.split('\t').find_map(|field| field.trim().strip_prefix(name))?;
                Some(value.trim().to_owned())
            };
            let metrics = ["Duration: ", "Max Memory Used: ", "Memory Size: ", "Init Duration: "];
            Some(report(id, field("Status: "), metrics.map(field)))
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
            let metric = |name: &str, unit: &str| Some(format!("{} {unit}", metrics.get(name)?.as_f64()?));
            let (duration, init) = (metric("durationMs", "ms"), metric("initDurationMs", "ms"));
            let (used, available) = (metric("maxMemoryUsedMB", "MB"), metric("memorySizeMB", "MB"));
            let status = record.get("status").and_then(Value::as_str).map(str::to_owned);
            Some(report(id, status, [duration, used, available, init]))
        }
        _ => None,
    }
}

/// Summarizes a report; its metrics are the duration, the used and the available memory, and the duration of a cold start.
fn report(id: String, status: Option<String>, metrics: [Option<String>; 4]) -> Invocation {
    let [duration, used, available, init] = metrics;
    let status = status.filter(|status| status != "success");
    let failed = status.is_some();
    let memory = used.zip(available).map(|(used, available)| format!("{used} of {available}"));
    let init = init.map(|init| format!("cold start {init}"));
    let summary: Vec<String> = [status, duration, memory, init].into_iter().flatten().collect();
    Invocation::Report { id, summary: summary.join(", "), failed }
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
