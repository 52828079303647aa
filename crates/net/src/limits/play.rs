//! Bounds on what a client may send that is carried by a session.

use std::time::Duration;

use drawbridge_config::{ByteSize, Diagnostic, Fields, section};

section! {
    /// What a client in a session may send. Numbers are for a second; `0`: as much as it likes.
    #[defaults]
    #[check(PlayLimits::check)]
    pub struct PlayLimits {
        /// How many seconds' worth may come at once, at least `"1s"`: what a client or the network held back comes in one go.
        pub burst: Duration = Duration::from_secs(7),
        /// Packets, of whichever kind.
        pub packets: u32 = 1_000,
        /// Bytes, as they come.
        pub bytes: ByteSize = ByteSize::mib(2),
        /// Bytes that compressed packets have when inflated.
        pub inflated: ByteSize = ByteSize::mib(5),
        /// Messages and commands that servers are to hear.
        pub chat: u32 = 500,
        /// The edge's own commands.
        pub commands: u32 = 10,
        /// How often a player may set out for another server. Who does so more often stays, and is told.
        pub switches: u32 = 1,
        /// Questions for completions of what is being typed.
        pub completions: u32 = 50,
        /// Plugin messages: what mods say.
        pub plugin_messages: u32 = 250,
        /// Client Information: what a player's own settings are.
        pub settings: u32 = 20,
        /// The longest packet, when inflated. Not for a second.
        pub packet: ByteSize = ByteSize::mib(2),
        /// How many times longer a packet may get by being inflated, if it has more than 512KiB then. Not for a second.
        pub ratio: u32 = 200,
    }
}

impl PlayLimits {
    fn check(&self, fields: &mut Fields<'_, '_, '_>) {
        if self.burst < Duration::from_secs(1) {
            fields.error("burst", "expected at least \"1s\": packets come in batches");
        }
        for (key, is_small, least) in [
            ("packets", (1..20).contains(&self.packets), "20"),
            ("bytes", is_under(self.bytes, ByteSize::kib(4)), "4KiB"),
            ("inflated", is_under(self.inflated, ByteSize::kib(4)), "4KiB"),
            ("packet", is_under(self.packet, ByteSize::kib(32)), "32KiB"),
        ] {
            if is_small {
                let warning =
                    Diagnostic::warning(fields.origin(key), "too little for clients to join and play with");
                let least = format!("vanilla clients want {least} at least; 0 is no bound");
                fields.report(warning.help(least));
            }
        }
    }
}

/// Whether a bound is there, and smaller.
fn is_under(bound: ByteSize, least: ByteSize) -> bool {
    bound.as_usize() != 0 && bound < least
}
