//! The traits through which a route asks its adapters. They are asked a few times a login, never per packet.
//!
//! What must stay true: whoever asks puts a deadline on the answer, and dropping the future ends the work behind it.

use crate::client::{Client, TraceContext};
use crate::identity::{Claim, Identity};
use crate::status::StatusDocument;
use crate::target::Target;
use async_trait::async_trait;
use drawbridge_protocol::text::Component;
use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;
use thiserror::Error;

/// Why an adapter gave no answer.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum AdapterError {
    /// It couldn't be reached.
    #[error("can't be reached: {0}")]
    Unreachable(String),
    /// It didn't answer in time.
    #[error("no answer within {0:?}")]
    TimedOut(Duration),
    /// It asks for fewer requests, or isn't asked for a while because it failed.
    #[error("not asked for another {0:?}")]
    BackingOff(Duration),
    /// It answered, but not with what was expected.
    #[error("unexpected answer: {0}")]
    Answer(String),
}

/// Why a claim did not become an identity.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum AuthenticationError {
    /// Whoever authenticates says that it isn't them.
    #[error("not authenticated")]
    Denied,
    /// Whoever authenticates turns them away, with the message of this key.
    #[error("refused with {0:?}")]
    Refused(String),
    /// Nobody could say. This never lets anybody in.
    #[error("authentication {0}")]
    Unavailable(#[from] AdapterError),
}

/// Why an action gave no targets.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ActionError {
    /// It turns the player away, perhaps with the message of a key of its own.
    #[error("refused")]
    Refused(Option<String>),
    /// It couldn't say.
    #[error(transparent)]
    Unavailable(#[from] AdapterError),
}

/// What an authentication adapter is asked.
#[derive(Debug, Clone, Copy)]
pub struct Authentication<'a> {
    /// Who calls.
    pub client: &'a Client,
    /// Who they say they are.
    pub claim: &'a Claim,
    /// The secret that client and edge share.
    pub shared_secret: &'a [u8; 16],
    /// The edge's public key in DER.
    pub public_key: &'a [u8],
}

/// Answers the server list.
#[async_trait]
pub trait StatusAdapter: Debug + Send + Sync {
    /// The document for this client. `None`: it gets no answer at all.
    ///
    /// # Errors
    /// When there is none to be had.
    async fn status(&self, client: &Client) -> Result<Option<Arc<StatusDocument>>, AdapterError>;
}

/// Decides who a player is.
#[async_trait]
pub trait AuthenticationAdapter: Debug + Send + Sync {
    /// Whether the client is to tell the session server that it joins.
    fn wants_session(&self) -> bool;

    /// In whose name it vouches: a cookie spares a player the question where the same realm is asked again, and nowhere
    /// else. `None`: no cookie is ever a substitute for asking.
    fn realm(&self) -> Option<&str>;

    /// Decides.
    ///
    /// # Errors
    /// When it isn't them, or nobody can say.
    async fn authenticate(&self, request: Authentication<'_>) -> Result<Identity, AuthenticationError>;
}

/// Finds targets.
#[async_trait]
pub trait DiscoveryAdapter: Debug + Send + Sync {
    /// The targets for this player, the first to be tried first.
    ///
    /// # Errors
    /// When it can't say.
    async fn targets(&self, client: &Client, identity: &Identity) -> Result<Vec<Target>, AdapterError>;

    /// The targets that any player may be brought to, for whoever only looks at the server list; none where each player is found one.
    ///
    /// # Errors
    /// When it can't say.
    async fn shared_targets(&self, client: &Client) -> Result<Vec<Target>, AdapterError> {
        let _ = client;
        Ok(Vec::new())
    }
}

/// Chooses among targets: leaves some out, adds some, or puts them in another order.
#[async_trait]
pub trait ActionAdapter: Debug + Send + Sync {
    /// What becomes of the targets for this player, the first to be tried first.
    ///
    /// # Errors
    /// When it turns the player away, or can't say.
    async fn apply(
        &self,
        client: &Client,
        identity: &Identity,
        targets: Vec<Target>,
    ) -> Result<Vec<Target>, ActionError>;
}

/// A text for a player.
#[derive(Debug, Clone, Copy)]
pub struct Message<'a> {
    /// Its key, such as `disconnect_no_target`.
    pub key: &'a str,
    /// What goes in place of `{name}`, as plain text.
    pub parameters: &'a [(&'a str, &'a str)],
    /// The trace that its asking is part of; who answers it from memory doesn't look at it.
    pub trace: Option<TraceContext>,
}

/// Finds the words in a player's language.
#[async_trait]
pub trait LocalizationAdapter: Debug + Send + Sync {
    /// The text in `locale` (player-supplied, such as `de_de`), or in the default one while it isn't known. `None`: nobody
    /// knows the key.
    async fn localize(&self, locale: Option<&str>, message: Message<'_>) -> Option<Component>;
}
