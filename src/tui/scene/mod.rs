//! Models that tests and pictures show: made by the same `update` as everything else, from fixed answers and at a fixed time.
//!
//! Nothing here is reached by the program itself.

mod answers;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use chrono::{FixedOffset, TimeDelta, Utc};

use self::answers::{
    active, aws_parts, checks, data, history, hostile, issues, local_parts, log, now, rejected, reports,
};
use super::command::Command;
use super::effect::Effect;
use super::model::logs::Incoming;
use super::model::{Model, RunDetails, Screen};
use super::msg::{Edit, LogNews, Msg, Trouble, TunnelNews};
use super::update::update;
use logs::MergedEvent;
use target::Location;
use tunnel::Snapshot;

/// The time of every scene.
pub const NOW: &str = "2026-03-02T06:12:40Z";

/// Every scene, by its name.
pub const NAMES: [&str; 25] = [
    "overview",
    "overview-aws",
    "overview-first",
    "overview-stale",
    "overview-unanswered",
    "runs",
    "runs-unanswered",
    "run",
    "logs",
    "logs-wrapped",
    "logs-hostile",
    "data",
    "rejected",
    "reports",
    "report",
    "tunnels",
    "help",
    "confirm",
    "palette",
    "palette-error",
    "search",
    "sources",
    "targets",
    "event",
    "read-only",
];

/// The scene of that name.
pub fn scene(name: &str, size: (u16, u16)) -> Model {
    let mut story = Story::new(size);
    story.tell(name);
    story.model
}

/// A model, and the fixed answers that it is given.
struct Story {
    model: Model,
    answers: bool,
    stale: bool,
    aws: bool,
    lines: Vec<MergedEvent>,
}

impl Story {
    fn new(size: (u16, u16)) -> Self {
        let place = Location { target: "local".to_owned(), location: "/var/lib/covidctl".to_owned() };
        let zone = FixedOffset::west_opt(3 * 3600).unwrap_or_else(|| chrono::Offset::fix(&Utc));
        let model = Model::new(place, false, now(), zone, size);
        Self { model, answers: true, stale: false, aws: false, lines: log() }
    }

    fn tell(&mut self, name: &str) {
        match name {
            "overview-first" => self.answers = false,
            // Nothing was ever known.
            "overview-unanswered" | "runs-unanswered" => self.stale = true,
            "overview-aws" => {
                self.aws = true;
                let location = "account 123456789012, region us-east-1".to_owned();
                self.model.place = Location { target: "aws".to_owned(), location };
            }
            "logs-hostile" => self.lines = hostile(),
            "read-only" => self.model.read_only = true,
            _ => {}
        }
        self.happens(Msg::Tick { now: now() });
        match name {
            "overview-stale" => {
                self.stale = true;
                self.happens(Msg::Tick { now: now() + TimeDelta::seconds(75) });
            }
            "runs" | "runs-unanswered" | "read-only" => self.go(Screen::Runs),
            "run" => {
                self.go(Screen::Runs);
                self.does(&[Command::Down, Command::Down, Command::Open]);
            }
            "logs" | "logs-hostile" => self.go(Screen::Logs),
            "logs-wrapped" => {
                self.go(Screen::Logs);
                self.does(&[Command::Wrap, Command::Fold, Command::Stamps, Command::Mark, Command::Follow]);
            }
            "search" => {
                self.go(Screen::Logs);
                self.does(&[Command::Search]);
                self.types("rows");
                self.does(&[Command::Submit, Command::Next, Command::Search]);
                self.types("rejected|loaded");
            }
            "sources" => {
                self.go(Screen::Logs);
                self.does(&[Command::Sources, Command::Down, Command::Toggle]);
            }
            "event" => {
                self.go(Screen::Logs);
                self.does(&[Command::Search]);
                self.types("traceback");
                self.does(&[Command::Submit, Command::Open]);
            }
            "data" => self.go(Screen::Data),
            "rejected" => {
                self.go(Screen::Data);
                self.does(&[Command::Open]);
            }
            "reports" => self.go(Screen::Reports),
            "report" => {
                self.go(Screen::Reports);
                self.does(&[Command::Open]);
            }
            "tunnels" => self.tunnels(),
            "help" => {
                self.go(Screen::Logs);
                self.does(&[Command::Help]);
            }
            "confirm" => {
                self.go(Screen::Runs);
                self.does(&[Command::Stop]);
            }
            "palette" => {
                self.does(&[Command::Palette]);
                self.types("r");
            }
            "palette-error" => {
                self.does(&[Command::Palette]);
                self.types("target moon");
                self.does(&[Command::Submit]);
            }
            "targets" => self.does(&[Command::Targets, Command::Down]),
            _ => {}
        }
    }

    fn go(&mut self, screen: Screen) {
        self.does(&[Command::Go(screen)]);
    }

