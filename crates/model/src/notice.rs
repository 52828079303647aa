//! What a player who is carried is told in the chat: of what happens to them, and in answer to commands.

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
    /// The connection to `{server}` was lost; where the player is instead they are told too.
    TargetLost,
    /// The player was brought to `{server}`, because the one before is gone.
    BroughtTo,
    /// The player goes elsewhere too often to go to `{server}` now.
    TooFast,
    /// There is no `/{command}` for the player.
    UnknownCommand,
    /// How a command is typed: `{usage}`.
    Usage,
    /// Nobody who is there is `{player}`.
    Nobody,
    /// So many, `{count}`, are on their way to `{server}`.
    Sent,
    /// `{player}` is on `{server}`.
    Found,
    /// How many players there are: `{count}`.
    Online,
    /// How many players are on `{server}`: `{count}`.
    OnlineAt,
    /// Who is on `{server}`, `{count}` of them: `{players}`.
    OnlineNames,
    /// There are `{count}` more, which aren't shown.
    More,
    /// What carries the player, `{version}`, and the words of its command that the player may use: `{commands}`.
    Drawbridge,
    /// How the edge is: `{readiness}`, `{players}`, `{logins}`, `{routes}`, `{uptime}`.
    Status,
    /// A `{route}`, with `{mode}` and `{players}`.
    Route,
    /// The same, of one that is under maintenance.
    RouteMaintained,
    /// A `{target}` of `{route}`, with `{address}`, `{health}` and `{players}`.
    Target,
    /// A `{player}`, who came by `{route}` with `{version}` and is on `{server}`.
    Player,
    /// Whose connections were ended: `{players}`.
    Kicked,
    /// The configuration was read anew, and has so many `{routes}`.
    Reloaded,
    /// What of it stays as it was: `{what}`.
    NotTakenOver,
    /// It can't be used: `{reason}`.
    NotReloaded,
    /// The edge stops.
    Draining,
    /// `{route}` is under maintenance.
    Maintained,
    /// `{route}` isn't under maintenance.
    NotMaintained,
    /// What was asked can't be done: `{reason}`.
    Failed,
}

impl Notice {
    /// Every notice.
    pub const ALL: [Self; 32] = [
        Self::Servers,
        Self::AlreadyThere,
        Self::UnknownServer,
        Self::ServerUnreachable,
        Self::ServerRefused,
        Self::Waiting,
        Self::TargetLost,
        Self::BroughtTo,
        Self::TooFast,
        Self::UnknownCommand,
        Self::Usage,
        Self::Nobody,
        Self::Sent,
        Self::Found,
        Self::Online,
        Self::OnlineAt,
        Self::OnlineNames,
        Self::More,
        Self::Drawbridge,
        Self::Status,
        Self::Route,
        Self::RouteMaintained,
        Self::Target,
        Self::Player,
        Self::Kicked,
        Self::Reloaded,
        Self::NotTakenOver,
        Self::NotReloaded,
        Self::Draining,
        Self::Maintained,
        Self::NotMaintained,
        Self::Failed,
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
            Self::TargetLost => "notice_target_lost",
            Self::BroughtTo => "notice_brought_to",
            Self::TooFast => "notice_too_fast",
            Self::UnknownCommand => "notice_unknown_command",
            Self::Usage => "notice_usage",
            Self::Nobody => "notice_nobody",
            Self::Sent => "notice_sent",
            Self::Found => "notice_found",
            Self::Online => "notice_online",
            Self::OnlineAt => "notice_online_at",
            Self::OnlineNames => "notice_online_names",
            Self::More => "notice_more",
            Self::Drawbridge => "notice_drawbridge",
            Self::Status => "notice_status",
            Self::Route => "notice_route",
            Self::RouteMaintained => "notice_route_maintained",
            Self::Target => "notice_target",
            Self::Player => "notice_player",
            Self::Kicked => "notice_kicked",
            Self::Reloaded => "notice_reloaded",
            Self::NotTakenOver => "notice_not_taken_over",
            Self::NotReloaded => "notice_not_reloaded",
            Self::Draining => "notice_draining",
            Self::Maintained => "notice_maintained",
            Self::NotMaintained => "notice_not_maintained",
            Self::Failed => "notice_failed",
        }
    }
}
