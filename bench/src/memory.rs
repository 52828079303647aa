//! Memory of the edge: at rest, and for each connection that waits. PSS, so its own memory and its share of what is shared, and
//! without the kernel's buffers.
//!
//! The first few hundred connections pay for what exists once (tables that grow, threads' stacks); what is reported is what each
//! one after them adds.

use crate::edge::{self, Authentication, Settings};
use crate::login::client;
use crate::process::Server;
use crate::report::{Goal, Line, Unit};
use crate::rounds::Plan;
use anyhow::{Result, ensure};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::net::TcpStream;
use std::path::Path;

const AT_REST: Goal = Goal::AtMost(12.0 * 1024.0 * 1024.0);
const PER_LOGIN: Goal = Goal::AtMost(10.0 * 1024.0);

/// Connections that are there before the first reading.
pub(crate) const WARM_UP: usize = 250;

/// Descriptors of this process beside the connections.
pub(crate) const OWN_DESCRIPTORS: usize = 100;

/// Measures all of it.
///
/// # Errors
/// When the edge can't be started, refuses connections, or there are too few descriptors.
pub(crate) fn measure(program: &Path, plan: &Plan) -> Result<Vec<Line>> {
    raise_descriptor_limit(plan.waiting + WARM_UP + OWN_DESCRIPTORS)?;
    let (mut rest, mut own, mut silent, mut logins) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for _ in 0..plan.memory_rounds {
        let (server, _config) = edge::start(program, &Settings::new(Authentication::Disabled))?;
        rest.push(server.memory()?);
        own.push(server.own_memory()?);
        drop(server);
        silent.push(per_connection(program, plan.waiting, |server, _| {
            Ok(TcpStream::connect(server.address())?)
        })?);
        logins.push(per_connection(program, plan.waiting, |server, number| {
            client::until_encryption(server.address(), &format!("Bench_{number}"))
        })?);
    }
    Ok(vec![
        Line::new("edge at rest", Unit::Bytes, &rest).goal(AT_REST),
        Line::new("of which it isn't pages of the program's file", Unit::Bytes, &own),
        Line::new("a silent connection", Unit::Bytes, &silent),
        Line::new("a login that waits for the client's Encryption Response", Unit::Bytes, &logins)
            .goal(PER_LOGIN),
    ])
}

/// What each of `count` connections adds, in bytes.
fn per_connection<T>(
    program: &Path,
    count: usize,
    mut connect: impl FnMut(&Server, usize) -> Result<T>,
) -> Result<f64> {
    let (server, _config) = edge::start(program, &Settings::new(Authentication::Disabled))?;
    let own = server.descriptors()?;
    let mut connections = Vec::with_capacity(WARM_UP + count);
    let mut before = 0.0;
    for goal in [WARM_UP, WARM_UP + count] {
        before = server.memory()?;
        while connections.len() < goal {
            connections.push(connect(&server, connections.len())?);
        }
        server.await_descriptors(own + goal)?;
    }
    Ok((server.memory()? - before) / count as f64)
}

/// Raises the soft limit of open descriptors to what is needed.
pub(crate) fn raise_descriptor_limit(needed: usize) -> Result<()> {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let needed = needed as u64;
    if current.is_none_or(|current| current >= needed) {
        return Ok(());
    }
    ensure!(
        maximum.is_none_or(|maximum| maximum >= needed),
        "{needed} open descriptors are needed (ulimit -Hn)"
    );
    setrlimit(Resource::Nofile, Rlimit { current: Some(needed), maximum })?;
    Ok(())
}
