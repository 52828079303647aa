//! Counting connections, and the door to counting knocks.

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Instant;

use super::descriptors::connections_within;
use super::knocks::{Knock, Knocks, Pace};
use super::{Limits, Prefix};

/// Locks among which the addresses are spread.
const SHARDS: usize = 32;

/// Why a connection isn't admitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Denied {
    /// The edge has as many connections as it may.
    #[error("too many connections")]
    Full,
    /// The address has.
    #[error("too many connections from this address")]
    Address,
}

/// Admits connections and knocks. Cloning it gives another handle on the same counts.
///
/// Memory: an entry per prefix that has a connection, hence no more than connections; and for each kind of knock a table
/// of 1 MiB at most, of which only what is used is ever touched.
#[derive(Debug, Clone)]
pub struct Gate(Arc<Counts>);

#[derive(Debug)]
struct Counts {
    descriptors: u64,
    /// Sockets that are open.
    sockets: AtomicU32,
    /// Those of them that lead to targets.
    to_targets: AtomicU32,
    /// Connections per prefix, by the prefix that held when they were admitted. No entry is 0.
    per_prefix: [Mutex<HashMap<IpAddr, u32>>; SHARDS],
    hasher: RandomState,
    knocks: Knocks,
    bounds: RwLock<Bounds>,
}

/// The numbers of [`Limits`] that the gate goes by.
#[derive(Debug, Clone, Copy)]
struct Bounds {
    connections: u32,
    per_address: u32,
    prefix: Prefix,
    paces: [Pace; Knock::COUNT],
}

impl Bounds {
    fn new(limits: &Limits, descriptors: u64) -> Self {
        let possible = connections_within(descriptors);
        let connections = match limits.connections {
            0 => possible,
            wanted if wanted > possible => {
                tracing::warn!(
                    wanted,
                    possible,
                    "fewer connections than configured: the descriptor limit is too low"
                );
                possible
            }
            wanted => wanted,
        };
        let paces = [limits.status, limits.login, limits.transfer].map(Pace::from);
        Self { connections, per_address: limits.per_address, prefix: limits.prefix, paces }
    }
}

impl Gate {
    /// A gate without anybody in it. `descriptors`: how many the process may have open, see
    /// [`raise_descriptor_limit`](super::raise_descriptor_limit); the limits can't allow more connections than that.
    #[must_use]
    pub fn new(limits: &Limits, descriptors: u64) -> Self {
        Self(Arc::new(Counts {
            descriptors,
            sockets: AtomicU32::new(0),
            to_targets: AtomicU32::new(0),
            per_prefix: std::array::from_fn(|_| Mutex::default()),
            hasher: RandomState::new(),
            knocks: Knocks::new(Instant::now()),
            bounds: RwLock::new(Bounds::new(limits, descriptors)),
        }))
    }

    /// Goes by other limits from now on. What was counted stays counted; nobody is thrown out.
    pub fn replace(&self, limits: &Limits) {
        let bounds = Bounds::new(limits, self.0.descriptors);
        *self.0.bounds.write().unwrap_or_else(PoisonError::into_inner) = bounds;
    }

