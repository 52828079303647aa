//! The status ping: connect, handshake, status request, its answer, ping, pong, close. What it costs the server in CPU time,
//! against two bare responders that do nothing else, each a process of its own, all fed by the same client in turn.

mod client;
pub(crate) mod responder;

use crate::edge::{self, Authentication, Settings};
use crate::process::Server;
use crate::report::{Goal, Line, Unit};
use crate::rounds::{Plan, Samples};
use anyhow::Result;
use client::Requests;
use std::path::Path;
use std::process::Command;

/// Edge against bare epoll responder (goal): a bare tokio responder is at about 1.5.
const GOAL: Goal = Goal::RatioAtMost(1.3);

/// What the others are measured against; the last one started.
const REFERENCE: &str = "bare epoll";

/// A server that is measured, with one list of samples for each form of requests.
struct Subject {
    name: &'static str,
    server: Server,
    samples: [Samples; Requests::ALL.len()],
}

/// Measures all of it.
///
/// # Errors
/// When a server can't be started or doesn't answer as it must.
pub(crate) fn measure(program: &Path, plan: &Plan) -> Result<Vec<Line>> {
    let settings = Settings::new(Authentication::Disabled);
    let (edge, config) = edge::start(program, &settings)?;
    let (single, _config) = edge::start(program, &settings.with_threads(1))?;
    let document = config.path().join("status.bin");
    std::fs::write(&document, client::status_response(edge.address())?)?;
    let responder = |name: &str| {
        Server::start(Command::new(std::env::current_exe()?).arg(format!("respond-{name}")).arg(&document))
    };
    let mut subjects = [
        ("edge", edge),
        ("edge with one thread", single),
        ("bare tokio", responder("tokio")?),
        (REFERENCE, responder("epoll")?),
    ]
    .map(|(name, server)| Subject { name, server, samples: Default::default() });

    for subject in &subjects {
        client::run(subject.server.address(), Requests::Together, plan.pings)?;
    }
    for round in 0..plan.ping_rounds {
        for (form, &requests) in Requests::ALL.iter().enumerate() {
            // Each round begins with another server, so that none always follows the same one.
            for turn in 0..subjects.len() {
                let subject = &mut subjects[(turn + round) % Subject::COUNT];
                let used = subject.ping(requests, plan.pings)?;
                subject.samples[form].push(used);
            }
        }
    }
    Ok(lines(&subjects))
}

fn lines(subjects: &[Subject; Subject::COUNT]) -> Vec<Line> {
    let [measured @ .., reference] = subjects;
    let mut lines = Vec::new();
    for (form, requests) in Requests::ALL.iter().enumerate() {
        for Subject { name, samples, .. } in measured {
            let label = format!("{name}, {}", requests.name());
            let line = Line::new(label, Unit::Seconds, &samples[form]).against(
                REFERENCE,
                &samples[form],
                &reference.samples[form],
            );
            let judged = *name == "edge" && *requests == Requests::Together;
            lines.push(if judged { line.goal(GOAL) } else { line });
        }
    }
    lines
}

impl Subject {
    const COUNT: usize = 4;

    /// CPU time of one of `count` pings, in seconds.
    fn ping(&mut self, requests: Requests, count: usize) -> Result<f64> {
        let before = self.server.cpu_time()?;
        client::run(self.server.address(), requests, count)?;
        Ok(self.server.cpu_time()?.saturating_sub(before).as_secs_f64() / count as f64)
    }
}
