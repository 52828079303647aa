//! A login as a real client does it, from connect to Transfer: handshake, Login Start, encryption, the session server, Login
//! Success, configuration. What it costs the edge in CPU time, against the two RSA operations that it can't do without, as
//! `openssl speed` does them in the same rounds.

pub(crate) mod client;
pub(crate) mod openssl;
pub(crate) mod session_server;

use crate::edge::{self, Authentication, Settings};
use crate::process::Server;
use crate::report::{Goal, Line, Unit};
use crate::rounds::{Plan, Samples};
use anyhow::Result;
use session_server::SessionServer;
use std::path::Path;

/// Login against two private operations. What other software needs for a login is about four times those.
const GOAL: Goal = Goal::RatioAtMost(1.5);

/// How many times a login decrypts: the shared secret, and the verify token.
const OPERATIONS: f64 = 2.0;

/// Measures all of it.
///
/// # Errors
/// When a program is missing or a login doesn't end in a Transfer.
pub(crate) fn measure(program: &Path, plan: &Plan) -> Result<Vec<Line>> {
    let session_server = SessionServer::start()?;
    let (mut checked, _config) =
        edge::start(program, &Settings::new(Authentication::SessionServer(session_server.url())))?;
    let (mut unchecked, _config) = edge::start(program, &Settings::new(Authentication::Disabled))?;
    for server in [&checked, &unchecked] {
        client::run(server.address(), plan.logins / 4)?;
    }

    let mut with: Samples = Vec::new();
    let mut without: Samples = Vec::new();
    let mut references: Samples = Vec::new();
    for _ in 0..plan.rounds {
        with.push(login(&mut checked, plan.logins)?);
        references.push(OPERATIONS * openssl::private_operation()?);
        without.push(login(&mut unchecked, plan.logins)?);
    }

    let reference = "2 RSA-1024 by openssl";
    Ok(vec![
        Line::new("session server", Unit::Seconds, &with).against(reference, &with, &references).goal(GOAL),
        Line::new("authentication disabled", Unit::Seconds, &without).against(
            reference,
            &without,
            &references,
        ),
    ])
}

/// CPU time of one of `count` logins, in seconds.
fn login(server: &mut Server, count: usize) -> Result<f64> {
    let before = server.cpu_time()?;
    client::run(server.address(), count)?;
    Ok(server.cpu_time()?.saturating_sub(before).as_secs_f64() / count as f64)
}
