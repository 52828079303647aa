//! Bans: whom one is of, and the trait through which the edge asks for them.
//!
//! What must stay true: asking waits for nothing and nobody; a UUID is asked for only where somebody vouches for it; a subject is
//! in its canonical form, so that two that mean the same are equal.

use crate::identity::{Identity, folded};
use ipnet::{IpNet, Ipv4Net};
use jiff::Timestamp;
use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;
use std::sync::Arc;
use std::time::SystemTime;
use thiserror::Error;
use tokio::sync::watch;
use uuid::Uuid;

/// The longest reason that somebody is told, in characters.
pub const LONGEST_REASON: usize = 1000;

/// Whether a text has at most so many characters, none of them a control character.
#[must_use]
pub fn is_readable(text: &str, most: usize) -> bool {
    text.chars().count() <= most && !text.contains(char::is_control)
}

/// The longest name that can be banned, in characters.
const LONGEST_NAME: usize = 16;

/// Whom a ban is of.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Subject {
    /// Whoever connects from the network; of a single address where its prefix is as long as can be. See [`Subject::network`].
    Network(IpNet),
    /// Whoever goes by the name, claimed or verified, whatever its case. See [`Subject::name`].
    Name(Arc<str>),
    /// The player with the UUID, where somebody vouches for it.
    Id(Uuid),
}

/// Why a text names nobody who can be banned.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SubjectError {
    /// Neither an address nor a network, though no name looks like that.
    #[error(
        "{0:?} is neither an address nor a network: expected one such as 203.0.113.7, 10.0.0.0/8 or 2001:db8::/64"
    )]
    Network(String),
    /// No player's name.
    #[error(
        "{0:?} is nobody's name: expected 1 to {LONGEST_NAME} characters, or a UUID, an address or a network"
    )]
    Name(String),
}

impl Subject {
    /// Everybody of this name. Case doesn't count, as it doesn't when accounts get their names.
    #[must_use]
    pub fn name(name: &str) -> Self {
        Self::Name(folded(name).into())
    }

    /// Everybody in this network. An IPv4-mapped one means the IPv4 network.
    #[must_use]
    pub fn network(network: IpNet) -> Self {
        let network = network.trunc();
        let mapped = match network {
            IpNet::V6(v6) => v6.network().to_ipv4_mapped().zip(v6.prefix_len().checked_sub(96)),
            IpNet::V4(_) => None,
        };
        let v4 = mapped.and_then(|(address, length)| Ipv4Net::new(address, length).ok());
        Self::Network(v4.map_or(network, IpNet::V4))
    }

    /// Everybody at this address.
    #[must_use]
    pub fn address(address: IpAddr) -> Self {
        Self::Network(address.to_canonical().into())
    }

    /// What kind it is: `network`, `name` or `uuid`.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Network(_) => "network",
            Self::Name(_) => "name",
            Self::Id(_) => "uuid",
        }
    }
}

/// A UUID, an address or network, or else a name: no name can be taken for the others.
impl FromStr for Subject {
    type Err = SubjectError;

    fn from_str(text: &str) -> Result<Self, SubjectError> {
        if let Ok(address) = text.parse() {
            return Ok(Self::address(address));
        }
        if let Ok(network) = text.parse() {
            return Ok(Self::network(network));
        }
        let dotted =
            text.contains('.') && text.chars().all(|letter| letter.is_ascii_digit() || letter == '.');
        if dotted || text.contains(['/', ':']) {
            return Err(SubjectError::Network(text.to_owned()));
        }
        let length = text.chars().count();
        if length > LONGEST_NAME
            && let Ok(id) = text.parse()
        {
            return Ok(Self::Id(id));
        }
        let blank = text.trim() != text || text.is_empty();
        if blank || length > LONGEST_NAME || text.contains(char::is_control) {
            return Err(SubjectError::Name(text.to_owned()));
        }
        Ok(Self::name(text))
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Network(network) if network.prefix_len() == network.max_prefix_len() => {
                network.addr().fmt(f)
            }
            Self::Network(network) => network.fmt(f),
            Self::Name(name) => f.pad(name),
            Self::Id(id) => id.fmt(f),
        }
    }
}

/// A ban.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ban {
    /// Whom it keeps out.
    pub of: Subject,
    /// What the player reads; may be empty.
    pub reason: Arc<str>,
    /// Who banned, such as `console`.
    pub source: Arc<str>,
    /// Since when.
    pub since: SystemTime,
    /// The end, which doesn't belong to it; `None`: for ever.
    pub until: Option<SystemTime>,
}

