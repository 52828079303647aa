//! Protocol versions: the number that a client says in its handshake, the releases that it stands for, and what
//! the wire looks like there.
//!
//! Any number may come from a peer, so every `i32` is a [`ProtocolVersion`]; only those of [`RELEASES`] are known.
//! Questions such as [`ProtocolVersion::has_transfer`] answer for unknown numbers as for the releases around them.

mod range;

use std::fmt;

pub use range::{VersionRange, VersionRangeError};

/// The protocol number of a client or server: an old number per release, `0x40000000 | n` for snapshots since 2020.
///
/// Ordered by number, so by age among releases; snapshots count as newer than every release.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProtocolVersion(pub i32);

/// A protocol number and the releases that speak it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Release {
    /// The protocol number.
    pub version: ProtocolVersion,
    /// The first release with this number, such as `1.20.5`.
    pub first: &'static str,
    /// The last one, such as `1.20.6`; the same as `first` where there is one alone.
    pub last: &'static str,
    /// Both in the form that users read: `1.20.5–1.20.6`.
    pub name: &'static str,
}

macro_rules! name {
    ($first:literal) => {
        $first
    };
    ($first:literal $last:literal) => {
        concat!($first, "–", $last)
    };
}

macro_rules! last {
    ($first:literal) => {
        $first
    };
    ($first:literal $last:literal) => {
        $last
    };
}

macro_rules! releases {
    ($($constant:ident = $number:literal $first:literal $($last:literal)?;)+) => {
        impl ProtocolVersion {
            $(
                #[doc = concat!("Release ", name!($first $($last)?), ".")]
                pub const $constant: ProtocolVersion = ProtocolVersion($number);
            )+
        }

        /// Every release that is known, oldest first (Minecraft wiki, "Protocol version").
        pub static RELEASES: &[Release] = &[$(Release {
            version: ProtocolVersion::$constant,
            first: $first,
            last: last!($first $($last)?),
            name: name!($first $($last)?),
        },)+];
    };
}

releases! {
    V1_7_2 = 4 "1.7.2" "1.7.5";
    V1_7_6 = 5 "1.7.6" "1.7.10";
    V1_8 = 47 "1.8" "1.8.9";
    V1_9 = 107 "1.9";
    V1_9_1 = 108 "1.9.1";
    V1_9_2 = 109 "1.9.2";
    V1_9_3 = 110 "1.9.3" "1.9.4";
    V1_10 = 210 "1.10" "1.10.2";
    V1_11 = 315 "1.11";
    V1_11_1 = 316 "1.11.1" "1.11.2";
    V1_12 = 335 "1.12";
    V1_12_1 = 338 "1.12.1";
    V1_12_2 = 340 "1.12.2";
    V1_13 = 393 "1.13";
    V1_13_1 = 401 "1.13.1";
    V1_13_2 = 404 "1.13.2";
    V1_14 = 477 "1.14";
    V1_14_1 = 480 "1.14.1";
    V1_14_2 = 485 "1.14.2";
    V1_14_3 = 490 "1.14.3";
    V1_14_4 = 498 "1.14.4";
    V1_15 = 573 "1.15";
    V1_15_1 = 575 "1.15.1";
    V1_15_2 = 578 "1.15.2";
    V1_16 = 735 "1.16";
    V1_16_1 = 736 "1.16.1";
    V1_16_2 = 751 "1.16.2";
    V1_16_3 = 753 "1.16.3";
    V1_16_4 = 754 "1.16.4" "1.16.5";
    V1_17 = 755 "1.17";
    V1_17_1 = 756 "1.17.1";
    V1_18 = 757 "1.18" "1.18.1";
    V1_18_2 = 758 "1.18.2";
    V1_19 = 759 "1.19";
    V1_19_1 = 760 "1.19.1" "1.19.2";
    V1_19_3 = 761 "1.19.3";
    V1_19_4 = 762 "1.19.4";
    V1_20 = 763 "1.20" "1.20.1";
    V1_20_2 = 764 "1.20.2";
    V1_20_3 = 765 "1.20.3" "1.20.4";
    V1_20_5 = 766 "1.20.5" "1.20.6";
    V1_21 = 767 "1.21" "1.21.1";
    V1_21_2 = 768 "1.21.2" "1.21.3";
    V1_21_4 = 769 "1.21.4";
    V1_21_5 = 770 "1.21.5";
    V1_21_6 = 771 "1.21.6";
    V1_21_7 = 772 "1.21.7" "1.21.8";
    V1_21_9 = 773 "1.21.9" "1.21.10";
    V1_21_11 = 774 "1.21.11";
    V26_1 = 775 "26.1" "26.1.2";
    V26_2 = 776 "26.2";
    V26_3 = 777 "26.3";
}

