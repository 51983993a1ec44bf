//! `cargo xtask bench logs`: compares `covidctl logs` with `aws logs filter-log-events` and awslogs on the same events.
//!
//! The programs take turns reading the pipeline's four log groups from one emulator into a file. The emulator's time counts as wall time
//! of each program, not as processor time. `covidctl` must print every event exactly once.

use std::collections::HashSet;
use std::path::Path;
use std::process::{Command, Stdio};

use super::goal::{self, at_most};
use super::input;
use super::measure::{self, Measurement};
use crate::cli::LogsBench;
use crate::process::Background;
use crate::{output, process, tools};
use common::failure::{Context as _, Failure, Result};

const REQUIREMENTS: &str = include_str!("../../bench/logs-requirements.txt");

const FILL_SCRIPT: &str = include_str!("../../bench/fill_logs.py");

const GROUPS: [&str; 4] =
    ["/aws/lambda/covid19-download", "/ecs/covid19-etl", "/ecs/covid19-report", "/ecs/covid19-metabase"];

struct Competitor {
    name: &'static str,
    command: Command,
    measurements: Vec<Measurement>,
}

impl Competitor {
    fn median(&self, of: fn(&Measurement) -> f64) -> f64 {
        measure::median(self.measurements.iter().map(of))
    }
}

pub(crate) fn run(binary: Option<&Path>, options: &LogsBench) -> Result<()> {
    let covidctl = input::program(binary, "covidctl")?;
    let python = tools::python("bench-logs", "awscli, awslogs and the emulator", REQUIREMENTS)?;
    let address = process::free_address()?;
    let mut moto = Command::new(python.with_file_name("moto_server"));
    moto.args(["-H", "127.0.0.1", "-p", &address.port().to_string()]).stderr(Stdio::null());
    let _moto = Background::start(&mut moto)?;
    process::wait_until_listening(address, "the AWS emulator")?;
    let endpoint = format!("http://{address}");
    let scratch = input::scratch()?;
    output::note(&format!("writing {} events into the emulator", options.events));
    let fill = scratch.path().join("fill_logs.py");
    std::fs::write(&fill, FILL_SCRIPT).context(|| format!("cannot write `{}`", fill.display()))?;
    let mut filling = Command::new(&python);
    filling.arg(&fill).arg(&endpoint).arg(options.events.to_string());
    let events: u64 =
        process::output_of(&mut filling)?.trim().parse().context(|| "cannot count the events".to_owned())?;

    let mut competitors = competitors(&covidctl, &python, &endpoint, scratch.path());
    for round in 1..=options.repeats {
        for competitor in &mut competitors {
            output::note(&format!("round {round} of {}: {}", options.repeats, competitor.name));
            let (measurement, _) = measure::run(&competitor.command, scratch.path())?;
            competitor.measurements.push(measurement);
        }
    }
    output::result(&table(&competitors, events));
    let [ours, aws, awslogs] = competitors.as_slice() else { return Ok(()) };
    let cpu = |competitor: &Competitor| competitor.median(|m| m.cpu_seconds);
    let wall = |competitor: &Competitor| competitor.median(|m| m.seconds);
    output::result(&goal::lines(&[
        at_most("processor time of aws filter-log-events", cpu(ours) / cpu(aws), 0.1, "times"),
        at_most("processor time of awslogs", cpu(ours) / cpu(awslogs), 0.1, "times"),
        at_most("wall time of aws filter-log-events", wall(ours) / wall(aws), 1.0, "times"),
        at_most("wall time of awslogs", wall(ours) / wall(awslogs), 1.0, "times"),
    ]));
    check_complete(&scratch.path().join("covidctl.out"), events)
}

fn competitors(covidctl: &Path, python: &Path, endpoint: &str, scratch: &Path) -> Vec<Competitor> {
    let program = |name: &str| python.with_file_name(name).display().to_string();
    let ours = format!(
        "{} --target aws --region us-east-1 --endpoint-url {endpoint} logs --since 2h -o json",
        covidctl.display()
    );
    let each = |line: &dyn Fn(&str) -> String| GROUPS.map(line).join(" && ");
    let (aws, awslogs) = (program("aws"), program("awslogs"));
    let aws = each(&|group| {
        format!(
            "{aws} --endpoint-url {endpoint} --region us-east-1 logs filter-log-events --log-group-name {group} --output json"
        )
    });
    let awslogs = each(&|group| {
        format!(
            "{awslogs} get {group} ALL --aws-region us-east-1 --aws-endpoint-url {endpoint} --start 2h --timestamp --no-color"
        )
    });
    let competitor = |name, line: &str, out: &str| {
        let mut command = Command::new("sh");
        command.args(["-c", &format!("({line}) > {}", scratch.join(out).display())]);
        command.env("AWS_ACCESS_KEY_ID", "x").env("AWS_SECRET_ACCESS_KEY", "x");
        Competitor { name, command, measurements: Vec::new() }
    };
    vec![
        competitor("covidctl logs", &ours, "covidctl.out"),
        competitor("aws filter-log-events", &aws, "aws.out"),
        competitor("awslogs get", &awslogs, "awslogs.out"),
    ]
}

fn table(competitors: &[Competitor], events: u64) -> String {
    let mut lines = vec![
        format!("{events} events in {} groups; seconds are medians\n", GROUPS.len()),
        format!("{:<24}{:>10}{:>12}{:>10}", "program", "seconds", "processor", "peak MB"),
    ];
    for competitor in competitors {
        let peak = competitor.measurements.iter().map(|m| m.peak_bytes).max().unwrap_or_default() >> 20;
        let (wall, cpu) = (competitor.median(|m| m.seconds), competitor.median(|m| m.cpu_seconds));
        lines.push(format!("{:<24}{wall:>10.2}{cpu:>12.2}{peak:>10}", competitor.name));
    }
    lines.join("\n")
}

/// Checks that every event was printed exactly once.
fn check_complete(out: &Path, events: u64) -> Result<()> {
    let text = std::fs::read_to_string(out).context(|| format!("cannot read `{}`", out.display()))?;
    let id = |line: &str| Some(line.split_once("\"event_id\":\"")?.1.split_once('"')?.0.to_owned());
    let ids: Vec<String> = text.lines().filter_map(id).collect();
    let distinct: HashSet<&String> = ids.iter().collect();
    if ids.len() as u64 == events && distinct.len() == ids.len() {
        output::note("every event exactly once");
        return Ok(());
    }
    Err(Failure::new(format!(
        "{} events were printed, {} of them distinct, of {events}",
        ids.len(),
        distinct.len()
    )))
}