impl Ban {
    /// Whether it hasn't ended by `now`.
    #[must_use]
    pub fn holds(&self, now: SystemTime) -> bool {
        self.until.is_none_or(|until| now < until)
    }
}

/// A moment as people read it, to the minute: `2026-12-24 18:00 UTC`.
#[must_use]
pub fn utc(time: SystemTime) -> String {
    // Beyond the year 9999 is as good as never.
    Timestamp::try_from(time).unwrap_or(Timestamp::MAX).strftime("%Y-%m-%d %H:%M UTC").to_string()
}

/// Who knows the bans. Asking costs about as much as a look into a table of hashes, however many there are; what has ended by then isn't told.
pub trait Bans: fmt::Debug + Send + Sync {
    /// The ban of the address, or of the smallest network around it.
    fn address(&self, address: IpAddr) -> Option<Arc<Ban>>;

    /// The ban of the name, whatever its case.
    fn name(&self, name: &str) -> Option<Arc<Ban>>;

    /// The ban of the UUID, which somebody has to vouch for.
    fn id(&self, id: Uuid) -> Option<Arc<Ban>>;

    /// The ban of a player who is known so far.
    fn of(&self, address: IpAddr, identity: &Identity) -> Option<Arc<Ban>> {
        let verified = identity.verified();
        let by_id = verified.and_then(|profile| self.id(profile.id));
        by_id.or_else(|| self.name(identity.name())).or_else(|| self.address(address))
    }

    /// Tells whenever there are other bans than before: who carries players asks again for each of them.
    fn changes(&self) -> watch::Receiver<u64>;
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, UNIX_EPOCH};

    fn subject(text: &str) -> Subject {
        text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    #[test]
    fn what_means_the_same_is_the_same() {
        for (one, other, shown) in [
            ("Notch", "nOTCH", "notch"),
            (".Bedrock", ".bedrock", ".bedrock"),
            ("203.0.113.7", "::ffff:203.0.113.7", "203.0.113.7"),
            ("203.0.113.7", "203.0.113.7/32", "203.0.113.7"),
            ("10.1.2.3/8", "::ffff:10.0.0.0/104", "10.0.0.0/8"),
            ("2001:db8:1:2:3::/64", "2001:DB8:1:2::/64", "2001:db8:1:2::/64"),
            ("2001:db8::1", "2001:db8::1/128", "2001:db8::1"),
            (
                "069a79f444e94726a5befca90e38aaf5",
                "069A79F4-44E9-4726-A5BE-FCA90E38AAF5",
                "069a79f4-44e9-4726-a5be-fca90e38aaf5",
            ),
        ] {
            assert_eq!(subject(one), subject(other), "{one}");
            assert_eq!(subject(one).to_string(), shown);
            assert_eq!(subject(shown), subject(one));
        }
    }

    #[test]
    fn all_of_ipv6_is_none_of_ipv4() {
        assert_eq!(subject("::/0").to_string(), "::/0");
        assert_eq!(subject("::ffff:0:0/96").to_string(), "0.0.0.0/0");
        assert_eq!(subject("::ffff:0:0/95").to_string(), "::fffe:0:0/95");
    }

    #[test]
    fn a_slip_isnt_taken_for_a_name() {
        for slip in ["256.1.1.1", "10.0.0.0/33", "10.0.0/8", "2001:db8::/129", "1.2.3", "a/b", "[::1]:80"] {
            assert_eq!(slip.parse::<Subject>(), Err(SubjectError::Network(slip.to_owned())), "{slip}");
        }
        for slip in ["", " ", "Notch ", "a\u{1b}[2J", "seventeen_letters", "069a79f4-44e9-4726-a5be"] {
            assert_eq!(slip.parse::<Subject>(), Err(SubjectError::Name(slip.to_owned())), "{slip:?}");
        }
        assert_eq!(subject("exactly_16_chars"), Subject::name("exactly_16_chars"));
    }

    #[test]
    fn the_end_doesnt_belong_to_a_ban() {
        let until = UNIX_EPOCH + Duration::from_secs(1_798_135_200);
        let ban = Ban {
            of: subject("Notch"),
            reason: "".into(),
            source: "console".into(),
            since: UNIX_EPOCH,
            until: Some(until),
        };
        assert!(ban.holds(until - Duration::from_millis(1)));
        assert!(!ban.holds(until));
        assert!(Ban { until: None, ..ban }.holds(until));
        assert_eq!(utc(until), "2026-12-24 18:00 UTC");
    }
}
