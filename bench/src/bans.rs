//! What bans cost a login while there are 100,000, on one thread: all that is asked from the accepted socket to the hand-over. Players are
//! asked for in an order that no cache foresees.
//!
//! The reference is as many looks into tables of the standard library with one key for each ban, which know neither networks nor case nor
//! time: less can't be asked.

use crate::cipher::thread_time;
use crate::report::{Goal, Line, Unit};
use crate::rounds::{Plan, Samples};
use anyhow::{Context as _, Result, ensure};
use drawbridge_model::{Ban, Bans, Identity, Profile, Subject};
use drawbridge_store::{Database, Store};
use std::collections::HashSet;
use std::hint::black_box;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::Path;
use std::time::{Duration, SystemTime};
use uuid::Uuid;

/// How many bans there are, of four kinds: addresses, networks of eight lengths, names, UUIDs.
const BANS: u32 = 100_000;
const GOAL: Goal = Goal::AtMost(20e-6);

/// Who logs in.
struct Player {
    address: IpAddr,
    identity: Identity,
}

/// Measures all of it.
///
/// # Errors
/// When the file can't be made, or somebody is banned who isn't, or isn't who is.
pub(crate) fn measure(plan: &Plan) -> Result<Vec<Line>> {
    let folder = tempfile::tempdir().context("a folder for the bans")?;
    let store = store(&folder.path().join("bans.db"))?;
    let players = players();
    let banned = players.iter().filter(|player| login(&store, player)).count();
    ensure!(banned == 0, "{banned} players are banned who aren't");
    ensure!(kept_out(&store), "somebody isn't banned who is");
    let plain = Plain::new();
    let (mut ours, mut theirs): (Samples, Samples) = Default::default();
    for _ in 0..plan.rounds {
        ours.push(each(plan, &players, |player| login(&store, player)));
        theirs.push(each(plan, &players, |player| plain.login(player)));
    }
    let line = Line::new("login of a player who isn't banned", Unit::Seconds, &ours);
    Ok(vec![line.against("plain tables of hashes", &ours, &theirs).goal(GOAL)])
}

/// Seconds of this thread's CPU time for one.
fn each(plan: &Plan, players: &[Player], mut ask: impl FnMut(&Player) -> bool) -> f64 {
    let before = thread_time();
    for player in players.iter().cycle().take(plan.lookups) {
        black_box(ask(black_box(player)));
    }
    (thread_time() - before).as_secs_f64() / plan.lookups as f64
}

/// Everything that an edge asks in the way of a login, whether or not it is banned by then.
fn login(bans: &dyn Bans, Player { address, identity }: &Player) -> bool {
    let admission = bans.address(*address).is_some();
    let claim = bans.name(identity.name()).is_some();
    let authentication = bans.of(*address, identity).is_some();
    let delivery = bans.of(*address, identity).is_some();
    admission | claim | authentication | delivery
}

fn store(file: &Path) -> Result<Store> {
    let since = SystemTime::now();
    let ban = |number| {
        // Every third ends some time, as it would otherwise: the clock is asked for whom these would keep out alone.
        let until = (number % 3 == 0).then(|| since + Duration::from_secs(86_400));
        Ban { of: subject(number), reason: "Griefing".into(), source: "bench".into(), since, until }
    };
    let bans: Vec<_> = (0..BANS).map(ban).collect();
    Database::create(file)?.ban_all(&bans)?;
    Ok(Store::open(file)?)
}

fn subject(number: u32) -> Subject {
    match number % 4 {
        0 => Subject::address(v4(number)),
        1 if number % 8 == 1 => {
            Subject::network(ipnet::Ipv4Net::new_assert((0x1000_0000 + number * 256).into(), 24).into())
        }
        1 => {
            // /48 to /60 and the like: lengths that occur in the field.
            let length = 44 + (number / 8 % 7) as u8 * 3;
            let bits = (0x2001_0db8_u128 << 96) | (u128::from(number) << 64);
            Subject::network(ipnet::Ipv6Net::new_assert(bits.into(), length).into())
        }
        2 => Subject::name(&format!("Griefer_{number}")),
        _ => Subject::Id(Uuid::from_u128(id(number))),
    }
}

fn v4(number: u32) -> IpAddr {
    // Spread over all addresses below 10.0.0.0/8 and what is around it.
    Ipv4Addr::from_bits(number.wrapping_mul(2_654_435_761) | 0x8000_0000).into()
}

fn id(number: u32) -> u128 {
    u128::from(number).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835)
}

/// Players of whom none is banned: as many by IPv4 as by IPv6.
fn players() -> Vec<Player> {
    let player = |number: u32| {
        let address = match number % 2 {
            0 => Ipv4Addr::from_bits((number * 48_271) & 0x0fff_ffff).into(),
            _ => Ipv6Addr::from_bits((0x2003_u128 << 112) | u128::from(number * 48_271) << 60).into(),
        };
        let profile = Profile {
            id: Uuid::from_u128(id(BANS + number)),
            name: format!("Player_{number}"),
            properties: Vec::new(),
        };
        Player { address, identity: Identity::Verified(profile) }
    };
    (0..50_000).map(player).collect()
}

/// Whether those who are banned are, each by what is theirs.
fn kept_out(bans: &Store) -> bool {
    (0..BANS).all(|number| match subject(number) {
        Subject::Network(network) => bans.address(network.broadcast()).is_some(),
        Subject::Name(name) => bans.name(&name.to_uppercase()).is_some(),
        Subject::Id(id) => bans.id(id).is_some(),
    })
}

/// Tables of the standard library.
struct Plain {
    addresses: HashSet<IpAddr>,
    names: HashSet<String>,
    ids: HashSet<Uuid>,
}

impl Plain {
    fn new() -> Self {
        let mut plain = Self { addresses: HashSet::new(), names: HashSet::new(), ids: HashSet::new() };
        for number in 0..BANS {
            let _ = match subject(number) {
                Subject::Network(network) => plain.addresses.insert(network.addr()),
                Subject::Name(name) => plain.names.insert(name.to_string()),
                Subject::Id(id) => plain.ids.insert(id),
            };
        }
        plain
    }

    fn login(&self, Player { address, identity }: &Player) -> bool {
        let id = identity.verified().map(|profile| profile.id).unwrap_or_default();
        let address = || self.addresses.contains(black_box(address));
        let name = || self.names.contains(black_box(identity.name()));
        let all = || self.ids.contains(black_box(&id)) | name() | address();
        address() | name() | all() | all()
    }
}
