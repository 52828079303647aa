//! The whole edge, in process, and clients that say anything to it: statuses, logins by every mode, with key exchanges, cookies and resource packs, hand-overs,
//! limbos and commands in them; a few at a time, some behind a load balancer.
//!
//! What must hold: what a client is told are frames of the state that it was brought to, enciphered from where keys are exchanged, or the answers that
//! clients before 1.7 read; nobody is let in who hasn't done what the route asks of them; who is handed over is so once, with their cookies and as the last
//! word; a connection comes to rest when there is nothing to do, and to its end when its client falls silent or goes; memory is bounded.

mod call;
mod made;
mod routes;
mod told;

use crate::{Input, input, memory};
use call::{Call, Way};
use drawbridge_net::Loose;
use drawbridge_protocol::ProtocolVersion;
use made::House;
use std::cell::RefCell;
use std::time::Duration;

/// The most that clients do here.
const MOMENTS: usize = 100;

/// How many there may be at once.
const MOST: usize = 3;

/// The most memory, in bytes.
const MEMORY: usize = 64 * 1024 * 1024;

/// How often a silent client's time goes by, and by how much: longer in all than the edge waits for anybody.
const SILENCE: u32 = 40;
const WHILE: Duration = Duration::from_secs(5);

thread_local! {
    static HOUSE: House = House::build();
}

/// See the module.
pub fn check(data: &[u8]) {
    HOUSE.with(|house| {
        let version = Input::new(data).version();
        let _ = drawbridge_limbo::World::of(version);
        memory::within(MEMORY, || visit(house, data));
    });
}

fn visit(house: &House, data: &[u8]) {
    let mut input = Input::new(data);
    let _entered = house.runtime.enter();
    // Of each input's own: edges go by the machine's clock too, which this one is to be close to.
    let loose = Loose::new().expect("a poller");
    let (version, kept) = (input.version(), RefCell::default());
    let call = |way| Call::new((house, &loose), &kept, version, way);
    let (mut calls, mut at) = (vec![call(Way::default())], 0);
    for _ in 0..MOMENTS {
        if input.is_empty() {
            break;
        }
        let choice = input.byte();
        if choice & 0x0f == 14 {
            at = usize::from(choice >> 4) % MOST;
            if at >= calls.len() {
                at = calls.len();
                calls.push(call(Way::read(&mut input)));
            }
        } else if let Some(call) = calls.get_mut(at)
            && !call.act(choice, &mut input)
        {
            calls.remove(at);
            at = 0;
        }
    }
    for gone in [false, true] {
        if gone {
            calls.iter_mut().for_each(Call::leave);
        }
        for _ in 0..SILENCE {
            calls.retain_mut(|call| call.turn(WHILE));
        }
    }
    assert!(calls.is_empty(), "a connection whose client is gone doesn't end");
}

/// Pings, logins and stays; each way to its end, and those that end before.
#[must_use]
pub fn seeds() -> Vec<Vec<u8>> {
    let mut seeds = Vec::new();
    for version in [4, 5, 47, 340, 393, 758, 759, 763, 764, 766, 770, 775, 776].map(ProtocolVersion) {
        let choice = input::choice_of(version);
        for host in 0..7u8 {
            seeds.push(vec![choice, host << 4, 0x02, 0x12]);
            let join = [choice, (host | 8) << 4, 0x12];
            let stay = [4, 4, 10, 0x0d, 4, 4, 11, 200, 10, 0x2d, 4, 4, 11, 255, 12];
            seeds.push([&join[..], &stay].concat());
        }
        seeds.push(vec![choice, 0xf0, 0x12, 4]);
        if version >= ProtocolVersion(766) {
            seeds.extend(journeys().iter().map(|journey| [&[choice], &journey[..]].concat()));
        } else {
            let held: &[u8] = &[0x71, 0, 0x12, 3, 4, 4, 10, 0x2d, 4, 11, 255, 12];
            seeds.push([&[choice], held].concat());
        }
    }
    seeds.push([&[0, 5, 1, 0xfe, 5, 1, 1, 11, 60][..]].concat());
    seeds
}

/// What those may do whom a Transfer can bring somewhere.
fn journeys() -> Vec<Vec<u8>> {
    // To be handed over by the route whose cookies are good, and to leave.
    let vouched: &[u8] = &[0x81, 0, 0x12, 3, 4, 12];
    // To come back, and to be asked for the session cookie, for keys, and for the authentication cookie.
    let back: &[u8] = &[0x81, 1, 0x12];
    let mut journeys = vec![
        vec![0xc0, 0x12, 3, 4],
        // Behind the balancer, and from an address that is banned.
        vec![0x1e, 0x03, 0xc0, 0x12, 3, 4],
        vec![0x1e, 0x07, 0xc0, 0x12, 3, 4],
        vec![0x1e, 0x0b, 0xc0, 0x12, 3, 4],
        vec![0x1e, 0x13, 0xc0, 0x12, 3, 4],
        vec![0x1e, 0x01, 0xc0, 0x12, 3, 4],
        // Two at once, who do everything one after the other.
        vec![0x1e, 0, 0xc0, 0x0e, 0xc0, 0x12, 0x1e, 0x22, 3, 0x0e, 3, 4, 0x1e, 4],
        // Packs that are loaded, and one that is refused.
        vec![0xe0, 0x12, 3, 4, 0x33, 3, 3],
        vec![0xe0, 0x12, 3, 4, 0x13],
        // Limbo, with and without having been there.
        vec![0x71, 0, 0x12, 3, 4, 4, 10, 0x2d, 4, 11, 255, 12],
        vec![0x71, 1, 0x12, 3, 0x83, 3, 0x83, 4, 4, 10, 12],
        vec![0x01, 1, 0x12, 0x83, 4, 4, 10, 12],
        // A name that is banned, a route under maintenance.
        vec![0xc0, 0xe2, 3, 4],
        vec![0x91, 0, 0x12, 3, 4],
        [vouched, &[0x1e, 0], back, &[3, 3, 3, 4]].concat(),
        // Others' cookies, changed ones, none, those of another name or address, and by way of the other edge.
        [vouched, &[0x1e, 0], back, &[3, 3, 0x93, 4]].concat(),
        [vouched, &[0x1e, 0], back, &[3, 3, 0xa3, 4]].concat(),
        [vouched, &[0x1e, 0], back, &[0x83, 3, 4]].concat(),
        [vouched, &[0x1e, 0], &back[..2], &[0x22, 3, 3, 3, 4]].concat(),
        [vouched, &[0x1e, 0x03], back, &[3, 3, 3, 4]].concat(),
    ];
    journeys.extend((4..8).map(|how| vec![0xc0, 0x12, how << 4 | 3, 4]));
    journeys
}
