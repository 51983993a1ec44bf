//! `covidctl adopt`: proposes the description of a pipeline that is already in an account, and writes it to the configuration file.

use std::fmt::Write as _;
use std::io::{BufRead as _, IsTerminal as _, Write as _};
use std::path::Path;
use std::sync::Arc;

use aws::{Aws, Candidate, Proposal};
use common::atomic_file;
use common::failure::{Context as _, Failure, Result};
use common::terminal::visible;

use crate::cli::Adopt;
use crate::connect;
use crate::printer::Printer;
use crate::settings::{Settings, check_file, is_target_name};

pub(super) async fn run(args: &Adopt, settings: &Settings, printer: &Arc<Printer>) -> Result<()> {
    let name = args.name.as_str();
    if !is_target_name(name) || settings.targets.iter().any(|target| target.name == name) {
        return Err(Failure::usage(format!("`{name}` cannot be the name of a new target")).hint(
            "`covidctl targets` lists those that exist; a name has letters, digits, `-`, `_` and `.`",
        ));
    }
    if args.write {
        settings.may_change("write the configuration file")?;
    }
    let aws = Aws::new(&settings.aws, printer.tunnel_events());
    printer.note("looking through the account; nothing is changed");
    let Proposal { region, mut candidates, unread } = aws.look_around().await?;
    for unread in &unread {
        printer.note(&format!("not looked at: {unread}"));
    }
    if candidates.is_empty() {
        return Err(Failure::new(format!("nothing was found in the region `{region}`"))
            .hint("is this the right --profile and --region?"));
    }
    if !settings.yes && !printer.json() && std::io::stdin().is_terminal() && std::io::stderr().is_terminal() {
        choose(&mut candidates)?;
    }
    let text = render(name, &region, &candidates, settings);
    if args.write {
        write(&settings.config.value, &text)?;
        let path = settings.config.value.display();
        printer.note(&format!("the target `{name}` is in `{path}`"));
        host_key(name, settings, printer).await;
        printer.note(&format!("next: covidctl --target {name} doctor"));
    }
    if printer.json() {
        let proposal = Proposal { region, candidates, unread };
        return printer.show_as(&proposal, |_| text);
    }
    if !args.write {
        printer.text(text.trim_end());
        printer.note(&format!("`covidctl adopt {name} --write` writes this to the configuration file"));
    }
    Ok(())
}

/// Says whether the console of the bastion shows its host key, or which command trusts the first one that is seen.
async fn host_key(name: &str, settings: &Settings, printer: &Arc<Printer>) {
    let keys = async {
        let settings = settings.with_target(name)?;
        let target = connect::target(&settings, printer.tunnel_events())?;
        let access = target.bastion()?.access().await?;
        access.discovery.host_keys(&access.discovery.find().await?).await
    };
    match keys.await {
        Ok(keys) if keys.is_empty() => printer.note(&format!(
            "nothing vouches for the bastion's host key; to trust the first one that is seen: covidctl --target {name} tunnel --trust first-use"
        )),
        Ok(_) => printer.note("the bastion's console shows its host key, which is pinned at the first connection"),
        // `doctor` says why.
        Err(_) => {}
    }
}

/// Lets the user choose what belongs to the pipeline, by numbers, until an empty line.
fn choose(candidates: &mut [Candidate]) -> Result<()> {
    let mut screen = std::io::stderr().lock();
    let mut input = std::io::stdin().lock();
    loop {
        let mut text = String::new();
        for (number, candidate) in (1..).zip(candidates.iter()) {
            let mark = if candidate.is_likely { "x" } else { " " };
            let doubt = candidate.doubts.first().map(|doubt| format!("  ({doubt})")).unwrap_or_default();
            // Writing to a string cannot fail.
            _ = writeln!(text, "{number:>3} [{mark}] {}", visible(&format!("{candidate}{doubt}")));
        }
        text.push_str("Numbers take a part in or leave it out, Enter accepts: ");
        let asked = screen.write_all(text.as_bytes()).and_then(|()| screen.flush());
        let mut answer = String::new();
        let answered = asked.and_then(|()| input.read_line(&mut answer));
        if answered.context(|| "cannot read the answer")? == 0 || answer.trim().is_empty() {
            return Ok(());
        }
        for word in answer.split([' ', ',']).map(str::trim).filter(|word| !word.is_empty()) {
            let number = word.parse::<usize>().ok().and_then(|number| number.checked_sub(1));
            match number.and_then(|number| candidates.get_mut(number)) {
                Some(candidate) => candidate.is_likely = !candidate.is_likely,
                None => drop(writeln!(screen, "`{}` is not one of the numbers", visible(word))),
            }
        }
    }
}

/// Returns the tables for the configuration file. What does not belong to the pipeline is commented out, with the reason.
fn render(name: &str, region: &str, candidates: &[Candidate], settings: &Settings) -> String {
    let quoted = |text: &str| toml::Value::from(text).to_string();
    let mut text = format!("[targets.{}]\nkind = \"aws\"\nregion = {}\n", key(name), quoted(region));
    let aws = &settings.aws;
    for (key, value) in [("profile", &aws.profile), ("endpoint-url", &aws.endpoint_url)] {
        if let Some(value) = value {
            _ = writeln!(text, "{key} = {}", quoted(&value.value));
        }
    }
    if aws.ssl_mode.value == target::SslMode::Disable {
        text.push_str("ssl-mode = \"disable\"\n");
    }
    for candidate in candidates {
        text.push('\n');
        for doubt in &candidate.doubts {
            _ = writeln!(text, "# {}", visible(doubt));
        }
        let table: Vec<String> = candidate.table.split('.').map(key).collect();
        let mut tables = format!("[targets.{}.{}]\n", key(name), table.join("."));
        for (key_name, value) in &candidate.values {
            _ = writeln!(tables, "{} = {value}", key(key_name));
        }
        // A value may have several lines.
        let mark = if candidate.is_likely { "" } else { "# " };
        for line in tables.lines() {
            _ = writeln!(text, "{mark}{line}");
        }
    }
    text
}

/// Returns a key as TOML writes it.
fn key(name: &str) -> String {
    if name.contains('.') { toml::Value::from(name).to_string() } else { name.to_owned() }
}

/// Appends the tables to the file, whose other lines stay as they are; it is replaced at once, and only if it is valid with them.
fn write(path: &Path, text: &str) -> Result<()> {
    let what = || format!("cannot write the configuration file `{}`", path.display());
    // A link stays one.
    let path = &std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let old = match std::fs::read_to_string(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
        read => read.context(what)?,
    };
    let separator = if old.is_empty() { "" } else { "\n" };
    let new = format!("{}{separator}{text}", with_line_end(&old));
    check_file(&new, path)?;
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).context(what)?;
    }
    atomic_file::write(path, new.as_bytes()).context(what)
}

fn with_line_end(text: &str) -> String {
    if text.is_empty() || text.ends_with('\n') { text.to_owned() } else { format!("{text}\n") }
}
