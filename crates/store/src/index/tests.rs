use super::*;
use ipnet::{Ipv4Net, Ipv6Net};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::time::{Duration, UNIX_EPOCH};

/// All that happens in these tests happens within a hundred seconds.
fn second(number: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(number)
}

fn ban(of: Subject, until: Option<u64>) -> Ban {
    Ban { of, reason: "".into(), source: "test".into(), since: UNIX_EPOCH, until: until.map(second) }
}

fn index(bans: &[(&str, Option<u64>)]) -> Index {
    bans.iter().map(|(of, until)| ban(of.parse().unwrap(), *until)).collect()
}

#[track_caller]
fn found(index: &Index, address: &str, now: u64) -> Option<String> {
    let ban = index.address(address.parse().unwrap(), || second(now));
    ban.map(|ban| ban.of.to_string())
}

#[test]
fn the_smallest_network_that_holds_counts() {
    let index =
        index(&[("10.0.0.0/8", None), ("10.1.0.0/16", Some(5)), ("10.1.2.3", Some(3)), ("::/0", None)]);
    assert_eq!(index.len(), 4);
    assert_eq!(found(&index, "10.1.2.3", 2).as_deref(), Some("10.1.2.3"));
    assert_eq!(found(&index, "::ffff:10.1.2.3", 3).as_deref(), Some("10.1.0.0/16"));
    assert_eq!(found(&index, "10.1.2.3", 5).as_deref(), Some("10.0.0.0/8"), "what has ended hides nothing");
    assert_eq!(found(&index, "11.1.2.3", 2), None, "all of IPv6 is none of IPv4");
    assert_eq!(found(&index, "2001:db8::1", 2).as_deref(), Some("::/0"));
}

#[test]
fn everything_can_be_banned() {
    let index = index(&[("0.0.0.0/0", None)]);
    assert_eq!(found(&index, "255.255.255.255", 0).as_deref(), Some("0.0.0.0/0"));
    assert_eq!(found(&index, "2001:db8::1", 0), None);
}

#[test]
fn names_have_no_case() {
    let index = index(&[("Notch", Some(5)), ("ÄÖÜ", None)]);
    for name in ["Notch", "notch", "NOTCH", "nOtCh"] {
        assert!(index.name(name, || second(4)).is_some(), "{name}");
        assert!(index.name(name, || second(5)).is_none(), "{name}");
    }
    assert!(index.name("äöü", || second(0)).is_some());
    assert!(index.name("Notc", || second(0)).is_none());
}

fn network() -> impl Strategy<Value = IpNet> {
    // Few bits, so that networks lie within each other and addresses within them.
    let v4 =
        (0_u32..16, 26_u8..=32).prop_map(|(bits, length)| Ipv4Net::new(bits.into(), length).unwrap().into());
    let v6 = (0_u128..16, 122_u8..=128)
        .prop_map(|(bits, length)| Ipv6Net::new((0x2001_0db8 << 96 | bits).into(), length).unwrap().into());
    let any = prop_oneof![
        (any::<u32>(), 0_u8..=32)
            .prop_map(|(bits, length)| Ipv4Net::new(bits.into(), length).unwrap().into()),
        (any::<u128>(), 0_u8..=128)
            .prop_map(|(bits, length)| Ipv6Net::new(bits.into(), length).unwrap().into()),
    ];
    prop_oneof![4 => v4, 4 => v6, 1 => any]
}

fn subject() -> impl Strategy<Value = Subject> {
    prop_oneof![
        4 => network().prop_map(Subject::network),
        1 => "[abAB]{1,2}".prop_map(|name| Subject::name(&name)),
        1 => (0_u128..4).prop_map(|id| Subject::Id(Uuid::from_u128(id))),
    ]
}

/// What the index has to find, by asking every ban there is.
fn expected(bans: &[Ban], now: SystemTime, is: impl Fn(&Subject) -> bool) -> Option<&Ban> {
    let counts = |at: usize, ban: &Ban| {
        let replaced = bans[at + 1..].iter().any(|later| later.of == ban.of);
        !replaced && ban.until.is_none_or(|until| now < until) && is(&ban.of)
    };
    let length = |ban: &Ban| if let Subject::Network(network) = &ban.of { network.prefix_len() } else { 0 };
    let holding = bans.iter().enumerate().filter(|(at, ban)| counts(*at, ban)).map(|(_, ban)| ban);
    holding.max_by_key(|ban| length(ban))
}

/// All that an index holds.
fn contents(index: &Index) -> BTreeMap<Subject, Ban> {
    let v4 = index.v4.0.iter().flat_map(|length| length.bans.values());
    let v6 = index.v6.0.iter().flat_map(|length| length.bans.values());
    let all = v4.chain(v6).chain(index.names.values()).chain(index.ids.values());
    all.map(|ban| (ban.of.clone(), Ban::clone(ban))).collect()
}

/// What is left when all of it is done in its order.
fn model(events: &[Event]) -> BTreeMap<Subject, Ban> {
    let mut bans = BTreeMap::new();
    for Event { action, ban } in events {
        match action {
            Action::Ban => drop(bans.insert(ban.of.clone(), ban.clone())),
            Action::Unban => drop(bans.remove(&ban.of)),
        }
    }
    bans
}

proptest! {
    /// Reading what was done since gives what reading everything anew does, even where some of it was read before.
    #[test]
    fn what_was_done_since_is_taken_over(
        done in proptest::collection::vec((subject(), proptest::option::of(0_u64..8), any::<bool>()), 0..24),
        (read, again) in (0_usize..24, 0_usize..24),
        ended in 0_u64..4,
    ) {
        let event = |(of, until, lifted)| {
            Event { action: if lifted { Action::Unban } else { Action::Ban }, ban: ban(of, until) }
        };
        let events: Vec<Event> = done.into_iter().map(event).collect();
        let read = read.min(events.len());
        let before: Index = model(&events[..read]).into_values().collect();
        let after = before.after(events[read.saturating_sub(again)..].iter().cloned(), second(ended));
        let mut expected = model(&events);
        expected.retain(|_, ban| ban.holds(second(ended)));
        prop_assert_eq!(after.len(), expected.len());
        prop_assert_eq!(contents(&after), expected);
    }

    #[test]
    fn finds_what_asking_each_ban_finds(
        bans in proptest::collection::vec((subject(), proptest::option::of(0_u64..8)), 0..24),
        asked in proptest::collection::vec((network(), "[abAB]{1,2}", 0_u128..4, 0_u64..8), 1..12),
    ) {
        let bans: Vec<Ban> = bans.into_iter().map(|(of, until)| ban(of, until)).collect();
        let index: Index = bans.iter().cloned().collect();
        for (network, name, id, now) in asked {
            let (address, now) = (network.addr().to_canonical(), second(now));
            let holds = |of: &Subject| matches!(of, Subject::Network(network) if network.contains(&address));
            prop_assert_eq!(index.address(address, || now).map(|ban| &**ban), expected(&bans, now, holds));
            let holds = |of: &Subject| *of == Subject::name(&name);
            prop_assert_eq!(index.name(&name, || now).map(|ban| &**ban), expected(&bans, now, holds));
            let id = Uuid::from_u128(id);
            let holds = |of: &Subject| *of == Subject::Id(id);
            prop_assert_eq!(index.id(id, || now).map(|ban| &**ban), expected(&bans, now, holds));
        }
    }
}
