//! Bounds on what addresses may use: connections in all and at once, and how often they may knock; and on what a client may send that is
//! carried.
//!
//! What counts as one address is a *prefix*: by default an IPv4 address, and an IPv6 /64, since that is what one customer gets.
//! What must stay true: no limit is global in effect, so that one scanner never shuts out everybody (but for the
//! connections in all, which the operating system bounds anyway); memory is bounded whatever addresses come.

mod descriptors;
mod gate;
mod knocks;
mod play;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use drawbridge_config::{ByteSize, Fields, Rate, section};

pub use descriptors::raise_descriptor_limit;
pub use gate::{Denied, Entered, EnteredToTarget, Gate, Pass};
pub use knocks::Knock;
pub use play::PlayLimits;

const fn per_ten_seconds(burst: u32) -> Rate {
    Rate::new(burst, Duration::from_secs(10))
}

section! {
    /// Bounds on what clients may use.
    #[defaults]
    #[check(Limits::check)]
    pub struct Limits {
        /// Open sockets in all: a player who is carried has two. `0`: what the descriptor limit allows, which also bounds any other
        /// number.
        pub connections: u32 = 0,
        /// Connections of one address at once, at least 1.
        pub per_address: u32 = 64,
        /// How long a client may take to say its greeting.
        pub handshake_timeout: Duration = Duration::from_secs(5),
        /// From the connection to Login Success, the session server included. Clients give up after 30 s.
        pub login_timeout: Duration = Duration::from_secs(25),
        /// For finding a target; the client is kept alive the while.
        pub placement_timeout: Duration = Duration::from_secs(30),
        /// The largest packet taken from a client that isn't identified yet, 1KiB to 1MiB. The cookie that a returning player
        /// brings has up to 5KiB.
        pub max_packet: ByteSize = ByteSize::kib(8),
        /// Status requests of one address.
        pub status: Rate = per_ten_seconds(30),
        /// Logins of one address.
        pub login: Rate = per_ten_seconds(5),
        /// Logins of one address that another server handed over (intent 3).
        pub transfer: Rate = per_ten_seconds(30),
        /// What counts as one address.
        pub prefix: Prefix,
        /// What a client in a session may send.
        pub play: PlayLimits,
    }
}

impl Limits {
    /// The largest packet taken from a client that isn't identified yet, in bytes.
    #[must_use]
    pub fn max_packet(&self) -> usize {
        self.max_packet.as_usize()
    }

    fn check(&self, fields: &mut Fields<'_, '_, '_>) {
        if self.per_address == 0 {
            fields.error("per_address", "0 connections of an address let nobody in");
        }
        // A Login Start with a key and its signature, which every login may bring, has nearly 1,000 bytes.
        if !(ByteSize::kib(1)..=ByteSize::mib(1)).contains(&self.max_packet) {
            fields.error("max_packet", "expected 1KiB to 1MiB");
        }
        for (key, timeout) in [
            ("handshake_timeout", self.handshake_timeout),
            ("login_timeout", self.login_timeout),
            ("placement_timeout", self.placement_timeout),
        ] {
            if timeout.is_zero() {
                fields.error(key, "a timeout of \"0s\" leaves no time at all");
            }
        }
    }
}

section! {
    /// How many leading bits of an address count.
    #[defaults]
    #[check(Prefix::check)]
    #[derive(Copy, PartialEq, Eq)]
    pub struct Prefix {
        /// Of an IPv4 address, 1 to 32.
        pub v4: u8 = 32,
        /// Of an IPv6 address, 1 to 128.
        pub v6: u8 = 64,
    }
}

impl Prefix {
    /// The address in canonical form with the bits that don't count cleared.
    ///
    /// By default `2001:db8:1:2:3:4:5:6` → `2001:db8:1:2::`, and an IPv4 address stays itself.
    #[must_use]
    pub fn of(self, address: IpAddr) -> IpAddr {
        match address.to_canonical() {
            IpAddr::V4(address) => {
                let cleared = 32u32.saturating_sub(self.v4.into());
                Ipv4Addr::from_bits(address.to_bits() & u32::MAX.checked_shl(cleared).unwrap_or(0)).into()
            }
            IpAddr::V6(address) => {
                let cleared = 128u32.saturating_sub(self.v6.into());
                Ipv6Addr::from_bits(address.to_bits() & u128::MAX.checked_shl(cleared).unwrap_or(0)).into()
            }
        }
    }

    fn check(&self, fields: &mut Fields<'_, '_, '_>) {
        if !(1..=32).contains(&self.v4) {
            fields.error("v4", "an IPv4 address has 1 to 32 bits that may count");
        }
        if !(1..=128).contains(&self.v6) {
            fields.error("v6", "an IPv6 address has 1 to 128 bits that may count");
        }
    }
}

