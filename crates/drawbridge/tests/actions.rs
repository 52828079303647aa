//! What actions make of the targets, seen by players who are handed over or refused.

#![allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]

mod support;

use drawbridge_testkit::{Edge, Join, NodeClient, Player, SessionServer, Visit, sees};
use std::collections::{BTreeMap, BTreeSet};
use support::edge;

/// Three targets at `<identifier>.example.com:25565`.
const TARGETS: &str = r#"
discovery.targets = [
    { identifier = "eu-1", address = "eu-1.example.com:25565", meta = { region = "eu", players = "15", weight = "0" } },
    { identifier = "eu-2", address = "eu-2.example.com:25565", priority = 1, meta = { region = "eu", players = "3", load = "7" } },
    { identifier = "us-1", address = "us-1.example.com:25565", priority = 2, meta = { region = "us", players = "20", load = "0" } },
]
"#;

/// An edge whose only route has these actions, and asks `authentication`.
fn house(authentication: &str, actions: &str) -> Edge {
    let config = format!(
        "[[routes]]\nname = \"lobby\"\nhosts = [\"*\"]\nmode = \"transfer\"\n{authentication}\n{TARGETS}\n{actions}\n"
    );
    edge().config(config).start()
}

fn open_house(actions: &str) -> Edge {
    house("authentication.type = \"disabled\"", actions)
}

fn join(edge: &Edge, name: &str) -> Visit {
    Player::new(name, 767).join(edge.address())
}

/// Where a player is handed over to, by the target's identifier.
fn target(edge: &Edge, name: &str) -> String {
    join(edge, name).transferred().0.trim_end_matches(".example.com").to_owned()
}

#[test]
fn a_filter_by_metadata_leaves_what_its_rules_say() {
    sees!(
        "routes[].actions[](meta_filter).name",
        "routes[].actions[](meta_filter).rules[].key",
        "routes[].actions[](meta_filter).rules[].op",
        "routes[].actions[](meta_filter).rules[].value",
        "routes[].actions[](meta_filter).rules[].field",
    );
    let filter = |rules: &str| {
        format!("[[routes.actions]]\ntype = \"meta_filter\"\nname = \"narrow\"\nrules = [{rules}]")
    };
    for (rules, expected) in [
        ("{ key = 'region', op = 'equals', value = 'us' }", "us-1"),
        ("{ key = 'players', op = 'lt', value = 10 }", "eu-2"),
        (
            "{ key = 'load', op = 'exists' }, { field = 'identifier', op = 'not_in', value = ['eu-2'] }",
            "us-1",
        ),
    ] {
        assert_eq!(target(&open_house(&filter(rules)), "Alice"), expected, "{rules}");
    }
    let none = open_house(&filter("{ key = 'region', op = 'equals', value = 'asia' }"));
    assert!(join(&none, "Alice").kicked().starts_with("No server is configured or available"));
    assert_eq!(none.wait_for_refusal("no_target").field("by").as_deref(), Some("narrow"));
}

#[test]
fn players_are_let_in_and_kept_out_by_name_and_uuid() {
    sees!(
        "routes[].actions[](player_allow_filter).name",
        "routes[].actions[](player_allow_filter).usernames",
        "routes[].actions[](player_allow_filter).username",
        "routes[].actions[](player_allow_filter).ids",
        "routes[].actions[](player_allow_filter).message",
        "routes[].actions[](player_block_filter).name",
        "routes[].actions[](player_block_filter).usernames",
        "routes[].actions[](player_block_filter).username",
        "routes[].actions[](player_block_filter).ids",
        "routes[].actions[](player_block_filter).message",
    );
    let session = SessionServer::start().unwrap();
    let (alice, bob, carol) = (session.account("Alice"), session.account("Bob"), session.account("Carol"));
    let authentication = format!("authentication.url = \"{}\"", session.url());
    let lists = |id: &str| {
        format!("usernames = ['aLICE']\nusername = '^Bo'\nids = ['{id}']\nmessage = 'members_only'")
    };
    let edge = |kind: &str| {
        let actions = format!(
            "[[routes.actions]]\ntype = \"{kind}\"\n{}\n[routes.localization.messages.en_us]\nmembers_only = 'Members only'",
            lists(&carol.id().to_string())
        );
        house(&authentication, &actions)
    };
    let (allowing, blocking) = (edge("player_allow_filter"), edge("player_block_filter"));
    let dave = session.account("Dave");
    for (account, named) in [(&alice, true), (&bob, true), (&carol, true), (&dave, false)] {
        for (edge, may) in [(&allowing, named), (&blocking, !named)] {
            let visit = Player::with_account(account, 767).join(edge.address());
            if may {
                assert_eq!(visit.transferred().0, "eu-1.example.com", "{}", account.name());
            } else {
                assert_eq!(visit.kicked(), "Members only", "{}", account.name());
            }
        }
    }
    // Without a name the log names its type.
    let refused = blocking.wait_for_refusal("action");
    assert_eq!(refused.field("by").as_deref(), Some("player_block_filter"));
    let named = house(
        "authentication.type = \"disabled\"",
        "[[routes.actions]]\ntype = \"player_block_filter\"\nname = \"the list\"\nusernames = [\"Alice\"]\n\
         [[routes.actions]]\ntype = \"player_allow_filter\"\nname = \"members\"\nusernames = [\"Bob\"]",
    );
    assert!(join(&named, "Alice").kicked().starts_with("You can't join this server right now."));
    assert_eq!(named.wait_for_refusal("action").field("by").as_deref(), Some("the list"));
    assert!(join(&named, "Carol").kicked().starts_with("You can't join this server right now."));
    named.wait_for("the second list", |line| line.field("by").as_deref() == Some("members"));
    // A real client reads the same.
    let visit = NodeClient::start().join(&Join::new("Alice", "1.21.4"), named.address());
    assert!(visit.kicked().starts_with("You can't join this server right now."), "{}", visit.kicked());
}

