//! Action `sticky`: the same player to the same target, as long as it is there, on every edge and without remembering anybody.
//!
//! By rendezvous hashing (Thaler and Ravishankar, 1998): each target is worth SHA-256 of the player and its identifier, and the most worth
//! comes first. A target that goes away moves its own players and nobody else's.

use async_trait::async_trait;
use drawbridge_config::section;
use drawbridge_model::identity::folded;
use drawbridge_model::{ActionAdapter, ActionError, Client, Identity, Target};
use sha2::{Digest as _, Sha256};

section! {
    /// The same player to the same target, as long as it is there.
    #[defaults]
    pub struct StickySection {}
}

/// The same player to the same target.
#[derive(Debug)]
pub struct Sticky;

#[async_trait]
impl ActionAdapter for Sticky {
    async fn apply(
        &self,
        _: &Client,
        identity: &Identity,
        mut targets: Vec<Target>,
    ) -> Result<Vec<Target>, ActionError> {
        // A claimed UUID is the client's to choose; its name is what such a route goes by.
        let player = match identity.verified() {
            Some(profile) => profile.id.as_bytes().to_vec(),
            None => folded(identity.name()).into_bytes(),
        };
        let worth = |target: &Target| {
            let mut hash = Sha256::new();
            hash.update(&player);
            hash.update([0]);
            hash.update(&target.identifier);
            std::cmp::Reverse(<[u8; 32]>::from(hash.finalize()))
        };
        targets.sort_by_cached_key(worth);
        Ok(targets)
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{applied, applied_to, claimed, targets, verified};
    use super::*;
    use std::collections::BTreeMap;

    #[tokio::test]
    async fn a_player_stays_and_only_those_of_a_lost_target_move() {
        let all = targets(&[("a", &[]), ("b", &[]), ("c", &[]), ("d", &[])]);
        let mut shares = BTreeMap::<String, u32>::new();
        for number in 0..1_000 {
            let name = format!("Player{number}");
            let before = applied(&Sticky, &name, all.clone()).await.unwrap();
            let mut other_order = all.clone();
            other_order.reverse();
            assert_eq!(applied(&Sticky, &name, other_order).await.unwrap(), before);
            let fewer = all.iter().filter(|target| target.identifier != "b").cloned().collect();
            let after = applied(&Sticky, &name, fewer).await.unwrap();
            let expected: Vec<_> = before.iter().filter(|identifier| *identifier != "b").cloned().collect();
            assert_eq!(after, expected);
            *shares.entry(before[0].clone()).or_default() += 1;
        }
        assert!(shares.len() == 4 && shares.values().all(|share| (150..350).contains(share)), "{shares:?}");
    }

    /// Other edges, of other versions too, have to come to the same order: SHA-256 was computed by coreutils for this test.
    #[tokio::test]
    async fn the_order_is_the_same_everywhere() {
        let all = targets(&[("a", &[]), ("b", &[]), ("c", &[])]);
        let notch = verified("Notch", "069a79f4-44e9-4726-a5be-fca90e38aaf5");
        let renamed = verified("Other", "069a79f4-44e9-4726-a5be-fca90e38aaf5");
        let order = applied_to(&Sticky, &notch, all.clone()).await.unwrap();
        assert_eq!(order, ORDER_OF_UUID);
        assert_eq!(applied_to(&Sticky, &renamed, all.clone()).await.unwrap(), order);
        let claim = claimed("Notch", "00000000-0000-0000-0000-000000000001");
        assert_eq!(applied_to(&Sticky, &claim, all).await.unwrap(), ORDER_OF_NAME);
    }

    const ORDER_OF_UUID: [&str; 3] = ["b", "c", "a"];
    const ORDER_OF_NAME: [&str; 3] = ["a", "c", "b"];
}
