//! Start-up: time passed from making the process until the edge says that it listens, a connection to prove it.

use crate::edge::{self, Authentication, Settings};
use crate::report::{Goal, Line, Unit};
use crate::rounds::Plan;
use anyhow::{Context as _, Result};
use std::net::TcpStream;
use std::path::Path;

const GOAL: Goal = Goal::AtMost(0.05);

/// Measures it.
///
/// # Errors
/// When the edge doesn't start, or says that it listens and doesn't.
pub(crate) fn measure(program: &Path, plan: &Plan) -> Result<Vec<Line>> {
    let mut times = Vec::new();
    for _ in 0..plan.starts {
        let (server, _config) = edge::start_directly(program, &Settings::new(Authentication::Disabled))?;
        TcpStream::connect(server.address()).context("the edge says that it listens, but doesn't")?;
        times.push(server.started_in().as_secs_f64());
    }
    Ok(vec![Line::new("from exec to listening (time passed)", Unit::Seconds, &times).goal(GOAL)])
}
