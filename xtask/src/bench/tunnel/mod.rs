//! `cargo xtask bench tunnel`: `covidctl tunnel` beside `ssh -L`, through the same real OpenSSH server.
//!
//! Both use aes256-gcm. They take turns, on the plain loopback and through a proxy of ours that holds every byte back for
//! half a round trip, standing in for the distance. Numbers are printed beside the goals, and no exit code depends on them.

mod bastion;
mod contender;
mod distance;
mod places;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use self::bastion::Bastion;
use self::contender::{Contender, Forwarder};
use super::goal::{self, Bar, Goal};
use super::{input, measure};
use crate::cli::TunnelBench;
use crate::failure::Result;
use crate::say;

/// From Buenos Aires to us-east-1 and back.
const ROUND_TRIP: Duration = Duration::from_millis(150);

/// A round on the loopback takes seconds and varies by a tenth from one to the next: there are so many times as many of them there.
const LOOPBACK_ROUNDS: u32 = 3;

/// What Linux paces sshd with: on the loopback, BBR costs it a third more processor time than cubic does.
const CONGESTION_CONTROL: &str = "/proc/sys/net/ipv4/tcp_congestion_control";

/// Medians of one forwarder on one path.
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
type Route = (&'static str, SocketAddr, u64, u32, fn(&Numbers, &Numbers) -> Vec<Goal>);

/// Runs the benchmark of the tunnel.
pub(crate) fn run(options: &TunnelBench) -> Result<()> {
    let covidctl = binary(options.binary.as_deref())?;
    let bastion = Bastion::start()?;
    let target = places::target()?;
    let bulk = options.mebibytes << 20;
    let mut met = Vec::new();
    let near_rounds = options.repeats.saturating_mul(LOOPBACK_ROUNDS);
    let mut paths: Vec<Route> = vec![("loopback", bastion.address(), bulk, near_rounds, near_goals)];
    if !options.loopback {
        let far = distance::proxy(bastion.address(), ROUND_TRIP / 2)?;
        paths.push(("150 ms", far, bulk / 8, options.repeats, far_goals));
    }
    for (path, address, bulk, rounds, goals) in paths {
        let mut samples = [Vec::new(), Vec::new()];
        for round in 1..=rounds {
            for (contender, samples) in [Contender::Covidctl, Contender::Ssh].into_iter().zip(&mut samples) {
                say::note(&format!("{path}, round {round} of {rounds}: {}", contender.name()));
                let forwarder = Forwarder::start(contender, &covidctl, &bastion, address, target)?;
                samples.push(sample(&forwarder, bulk)?);
            }
        }
        let [ours, theirs] = samples.map(|samples| medians(&samples));
        say::result(&table(path, &ours, &theirs));
        met.extend(goals(&ours, &theirs));
    }
    if let Ok(name) = std::fs::read_to_string(CONGESTION_CONTROL) {
        say::result(&format!("\ncongestion control: {}", name.trim()));
    }
    say::result(&goal::lines(&met));
    Ok(())
}

fn binary(named: Option<&Path>) -> Result<PathBuf> {
    input::provided(named, "covidctl", "covidctl")
}

fn sample(forwarder: &Forwarder, bulk: u64) -> Result<Numbers> {
    let local = forwarder.local();
    // The first connection finds things that the later ones have.
    places::connect(local)?;
    let connects = (0..10).map(|_| places::connect(local)).collect::<Result<Vec<_>>>()?;
    let pings = places::pings(local, 300)?;
    let down = places::download(local, bulk)?;
    let up = places::upload(local, bulk / 4)?;
    let rate = |bytes: u64, seconds: f64| measure::approximate(bytes) / seconds;
    Ok(Numbers {
        down: rate(bulk, down),
        up: rate(bulk / 4, up),
        ping: measure::median(pings.into_iter()),
        connect: measure::median(connects.into_iter()),
    })
}

fn medians(samples: &[Numbers]) -> Numbers {
    let median = |field: fn(&Numbers) -> f64| measure::median(samples.iter().map(field));
    Numbers {
        down: median(|n| n.down),
        up: median(|n| n.up),
        ping: median(|n| n.ping),
        connect: median(|n| n.connect),
    }
}

fn table(path: &str, ours: &Numbers, theirs: &Numbers) -> String {
    let row = |what: &str, unit: &str, scale: f64, of: fn(&Numbers) -> f64| {
        let (a, b) = (of(ours), of(theirs));
        format!("{what:<24}{:>12.2}{:>12.2} {unit:<6}{:>8.2}", a * scale, b * scale, a / b)
    };
    [
        format!("\n{path:<24}{:>12}{:>12} {:<6}{:>8}", "covidctl", "ssh -L", "", "ratio"),
        row("from the target", "MB/s", 1e-6, |n| n.down),
        row("to the target", "MB/s", 1e-6, |n| n.up),
        row("64 bytes and back", "ms", 1e3, |n| n.ping),
        row("a new connection", "ms", 1e3, |n| n.connect),
    ]
    .join("\n")
}

fn near_goals(ours: &Numbers, theirs: &Numbers) -> Vec<Goal> {
    vec![
        times("bulk of ssh -L, loopback", ours.down / theirs.down, Bar::AtLeast(1.0)),
        times("ping-pong latency of ssh -L, loopback", ours.ping / theirs.ping, Bar::AtMost(1.1)),
    ]
}

fn far_goals(ours: &Numbers, theirs: &Numbers) -> Vec<Goal> {
    vec![
        times("bulk of ssh -L, 150 ms", ours.down / theirs.down, Bar::AtLeast(10.0)),
        times("new connection of ssh -L, 150 ms", ours.connect / theirs.connect, Bar::AtMost(1.0)),
    ]
}

fn times(what: &'static str, measured: f64, bar: Bar) -> Goal {
    Goal { what, measured, unit: "times", bar }
}
