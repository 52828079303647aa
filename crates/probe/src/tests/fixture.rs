//! What the tests share.

use super::super::report::{Entry, Outcome, Report, Step};
use super::super::{ProbeArgs, probe, render};
use clap::Parser;
use serde_json::{Value, json};
use std::net::{Ipv4Addr, TcpListener};
use std::time::Duration;

/// The command line around the arguments.
#[derive(Parser)]
pub(super) struct Line {
    #[command(flatten)]
    pub args: ProbeArgs,
}

/// The arguments, as they would be typed behind `probe`.
pub(super) fn line(arguments: &[&str]) -> Result<ProbeArgs, clap::Error> {
    Line::try_parse_from(["probe"].iter().chain(arguments)).map(|line| line.args)
}

/// Lets `future` run to its end.
pub(super) fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

/// Probes as the arguments say.
pub(super) fn run(arguments: &[&str]) -> Report {
    let settings = line(arguments).unwrap().settings().unwrap();
    block_on(probe(&settings))
}

/// A port on which nothing listens.
pub(super) fn unused_port() -> u16 {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port()
}

/// What a server list shows.
pub(super) fn status(protocol: i32) -> Value {
    json!({
        "version": { "name": "Test", "protocol": protocol },
        "players": { "online": 1, "max": 20 },
        "description": { "text": "A server\n", "color": "gold", "extra": ["of \u{1b}[31mtests"] },
    })
}

impl Report {
    /// The entry of a step.
    pub(super) fn entry(&self, step: Step) -> &Entry {
        self.entries.iter().find(|entry| entry.step == step).unwrap()
    }

    /// The steps that failed.
    pub(super) fn failed(&self) -> Vec<Step> {
        self.entries.iter().filter(|entry| entry.outcome == Outcome::Failed).map(|entry| entry.step).collect()
    }

    /// As text and as JSON, with what differs from run to run replaced: times, and these ports.
    pub(super) fn shown(mut self, ports: &[(u16, u16)]) -> (String, String) {
        for entry in &mut self.entries {
            entry.elapsed = entry.elapsed.map(|_| Duration::from_micros(1_500));
        }
        let settle = |text: String| {
            ports.iter().fold(text, |text, (port, shown)| text.replace(&port.to_string(), &shown.to_string()))
        };
        let text = anstream::adapter::strip_str(&render::text(&self)).to_string();
        (settle(text), settle(format!("{:#}\n", render::json(&self))))
    }
}