    /// Counts a client's connection in all, before it is known whose it is.
    ///
    /// # Errors
    /// When there are too many.
    pub fn enter(&self) -> Result<Entered, Denied> {
        let most = self.bounds().connections;
        let more = |sockets: u32| (sockets < most).then(|| sockets + 1);
        let entered = self.0.sockets.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more);
        entered.map(|_| Entered(self.clone())).map_err(|_| Denied::Full)
    }

    /// Counts a socket to a target in all.
    ///
    /// # Errors
    /// When there are too many.
    pub fn enter_to_target(&self) -> Result<EnteredToTarget, Denied> {
        let entered = self.enter()?;
        self.0.to_targets.fetch_add(1, Ordering::Relaxed);
        Ok(EnteredToTarget(entered))
    }

    /// Admits a connection from `address`, which counts until the pass is dropped.
    ///
    /// # Errors
    /// When there are too many, of that address or in all.
    pub fn admit(&self, address: IpAddr) -> Result<Pass, Denied> {
        self.enter()?.admit(address)
    }

    /// Whether `address` may knock so, now. A knock that may not isn't counted.
    #[must_use]
    pub fn rate(&self, knock: Knock, address: IpAddr, now: Instant) -> bool {
        let bounds = self.bounds();
        let prefix = bounds.prefix.of(address);
        self.0.knocks.permits(knock, bounds.paces[knock.index()], self.0.hasher.hash_one(prefix), now)
    }

    /// Connections of clients at present.
    #[must_use]
    pub fn connections(&self) -> u32 {
        // Each was counted among the sockets first.
        self.0.sockets.load(Ordering::Relaxed).saturating_sub(self.0.to_targets.load(Ordering::Relaxed))
    }

    /// How many sockets there may be.
    #[must_use]
    pub fn capacity(&self) -> u32 {
        self.bounds().connections
    }

    fn bounds(&self) -> Bounds {
        *self.0.bounds.read().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Counts {
    fn shard(&self, prefix: IpAddr) -> MutexGuard<'_, HashMap<IpAddr, u32>> {
        let shard = usize::try_from(self.hasher.hash_one(prefix) % SHARDS as u64).unwrap_or(0);
        self.per_prefix[shard].lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn leave(&self, prefix: IpAddr) {
        let mut shard = self.shard(prefix);
        let Some(count) = shard.get_mut(&prefix) else { return };
        *count -= 1;
        if *count == 0 {
            shard.remove(&prefix);
            // A flood leaves large tables behind.
            if shard.capacity() > 1024 && shard.len() < shard.capacity() / 8 {
                let enough = shard.len() * 2;
                shard.shrink_to(enough);
            }
        }
    }
}

/// A connection that counts in all, until this is dropped.
#[derive(Debug)]
pub struct Entered(Gate);

impl Entered {
    /// Counts the connection for `address` too.
    ///
    /// # Errors
    /// When there are too many of that address.
    pub fn admit(self, address: IpAddr) -> Result<Pass, Denied> {
        let bounds = self.0.bounds();
        let prefix = bounds.prefix.of(address);
        let mut shard = self.0.0.shard(prefix);
        let count = shard.get(&prefix).copied().unwrap_or(0);
        if count >= bounds.per_address {
            return Err(Denied::Address);
        }
        shard.insert(prefix, count + 1);
        drop(shard);
        Ok(Pass { entered: self, prefix })
    }
}

impl Drop for Entered {
    fn drop(&mut self) {
        self.0.0.sockets.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A socket to a target that counts in all, until this is dropped.
#[derive(Debug)]
pub struct EnteredToTarget(Entered);

impl Drop for EnteredToTarget {
    fn drop(&mut self) {
        self.0.0.0.to_targets.fetch_sub(1, Ordering::Relaxed);
    }
}

/// An admitted connection. It counts until this is dropped, so it belongs to whatever owns the connection.
#[derive(Debug)]
pub struct Pass {
    entered: Entered,
    prefix: IpAddr,
}

impl Drop for Pass {
    fn drop(&mut self) {
        self.entered.0.0.leave(self.prefix);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use drawbridge_config::Rate;

    use super::*;

    const PLENTY: u64 = 100_000;

    fn limits(connections: u32, per_address: u32) -> Limits {
        Limits { connections, per_address, ..Limits::default() }
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn an_address_has_so_many_connections_and_no_more() {
        let gate = Gate::new(&limits(0, 2), PLENTY);
        let first = gate.admit(ip("192.0.2.1")).unwrap();
        let _second = gate.admit(ip("::ffff:192.0.2.1")).unwrap();
        assert_eq!(gate.admit(ip("192.0.2.1")).unwrap_err(), Denied::Address);
        let _other = gate.admit(ip("192.0.2.2")).unwrap();
        assert_eq!(gate.connections(), 3);
        drop(first);
        let _again = gate.admit(ip("192.0.2.1")).unwrap();
        assert_eq!(gate.connections(), 3);
    }

    #[test]
    fn ipv6_counts_by_network() {
        let gate = Gate::new(&limits(0, 1), PLENTY);
        let _one = gate.admit(ip("2001:db8:0:1::1")).unwrap();
        assert_eq!(gate.admit(ip("2001:db8:0:1:ffff::2")).unwrap_err(), Denied::Address);
        assert!(gate.admit(ip("2001:db8:0:2::1")).is_ok());
    }

    #[test]
    fn there_are_so_many_connections_in_all() {
        let gate = Gate::new(&limits(2, 64), PLENTY);
        let passes: Vec<_> =
            (1..=2u8).map(|host| gate.admit(IpAddr::from([192, 0, 2, host])).unwrap()).collect();
        assert_eq!(gate.admit(ip("192.0.2.3")).unwrap_err(), Denied::Full);
        drop(passes);
        assert_eq!(gate.connections(), 0);
        assert!(gate.0.per_prefix.iter().all(|shard| shard.lock().unwrap().is_empty()), "nothing is kept");
    }

    #[test]
    fn connections_are_bounded_by_descriptors() {
        assert_eq!(Gate::new(&limits(0, 64), 1024).capacity(), 640);
        assert_eq!(Gate::new(&limits(100, 64), 1024).capacity(), 100);
        assert_eq!(Gate::new(&limits(100_000, 64), 1024).capacity(), 640);
    }

    #[test]
    fn new_limits_count_what_is_there() {
        let gate = Gate::new(&limits(0, 64), PLENTY);
        let passes: Vec<_> = (0..3).map(|_| gate.admit(ip("192.0.2.1")).unwrap()).collect();
        gate.replace(&limits(0, 3));
        assert_eq!(gate.admit(ip("192.0.2.1")).unwrap_err(), Denied::Address);
        // Passes are given back under the prefix that held when they were handed out.
        let prefix = Prefix { v4: 8, v6: 32 };
        gate.replace(&Limits { prefix, ..limits(0, 1) });
        let _wide = gate.admit(ip("192.0.2.1")).unwrap();
        assert_eq!(gate.admit(ip("192.255.0.1")).unwrap_err(), Denied::Address);
        drop(passes);
        assert_eq!(gate.connections(), 1);
    }

    #[test]
    fn kinds_of_knocks_have_rates_of_their_own() {
        let gate = Gate::new(&Limits::default(), PLENTY);
        let now = Instant::now();
        let permitted =
            |knock, times: u32| (0..times).filter(|_| gate.rate(knock, ip("192.0.2.1"), now)).count();
        assert_eq!(permitted(Knock::Login, 100), 5);
        assert_eq!(permitted(Knock::Status, 100), 30);
        assert_eq!(permitted(Knock::Transfer, 100), 30);
        assert_eq!(permitted(Knock::Login, 100), 0);
        assert!(gate.rate(Knock::Login, ip("192.0.2.2"), now), "others are none the worse");
    }

    #[test]
    fn new_rates_hold_at_once_and_forget_nothing() {
        let gate = Gate::new(&Limits::default(), PLENTY);
        let now = Instant::now();
        let mut limits = Limits::default();
        for _ in 0..5 {
            assert!(gate.rate(Knock::Login, ip("192.0.2.1"), now));
        }
        limits.login = Rate::new(2, Duration::from_secs(2));
        gate.replace(&limits);
        assert!(!gate.rate(Knock::Login, ip("192.0.2.1"), now));
        assert!(
            gate.rate(Knock::Login, ip("192.0.2.1"), now + Duration::from_secs(2)),
            "no longer than the new rate says"
        );
    }

    #[test]
    fn passes_may_be_dropped_anywhere() {
        let gate = Gate::new(&limits(0, 1000), PLENTY);
        let threads: Vec<_> = (0..4u8)
            .map(|thread| {
                let gate = gate.clone();
                std::thread::spawn(move || {
                    (0..100).map(|_| gate.admit([192, 0, 2, thread % 2].into()).unwrap()).collect()
                })
            })
            .collect();
        let passes: Vec<Vec<Pass>> = threads.into_iter().map(|thread| thread.join().unwrap()).collect();
        assert_eq!(gate.connections(), 400);
        drop(passes);
        assert_eq!(gate.connections(), 0);
    }
}
