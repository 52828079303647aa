//! Action `player_fill_strategy`: fills one target before the next.
//!
//! Worked example with `max_players = 20`: targets with 3, 20, 17, 3 players, and one that doesn't say, come in the order 17, then both
//! with 3 in random order, then the one that doesn't say. The one with 20 is left out.

use super::meta_filter::number_of;
use async_trait::async_trait;
use drawbridge_config::section;
use drawbridge_model::{ActionAdapter, ActionError, Client, Identity, Target};
use rand::seq::SliceRandom as _;

section! {
    /// The fullest target with room first, equally full ones in random order.
    #[defaults]
    pub struct PlayerFillSection {
        /// The key of the metadata that says how many play there.
        pub field: String = "players".to_owned(),
        /// How many may; fuller targets are left out. `0`: there is always room.
        pub max_players: u32 = 0,
    }
}

/// Fills one target before the next.
#[derive(Debug)]
pub struct PlayerFill {
    field: String,
    max_players: u32,
}

impl PlayerFill {
    /// As the section says.
    #[must_use]
    pub fn new(section: &PlayerFillSection) -> Self {
        Self { field: section.field.clone(), max_players: section.max_players }
    }

    /// How many play there; `None`: it doesn't say.
    fn players(&self, target: &Target) -> Option<f64> {
        target.meta.get(&self.field).and_then(|value| number_of(value))
    }
}

#[async_trait]
impl ActionAdapter for PlayerFill {
    async fn apply(
        &self,
        _: &Client,
        _: &Identity,
        mut targets: Vec<Target>,
    ) -> Result<Vec<Target>, ActionError> {
        let most = f64::from(self.max_players);
        targets.retain(|target| most == 0.0 || self.players(target).is_none_or(|players| players < most));
        targets.shuffle(&mut rand::rng());
        // Stable, so that equally full ones stay as they were shuffled; those that don't say come last.
        let rank = |target: &Target| self.players(target).unwrap_or(f64::NEG_INFINITY);
        targets.sort_by(|one, other| rank(other).total_cmp(&rank(one)));
        Ok(targets)
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{applied, targets};
    use super::*;
    use std::collections::HashSet;

    #[tokio::test]
    async fn the_worked_example_holds() {
        let action = PlayerFill::new(&PlayerFillSection { max_players: 20, ..PlayerFillSection::default() });
        let all = targets(&[
            ("few", &[("players", "3")]),
            ("full", &[("players", "20")]),
            ("most", &[("players", "17")]),
            ("silent", &[]),
            ("few too", &[("players", "3")]),
        ]);
        let mut orders = HashSet::new();
        for _ in 0..64 {
            orders.insert(applied(&action, "Alice", all.clone()).await.unwrap());
        }
        let expected = [["most", "few", "few too", "silent"], ["most", "few too", "few", "silent"]];
        assert_eq!(orders, expected.map(|order| order.map(str::to_owned).to_vec()).into());
    }

    #[tokio::test]
    async fn without_a_bound_there_is_always_room() {
        let section = PlayerFillSection { field: "n".into(), max_players: 0 };
        let all = targets(&[("a", &[("n", "1")]), ("b", &[("n", "100000")])]);
        assert_eq!(applied(&PlayerFill::new(&section), "Alice", all).await.unwrap(), ["b", "a"]);
    }
}
