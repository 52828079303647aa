//! What can go wrong: with an order, with the socket, and for whoever asks there.

use crate::answer::Failure;
use drawbridge_model::SubjectError;
use drawbridge_store::StoreError;
use drawbridge_telemetry::in_full;
use std::io;
use std::path::PathBuf;
use thiserror::Error;

/// Why an order isn't carried out.
#[derive(Debug, Error)]
pub enum ControlError {
    /// No route has that name.
    #[error("no route is named {name:?}")]
    NoRoute {
        /// The name that was given.
        name: String,
        /// One that was perhaps meant.
        nearest: Option<String>,
    },
    /// There is no place of that name for those who are meant.
    #[error("there is no server {0:?} for them")]
    NoPlace(String),
    /// Nobody can be meant by that.
    #[error(transparent)]
    Whom(#[from] SubjectError),
    /// A reason that can't be shown to a player.
    #[error("a reason has at most {0} characters, and no control characters")]
    Reason(usize),
    /// An end that is no time, or over.
    #[error("a ban can't end at {0:?}: expected a time to come, such as 2026-12-24T18:00:00Z")]
    Until(String),
    /// The bans can't be read or written.
    #[error(transparent)]
    Bans(#[from] StoreError),
    /// The edge stops, and takes over nothing any more.
    #[error("the edge is stopping")]
    Stopping,
}

impl ControlError {
    /// The word for it.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::NoRoute { .. } => "no_route",
            Self::NoPlace(_) => "no_place",
            Self::Whom(_) => "whom",
            Self::Reason(_) => "reason",
            Self::Until(_) => "until",
            Self::Bans(StoreError::NotBanned(_)) => "not_banned",
            Self::Bans(_) => "bans",
            Self::Stopping => "stopping",
        }
    }

    fn help(&self) -> Option<String> {
        match self {
            Self::NoRoute { nearest, .. } => Some(match nearest {
                Some(nearest) => format!("did you mean {nearest:?}?"),
                None => "`drawbridge ctl routes` shows all".to_owned(),
            }),
            Self::NoPlace(_) => {
                Some("players know the targets of their route, and routes with sessions: `drawbridge ctl targets` shows all".to_owned())
            }
            Self::Bans(source) => source.advice().map(str::to_owned),
            _ => None,
        }
    }
}

impl From<&ControlError> for Failure {
    fn from(error: &ControlError) -> Self {
        Self { error: error.kind().to_owned(), message: in_full(error), help: error.help() }
    }
}

/// Why there is no socket.
#[derive(Debug, Error)]
pub enum SocketError {
    /// Systems have a bound, of some hundred bytes.
    #[error("{} is too long for the name of a socket", .path.display())]
    TooLong {
        /// The socket.
        path: PathBuf,
    },
    /// An edge answers there.
    #[error("another edge that runs has {}", .path.display())]
    Taken {
        /// The socket.
        path: PathBuf,
    },
    /// Something else stands there, which isn't for this program to remove.
    #[error("{} is there, and no socket", .path.display())]
    NoSocket {
        /// What stands there.
        path: PathBuf,
    },
    /// It can't be made.
    #[error("{} can't be made", .path.display())]
    Make {
        /// The socket.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// This system has none.
    #[error("this system has no Unix sockets")]
    Unbuilt,
}

impl SocketError {
    /// How to put it right, where that is known.
    #[must_use]
    pub const fn advice(&self) -> Option<&'static str> {
        match self {
            Self::TooLong { .. } => Some("name a shorter one: socket = \"/run/drawbridge/control.sock\""),
            Self::Taken { .. } => Some("give each edge a socket of its own, or stop the other one"),
            Self::NoSocket { .. } => Some("remove it, or name another"),
            Self::Make { .. } => Some(
                "name one in a folder that the edge may write to, such as \"/run/drawbridge/control.sock\", or say enabled = false",
            ),
            Self::Unbuilt => None,
        }
    }
}

/// Why there is no answer.
#[derive(Debug, Error)]
pub enum AskError {
    /// Nobody listens there.
    #[error("no edge answers at {}", .path.display())]
    NoEdge {
        /// The socket.
        path: PathBuf,
    },
    /// The edge is another user's.
    #[error("{} may not be used: the edge is another user's", .path.display())]
    Denied {
        /// The socket.
        path: PathBuf,
    },
    /// It can't be connected to, written or read.
    #[error("{} can't be used", .path.display())]
    Broken {
        /// The socket.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// It takes too long.
    #[error("the edge at {} gives no answer", .path.display())]
    Silent {
        /// The socket.
        path: PathBuf,
    },
    /// It closed without an answer.
    #[error("the edge at {} closed without an answer", .path.display())]
    Closed {
        /// The socket.
        path: PathBuf,
    },
    /// The edge is of another version.
    #[error("the answer of the edge at {} isn't understood: is it of another version?", .path.display())]
    Answer {
        /// The socket.
        path: PathBuf,
        /// What isn't.
        #[source]
        source: serde_json::Error,
    },
    /// This system has none.
    #[error("this system has no Unix sockets")]
    Unbuilt,
}

impl AskError {
    /// Whether there is no edge to be asked.
    #[must_use]
    pub const fn is_nobody(&self) -> bool {
        matches!(self, Self::NoEdge { .. } | Self::Unbuilt)
    }
}
