//! `/send`, `/find` and `/glist`: who is where, and who is to go elsewhere.

use super::{Caller, Others, told};
use crate::players::Player;
use drawbridge_model::identity::folded;
use drawbridge_model::{Notice, PlaceName, Said};
use std::cmp::Reverse;
use std::collections::HashMap;

impl Caller {
    /// Has others go to a place, and says how many are on their way. Those who can't go there are told so.
    pub(super) async fn send(&self, whom: Others, to: String) -> Vec<Said> {
        let is_at = |player: &Player, place: &str| {
            player.place(&self.guest.route).is_some_and(|at| PlaceName(place).is(&at))
        };
        let wanted = if let Others::Named(name) = &whom { folded(name) } else { String::new() };
        let meant = |player: &Player| match &whom {
            Others::Named(_) => player.who.as_ref().is_some_and(|who| folded(&who.name) == wanted),
            Others::All => true,
            Others::Current => is_at(player, &self.here),
            Others::At(place) => is_at(player, place),
        };
        let routes = self.guest.shared.came_by(meant);
        if routes.is_empty() {
            let whom = match whom {
                Others::Named(name) => name,
                Others::All => "*".to_owned(),
                Others::Current => self.here.clone(),
                Others::At(place) => place,
            };
            return told(Notice::Nobody, vec![("player", whom)]);
        }
        if !self.guest.shared.is_place(&routes, &self.guest.client, &to).await {
            return told(Notice::UnknownServer, vec![("server", to)]);
        }
        // Who is there already would only be thrown off by coming anew.
        let sent = self.guest.shared.send_to(|player| meant(player) && !is_at(player, &to), &to).len();
        if let (0, Others::Named(name)) = (sent, &whom) {
            return self.find(name);
        }
        tracing::info!(by = self.guest.person.identity.name(), %whom, to, players = sent, "sent elsewhere");
        told(Notice::Sent, vec![("count", sent.to_string()), ("server", to)])
    }

    /// On which server somebody is. Claims may share a name.
    pub(super) fn find(&self, name: &str) -> Vec<Said> {
        let (mut found, folded_name) = (Vec::new(), folded(name));
        self.guest.shared.players.carried(&self.guest.route, |player, place| {
            if folded(player) == folded_name {
                let parameters = vec![("player", player.to_owned()), ("server", place.to_owned())];
                found.push(Said::new(Notice::Found, parameters));
            }
        });
        if found.is_empty() {
            told(Notice::Nobody, vec![("player", name.to_owned())])
        } else {
            Said::list(found)
        }
    }

    /// How many are on which server, where most are first.
    pub(super) fn count(&self) -> Vec<Said> {
        let mut places: HashMap<String, usize> = HashMap::new();
        self.guest.shared.players.carried(&self.guest.route, |_, place| match places.get_mut(place) {
            Some(count) => *count += 1,
            None => drop(places.insert(place.to_owned(), 1)),
        });
        let all = places.values().sum::<usize>();
        let mut places: Vec<_> = places.into_iter().collect();
        places.sort_unstable_by(|(one, few), (other, many)| (Reverse(few), one).cmp(&(Reverse(many), other)));
        let lines = places.iter().map(|(place, count)| {
            let parameters = vec![("server", place.clone()), ("count", count.to_string())];
            Said::new(Notice::OnlineAt, parameters)
        });
        let total = Said::new(Notice::Online, vec![("count", all.to_string())]);
        Said::list(std::iter::once(total).chain(lines))
    }

    /// Who is on this server, or on each.
    pub(super) fn list(&self, place: Option<&str>) -> Vec<Said> {
        let mut places: HashMap<String, Vec<String>> = HashMap::new();
        self.guest.shared.players.carried(&self.guest.route, |player, at| {
            if place.is_none_or(|place| PlaceName(place).is(at)) {
                places.entry(at.to_owned()).or_default().push(player.to_owned());
            }
        });
        if let Some(place) = place.filter(|_| places.is_empty()) {
            let parameters = vec![("server", place.to_owned()), ("count", "0".to_owned())];
            return told(Notice::OnlineAt, parameters);
        }
        let mut places: Vec<_> = places.into_iter().collect();
        places.sort_unstable_by(|(one, few), (other, many)| {
            (Reverse(few.len()), one).cmp(&(Reverse(many.len()), other))
        });
        let lines = places.into_iter().map(|(place, mut players)| {
            players.sort_unstable();
            let (count, names) = (players.len().to_string(), Said::names(players));
            let parameters = vec![("server", place), ("count", count), ("players", names)];
            Said::new(Notice::OnlineNames, parameters)
        });
        Said::list(lines)
    }
}