/// Set in the number of a snapshot.
const SNAPSHOT: i32 = 0x4000_0000;

impl ProtocolVersion {
    /// The newest release that is known.
    pub const fn newest() -> Self {
        Self::V26_3
    }

    /// The number as it goes over the wire.
    pub const fn number(self) -> i32 {
        self.0
    }

    /// Whether the number is a snapshot's.
    pub const fn is_snapshot(self) -> bool {
        self.0 >= SNAPSHOT
    }

    /// Whether the number is that of a known release.
    pub fn is_known(self) -> bool {
        self.release().is_some()
    }

    /// The release behind the number, if it is known.
    pub fn release(self) -> Option<&'static Release> {
        let at = RELEASES.binary_search_by_key(&self, |release| release.version).ok()?;
        RELEASES.get(at)
    }

    /// The releases with this number in the form that users read, such as `1.20.5–1.20.6`, if it is known.
    pub fn name(self) -> Option<&'static str> {
        self.release().map(|release| release.name)
    }

    /// The number of a release by its name, such as `1.21.1`.
    pub fn of_release(name: &str) -> Option<Self> {
        let wanted = dotted(name)?;
        let release = RELEASES
            .iter()
            .find(|release| dotted(release.first) <= Some(wanted) && Some(wanted) <= dotted(release.last))?;
        Some(release.version)
    }

    /// Whether the arrays of the login have lengths of 16 bits.
    pub const fn has_short_arrays(self) -> bool {
        self.0 < Self::V1_8.0
    }

    /// Whether there is Set Compression.
    pub const fn has_compression(self) -> bool {
        self.0 >= Self::V1_8.0
    }

    /// Whether Login Success has the UUID as text.
    pub const fn has_text_uuid(self) -> bool {
        self.0 < Self::V1_16.0
    }

    /// Whether Login Success has the properties of the profile.
    pub const fn has_properties_in_login(self) -> bool {
        self.0 >= Self::V1_19.0
    }

    /// Whether Login Start may have the key that the player signs chat with.
    pub const fn has_key_in_login(self) -> bool {
        self.0 == Self::V1_19.0 || self.0 == Self::V1_19_1.0
    }

    /// Whether Login Start may have a UUID.
    pub const fn has_uuid_in_login(self) -> bool {
        self.0 >= Self::V1_19_1.0
    }

    /// Whether a login goes on in the configuration state, and ends with Login Acknowledged.
    pub const fn has_configuration(self) -> bool {
        self.0 >= Self::V1_20_2.0
    }

    /// Whether there are the Transfer packet, the cookie packets, and the handshake's intent 3.
    pub const fn has_transfer(self) -> bool {
        self.0 >= Self::V1_20_5.0
    }

    /// Whether Login Success ends in a boolean, "strict error handling".
    pub const fn has_strict_error_handling(self) -> bool {
        self.0 == Self::V1_20_5.0 || self.0 == Self::V1_21.0
    }

    /// Whether Login Success ends in a session id (a UUID).
    pub const fn has_login_session_id(self) -> bool {
        self.0 >= Self::V26_2.0
    }

    /// Whether Client Information ends in the particle status.
    pub const fn has_particle_status(self) -> bool {
        self.0 >= Self::V1_21_2.0
    }

    /// Whether text in configuration and play packets is NBT; it is JSON in login and status packets always.
    pub const fn has_nbt_text(self) -> bool {
        self.0 >= Self::V1_20_3.0
    }

    /// Whether text may have any colour, rather than the sixteen named ones.
    pub const fn has_hex_colors(self) -> bool {
        self.0 >= Self::V1_16.0
    }

    /// Whether text spells its events `click_event` and `hover_event`, with a field per action.
    pub const fn has_snake_case_events(self) -> bool {
        self.0 >= Self::V1_21_5.0
    }
}

