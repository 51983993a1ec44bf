//! Why an ECS task stopped, with a hint.
//!
//! ECS has a code, and a text for the task and each container. The texts are no contract; unknown ones are shown unchanged.

use common::failure::Exit;
use target::RunEnd;

/// The reason of a stopped task.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Stop {
    /// `stopCode`
    pub(super) code: Option<String>,
    /// `stoppedReason`
    pub(super) task: Option<String>,
    /// `reason` of the container
    pub(super) container: Option<String>,
    /// Exit code of the container, if it was started.
    pub(super) exit_code: Option<u8>,
}

/// A message and a hint.
type Words = (String, Option<&'static str>);

/// A part of ECS's text, its meaning and a hint on each line. The first match counts.
const KNOWN: &str = include_str!("stop_reasons.tsv");

impl Stop {
    /// Returns the exit code of the program, or 125 if it was never started.
    pub(super) fn code(&self) -> u8 {
        self.exit_code.unwrap_or(Exit::NotStarted.code())
    }

    /// Returns the end of the run.
    pub(super) fn end(&self) -> RunEnd {
        let (reason, hint) = self.words().unzip();
        RunEnd { code: self.code(), reason, hint: hint.flatten().map(str::to_owned), warning: None }
    }

    /// Returns message and hint, or `None` if the program exited by itself.
    pub(super) fn words(&self) -> Option<Words> {
        let texts = [self.container.as_deref(), self.task.as_deref(), self.code.as_deref()];
        let texts: Vec<&str> = texts.into_iter().flatten().collect();
        let sentence = *texts.first()?;
        let task = self.task.as_deref().unwrap_or_default();
        explain(&texts, sentence).or_else(|| match self.code.as_deref() {
            Some("UserInitiated") => Some((format!("it was stopped by hand ({task})"), None)),
            Some("EssentialContainerExited") if self.exit_code.is_some() => None,
            _ if self.exit_code == Some(0) => None,
            _ => Some((sentence.to_owned(), None)),
        })
    }
}

/// Returns message and hint for the `reason` in `failures[]` of `RunTask`.
pub(super) fn refusal(reason: &str, detail: Option<&str>) -> Words {
    let sentence = detail.map_or_else(|| reason.to_owned(), |detail| format!("{reason}: {detail}"));
    explain(&[reason], &sentence).unwrap_or_else(|| match reason {
        "MISSING" => ("it is not there any more".to_owned(), None),
        _ => (sentence, None),
    })
}

/// Returns meaning and hint of the first known reason in the texts; `sentence` is what ECS says.
fn explain(texts: &[&str], sentence: &str) -> Option<Words> {
    KNOWN.lines().find_map(|line| {
        let mut fields = line.split('\t');
        let (sign, meaning, hint) = (fields.next()?, fields.next()?, fields.next()?);
        let is_known = texts.iter().any(|text| text.contains(sign));
        is_known.then(|| (format!("{meaning} ({sentence})"), Some(hint)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stop(code: &str, task: &str, container: Option<&str>, exit_code: Option<u8>) -> Stop {
        Stop {
            code: Some(code.to_owned()),
            task: Some(task.to_owned()),
            container: container.map(str::to_owned),
            exit_code,
        }
    }

    #[test]
    fn words_explain_common_start_failures() {
        for (task, meaning) in [
            ("CannotPullContainerError: pull image manifest has been retried 5 time(s)", "cannot be pulled"),
            ("ResourceInitializationError: unable to pull secrets or registry auth: AccessDenied", "secret"),
            ("Capacity is unavailable at this time. Please try again later", "no capacity"),
            ("Timeout waiting for network interface provisioning to complete.", "network"),
        ] {
            let stop = stop("TaskFailedToStart", task, None, None);
            let (words, hint) = stop.words().unwrap();
            assert!(words.contains(meaning) && words.contains(task), "{words}");
            assert!(hint.is_some() && stop.code() == 125);
        }
    }

    #[test]
    fn known_reasons_have_sign_meaning_and_hint() {
        assert!(KNOWN.lines().all(|line| line.split('\t').filter(|field| !field.is_empty()).count() == 3));
    }

    #[test]
    fn words_are_none_if_program_exited() {
        let stop = stop("EssentialContainerExited", "Essential container in task exited", None, Some(1));
        assert_eq!((stop.code(), stop.words()), (1, None));
    }

    #[test]
    fn words_explain_out_of_memory_and_manual_stop() {
        let memory = "OutOfMemoryError: Container killed due to memory usage";
        let killed =
            stop("EssentialContainerExited", "Essential container in task exited", Some(memory), Some(137));
        assert_eq!(killed.code(), 137);
        assert!(killed.words().unwrap().0.starts_with("it ran out of memory"));
        let by_hand = stop("UserInitiated", "ana with covidctl", None, Some(143));
        assert_eq!(by_hand.words().unwrap().0, "it was stopped by hand (ana with covidctl)");
    }

    #[test]
    fn words_show_unknown_reason_unchanged() {
        let stop = stop("Other", "something new", None, None);
        assert_eq!(stop.words().unwrap(), ("something new".to_owned(), None));
        assert_eq!(refusal("AGENT", Some("x")).0, "AGENT: x");
        assert!(refusal("RESOURCE:MEMORY", None).0.starts_with("there is no capacity"));
    }
}
