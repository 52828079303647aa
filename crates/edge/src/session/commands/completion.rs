//! What could stand next in a half-typed command.

use super::Caller;
use super::desk::Matches;
use super::table::{self, permitted_words};
use drawbridge_model::MaintenanceOrder;
use std::collections::HashSet;

/// The most that is offered.
const OFFERED: usize = 100;

/// What kind of thing stands at a place in a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Somewhere to go.
    Server,
    /// Somebody.
    Player,
    /// Somebody, or several at once.
    Players,
    /// Where somebody is, or everywhere.
    Place,
    /// A word of `/drawbridge`.
    Word,
    /// A route.
    Route,
    /// What a route's maintenance can be put to.
    Switch,
    /// Nothing that is known.
    Nothing,
}

impl Caller {
    /// What could stand where the command ends.
    pub(in super::super) fn complete(self, command: String) -> Matches {
        Box::pin(async move {
            let (before, begun) = command.rsplit_once(' ').unwrap_or((&command, ""));
            let words: Vec<_> = before.split_whitespace().collect();
            let Ok(found) = table::find(&words, self.rights) else { return Vec::new() };
            let all = self.all(found.next()).await;
            let fits = |name: &String| {
                let begins = name.get(..begun.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(begun));
                // Older clients take a blank for the end of what is offered.
                begins && !name.contains(' ')
            };
            let mut offered: Vec<_> = all.into_iter().filter(fits).collect();
            offered.sort_unstable();
            offered.dedup();
            offered.truncate(OFFERED);
            offered
        })
    }

    async fn all(&self, kind: Kind) -> Vec<String> {
        match kind {
            Kind::Server => self.guest.asker().names().await,
            Kind::Player => self.players(),
            Kind::Players => {
                let places = self.places().into_iter().map(|place| format!("+{place}"));
                let words = ["all", "current"].map(str::to_owned);
                words.into_iter().chain(places).chain(self.players()).collect()
            }
            Kind::Place => self.places().into_iter().chain(["all".to_owned()]).collect(),
            Kind::Word => permitted_words(self.rights).map(str::to_owned).collect(),
            Kind::Route => {
                let snapshot = self.guest.shared.snapshot.load();
                snapshot.routes.routes().iter().map(|route| route.name.clone()).collect()
            }
            Kind::Switch => MaintenanceOrder::ALL.map(|order| order.label().to_owned()).to_vec(),
            Kind::Nothing => Vec::new(),
        }
    }

    /// The names of those who are anywhere.
    fn players(&self) -> Vec<String> {
        let mut names = Vec::new();
        self.guest.shared.players.carried(&self.guest.route, |player, _| names.push(player.to_owned()));
        names
    }

    /// The places where anybody is.
    fn places(&self) -> Vec<String> {
        let mut places = HashSet::new();
        self.guest.shared.players.carried(&self.guest.route, |_, place| {
            if !places.contains(place) {
                places.insert(place.to_owned());
            }
        });
        places.into_iter().collect()
    }
}
