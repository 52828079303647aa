//! The edge's own commands in the game: who may use which, what they are answered, and what completes a half-typed one.
//!
//! What must stay true: a player's packets flow on while an answer is looked for; what a player may do is asked anew each time; an answer is
//! bounded, however many players, routes and servers there are.

mod completion;
mod desk;
mod table;
mod whereabouts;

use super::destination::{Guest, home_of};
use crate::refuse::Told;
use crate::rights::Rights;
use drawbridge_model::{Message, Notice, Operation, Refused, Said};
use drawbridge_protocol::text::Component;
use std::fmt;

pub(super) use desk::{Desk, Done};
pub(super) use table::{NAMES, permitted};

use desk::Answer;
use table::{DRAWBRIDGE, permitted_words};

/// What a player typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Command {
    /// Where they may go.
    Servers,
    /// They want to this place.
    Go(String),
    /// Others are to go there.
    Send { whom: Others, to: String },
    /// Where is somebody of this name?
    Find(String),
    /// How many are where?
    Count,
    /// Who is at this place, or anywhere?
    List(Option<String>),
    /// What runs here, and what words are there?
    Version,
    /// Something for whoever operates the edge.
    Operate(Operation),
    /// They don't say enough, or too much.
    Incomplete(&'static str),
    /// There is no such command for them.
    Unknown(String),
}

/// Whom a player has go elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Others {
    /// Whoever has this name.
    Named(String),
    /// All.
    All,
    /// All who are where the player is.
    Current,
    /// All who are at this place.
    At(String),
}

impl Command {
    /// What a line means, which begins with the command's name.
    pub(super) fn read(line: &str, rights: Rights) -> Self {
        let words: Vec<_> = line.split_whitespace().collect();
        table::find(&words, rights).map_or_else(Self::Unknown, |found| found.read())
    }
}

impl fmt::Display for Others {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Named(name) => f.write_str(name),
            Self::All => f.write_str("all"),
            Self::Current => f.write_str("current"),
            Self::At(place) => write!(f, "+{place}"),
        }
    }
}

impl Others {
    fn read(text: &str) -> Self {
        match text {
            "all" => Self::All,
            "current" => Self::Current,
            text => match text.strip_prefix('+') {
                Some(place) => Self::At(place.to_owned()),
                None => Self::Named(text.to_owned()),
            },
        }
    }
}

/// What is told behind something.
#[derive(Debug)]
pub(super) enum Then {
    /// No more.
    Nothing,
    /// Why the edge refuses it.
    Refused(Box<Refused>),
    /// What a server has said.
    Said(Box<Component>),
}

/// Who has typed something, and all that an answer takes.
#[derive(Debug, Clone)]
pub(super) struct Caller {
    pub(super) guest: Guest,
    /// The name of the place that they are at.
    pub(super) here: String,
    pub(super) rights: Rights,
}

impl Caller {
    /// Finds the words for something that has happened to the player, and then why.
    pub(super) fn told(self, said: Said, then: Then) -> Answer {
        Box::pin(async move {
            let mut words = self.words(&[said]).await;
            match then {
                Then::Nothing => {}
                Then::Refused(refused) => words.extend(self.refusal(&refused).await),
                Then::Said(said) => words.push(*said),
            }
            words
        })
    }

    /// Does it, and finds the words for what is to be told of it.
    pub(super) fn answer(self, command: Command) -> Answer {
        Box::pin(async move {
            let said = self.said(command).await;
            self.words(&said).await
        })
    }

    async fn said(&self, command: Command) -> Vec<Said> {
        match command {
            Command::Servers => {
                let servers = self.guest.asker().names().await.join(", ");
                told(Notice::Servers, vec![("server", self.here.clone()), ("servers", servers)])
            }
            Command::Go(_) => told(Notice::AlreadyThere, vec![("server", self.here.clone())]),
            Command::Send { whom, to } => self.send(whom, to).await,
            Command::Find(name) => self.find(&name),
            Command::Count => self.count(),
            Command::List(place) => self.list(place.as_deref()),
            Command::Version => {
                let words = permitted_words(self.rights).collect::<Vec<_>>().join(", ");
                let version = env!("CARGO_PKG_VERSION").to_owned();
                told(Notice::Drawbridge, vec![("version", version), ("commands", words)])
            }
            Command::Operate(operation) => self.operate(operation).await,
            Command::Incomplete(usage) => told(Notice::Usage, vec![("usage", usage.to_owned())]),
            Command::Unknown(command) => told(Notice::UnknownCommand, vec![("command", command)]),
        }
    }

    async fn operate(&self, operation: Operation) -> Vec<Said> {
        let Guest { shared, person, .. } = &self.guest;
        match shared.operator.get() {
            Some(operator) => operator.carry_out(operation, person.identity.name()).await,
            // It is there before anybody can have come so far.
            None => told(Notice::UnknownCommand, vec![("command", DRAWBRIDGE.to_owned())]),
        }
    }

    /// The words for a refusal, as the route has them now.
    async fn refusal(&self, refused: &Refused) -> Option<Component> {
        let Guest { shared, person, client, route } = &self.guest;
        let snapshot = shared.snapshot.load_full();
        let route = home_of(&snapshot.routes, route, client);
        let told = Told { refused, client, player: Some(person.identity.name()) };
        told.words(&*snapshot.routes.localization, route.map(|route| &**route), None).await
    }

    /// The words, as the route has them now.
    async fn words(&self, said: &[Said]) -> Vec<Component> {
        let Guest { shared, client, route, .. } = &self.guest;
        let snapshot = shared.snapshot.load_full();
        let route = home_of(&snapshot.routes, route, client);
        let localization = route.map_or(&snapshot.routes.localization, |route| &route.localization);
        let mut words = Vec::new();
        for Said { notice, parameters } in said {
            let parameters: Vec<_> = parameters.iter().map(|(name, value)| (*name, &**value)).collect();
            let message = Message { key: notice.message(), parameters: &parameters, trace: None };
            words.extend(localization.localize(None, message).await);
        }
        words
    }
}

/// One thing to tell.
fn told(notice: Notice, parameters: Vec<(&'static str, String)>) -> Vec<Said> {
    vec![Said::new(notice, parameters)]
}

#[cfg(test)]
mod tests;
