//! The commands in the code blocks of the documentation.

use std::path::{Path, PathBuf};

/// A line of a block, without the prompt.
#[derive(Debug, Clone)]
pub(super) struct Example {
    /// Path of the page in the repository.
    pub(super) page: String,
    /// As it is typed, with its comment.
    pub(super) line: String,
    /// What the page shows below it.
    pub(super) output: String,
}

impl Example {
    /// Returns the calls of `covidctl` and `etl` in the line, as words.
    pub(super) fn calls(&self) -> Vec<Vec<String>> {
        let simple = split(&self.line);
        simple.into_iter().filter(|words| matches!(words[0].as_str(), "covidctl" | "etl")).collect()
    }
}

/// Returns the examples of all pages, in order.
pub(super) fn examples() -> Vec<Example> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut pages: Vec<PathBuf> = vec![root.join("README.md"), root.join("CONTRIBUTING.md")];
    for folder in ["concepts", "decisions", "guides", "reference"] {
        let entries = std::fs::read_dir(root.join("docs").join(folder)).unwrap();
        pages.extend(entries.map(|entry| entry.unwrap().path()));
    }
    pages.retain(|page| page.extension().is_some_and(|extension| extension == "md"));
    pages.sort();
    let mut examples = Vec::new();
    for page in pages {
        let text = std::fs::read_to_string(&page).unwrap();
        let name = page.strip_prefix(root).unwrap().display().to_string();
        examples.extend(examples_of(&name, &text));
    }
    examples
}

fn examples_of(page: &str, text: &str) -> Vec<Example> {
    let mut examples: Vec<Example> = Vec::new();
    let mut block = None;
    for line in text.lines() {
        let Some(kind) = block else {
            // A block may be the content of an item of a numbered list.
            let fence = line.trim_start_matches(|c: char| c.is_ascii_digit() || matches!(c, '.' | ' '));
            block = ["sh", "console"].into_iter().find(|kind| fence.trim_end() == format!("```{kind}"));
            continue;
        };
        let continues = |example: &Example| example.page == page && example.line.ends_with('\\');
        if line.trim() == "```" {
            block = None;
        } else if let Some(example) = examples.last_mut().filter(|example| continues(example)) {
            example.line.pop();
            example.line.push_str(line.trim());
        } else if let (Some(example), false) = (examples.last_mut(), kind == "sh" || line.starts_with("$ ")) {
            example.output.push_str(line);
            example.output.push('\n');
        } else if !line.trim().is_empty() {
            let line = line.trim().trim_start_matches("$ ").to_owned();
            examples.push(Example { page: page.to_owned(), line, output: String::new() });
        }
    }
    examples
}

/// Splits a line into simple commands of words, as a shell does: at `|`, `&&` and `;` outside quotes, up to a comment or redirection.
fn split(line: &str) -> Vec<Vec<String>> {
    let mut commands = vec![Vec::new()];
    let mut word: Option<String> = None;
    let mut quote = None;
    let mut depth = 0_u32;
    let mut characters = line.chars().peekable();
    while let Some(character) = characters.next() {
        match (quote, character) {
            (None, '\'' | '"') if depth == 0 => {
                quote = Some(character);
                word.get_or_insert_default();
            }
            (Some(open), _) if open == character && depth == 0 => quote = None,
            (None | Some('"'), '$') if characters.peek() == Some(&'(') => {
                depth += 1;
                word.get_or_insert_default().push('$');
            }
            (_, ')') if depth > 0 => {
                depth -= 1;
                word.get_or_insert_default().push(')');
            }
            (None, '#') if depth == 0 && word.is_none() => break,
            (None, '>') if depth == 0 => break,
            (None, '|' | '&' | ';') if depth == 0 => {
                commands.last_mut().unwrap().extend(word.take());
                commands.push(Vec::new());
            }
            (None, ' ') if depth == 0 => commands.last_mut().unwrap().extend(word.take()),
            _ => word.get_or_insert_default().push(character),
        }
    }
    commands.last_mut().unwrap().extend(word);
    commands.retain(|words| !words.is_empty());
    commands
}

#[test]
fn lines_are_split_like_a_shell() {
    let line = "zcat a.gz | covidctl logs --where 'level >= warn and x = \"y\"' && covidctl down > file   # covidctl up";
    let wanted: Vec<Vec<String>> = [
        &["zcat", "a.gz"][..],
        &["covidctl", "logs", "--where", "level >= warn and x = \"y\""],
        &["covidctl", "down"],
    ]
    .iter()
    .map(|words| words.iter().map(|word| (*word).to_owned()).collect())
    .collect();
    assert_eq!(split(line), wanted);
    let nested = split("covidctl tunnel -L 1:\"$(aws --query 'A[0].B' | cat)\":2");
    assert_eq!(
        nested,
        [["covidctl", "tunnel", "-L", "1:$(aws --query 'A[0].B' | cat):2"].map(str::to_owned).to_vec()]
    );
}

#[test]
fn output_belongs_to_the_command_above_it() {
    let text = "```console\n$ a --b \\\n    --c\none\n\n$ d\n```\n```sh\ne\n```\n```json\nf\n```\n";
    let found: Vec<_> =
        examples_of("p", text).into_iter().map(|example| (example.line, example.output)).collect();
    let wanted = [("a --b --c", "one\n\n"), ("d", ""), ("e", "")]
        .map(|(line, output)| (line.to_owned(), output.to_owned()));
    assert_eq!(found, wanted);
}
