//! What a package has besides the binary: completions, manual pages, licences, and the list of components (`CycloneDX`).

use std::path::Path;
use std::process::Command;

use super::{Folders, archive_name, components, copy, create, libraries, licences, write};
use crate::{output, process};
use common::failure::{Context as _, Result};

/// Shells, and the names under which they look for completions.
const COMPLETIONS: [(&str, &str); 3] =
    [("bash", "covidctl.bash"), ("zsh", "_covidctl"), ("fish", "covidctl.fish")];

/// Texts of the repository that are part of each package.
const TEXTS: [&str; 3] = ["LICENSE", "README.md", "CHANGELOG.md"];

/// Writes the content of the packages to the stage, and the list of components to the result.
pub(super) fn stage(binary: &Path, triple: &str, folders: &Folders) -> Result<()> {
    let stage = &folders.stage;
    copy(binary, &stage.join("covidctl"))?;
    for name in TEXTS {
        copy(&process::workspace().join(name), &stage.join(name))?;
    }
    let completions = stage.join("completions");
    create(&completions)?;
    for (shell, name) in COMPLETIONS {
        let script = process::output_of(Command::new(binary).args(["completions", shell]))?;
        write(&completions.join(name), script.as_bytes())?;
    }
    let manual = stage.join("man/man1");
    create(&manual)?;
    process::output_of(Command::new(binary).args(["man", "--dir"]).arg(&manual))?;
    compress(&manual)?;
    output::note("licences and list of components");
    let libraries = libraries::linked(triple)?;
    write(&stage.join("THIRD-PARTY-LICENSES.txt"), licences::document(&libraries)?.as_bytes())?;
    let list = folders.result.join(format!("{}.cdx.json", archive_name(triple)));
    write(&list, components::document(&libraries)?.as_bytes())
}

/// Compresses every page, without its name and time, so that the same pages give the same bytes.
fn compress(manual: &Path) -> Result<()> {
    let pages = std::fs::read_dir(manual).context(|| format!("cannot read `{}`", manual.display()))?;
    let mut gzip = Command::new("gzip");
    gzip.args(["-9", "-n"]).args(pages.flatten().map(|page| page.path()));
    process::output_of(&mut gzip).map(drop)
}
