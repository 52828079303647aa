//! What a player who is carried is told in the chat.

/// Something to tell. It alone maps to the key of the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Notice {
    /// Where the player is, and where they may go: `{server}`, `{servers}`.
    Servers,
    /// The player is at `{server}` already.
    AlreadyThere,
    /// There is no `{server}` for the player to go to.
    UnknownServer,
    /// `{server}` can't be reached.
    ServerUnreachable,
    /// `{server}` turned the player away; why follows in its own words.
    ServerRefused,
    /// The player waits in limbo for a server.
    Waiting,
    /// The player was brought to `{server}`, because the one before is gone.
    BroughtTo,
}

impl Notice {
    /// Every notice.
    pub const ALL: [Self; 7] = [
        Self::Servers,
        Self::AlreadyThere,
        Self::UnknownServer,
        Self::ServerUnreachable,
        Self::ServerRefused,
        Self::Waiting,
        Self::BroughtTo,
    ];

    /// The key of the message.
    #[must_use]
    pub const fn message(self) -> &'static str {
        match self {
            Self::Servers => "notice_servers",
            Self::AlreadyThere => "notice_already_there",
            Self::UnknownServer => "notice_unknown_server",
            Self::ServerUnreachable => "notice_server_unreachable",
            Self::ServerRefused => "notice_server_refused",
            Self::Waiting => "notice_waiting",
            Self::BroughtTo => "notice_brought_to",
        }
    }
}
