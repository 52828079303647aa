//! What is sent: the frames of a tick to one player after the other, or as much as gets through.

use super::ends::Pair;
use crate::connection::Connection;
use anyhow::{Context as _, Result, ensure};
use drawbridge_protocol::ids::Direction;
use rustix::event::epoll::{self, CreateFlags, EventData, EventFlags};
use std::io::Read as _;
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

/// A server's tick.
const TICK: Duration = Duration::from_millis(50);

/// Where bytes come from and where they go.
type Ends<'a> = (&'a mut Connection, &'a TcpStream);

fn ends(pair: &mut Pair, to: Direction) -> Ends<'_> {
    match to {
        Direction::Clientbound => (&mut pair.target, &pair.client.stream),
        Direction::Serverbound => (&mut pair.client, &pair.target.stream),
    }
}

/// So many ticks, in each of which every player has one of `reads`, evenly spread.
pub(super) fn ticks(pairs: &mut [Pair], to: Direction, reads: &[Vec<u8>], ticks: usize) -> Result<()> {
    let step = TICK / u32::try_from(pairs.len())?;
    let count = pairs.len();
    let (mut sources, sinks): (Vec<_>, Vec<_>) = pairs.iter_mut().map(|pair| ends(pair, to)).unzip();
    // Each begins elsewhere in the mix.
    let turn = |number: usize| &reads[(number / count + number % count) % reads.len()];
    let total: usize = (0..count * ticks).map(|number| turn(number).len()).sum();
    thread::scope(|scope| {
        let sender = scope.spawn(move || -> Result<()> {
            let start = Instant::now();
            for number in 0..count * ticks {
                let due = step * u32::try_from(number)?;
                if let Some(early) = due.checked_sub(start.elapsed()) {
                    thread::park_timeout(early);
                }
                sources[number % count].send_frames(turn(number))?;
            }
            Ok(())
        });
        receive(&sinks, total)?;
        sender.join().expect("no panic")
    })
}

/// So many times all of `reads` to each player, as fast as they are taken.
pub(super) fn flood(pairs: &mut [Pair], to: Direction, reads: &[Vec<u8>], passes: usize) -> Result<()> {
    let total = passes * pairs.len() * reads.iter().map(Vec::len).sum::<usize>();
    let (sources, sinks): (Vec<_>, Vec<_>) = pairs.iter_mut().map(|pair| ends(pair, to)).unzip();
    thread::scope(|scope| {
        let senders: Vec<_> = sources
            .into_iter()
            .map(|source| {
                scope.spawn(move || {
                    (0..passes).try_for_each(|_| reads.iter().try_for_each(|read| source.send_frames(read)))
                })
            })
            .collect();
        receive(&sinks, total)?;
        senders.into_iter().try_for_each(|sender| sender.join().expect("no panic"))
    })
}

/// Reads until so many bytes have come.
fn receive(sinks: &[&TcpStream], mut left: usize) -> Result<()> {
    let poller = epoll::create(CreateFlags::CLOEXEC)?;
    for (index, sink) in sinks.iter().enumerate() {
        epoll::add(&poller, sink, EventData::new_u64(index as u64), EventFlags::IN)?;
    }
    let (mut events, mut buffer) = (Vec::with_capacity(256), vec![0; 256 * 1024]);
    let patience = crate::connection::PATIENCE.try_into()?;
    while left > 0 {
        events.clear();
        epoll::wait(&poller, rustix::buffer::spare_capacity(&mut events), Some(&patience))?;
        ensure!(!events.is_empty(), "{left} bytes don't arrive");
        for event in &events {
            let mut sink = sinks[usize::try_from(event.data.u64())?];
            let read = sink.read(&mut buffer)?;
            ensure!(read > 0, "the edge hung up");
            left = left.checked_sub(read).context("more came than was sent")?;
        }
    }
    Ok(())
}
