//! What a player takes of the edge's memory: held in limbo, and on a target. PSS, without the kernel's buffers; of encrypted players with
//! skins, as those of public servers are.

use super::mix::Recording;
use super::through::{Carrier, THRESHOLD, VERSION, ends};
use super::{AT_ONCE, End};
use crate::edge::{self, Settings};
use crate::login::session_server::SessionServer;
use crate::memory::{OWN_DESCRIPTORS, WARM_UP, raise_descriptor_limit};
use crate::report::{Goal, Line, Unit};
use crate::rounds::Plan;
use anyhow::{Context as _, Result};
use drawbridge_protocol::ids::{Direction, Kind, State, id};
use ends::Client;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;

/// A player in limbo.
const HELD: Goal = Goal::AtMost(8.0 * 1024.0);

/// Measures it.
///
/// # Errors
/// When an edge can't be started, or somebody doesn't get in.
pub(crate) fn measure(program: &Path, plan: &Plan) -> Result<Vec<Line>> {
    let recording = &Recording::read()?;
    // Of a player on a target both ends are here.
    raise_descriptor_limit(2 * (plan.waiting + WARM_UP) + OWN_DESCRIPTORS)?;
    let session_server = SessionServer::start()?;
    let (mut held, mut waiting, mut carried) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..plan.memory_rounds {
        let limbo = Settings::sessions(Some(session_server.url()), None);
        held.push(per_player(program, &limbo, plan, hold)?);
        // Nobody listens there any more.
        let gone = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let unreachable = Settings::sessions(Some(session_server.url()), Some(gone));
        waiting.push(per_player(program, &unreachable, plan, hold)?);
        let target = TcpListener::bind("127.0.0.1:0")?;
        let sessions = Settings::sessions(Some(session_server.url()), Some(target.local_addr()?));
        let mix = recording.mix("small")?.under(VERSION, Direction::Clientbound)?;
        let reads = mix.reads(End::plain(THRESHOLD), AT_ONCE)?;
        carried.push(per_player(program, &sessions, plan, |edge, _| {
            let mut pairs = ends::open(edge, &target, 1, Carrier::Encrypted)?;
            // None is idle from the start: whatever carrying takes has been taken.
            pairs
                .iter_mut()
                .try_for_each(|pair| pair.carry(Direction::Clientbound, &reads[..1], AT_ONCE).map(drop))?;
            Ok(pairs)
        })?);
    }
    Ok(vec![
        Line::new("a player who is held in limbo", Unit::Bytes, &held).goal(HELD),
        Line::new("a player who waits in limbo for a target", Unit::Bytes, &waiting).goal(HELD),
        Line::new("a player who is on a target", Unit::Bytes, &carried),
    ])
}

/// What each of `plan.waiting` players adds, in bytes.
fn per_player<T>(
    program: &Path,
    settings: &Settings,
    plan: &Plan,
    mut join: impl FnMut(SocketAddr, usize) -> Result<T>,
) -> Result<f64> {
    let (server, _config) = edge::start(program, settings)?;
    let mut players = Vec::with_capacity(WARM_UP + plan.waiting);
    let mut before = 0.0;
    for goal in [WARM_UP, WARM_UP + plan.waiting] {
        before = server.memory()?;
        while players.len() < goal {
            let player = join(server.address(), players.len());
            players.push(player.with_context(|| format!("player {}", players.len()))?);
        }
    }
    Ok((server.memory()? - before) / plan.waiting as f64)
}

/// A player who stands in limbo.
fn hold(edge: SocketAddr, number: usize) -> Result<Client> {
    let mut client = Client::begin(edge, number, VERSION, true)?;
    client.welcomed(VERSION)?;
    let await_kind = |client: &mut Client, state, kind| -> Result<()> {
        let id = id(VERSION, state, Direction::Clientbound, kind);
        while Some(client.0.await_any()?.id) != id {}
        Ok(())
    };
    await_kind(&mut client, State::Configuration, Kind::FinishConfiguration)?;
    client.finish()?;
    // The last of what is said to those who have arrived.
    await_kind(&mut client, State::Play, Kind::DeclareCommands)?;
    Ok(client)
}