#[cfg(test)]
mod tests {
    use drawbridge_config::{Document, Error, Root, Style, read_text};

    use super::*;

    #[track_caller]
    fn assert_prefix(prefix: Prefix, address: &str, expected: &str) {
        assert_eq!(prefix.of(address.parse().unwrap()), expected.parse::<IpAddr>().unwrap());
    }

    #[test]
    fn an_address_is_cut_to_its_prefix() {
        assert_prefix(Prefix::default(), "203.0.113.7", "203.0.113.7");
        assert_prefix(Prefix::default(), "::ffff:203.0.113.7", "203.0.113.7");
        assert_prefix(Prefix::default(), "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::");
        assert_prefix(Prefix { v4: 24, v6: 48 }, "203.0.113.7", "203.0.113.0");
        assert_prefix(Prefix { v4: 24, v6: 48 }, "2001:db8:1:2:3:4:5:6", "2001:db8:1::");
        assert_prefix(Prefix { v4: 0, v6: 0 }, "203.0.113.7", "0.0.0.0");
        assert_prefix(Prefix { v4: 0, v6: 0 }, "2001:db8::1", "::");
        assert_prefix(Prefix { v4: 255, v6: 255 }, "2001:db8::1", "2001:db8::1");
    }

    #[test]
    fn every_key_is_read() {
        let text = r#"
            connections = 1
            per_address = 2
            handshake_timeout = "3s"
            login_timeout = "4s"
            placement_timeout = "5s"
            max_packet = "6KiB"
            status = { burst = 7, per = "8s" }
            login = { burst = 9, per = "10s" }
            transfer = { burst = 11, per = "12s" }
            prefix = { v4 = 24, v6 = 56 }
        "#;
        let limits: Limits = read_text("limits.toml", text).unwrap();
        let seconds = Duration::from_secs;
        assert_eq!((limits.connections, limits.per_address), (1, 2));
        let timeouts = [limits.handshake_timeout, limits.login_timeout, limits.placement_timeout];
        assert_eq!(timeouts, [3, 4, 5].map(seconds));
        assert_eq!(limits.max_packet(), 6 * 1024);
        let rates = [limits.status, limits.login, limits.transfer];
        assert_eq!(rates, [(7, 8), (9, 10), (11, 12)].map(|(burst, per)| Rate::new(burst, seconds(per))));
        assert_eq!(limits.prefix, Prefix { v4: 24, v6: 56 });
    }

    #[track_caller]
    fn assert_mistakes(text: &str, lines: &[usize]) {
        let Err(Error::Invalid(diagnostics)) = read_text::<Limits>("limits.toml", text) else {
            panic!("accepted");
        };
        let said = diagnostics.render(Style::Plain);
        for line in lines {
            assert!(said.contains(&format!("limits.toml:{line}:")), "line {line}:\n{said}");
        }
    }

    #[test]
    fn what_makes_no_sense_is_told_with_its_line() {
        assert_mistakes("per_address = 0\nmax_packet = 1023\nlogin_timeout = \"0s\"\n", &[1, 2, 3]);
        assert_mistakes(
            "handshake_timeout = \"0s\"\nplacement_timeout = \"0s\"\nmax_packet = \"2MiB\"\n",
            &[1, 2, 3],
        );
        assert_mistakes("[prefix]\nv4 = 33\nv6 = 0\n", &[2, 3]);
        assert_mistakes("[prefix]\nv4 = 0\nv6 = 129\n", &[2, 3]);
        assert_mistakes("[play]\nburst = \"999ms\"\n", &[2]);
    }

    /// A bound is one unless it is 0.
    #[test]
    fn bounds_that_let_hardly_anybody_in_are_told_of() {
        for (key, small, enough) in [
            ("packets", "19", "20"),
            ("bytes", "\"4095B\"", "\"4KiB\""),
            ("inflated", "\"4095B\"", "\"4KiB\""),
            ("packet", "\"31KiB\"", "\"32KiB\""),
        ] {
            for (value, warnings) in [(small, 1), (enough, 0), ("0", 0)] {
                let text = format!("[limits.play]\n{key} = {value}\n");
                let root = Root::new(Some(Document::parse("limits.toml", text)), &[]);
                let found = root.read::<Whole>().unwrap().diagnostics;
                let said = found.render(Style::Plain);
                assert_eq!(found.warnings(), warnings, "{key} = {value}: {said}");
                assert!(warnings == 0 || said.contains("limits.toml:2:"), "{said}");
            }
        }
    }

    section! {
        /// A document with limits.
        #[defaults]
        struct Whole {
            /// The limits.
            limits: Limits,
        }
    }
}
