//! `cargo xtask docs`: the documentation as a site with search, in `target/docs/`.
//!
//! The pages are those of `docs/` and of the root directory, which is as they are read in the repository. The site has them in one directory, so
//! links are adapted; a link to a file that is no page becomes its text.

use std::path::{Component, Path, PathBuf};
use std::process::Command;

use crate::{output, process, tools};
use common::failure::{Context as _, Failure, Result};

const REQUIREMENTS: &str = include_str!("../docs/requirements.txt");

/// Pages outside `docs/`.
const ROOT_PAGES: [&str; 5] =
    ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md"];

/// Builds the site.
pub(crate) fn run() -> Result<()> {
    let python = tools::python("docs", "mdBook", REQUIREMENTS)?;
    let workspace = process::workspace();
    let target = process::target()?;
    let (book, site) = (target.join("docs-source"), target.join("docs"));
    for folder in [&book, &site] {
        if folder.exists() {
            std::fs::remove_dir_all(folder).context(|| format!("cannot remove `{}`", folder.display()))?;
        }
    }
    let source = book.join("src");
    for file in files(&workspace)? {
        let (from, to) = (workspace.join(&file), source.join(site_path(&file)));
        let folder = to.parent().unwrap_or(&source);
        std::fs::create_dir_all(folder).context(|| format!("cannot create `{}`", folder.display()))?;
        if file.extension().is_some_and(|extension| extension == "md") {
            let text =
                std::fs::read_to_string(&from).context(|| format!("cannot read `{}`", from.display()))?;
            write(&to, &adapted(&text, &file, &workspace))?;
        } else {
            std::fs::copy(&from, &to).context(|| format!("cannot copy `{}`", from.display()))?;
        }
    }
    write(&book.join("book.toml"), include_str!("../docs/book.toml"))?;
    write(&source.join("SUMMARY.md"), include_str!("../docs/SUMMARY.md"))?;
    let mut mdbook = Command::new(python.with_file_name("mdbook"));
    process::run(mdbook.arg("build").arg(&book).arg("--dest-dir").arg(&site))?;
    output::result(&site.join("index.html").display().to_string());
    Ok(())
}

fn write(path: &Path, text: &str) -> Result<()> {
    std::fs::write(path, text).context(|| format!("cannot write `{}`", path.display()))
}

/// Returns the files of the site, relative to the workspace and in order.
fn files(workspace: &Path) -> Result<Vec<PathBuf>> {
    let mut files: Vec<PathBuf> = ROOT_PAGES.iter().map(PathBuf::from).chain(["LICENSE".into()]).collect();
    let mut folders = vec![PathBuf::from("docs")];
    while let Some(folder) = folders.pop() {
        let path = workspace.join(&folder);
        let entries = std::fs::read_dir(&path).context(|| format!("cannot read `{}`", path.display()))?;
        for entry in entries.flatten() {
            let file = folder.join(entry.file_name());
            if entry.path().is_dir() { folders.push(file) } else { files.push(file) }
        }
    }
    files.sort();
    if files.len() <= ROOT_PAGES.len() {
        return Err(Failure::new("`docs` is empty"));
    }
    Ok(files)
}

/// Returns the path of a file within the site.
fn site_path(file: &Path) -> PathBuf {
    file.strip_prefix("docs").unwrap_or(file).to_path_buf()
}

/// Adapts the links of a page.
fn adapted(text: &str, page: &Path, workspace: &Path) -> String {
    let mut adapted = String::with_capacity(text.len());
    let mut rest = text;
    for link in links(text) {
        let Some(at) = rest.find(&link.source) else { continue };
        let Some(file) = target_of(page, &link.target) else { continue };
        adapted.push_str(&rest[..at]);
        rest = &rest[at + link.source.len()..];
        let anchor = link.target.split_once('#').map(|(_, anchor)| format!("#{anchor}")).unwrap_or_default();
        if is_in_site(&file) && workspace.join(&file).is_file() {
            let to = relative(&site_path(page), &site_path(&file));
            adapted.extend(["](", &to, &anchor, ")"]);
        } else {
            // The text of the link remains, in brackets.
            adapted.push(']');
        }
    }
    adapted.push_str(rest);
    adapted
}

fn is_in_site(file: &Path) -> bool {
    file.starts_with("docs")
        || file == Path::new("LICENSE")
        || ROOT_PAGES.iter().any(|page| file == Path::new(page))
}

