//! No change of any byte makes a cookie another that is believed: of each kind, whoever's it is and whatever it holds.

use super::fixtures::jar;
use super::{Binding, CookieError, Hint, Jar, Proof, SEAL};
use drawbridge_model::{Profile, Property};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::LazyLock;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use uuid::Uuid;

const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const BINDING: Binding<'_> = Binding { realm: "a realm", address: HERE };

static JAR: LazyLock<Jar> = LazyLock::new(|| jar(b'k'));

fn now() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_790_000_000)
}

/// What somebody may do to the bytes of a cookie.
#[derive(Debug, Clone)]
enum Change {
    Flip(Index, u8),
    /// Of the seal at the end.
    FlipLate(Index, u8),
    Insert(Index, Vec<u8>),
    Remove(Index, Index),
    Truncate(Index),
    Append(Vec<u8>),
    Swap(Index, Index),
    /// The front of the cookie, and the back of another that is good.
    Splice(Index),
}

fn change() -> impl Strategy<Value = Change> {
    let index = any::<Index>;
    prop_oneof![
        (index(), 1_u8..).prop_map(|(at, bits)| Change::Flip(at, bits)),
        (index(), 1_u8..).prop_map(|(at, bits)| Change::FlipLate(at, bits)),
        (index(), vec(any::<u8>(), 1..40)).prop_map(|(at, bytes)| Change::Insert(at, bytes)),
        (index(), index()).prop_map(|(from, to)| Change::Remove(from, to)),
        index().prop_map(Change::Truncate),
        vec(any::<u8>(), 1..40).prop_map(Change::Append),
        (index(), index()).prop_map(|(one, other)| Change::Swap(one, other)),
        index().prop_map(Change::Splice),
    ]
}

/// Mostly one.
fn changes() -> impl Strategy<Value = Vec<Change>> {
    prop_oneof![3 => vec(change(), 1), 1 => vec(change(), 2..5)]
}

impl Change {
    fn apply(&self, cookie: &mut Vec<u8>, other: &[u8]) {
        let length = cookie.len();
        match self {
            Self::Flip(at, bits) => cookie[at.index(length)] ^= bits,
            Self::FlipLate(at, bits) => cookie[length - 1 - at.index(length.min(SEAL))] ^= bits,
            Self::Insert(at, bytes) => {
                let at = at.index(length + 1);
                drop(cookie.splice(at..at, bytes.iter().copied()));
            }
            Self::Remove(from, to) => {
                let (from, to) = (from.index(length), to.index(length));
                drop(cookie.drain(from.min(to)..=from.max(to)));
            }
            Self::Truncate(at) => cookie.truncate(at.index(length)),
            Self::Append(bytes) => cookie.extend(bytes),
            Self::Swap(one, other) => cookie.swap(one.index(length), other.index(length)),
            Self::Splice(at) => {
                let at = at.index(length);
                cookie.truncate(at);
                cookie.extend(&other[at.min(other.len())..]);
            }
        }
    }
}

prop_compose! {
    fn proof()(
        id: u128,
        name in "[A-Za-z0-9_]{1,16}",
        properties in vec(("[a-z]{1,8}", "[ -~]{0,60}", prop::option::of("[ -~]{0,60}")), 0..4),
        age in 0..3_600_u64,
    ) -> Proof {
        let property = |(name, value, signature)| Property { name, value, signature };
        let properties = properties.into_iter().map(property).collect();
        let profile = Profile { id: Uuid::from_u128(id), name, properties };
        Proof { profile, proved: now() - Duration::from_secs(age) }
    }
}

