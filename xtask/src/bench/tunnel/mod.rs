//! `cargo xtask bench tunnel`: compares `covidctl tunnel` with `ssh -L`, through the same OpenSSH server.
//!
//! Both use aes256-gcm. They take turns, on the loopback and through a proxy that delays every byte by half a round trip. A ratio compares
//! the two measurements of one round; the order changes from round to round. Missed goals do not change the exit code.

mod delay_proxy;
mod programs;
mod workload;

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use self::programs::{Bastion, Competitor, Forwarder};
use super::goal::{self, at_least, at_most};
use super::input;
use super::measure::{self, Ratio};
use crate::cli::TunnelBench;
use crate::output;
use common::failure::Result;

/// From Buenos Aires to us-east-1 and back.
const ROUND_TRIP: Duration = Duration::from_millis(150);

/// Rounds on the loopback per repeat. A round takes seconds and its ratio varies by a tenth; seven times as many rounds reduce the
/// standard error of the mean to two or three hundredths.
const LOOPBACK_ROUNDS: u32 = 7;

/// Printed with the results: on the loopback, sshd needs a third more CPU time with BBR than with cubic.
const CONGESTION_CONTROL: &str = "/proc/sys/net/ipv4/tcp_congestion_control";

/// The measurements of one program in one round on one path.
struct Sample {
    /// Bytes per second from the target.
    down: f64,
    /// Bytes per second to the target.
    up: f64,
    /// Median seconds of a round trip of 64 bytes.
    ping: f64,
    /// Median seconds until a new connection has received its first reply.
    connect: f64,
}

/// A path to the bastion and what to measure on it.
struct NetworkPath {
    name: &'static str,
    address: SocketAddr,
    /// Bytes to download; a quarter of them are uploaded.
    bulk: u64,
    rounds: u32,
    goals: fn(&[Round]) -> [String; 2],
}

/// The samples of `covidctl` and of `ssh -L`.
type Round = [Sample; 2];

type Field = fn(&Sample) -> f64;

pub(crate) fn run(binary: Option<&Path>, options: &TunnelBench) -> Result<()> {
    let covidctl = input::program(binary, "covidctl")?;
    let bastion = Bastion::start()?;
    let target = workload::target()?;
    let bulk = options.mebibytes << 20;
    let mut goals = Vec::new();
    let near_rounds = options.repeats.saturating_mul(LOOPBACK_ROUNDS);
    let mut paths = vec![NetworkPath {
        name: "loopback",
        address: bastion.address,
        bulk,
        rounds: near_rounds,
        goals: near_goals,
    }];
    if !options.loopback {
        let address = delay_proxy::start(bastion.address, ROUND_TRIP / 2)?;
        paths.push(NetworkPath {
            name: "150 ms",
            address,
            bulk: bulk / 8,
            rounds: options.repeats,
            goals: far_goals,
        });
    }
    for path in paths {
        let (name, rounds) = (path.name, path.rounds);
        let mut measured = Vec::new();
        for round in 1..=rounds {
            let sample = |competitor: Competitor| {
                output::note(&format!("{name}, round {round} of {rounds}: {}", competitor.name()));
                let forwarder = Forwarder::start(competitor, &covidctl, &bastion, path.address, target)?;
                take_sample(forwarder.local, path.bulk)
            };
            measured.push(if round % 2 == 1 {
                let ours = sample(Competitor::Covidctl)?;
                [ours, sample(Competitor::Ssh)?]
            } else {
                let theirs = sample(Competitor::Ssh)?;
                [sample(Competitor::Covidctl)?, theirs]
            });
        }
        output::result(&table(name, &measured));
        goals.extend((path.goals)(&measured));
    }
    if let Ok(name) = std::fs::read_to_string(CONGESTION_CONTROL) {
        output::result(&format!("\ncongestion control: {}", name.trim()));
    }
    output::result(&goal::lines(&goals));
    Ok(())
}

fn take_sample(local: SocketAddr, bulk: u64) -> Result<Sample> {
    // Warms up: the first connection of a path is slower than later ones.
    workload::connect(local)?;
    let connects = (0..10).map(|_| workload::connect(local)).collect::<Result<Vec<_>>>()?;
    let pings = workload::pings(local, 300)?;
    let down = workload::download(local, bulk)?;
    let up = workload::upload(local, bulk / 4)?;
    let rate = |bytes: u64, seconds: f64| measure::approximate(bytes) / seconds;
    Ok(Sample {
        down: rate(bulk, down),
        up: rate(bulk / 4, up),
        ping: measure::median(pings.into_iter()),
        connect: measure::median(connects.into_iter()),
    })
}

/// Returns `covidctl` divided by `ssh -L`, over all rounds.
fn ratio(rounds: &[Round], field: Field) -> Ratio {
    Ratio::of(&rounds.iter().map(|[ours, theirs]| field(ours) / field(theirs)).collect::<Vec<_>>())
}

fn table(path: &str, rounds: &[Round]) -> String {
    let row = |what: &str, unit: &str, scale: f64, field: Field| {
        let [ours, theirs] =
            [0, 1].map(|index| measure::median(rounds.iter().map(|round| field(&round[index]))));
        let ratio = ratio(rounds, field);
        format!("{what:<24}{:>12.2}{:>12.2} {unit:<6}{ratio:>14}", ours * scale, theirs * scale)
    };
    [
        format!("\n{path:<24}{:>12}{:>12} {:<6}{:>14}", "covidctl", "ssh -L", "", "ratio"),
        row("from the target", "MB/s", 1e-6, |n| n.down),
        row("to the target", "MB/s", 1e-6, |n| n.up),
        row("round trip of 64 bytes", "ms", 1e3, |n| n.ping),
        row("a new connection", "ms", 1e3, |n| n.connect),
    ]
    .join("\n")
}

fn near_goals(rounds: &[Round]) -> [String; 2] {
    [
        at_least("bulk of ssh -L, loopback", ratio(rounds, |n| n.down).mean, 0.9, "times"),
        at_most("ping-pong latency of ssh -L, loopback", ratio(rounds, |n| n.ping).mean, 1.1, "times"),
    ]
}

fn far_goals(rounds: &[Round]) -> [String; 2] {
    [
        at_least("bulk of ssh -L, 150 ms", ratio(rounds, |n| n.down).mean, 10.0, "times"),
        at_most("new connection of ssh -L, 150 ms", ratio(rounds, |n| n.connect).mean, 0.55, "times"),
    ]
}
