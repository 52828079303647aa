//! Who is meant, and who is there.

use super::*;
use drawbridge_model::{Claim, Profile, Refusal, TraceContext};

fn client(address: &str) -> Client {
    Client {
        address: address.parse().unwrap(),
        version: ProtocolVersion(767),
        host: "play.example.com".into(),
        port: 25565,
        trace: TraceContext { trace_id: 1, span_id: 1, flags: 0 },
    }
}

fn id() -> Uuid {
    Uuid::from_u128(7)
}

fn whom(text: &str) -> Whom {
    text.parse().unwrap()
}

#[test]
fn players_are_there_until_they_leave() {
    let players = Arc::<Players>::default();
    let first = players.enter(&client("203.0.113.7:1"), "lobby");
    let second = players.enter(&client("203.0.113.8:1"), "arena");
    assert_eq!(players.all().iter().map(|player| player.connection).collect::<Vec<_>>(), [1, 2]);
    assert_eq!(players.all()[0].who, None);
    second.learn_who(&Identity::Claimed(Claim { name: "Alice".into(), id: id() }));
    let who = Who { name: "Alice".into(), id: id(), verified: false };
    assert_eq!(players.all()[1].who, Some(who));
    drop(first);
    assert_eq!(players.all().iter().map(|player| &*player.route).collect::<Vec<_>>(), ["arena"]);
    drop(second);
    assert!(players.present().is_empty());
    assert_eq!(players.enter(&client("203.0.113.7:1"), "lobby").entry.connection, 3, "never given twice");
}

#[test]
fn whom_an_operator_means() {
    let players = Arc::<Players>::default();
    let claimed = players.enter(&client("203.0.113.7:1"), "lobby");
    claimed.learn_who(&Identity::Claimed(Claim { name: "Alice".into(), id: id() }));
    let verified = players.enter(&client("[2001:db8::1]:1"), "lobby");
    verified.learn_who(&Identity::Verified(Profile { id: id(), name: "Bob".into(), properties: Vec::new() }));
    let _silent = players.enter(&client("203.0.113.9:1"), "lobby");
    let text_id = id().to_string();
    for (text, meant, banned) in [
        ("#2", &[2][..], None),
        ("#4", &[], None),
        ("aLICE", &[1], Some(&[1][..])),
        ("2001:db8::/64", &[2], Some(&[2])),
        ("203.0.113.0/24", &[1, 3], Some(&[1, 3])),
        (&text_id, &[1, 2], Some(&[2])),
        ("nobody", &[], Some(&[])),
    ] {
        let numbers = |is: &dyn Fn(&Player) -> bool| {
            players
                .all()
                .into_iter()
                .filter(|player| is(player))
                .map(|player| player.connection)
                .collect::<Vec<_>>()
        };
        assert_eq!(numbers(&|player| whom(text).is(player)), meant, "{text}");
        if let (Whom::Subject(subject), Some(banned)) = (whom(text), banned) {
            assert_eq!(numbers(&|player| would_ban(&subject, player)), banned, "{text}");
        }
        assert_eq!(whom(&whom(text).to_string()), whom(text));
    }
    assert!(
        "#".parse::<Whom>().is_ok_and(|whom| matches!(whom, Whom::Subject(_))),
        "a name that routes may take"
    );
    assert!("256.1.1.1".parse::<Whom>().is_err());
}

#[tokio::test]
async fn who_is_called_away_is_told_why_once() {
    let players = Arc::<Players>::default();
    let presence = players.enter(&client("203.0.113.7:1"), "lobby");
    let summons = presence.summons();
    assert!(presence.sent_away().is_none());
    let why = Refused { by: Some("me".into()), ..Refusal::Kicked.into() };
    assert_eq!(players.send_away(|player| player.connection == 9, &why), []);
    assert_eq!(players.send_away(|_| true, &why).len(), 1);
    assert_eq!(players.send_away(|_| true, &Refusal::Banned.into()), [], "is on the way out already");
    assert_eq!(summons.comes().await, why);
    assert_eq!(presence.sent_away(), Some(&why));
}

/// To claim to be somebody, or to be them, throws nobody out.
#[test]
fn who_comes_as_somebody_who_is_there_changes_nothing_for_them() {
    let players = Arc::<Players>::default();
    let first = players.enter(&client("203.0.113.7:1"), "lobby");
    first.learn_who(&Identity::Verified(Profile { id: id(), name: "Alice".into(), properties: Vec::new() }));
    let before = players.all();
    let claimed = Claim { name: "Alice".into(), id: id() };
    let others = [
        Identity::Claimed(claimed),
        Identity::Verified(Profile { id: id(), name: "Alice".into(), properties: Vec::new() }),
    ];
    for other in others {
        let presence = players.enter(&client("203.0.113.8:1"), "lobby");
        presence.learn_who(&other);
        assert_eq!(players.all().len(), 2);
        assert!(first.sent_away().is_none() && presence.sent_away().is_none());
        drop(presence);
        assert_eq!(players.all(), before);
    }
}
