//! What players who may do so have a running edge do by commands in the game, and the trait through which it is done: whoever operates the
//! edge is above it.
//!
//! What must stay true: whoever may do what is decided before anything is asked here; what is answered is told by notices alone, each
//! bounded in number.

use crate::notice::Notice;
use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;
use thiserror::Error;

/// Something that an operator does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Operation {
    /// How the edge is.
    Status,
    /// The routes.
    Routes,
    /// The targets of a route, or of all.
    Targets(Option<String>),
    /// Who is there, on a route or on all.
    Players(Option<String>),
    /// End the connections of whoever is meant.
    Kick {
        /// A name, UUID, address or network, or `#` and the number of a connection.
        whom: String,
        /// What they read.
        reason: String,
    },
    /// Put a route under maintenance or out of it.
    Maintenance {
        /// The route.
        route: String,
        /// What it is to be.
        to: MaintenanceOrder,
    },
    /// Read the configuration anew.
    Reload,
    /// Stop.
    Drain,
}

/// What an operator says of a route's maintenance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MaintenanceOrder {
    /// It is under way.
    On,
    /// It is over.
    Off,
    /// It is as the configuration says.
    Configured,
}

impl MaintenanceOrder {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::On, Self::Off, Self::Configured];

    /// As operators write it.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::On => "on",
            Self::Off => "off",
            Self::Configured => "configured",
        }
    }
}

/// The word is none of [`MaintenanceOrder::label`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("expected on, off or configured")]
pub struct NoMaintenanceOrder;

impl FromStr for MaintenanceOrder {
    type Err = NoMaintenanceOrder;

    fn from_str(word: &str) -> Result<Self, NoMaintenanceOrder> {
        Self::ALL.into_iter().find(|order| order.label() == word).ok_or(NoMaintenanceOrder)
    }
}

/// The most lines of an answer that is a list.
const LINES: usize = 20;

/// The most names in a line.
const NAMES: usize = 50;

/// Something that is told of what was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// What.
    pub notice: Notice,
    /// What stands for its placeholders.
    pub parameters: Vec<(&'static str, String)>,
}

impl Said {
    /// With these parameters.
    #[must_use]
    pub fn new(notice: Notice, parameters: Vec<(&'static str, String)>) -> Self {
        Self { notice, parameters }
    }

    /// The first of many lines, and how many more there are.
    #[must_use]
    pub fn list(lines: impl IntoIterator<Item = Self>) -> Vec<Self> {
        let mut lines = lines.into_iter();
        let mut told: Vec<_> = lines.by_ref().take(LINES).collect();
        let more = lines.count();
        if more > 0 {
            told.push(Self::new(Notice::More, vec![("count", more.to_string())]));
        }
        told
    }

    /// The first of many names, for a line.
    #[must_use]
    pub fn names(names: impl IntoIterator<Item = String>) -> String {
        let mut names = names.into_iter();
        let mut told = names.by_ref().take(NAMES).collect::<Vec<_>>().join(", ");
        if names.next().is_some() {
            told.push_str(", …");
        }
        told
    }
}

/// Whoever operates a running edge.
#[async_trait]
pub trait Operator: fmt::Debug + Send + Sync {
    /// Does it for the player of this name, and gives what is to be told of it.
    async fn carry_out(&self, operation: Operation, by: &str) -> Vec<Said>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_long_ends_with_how_much_more_there_is() {
        let lines = |count| Said::list((0..count).map(|_| Said::new(Notice::Draining, Vec::new())));
        assert_eq!((lines(0).len(), lines(LINES).len()), (0, LINES));
        let more = Said::new(Notice::More, vec![("count", "3".to_owned())]);
        assert_eq!((lines(LINES + 3).len(), lines(LINES + 3).last()), (LINES + 1, Some(&more)));
        let names = |count| Said::names((0..count).map(|_| "a".to_owned()));
        assert_eq!((&*names(2), names(NAMES).len()), ("a, a", 3 * NAMES - 2));
        assert!(names(NAMES + 1).ends_with("a, …"));
    }
}
