//! The bans as logins ask for them: tables of hashes in memory, never changed once they are made.
//!
//! Networks have a table for each length of prefix that occurs, asked from the longest to the shortest: with `10.0.0.0/8` and `10.1.0.0/16`
//! banned, the address `10.1.2.3` is looked for as `10.1.0.0`, then as `10.0.0.0`. So a look-up costs as many looks as there are lengths, however
//! many networks there are. Names and UUIDs are one look each. Hashes are keyed at random, since players choose what is looked for.

use crate::database::{Action, Event};
use drawbridge_model::identity::folded;
use drawbridge_model::{Ban, Subject};
use ipnet::IpNet;
use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::ops::BitAnd;
use std::sync::Arc;
use std::time::SystemTime;
use uuid::Uuid;

/// Every ban there is, those that have ended of late too.
#[derive(Debug, Default, Clone)]
pub struct Index {
    v4: Lengths<u32>,
    v6: Lengths<u128>,
    names: HashMap<Arc<str>, Arc<Ban>>,
    ids: HashMap<Uuid, Arc<Ban>>,
}

impl Index {
    /// How many bans there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.v4.len() + self.v6.len() + self.names.len() + self.ids.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The ban of the smallest network around an address. The time is asked for only where a ban may have ended.
    pub fn address(&self, address: IpAddr, now: impl Fn() -> SystemTime) -> Option<&Arc<Ban>> {
        match address.to_canonical() {
            IpAddr::V4(address) => self.v4.find(address.to_bits(), &now),
            IpAddr::V6(address) => self.v6.find(address.to_bits(), &now),
        }
    }

    /// The ban of a name.
    pub fn name(&self, name: &str, now: impl Fn() -> SystemTime) -> Option<&Arc<Ban>> {
        if self.names.is_empty() {
            return None;
        }
        self.names.get(&*folded(name)).filter(|ban| holds(ban, &now))
    }

    /// The ban of a UUID.
    pub fn id(&self, id: Uuid, now: impl Fn() -> SystemTime) -> Option<&Arc<Ban>> {
        self.ids.get(&id).filter(|ban| holds(ban, &now))
    }

    /// The same after what was done since, in its order, and without what had ended by `ended`. What the index knows of already may be
    /// among it.
    #[must_use]
    pub fn after(&self, events: impl IntoIterator<Item = Event>, ended: SystemTime) -> Self {
        let mut index = self.clone();
        for Event { action, ban } in events {
            match action {
                Action::Ban => index.insert(ban),
                Action::Unban => index.remove(&ban.of),
            }
        }
        let keep = |ban: &Ban| ban.holds(ended);
        index.v4.retain(keep);
        index.v6.retain(keep);
        index.names.retain(|_, ban| keep(ban));
        index.ids.retain(|_, ban| keep(ban));
        index
    }

    fn insert(&mut self, ban: Ban) {
        let ban = Arc::new(ban);
        match &ban.of {
            Subject::Network(IpNet::V4(network)) => {
                let length = network.prefix_len();
                let mask = u32::MAX.checked_shl(32 - u32::from(length)).unwrap_or_default();
                self.v4.insert(length, mask, network.network().to_bits(), Arc::clone(&ban));
            }
            Subject::Network(IpNet::V6(network)) => {
                let length = network.prefix_len();
                let mask = u128::MAX.checked_shl(128 - u32::from(length)).unwrap_or_default();
                self.v6.insert(length, mask, network.network().to_bits(), Arc::clone(&ban));
            }
            Subject::Name(name) => {
                self.names.insert(Arc::clone(name), Arc::clone(&ban));
            }
            Subject::Id(id) => {
                self.ids.insert(*id, Arc::clone(&ban));
            }
        }
    }

    fn remove(&mut self, of: &Subject) {
        match of {
            Subject::Network(IpNet::V4(network)) => {
                self.v4.remove(network.prefix_len(), network.network().to_bits());
            }
            Subject::Network(IpNet::V6(network)) => {
                self.v6.remove(network.prefix_len(), network.network().to_bits());
            }
            Subject::Name(name) => {
                self.names.remove(name);
            }
            Subject::Id(id) => {
                self.ids.remove(id);
            }
        }
    }
}

fn holds(ban: &Ban, now: &impl Fn() -> SystemTime) -> bool {
    ban.until.is_none() || ban.holds(now())
}

/// Of two bans of the same subject the later counts.
impl FromIterator<Ban> for Index {
    fn from_iter<I: IntoIterator<Item = Ban>>(bans: I) -> Self {
        let mut index = Self::default();
        bans.into_iter().for_each(|ban| index.insert(ban));
        index
    }
}

/// The networks of a family, by the lengths of their prefixes, the longest first.
#[derive(Debug, Clone)]
struct Lengths<T>(Vec<Length<T>>);

#[derive(Debug, Clone)]
struct Length<T> {
    length: u8,
    mask: T,
    bans: HashMap<T, Arc<Ban>>,
}

impl<T> Default for Lengths<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T: Copy + Eq + Hash + BitAnd<Output = T>> Lengths<T> {
    fn len(&self) -> usize {
        self.0.iter().map(|length| length.bans.len()).sum()
    }

    fn find(&self, address: T, now: &impl Fn() -> SystemTime) -> Option<&Arc<Ban>> {
        let mut around = self.0.iter().filter_map(|length| length.bans.get(&(address & length.mask)));
        around.find(|ban| holds(ban, now))
    }

    fn insert(&mut self, length: u8, mask: T, network: T, ban: Arc<Ban>) {
        let place = self.0.partition_point(|known| known.length > length);
        if self.0.get(place).is_none_or(|known| known.length != length) {
            self.0.insert(place, Length { length, mask, bans: HashMap::new() });
        }
        self.0[place].bans.insert(network, ban);
    }

    fn remove(&mut self, length: u8, network: T) {
        if let Some(known) = self.0.iter_mut().find(|known| known.length == length) {
            known.bans.remove(&network);
        }
        self.0.retain(|length| !length.bans.is_empty());
    }

    fn retain(&mut self, keep: impl Fn(&Ban) -> bool) {
        self.0.iter_mut().for_each(|length| length.bans.retain(|_, ban| keep(ban)));
        self.0.retain(|length| !length.bans.is_empty());
    }
}

#[cfg(test)]
mod tests;