proptest! {
    /// Those of two players, of which one is changed with the other's in hand, and shown as either's.
    #[test]
    fn an_authentication_cookie_is_whole_or_nothing(one in proof(), other in proof(), changes in changes()) {
        let [cookie, others] = [&one, &other].map(|proof| JAR.seal(proof, BINDING).unwrap());
        let open = |cookie: &[u8], name: &str| JAR.open(cookie, name, BINDING, now());
        prop_assert_eq!(open(&cookie, &one.profile.name), Ok(one.clone()));
        let mut forged = cookie.clone();
        for change in changes {
            change.apply(&mut forged, &others);
            if forged.is_empty() {
                break;
            }
        }
        prop_assume!(forged != cookie && forged != others);
        for name in [&one.profile.name, &other.profile.name] {
            prop_assert_eq!(open(&forged, name), Err(CookieError::Seal));
        }
        prop_assert_eq!(JAR.open_return(&forged, &one.profile.name, HERE, now()), Err(CookieError::Seal));
    }

    #[test]
    fn a_return_cookie_is_whole_or_nothing(
        names in ("[A-Za-z0-9_]{1,16}", "[A-Za-z0-9_]{1,16}"), places in ("[a-z/]{1,20}", "[a-z/]{1,20}"), changes in changes(),
    ) {
        let seal = |place: &str, name: &str| JAR.seal_return(place, name, HERE, now()).unwrap();
        let (cookie, others) = (seal(&places.0, &names.0), seal(&places.1, &names.1));
        let open = |cookie: &[u8], name: &str| JAR.open_return(cookie, name, HERE, now());
        prop_assert_eq!(open(&cookie, &names.0), Ok(places.0));
        let mut forged = cookie.clone();
        for change in changes {
            change.apply(&mut forged, &others);
            if forged.is_empty() {
                break;
            }
        }
        prop_assume!(forged != cookie && forged != others);
        for name in [&names.0, &names.1] {
            prop_assert_eq!(open(&forged, name), Err(CookieError::Seal));
        }
        prop_assert_eq!(JAR.open(&forged, &names.0, BINDING, now()), Err(CookieError::Seal));
    }

    /// The session cookie is sealed by nobody. Whatever it is changed to is a hint, and proves nothing.
    #[test]
    fn a_session_cookie_proves_nothing_whatever_it_says(good_until in prop::option::of(0..4_000_000_000_u64), changes in vec(change(), 0..4)) {
        let hint = Hint { trace: None, good_until: good_until.map(|seconds| UNIX_EPOCH + Duration::from_secs(seconds)) };
        let mut cookie = hint.to_cookie();
        prop_assert_eq!(Hint::from_cookie(&cookie), hint);
        for change in changes {
            change.apply(&mut cookie, b"{\"good_until\":9999999999}");
            if cookie.is_empty() {
                break;
            }
        }
        let _ = Hint::from_cookie(&cookie);
        prop_assert_eq!(JAR.open(&cookie, "Alice", BINDING, now()), Err(CookieError::Seal));
        prop_assert_eq!(JAR.open_return(&cookie, "Alice", HERE, now()), Err(CookieError::Seal));
    }
}

/// Every bit of every byte, every byte left out or doubled, and every length.
#[test]
fn no_single_change_of_a_cookie_is_believed() {
    let profile = Profile { id: Uuid::from_u128(7), name: "Alice".into(), properties: Vec::new() };
    let proof = JAR.seal(&Proof { profile, proved: now() }, BINDING).unwrap();
    let place = JAR.seal_return("far/y", "Alice", HERE, now()).unwrap();
    let refused = |cookie: &[u8]| {
        JAR.open(cookie, "Alice", BINDING, now()).err() == Some(CookieError::Seal)
            && JAR.open_return(cookie, "Alice", HERE, now()).err() == Some(CookieError::Seal)
    };
    for cookie in [proof, place] {
        for at in 0..cookie.len() {
            let (front, back) = cookie.split_at(at);
            assert!(refused(front) && refused(back) == (at > 0), "cut at {at}");
            assert!(refused(&[front, &back[1..]].concat()), "without {at}");
            assert!(refused(&[front, &back[..1], back].concat()), "twice {at}");
            for bit in 0..8 {
                let mut flipped = cookie.clone();
                flipped[at] ^= 1 << bit;
                assert!(refused(&flipped), "bit {bit} of {at}");
            }
        }
    }
}