    fn does(&mut self, commands: &[Command]) {
        for command in commands {
            self.happens(Msg::Command(*command));
        }
    }

    fn types(&mut self, text: &str) {
        for character in text.chars() {
            self.happens(Msg::Edit(Edit::Insert(character)));
        }
    }

    fn happens(&mut self, msg: Msg) {
        for effect in update(&mut self.model, msg) {
            for answer in self.answer(&effect) {
                self.happens(answer);
            }
        }
    }

    fn tunnels(&mut self) {
        self.go(Screen::Tunnels);
        self.does(&[Command::OpenTunnel]);
        self.types("5432:covid19-replica.example:5432 ec2-user@bastion.example");
        self.does(&[Command::Submit]);
        let Some(id) = self.model.tunnels.all.first().map(|tunnel| tunnel.id) else { return };
        self.happens(Msg::Tunnel {
            id,
            news: TunnelNews::Ready {
                bastion: "ec2-user@bastion.example:22".to_owned(),
                local: "127.0.0.1:5432".to_owned(),
                usage: "psql \"host=covid19-replica.example hostaddr=127.0.0.1 port=5432\"".to_owned(),
            },
        });
        let text = "the host key of i-0a1b2c3d4e5f is pinned now".into();
        self.happens(Msg::Tunnel { id, news: TunnelNews::Note { text, up: true } });
        let mut down = 0;
        for second in 0..60_u64 {
            down += (second * second * 977) % 9_000_000;
            let snapshot = Snapshot {
                down,
                up: second * 1200,
                open: 2,
                served: 5,
                reconnects: 1,
                round_trip: Duration::from_micros(151_300),
            };
            let at = now().timestamp_millis() + i64::try_from(second).unwrap_or(0) * 1000;
            self.happens(Msg::Tunnel { id, news: TunnelNews::Count { at, snapshot } });
        }
    }

    /// What the outside says to a question.
    fn answer(&self, effect: &Effect) -> Vec<Msg> {
        if !self.answers {
            return Vec::new();
        }
        let gone = || Trouble {
            message: "postgres://covid19_reader:***@127.0.0.1:44087/covid19 does not answer".to_owned(),
            hint: Some("covidctl status".to_owned()),
        };
        let stale = self.stale;
        match effect {
            Effect::LoadParts { ticket } if stale => {
                vec![Msg::Parts { ticket: *ticket, result: Err(gone()) }]
            }
            Effect::LoadRuns { ticket } if stale => vec![Msg::Runs { ticket: *ticket, result: Err(gone()) }],
            Effect::LoadParts { ticket } => {
                let parts = if self.aws { aws_parts() } else { local_parts() };
                vec![Msg::Parts { ticket: *ticket, result: Ok((parts, self.model.place.clone())) }]
            }
            Effect::LoadActive { ticket } => vec![Msg::Active { ticket: *ticket, result: Ok(active()) }],
            Effect::LoadRuns { ticket } => vec![Msg::Runs { ticket: *ticket, result: Ok(history()) }],
            Effect::LoadRunDetails { ticket, .. } => {
                let details = RunDetails { checks: checks(), issues: issues() };
                vec![Msg::RunDetails { ticket: *ticket, result: Ok(details) }]
            }
            Effect::LoadData { ticket, .. } => {
                vec![Msg::Data { ticket: *ticket, result: Ok(Box::new(data())) }]
            }
            Effect::LoadRejected { ticket, .. } => {
                vec![Msg::Rejected { ticket: *ticket, result: Ok(rejected()) }]
            }
            Effect::LoadReports { ticket } => vec![Msg::Reports { ticket: *ticket, result: Ok(reports()) }],
            Effect::ReadReport { ticket, .. } => {
                vec![Msg::Report { ticket: *ticket, result: Ok(include_str!("report.txt").to_owned()) }]
            }
            Effect::Follow { ticket, .. } => {
                let names = ["lambda", "etl", "report", "metabase"].map(str::to_owned).into();
                let lines = self.lines.iter().cloned().map(Incoming::new).collect();
                let news = [LogNews::Sources(names), LogNews::Lines(lines), LogNews::CaughtUp];
                news.into_iter().map(|news| Msg::Logs { ticket: *ticket, news }).collect()
            }
            _ => Vec::new(),
        }
    }
}

/// Messages that fill the logs, for benchmarks.
#[must_use]
pub fn many_lines(count: usize) -> Vec<Incoming> {
    let stream: Arc<str> = "stream".into();
    let template = log();
    let lines = template.iter().cycle().zip(0..count).map(|(shown, number)| {
        let mut shown = shown.clone();
        shown.event.time += i64::try_from(number).unwrap_or(0);
        shown.event.message =
            shown.event.message.replace("\"message\":\"", &format!("\"message\":\"{number} "));
        let mut line = Incoming::new(shown);
        (line.stream, line.invocation) = (Arc::clone(&stream), None);
        line
    });
    lines.collect()
}
