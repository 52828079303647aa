//! Action `balance`: spreads players over the targets.

use super::meta_filter::number_of;
use async_trait::async_trait;
use drawbridge_config::{keywords, section};
use drawbridge_model::{ActionAdapter, ActionError, Client, Identity, Target};
use drawbridge_net::Crowds;
use rand::seq::SliceRandom as _;
use std::sync::atomic::{AtomicUsize, Ordering};

section! {
    /// Spreads players over the targets.
    pub struct BalanceSection {
        /// In which way.
        pub by: BalanceBy,
        /// The key of the metadata that holds a target's weight, for `weighted`. A target without one weighs 1; one that weighs
        /// 0 comes last.
        pub field: String = "weight".to_owned(),
    }
}

keywords! {
    /// How players are spread.
    pub enum BalanceBy {
        /// Each player begins one target further.
        "round_robin" => RoundRobin,
        /// Any order, each as likely.
        "random" => Random,
        /// Any order, a target of twice the weight being twice as likely to come first.
        "weighted" => Weighted,
        /// The lowest priority first, equal ones in random order.
        "priority" => Priority,
        /// The one with the fewest players that the edge carries or is bringing there first, equal ones in random order; in modes that
        /// carry.
        "least_connections" => LeastConnections,
    }
}

/// Spreads players over the targets.
#[derive(Debug)]
pub struct Balance {
    by: BalanceBy,
    field: String,
    carried: Crowds,
    /// Where the next player begins.
    next: AtomicUsize,
}

impl Balance {
    /// As the section says; `carried` are the players of each target, by its address.
    #[must_use]
    pub fn new(section: &BalanceSection, carried: &Crowds) -> Self {
        let BalanceSection { by, field } = section.clone();
        Self { by, field, carried: carried.clone(), next: AtomicUsize::new(0) }
    }

    /// When a target would come first if each came at random, at the rate of its weight (Efraimidis and Spirakis, "Weighted random
    /// sampling with a reservoir", 2006: the order of such times is a weighted random order).
    fn time(&self, target: &Target) -> f64 {
        let weight = target.meta.get(&self.field).and_then(|value| number_of(value)).unwrap_or(1.0);
        let chance: f64 = 1.0 - rand::random::<f64>();
        if weight > 0.0 { -chance.ln() / weight } else { f64::INFINITY }
    }
}

#[async_trait]
impl ActionAdapter for Balance {
    async fn apply(
        &self,
        _: &Client,
        _: &Identity,
        mut targets: Vec<Target>,
    ) -> Result<Vec<Target>, ActionError> {
        if targets.is_empty() {
            return Ok(targets);
        }
        match self.by {
            BalanceBy::RoundRobin => {
                let first = self.next.fetch_add(1, Ordering::Relaxed) % targets.len();
                targets.rotate_left(first);
            }
            BalanceBy::Random => targets.shuffle(&mut rand::rng()),
            BalanceBy::Weighted => {
                let mut timed: Vec<_> =
                    targets.into_iter().map(|target| (self.time(&target), target)).collect();
                timed.sort_by(|(one, _), (other, _)| one.total_cmp(other));
                targets = timed.into_iter().map(|(_, target)| target).collect();
            }
            BalanceBy::Priority => {
                targets.shuffle(&mut rand::rng());
                targets.sort_by_key(|target| target.priority);
            }
            BalanceBy::LeastConnections => {
                targets.shuffle(&mut rand::rng());
                targets.sort_by_cached_key(|target| self.carried.count(&target.address.to_string()));
            }
        }
        Ok(targets)
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{applied, targets};
    use super::*;
    use std::collections::BTreeMap;

    fn balance(by: BalanceBy) -> Balance {
        Balance::new(&BalanceSection { by, field: "weight".into() }, &Crowds::default())
    }

    /// How often each target came first in 4,000 placements.
    async fn firsts(action: &Balance, all: &[Target]) -> BTreeMap<String, u32> {
        let mut firsts = BTreeMap::new();
        for _ in 0..4_000 {
            let order = applied(action, "Alice", all.to_vec()).await.unwrap();
            assert_eq!(order.len(), all.len());
            *firsts.entry(order[0].clone()).or_default() += 1;
        }
        firsts
    }

    #[tokio::test]
    async fn round_robin_begins_one_further_each_time() {
        let action = balance(BalanceBy::RoundRobin);
        let all = targets(&[("a", &[]), ("b", &[]), ("c", &[])]);
        for expected in [["a", "b", "c"], ["b", "c", "a"], ["c", "a", "b"], ["a", "b", "c"]] {
            assert_eq!(applied(&action, "Alice", all.clone()).await.unwrap(), expected);
        }
        assert!(applied(&action, "Alice", Vec::new()).await.unwrap().is_empty());
    }

    /// Ten standard deviations of 4,000 throws are 0.08 at most.
    fn near(count: u32, share: f64) -> bool {
        (f64::from(count) / 4_000.0 - share).abs() < 0.08
    }

    #[tokio::test]
    async fn random_is_even_and_weighted_goes_by_weight() {
        let all = targets(&[
            ("one", &[("weight", "1")]),
            ("three", &[("weight", "3")]),
            ("none", &[("weight", "0")]),
            ("silent", &[]),
        ]);
        let even = firsts(&balance(BalanceBy::Random), &all).await;
        assert!(even.len() == 4 && even.values().all(|count| near(*count, 0.25)), "{even:?}");
        let weighted = firsts(&balance(BalanceBy::Weighted), &all).await;
        assert!(near(weighted["three"], 0.6) && near(weighted["one"], 0.2), "{weighted:?}");
        assert!(near(weighted["silent"], 0.2) && !weighted.contains_key("none"), "{weighted:?}");
    }

    #[tokio::test]
    async fn priority_is_even_among_equals() {
        let mut all = targets(&[("late", &[]), ("a", &[]), ("b", &[])]);
        all[0].priority = 1;
        let firsts = firsts(&balance(BalanceBy::Priority), &all).await;
        assert!(firsts.len() == 2 && near(firsts["a"], 0.5) && near(firsts["b"], 0.5), "{firsts:?}");
    }
}