impl From<i32> for ProtocolVersion {
    fn from(number: i32) -> Self {
        Self(number)
    }
}

/// The release's name, or the number where it is unknown.
impl fmt::Display for ProtocolVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "protocol {}", self.0),
        }
    }
}

/// The numbers of a release's name, two or three of them: `1.21` is `[1, 21, 0]`.
fn dotted(name: &str) -> Option<[u16; 3]> {
    let mut numbers = [0; 3];
    let mut count = 0;
    for part in name.split('.') {
        let digits = (1..=4).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
        *numbers.get_mut(count).filter(|_| digits)? = part.parse().ok()?;
        count += 1;
    }
    (count >= 2).then_some(numbers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_are_in_order_and_the_last_is_the_newest() {
        assert!(RELEASES.windows(2).all(|pair| {
            pair[0].version < pair[1].version
                && dotted(pair[0].first) <= dotted(pair[0].last)
                && dotted(pair[0].last) < dotted(pair[1].first)
        }));
        assert_eq!(RELEASES.last().unwrap().version, ProtocolVersion::newest());
        assert_eq!(RELEASES.len(), 52);
    }

    #[test]
    fn numbers_and_names_find_each_other() {
        assert_eq!(ProtocolVersion(766).name(), Some("1.20.5–1.20.6"));
        assert_eq!(ProtocolVersion(769).name(), Some("1.21.4"));
        assert_eq!(ProtocolVersion(775).to_string(), "26.1–26.1.2");
        assert_eq!(ProtocolVersion(1000).to_string(), "protocol 1000");
        for (name, number) in [
            ("1.7.10", 5),
            ("1.8", 47),
            ("1.8.9", 47),
            ("1.9.4", 110),
            ("1.16.5", 754),
            ("1.20.6", 766),
            ("1.21", 767),
            ("1.21.10", 773),
            ("1.21.11", 774),
            ("26.1.1", 775),
            ("26.3", 777),
        ] {
            assert_eq!(ProtocolVersion::of_release(name), Some(ProtocolVersion(number)), "{name}");
        }
        for name in ["", "1", "1.21.12", "1.8.10", "1.20.5.1", "+1.8", "1..8", "1.8-pre1", "26.4", "99999.1"]
        {
            assert_eq!(ProtocolVersion::of_release(name), None, "{name}");
        }
    }

    #[test]
    fn snapshots_are_told_by_their_bit() {
        assert!(ProtocolVersion(0x4000_0000 | 333).is_snapshot());
        assert!(!ProtocolVersion(777).is_snapshot());
        assert!(!ProtocolVersion(-1).is_snapshot());
        assert!(!ProtocolVersion(-1).is_known());
        assert!(!ProtocolVersion(768 + 1_000).is_known());
    }

    #[test]
    fn features_begin_and_end_where_the_wire_changed() {
        let having = |ask: fn(ProtocolVersion) -> bool| -> Vec<i32> {
            (764..=777).filter(|&number| ask(ProtocolVersion(number))).collect()
        };
        assert_eq!(having(ProtocolVersion::has_strict_error_handling), [766, 767]);
        assert_eq!(having(ProtocolVersion::has_login_session_id), [776, 777]);
        assert_eq!(having(ProtocolVersion::has_transfer)[0], 766);
        assert_eq!(having(ProtocolVersion::has_nbt_text)[0], 765);
        assert_eq!(having(ProtocolVersion::has_snake_case_events)[0], 770);
        assert_eq!(having(ProtocolVersion::has_particle_status)[0], 768);
        assert!(!ProtocolVersion(763).has_configuration());
        assert!(ProtocolVersion(735).has_hex_colors() && !ProtocolVersion(578).has_hex_colors());
    }
}