/// The end of a link: `](target)`.
struct Link {
    source: String,
    target: String,
}

/// Returns the links to other files, in their order; those in code are none.
fn links(text: &str) -> Vec<Link> {
    let mut links = Vec::new();
    let mut in_code = false;
    for line in text.lines() {
        if line.starts_with("```") {
            in_code = !in_code;
        }
        if in_code {
            continue;
        }
        for part in line.split("](").skip(1) {
            let Some((target, _)) = part.split_once(')') else { continue };
            if !target.contains(':') && !target.starts_with('#') {
                links.push(Link { source: format!("]({target})"), target: target.to_owned() });
            }
        }
    }
    links
}

/// Returns the file that a link of a page leads to, relative to the workspace.
fn target_of(page: &Path, target: &str) -> Option<PathBuf> {
    let path = target.split('#').next().unwrap_or_default();
    let mut file = page.parent()?.to_path_buf();
    for part in Path::new(path).components() {
        match part {
            Component::ParentDir => {
                file.pop().then_some(())?;
            }
            Component::Normal(name) => file.push(name),
            _ => {}
        }
    }
    Some(file)
}

/// Returns the path from one page to another file.
fn relative(page: &Path, file: &Path) -> String {
    let up = page.components().count() - 1;
    format!("{}{}", "../".repeat(up), file.display())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the anchors of the headings of a page, as GitHub and mdBook make them.
    fn anchors(text: &str) -> Vec<String> {
        let mut in_code = false;
        let mut anchors = Vec::new();
        for line in text.lines() {
            if line.starts_with("```") {
                in_code = !in_code;
            }
            if in_code || !line.starts_with('#') {
                continue;
            }
            let heading = line.trim_start_matches('#').trim().to_lowercase();
            let kept = heading.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
            anchors.push(kept.map(|c| if c == ' ' { '-' } else { c }).collect());
        }
        anchors
    }

    #[test]
    fn links_of_pages_lead_to_files_and_headings() {
        let workspace = process::workspace();
        let mut broken = Vec::new();
        for page in files(&workspace).unwrap() {
            if page.extension().is_none_or(|extension| extension != "md") {
                continue;
            }
            let text = std::fs::read_to_string(workspace.join(&page)).unwrap();
            let own = text
                .lines()
                .flat_map(|line| line.split("](#").skip(1))
                .filter_map(|part| part.split(')').next());
            for anchor in own {
                if !anchors(&text).iter().any(|known| known == anchor) {
                    broken.push(format!("{}: #{anchor}", page.display()));
                }
            }
            for Link { target, .. } in links(&text) {
                let file = workspace.join(target_of(&page, &target).unwrap());
                let there = match target.split_once('#') {
                    Some((_, anchor)) => std::fs::read_to_string(&file)
                        .is_ok_and(|text| anchors(&text).iter().any(|known| known == anchor)),
                    None => file.exists(),
                };
                if !there {
                    broken.push(format!("{}: {target}", page.display()));
                }
            }
        }
        assert!(broken.is_empty(), "{broken:#?}");
    }

    #[test]
    fn summary_lists_every_page() {
        let summary = include_str!("../docs/SUMMARY.md");
        let mut pages: Vec<String> = files(&process::workspace())
            .unwrap()
            .iter()
            .filter(|file| file.extension().is_some_and(|extension| extension == "md"))
            .map(|file| site_path(file).display().to_string())
            .collect();
        let mut listed: Vec<String> = links(summary).into_iter().map(|link| link.target).collect();
        pages.sort();
        listed.sort();
        assert_eq!(listed, pages);
    }

    #[test]
    fn links_are_adapted_to_the_site() {
        let workspace = process::workspace();
        let text = "[a](docs/concepts/loading.md#releases), [b](etl/src/pipeline.rs), [c](https://x.example), ![d](docs/pictures/demo.svg)";
        assert_eq!(
            adapted(text, Path::new("README.md"), &workspace),
            "[a](concepts/loading.md#releases), [b], [c](https://x.example), ![d](pictures/demo.svg)"
        );
        let text = "[a](../../ARCHITECTURE.md), [b](../decisions/0002-tunnel.md), [c](memory.md)";
        assert_eq!(
            adapted(text, Path::new("docs/concepts/loading.md"), &workspace),
            "[a](../ARCHITECTURE.md), [b](../decisions/0002-tunnel.md), [c](../concepts/memory.md)"
        );
    }
}