#[test]
fn the_fullest_target_with_room_comes_first() {
    sees!(
        "routes[].actions[](player_fill_strategy).name",
        "routes[].actions[](player_fill_strategy).field",
        "routes[].actions[](player_fill_strategy).max_players",
    );
    let fill = |keys: &str| {
        open_house(&format!("[[routes.actions]]\ntype = \"player_fill_strategy\"\nname = \"fill\"\n{keys}"))
    };
    assert_eq!(target(&fill(""), "Alice"), "us-1");
    assert_eq!(target(&fill("max_players = 20"), "Alice"), "eu-1");
    assert_eq!(target(&fill("field = \"load\""), "Alice"), "eu-2");
    let full = fill("max_players = 3");
    assert!(join(&full, "Alice").kicked().starts_with("No server is configured or available"));
    assert_eq!(full.wait_for_refusal("no_target").field("by").as_deref(), Some("fill"));
}

#[test]
fn players_are_spread() {
    sees!(
        "routes[].actions[](balance).name",
        "routes[].actions[](balance).by",
        "routes[].actions[](balance).field",
    );
    let balance = |keys: &str| {
        open_house(&format!(
            "[[routes.actions]]\ntype = \"balance\"\n{keys}\n\
             [[routes.actions]]\ntype = \"player_block_filter\"\nname = \"after\"\nusernames = [\"Eve\"]"
        ))
    };
    let visits =
        |edge: &Edge, count: usize| -> Vec<_> { (0..count).map(|_| target(edge, "Alice")).collect() };
    // Five joins in ten seconds are what one address may make.
    let round = balance("by = \"round_robin\"\nname = \"turns\"");
    assert_eq!(visits(&round, 4), ["eu-1", "eu-2", "us-1", "eu-1"]);
    assert_eq!(visits(&balance("by = \"priority\""), 4), ["eu-1"; 4]);
    // What weighs nothing comes last.
    let weighted = visits(&balance("by = \"weighted\""), 5);
    assert!(!weighted.contains(&"eu-1".to_owned()), "{weighted:?}");
    let by_load = visits(&balance("by = \"weighted\"\nfield = \"load\""), 5);
    assert!(!by_load.contains(&"us-1".to_owned()), "{by_load:?}");
    let mut seen = BTreeSet::new();
    for _ in 0..6 {
        seen.extend(visits(&balance("by = \"random\""), 5));
    }
    assert_eq!(seen.len(), 3, "thirty players went to {seen:?}");
    assert!(join(&round, "Eve").kicked().starts_with("You can't join this server right now."));
}

#[test]
fn a_player_comes_back_to_the_same_target_on_another_edge_too() {
    sees!("routes[].actions[].type", "routes[].actions[](sticky).name");
    let houses = [0, 1].map(|_| {
        open_house(
            "[[routes.actions]]\ntype = \"balance\"\nby = \"random\"\n[[routes.actions]]\ntype = \"sticky\"\nname = \"home\"",
        )
    });
    let mut homes = BTreeMap::new();
    for name in ["Alice", "Bob", "Carol", "Dave", "Erin"] {
        let [one, other] = houses.each_ref().map(|edge| target(edge, name));
        assert_eq!(one, other, "{name}");
        homes.entry(one).or_insert_with(Vec::new).push(name);
    }
    assert!(homes.len() > 1, "{homes:?}");
}

#[test]
fn a_discovery_among_the_actions_adds_its_targets() {
    sees!(
        "routes[].actions[](fixed).name",
        "routes[].actions[](fixed).targets[].identifier",
        "routes[].actions[](fixed).targets[].address",
        "routes[].actions[](fixed).targets[].priority",
        "routes[].actions[](fixed).targets[].meta.*",
    );
    let edge = open_house(
        "[[routes.actions]]
        type = \"fixed\"
        name = \"reserve\"
        targets = [
            { identifier = \"spare-2\", address = \"spare-2.example.com:25565\", priority = 9, meta = { spare = \"yes\" } },
            { identifier = \"spare-1\", address = \"spare-1.example.com:25565\", priority = 8, meta = { spare = \"yes\" } },
            { identifier = \"eu-1\", address = \"other.example.com:25565\", meta = { spare = \"yes\" } },
        ]
        [[routes.actions]]
        type = \"meta_filter\"
        rules = [{ key = \"spare\", op = \"exists\" }]",
    );
    // The one of lower priority comes first, and one that is there already stays as it is.
    assert_eq!(target(&edge, "Alice"), "spare-1");
}
