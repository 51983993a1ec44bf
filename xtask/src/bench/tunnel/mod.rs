//! `cargo xtask bench tunnel`: `covidctl tunnel` beside `ssh -L`, through the same real OpenSSH server.
//!
//! Both use aes256-gcm. They take turns, on the plain loopback and through a proxy of ours that holds every byte back for
//! half a round trip, standing in for the distance. Each round compares the two that were measured next to each other, and who
//! begins changes from round to round. Numbers are printed beside the goals, and no exit code depends on them.

mod bastion;
mod competitor;
mod delay_proxy;
mod topology;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use self::bastion::Bastion;
use self::competitor::{Competitor, Forwarder};
use super::goal::{self, Goal, Threshold};
use super::input;
use super::measure::{self, Ratio};
use crate::cli::TunnelBench;
use crate::output;
use common::failure::Result;

/// From Buenos Aires to us-east-1 and back.
const ROUND_TRIP: Duration = Duration::from_millis(150);

/// A round on the loopback takes seconds, and its ratio varies by a tenth from one to the next: with so many times as many of them
/// there, what they say together is known to two or three hundredths.
const LOOPBACK_ROUNDS: u32 = 7;

/// What Linux paces sshd with: on the loopback, BBR costs it a third more processor time than cubic does.
const CONGESTION_CONTROL: &str = "/proc/sys/net/ipv4/tcp_congestion_control";

/// What one forwarder did in one round on one path.
struct Numbers {
    /// Bytes a second from the target, and to it.
    down: f64,
    up: f64,
    /// Seconds until 64 bytes are back.
    ping: f64,
    /// Seconds until a new connection has got its first answer.
    connect: f64,
}

/// A path's name, where it begins, the bytes and the rounds that are measured on it, and what is wanted there.
type Route = (&'static str, SocketAddr, u64, u32, fn(&[Round]) -> Vec<Goal>);

/// One round: ours and OpenSSH's.
type Round = [Numbers; 2];

/// One of the numbers.
type Field = fn(&Numbers) -> f64;

/// Runs the benchmark of the tunnel.
pub(crate) fn run(options: &TunnelBench) -> Result<()> {
    let covidctl = binary(options.binary.as_deref())?;
    let bastion = Bastion::start()?;
    let target = topology::target()?;
    let bulk = options.mebibytes << 20;
    let mut met = Vec::new();
    let near_rounds = options.repeats.saturating_mul(LOOPBACK_ROUNDS);
    let mut paths: Vec<Route> = vec![("loopback", bastion.address(), bulk, near_rounds, near_goals)];
    if !options.loopback {
        let far = delay_proxy::proxy(bastion.address(), ROUND_TRIP / 2)?;
        paths.push(("150 ms", far, bulk / 8, options.repeats, far_goals));
    }
    for (path, address, bulk, rounds, goals) in paths {
        let mut measured = Vec::new();
        for round in 1..=rounds {
            let sampled = |competitor: Competitor| {
                output::note(&format!("{path}, round {round} of {rounds}: {}", competitor.name()));
                let forwarder = Forwarder::start(competitor, &covidctl, &bastion, address, target)?;
                sample(&forwarder, bulk)
            };
            measured.push(if round % 2 == 1 {
                let ours = sampled(Competitor::Covidctl)?;
                [ours, sampled(Competitor::Ssh)?]
            } else {
                let theirs = sampled(Competitor::Ssh)?;
                [sampled(Competitor::Covidctl)?, theirs]
            });
        }
        output::result(&table(path, &measured));
        met.extend(goals(&measured));
    }
    if let Ok(name) = std::fs::read_to_string(CONGESTION_CONTROL) {
        output::result(&format!("\ncongestion control: {}", name.trim()));
    }
    output::result(&goal::lines(&met));
    Ok(())
}

fn binary(named: Option<&Path>) -> Result<PathBuf> {
    input::program(named, "covidctl", "covidctl")
}

fn sample(forwarder: &Forwarder, bulk: u64) -> Result<Numbers> {
    let local = forwarder.local();
    // The first connection finds things that the later ones have.
    topology::connect(local)?;
    let connects = (0..10).map(|_| topology::connect(local)).collect::<Result<Vec<_>>>()?;
    let pings = topology::pings(local, 300)?;
    let down = topology::download(local, bulk)?;
    let up = topology::upload(local, bulk / 4)?;
    let rate = |bytes: u64, seconds: f64| measure::approximate(bytes) / seconds;
    Ok(Numbers {
        down: rate(bulk, down),
        up: rate(bulk / 4, up),
        ping: measure::median(pings.into_iter()),
        connect: measure::median(connects.into_iter()),
    })
}

/// Ours by theirs, round by round.
fn ratio(rounds: &[Round], field: Field) -> Ratio {
    Ratio::of(&rounds.iter().map(|[ours, theirs]| field(ours) / field(theirs)).collect::<Vec<_>>())
}

fn table(path: &str, rounds: &[Round]) -> String {
    let row = |what: &str, unit: &str, scale: f64, field: Field| {
        let [ours, theirs] = [0, 1].map(|who| measure::median(rounds.iter().map(|round| field(&round[who]))));
        let ratio = ratio(rounds, field);
        format!("{what:<24}{:>12.2}{:>12.2} {unit:<6}{ratio:>14}", ours * scale, theirs * scale)
    };
    [
        format!("\n{path:<24}{:>12}{:>12} {:<6}{:>14}", "covidctl", "ssh -L", "", "ratio"),
        row("from the target", "MB/s", 1e-6, |n| n.down),
        row("to the target", "MB/s", 1e-6, |n| n.up),
        row("64 bytes and back", "ms", 1e3, |n| n.ping),
        row("a new connection", "ms", 1e3, |n| n.connect),
    ]
    .join("\n")
}

fn near_goals(rounds: &[Round]) -> Vec<Goal> {
    vec![
        times("bulk of ssh -L, loopback", ratio(rounds, |n| n.down), Threshold::AtLeast(1.0)),
        times("ping-pong latency of ssh -L, loopback", ratio(rounds, |n| n.ping), Threshold::AtMost(1.1)),
    ]
}

fn far_goals(rounds: &[Round]) -> Vec<Goal> {
    vec![
        times("bulk of ssh -L, 150 ms", ratio(rounds, |n| n.down), Threshold::AtLeast(10.0)),
        times("new connection of ssh -L, 150 ms", ratio(rounds, |n| n.connect), Threshold::AtMost(1.0)),
    ]
}

fn times(what: &'static str, measured: Ratio, threshold: Threshold) -> Goal {
    Goal { what, measured: measured.mean, unit: "times", threshold }
}
