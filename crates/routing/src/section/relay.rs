//! `[routes.relay]`: how connections are relayed.

use drawbridge_adapter::setting::RelayHost;
use drawbridge_config::{Located, section};
use drawbridge_net::proxy_protocol;
use std::time::Duration;

section! {
    /// How connections are relayed.
    #[defaults]
    pub struct RelaySection {
        /// The PROXY protocol header that a target gets first, which tells it the client's address; none without.
        pub proxy_protocol: Option<proxy_protocol::Version>,
        /// The host in the handshake that a target gets: `keep` (as the client typed it), `target` (the target's own), or any other.
        /// What Forge and others hang on it stays.
        pub host: RelayHost = RelayHost::Keep,
        /// Whether targets take players who come by a Transfer packet; otherwise these come to them as all others do. Vanilla servers do
        /// with `accepts-transfers=true`.
        pub transfers: bool = false,
        /// How long a target may take to accept a connection.
        pub connect: Located<Duration> = Located::built_in(Duration::from_secs(5)),
        /// How long a target may take to answer a login at all; then the next one is asked.
        pub answer: Located<Duration> = Located::built_in(Duration::from_secs(10)),
        /// How long both sides may be silent; `"0s"`: for ever.
        pub idle: Duration = Duration::ZERO,
    }
}
