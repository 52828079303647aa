//! What `docs/adapters/actions.md` promises of each action, as properties: over targets of any kind, and players who come and go.

use super::testing::{applied, applied_to, claimed, verified};
use super::*;
use crate::fixtures::client;
use async_trait::async_trait;
use drawbridge_config::read_text;
use drawbridge_model::{
    ActionAdapter, ActionError, AdapterError, Client, DiscoveryAdapter, Identity, Target, TargetAddress,
};
use drawbridge_net::{Crowds, InCrowd};
use proptest::collection::vec;
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::sync::Arc;
use uuid::Uuid;

/// Where players are sent first this often, each share is near what it has to be.
const TURNS: u32 = 2_000;

/// A target that nothing is known of but this.
fn target(number: usize, priority: u32, meta: &[(&str, Option<String>)]) -> Target {
    let meta = meta.iter().filter_map(|(key, value)| Some(((*key).to_owned(), value.clone()?)));
    let identifier = format!("t{number}");
    Target {
        address: TargetAddress { host: identifier.clone(), port: 25565 },
        identifier,
        priority,
        meta: Arc::new(meta.collect()),
        lease: None,
    }
}

/// What a target may say of a number: nothing, the number, or what is none.
fn saying() -> impl Strategy<Value = Option<String>> {
    prop_oneof![
        2 => Just(None),
        5 => (0..6_i32).prop_map(|number| Some(number.to_string())),
        1 => Just(Some("-1.5".to_owned())),
        1 => Just(Some("many".to_owned())),
        1 => Just(Some("inf".to_owned())),
    ]
}

/// Up to seven targets, of which no two have one identifier.
fn targets() -> impl Strategy<Value = Vec<Target>> {
    vec((0..3_u32, saying(), saying()), 0..8).prop_map(|targets| {
        let one = |(number, (priority, players, weight)): (usize, (u32, Option<String>, Option<String>))| {
            target(number, priority, &[("players", players), ("weight", weight)])
        };
        targets.into_iter().enumerate().map(one).collect()
    })
}

fn identifiers(targets: &[Target]) -> Vec<String> {
    targets.iter().map(|target| target.identifier.clone()).collect()
}

/// The number that a target says under a key, read as the manual has it.
fn number(target: &Target, key: &str) -> Option<f64> {
    target.meta.get(key)?.parse().ok().filter(|number: &f64| number.is_finite())
}

fn sorted(mut identifiers: Vec<String>) -> Vec<String> {
    identifiers.sort();
    identifiers
}

/// The targets that are left for a player, as they are.
fn left(action: &dyn ActionAdapter, all: &[Target]) -> Vec<Target> {
    let order = wait(applied(action, "Alice", all.to_vec())).unwrap();
    let find =
        |identifier: &String| all.iter().find(|target| target.identifier == *identifier).unwrap().clone();
    order.iter().map(find).collect()
}

fn wait<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

fn balance(by: BalanceBy, carried: &Crowds) -> Balance {
    Balance::new(&BalanceSection { by, field: "weight".to_owned() }, carried)
}

/// How often each target comes first.
fn firsts(action: &dyn ActionAdapter, all: &[Target]) -> BTreeMap<String, u32> {
    let mut firsts = BTreeMap::new();
    for _ in 0..TURNS {
        *firsts.entry(left(action, all)[0].identifier.clone()).or_default() += 1;
    }
    firsts
}

/// That each target came first as often as its share of all says, within six standard deviations.
fn as_shared(firsts: &BTreeMap<String, u32>, shares: &[(String, f64)]) -> Result<(), TestCaseError> {
    let sum: f64 = shares.iter().map(|(_, share)| share).sum();
    for (identifier, share) in shares {
        let (seen, expected) = (firsts.get(identifier).copied().unwrap_or(0), share / sum);
        let deviation = 6.0 * (expected * (1.0 - expected) / f64::from(TURNS)).sqrt();
        let difference = f64::from(seen) / f64::from(TURNS) - expected;
        prop_assert!(
            difference.abs() <= deviation + 1e-9,
            "{identifier} was first {seen} times of {firsts:?}: {shares:?}"
        );
    }
    Ok(())
}

/// Players who come, each to the first target that `place` gives, and go, as `steps` have it: `None` comes, and `Some` is who goes.
/// After each who comes, `holds` is told how many there were at each target, and where they went.
fn come_and_go(
    steps: &[Option<prop::sample::Index>],
    count: usize,
    mut place: impl FnMut(&[u32]) -> Option<usize>,
    mut holds: impl FnMut(&[u32], Option<usize>) -> Result<(), TestCaseError>,
) -> Result<(), TestCaseError> {
    let (mut there, mut players) = (vec![0; count], Vec::new());
    for step in steps {
        match step {
            Some(who) if !players.is_empty() => {
                let target: usize = players.swap_remove(who.index(players.len()));
                there[target] -= 1;
            }
            Some(_) => {}
            None => {
                let target = place(&there);
                holds(&there, target)?;
                if let Some(target) = target {
                    there[target] += 1;
                    players.push(target);
                }
            }
        }
    }
    Ok(())
}

fn steps() -> impl Strategy<Value = Vec<Option<prop::sample::Index>>> {
    vec(prop_oneof![3 => Just(None), 1 => any::<prop::sample::Index>().prop_map(Some)], 0..60)
}

/// The number in a target's identifier.
fn place_of(target: &Target) -> usize {
    target.identifier[1..].parse().unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn balancing_loses_nobody_and_adds_nobody(all in targets()) {
        for by in [BalanceBy::RoundRobin, BalanceBy::Random, BalanceBy::Weighted, BalanceBy::Priority, BalanceBy::LeastConnections] {
            let order = left(&balance(by, &Crowds::default()), &all);
            prop_assert_eq!(sorted(identifiers(&order)), identifiers(&all), "{:?}", by);
        }
        prop_assert_eq!(sorted(identifiers(&left(&Sticky, &all))), identifiers(&all));
    }

    /// As they come, each player beginning one further, however many targets there are at the time.
    #[test]
    fn round_robin_begins_one_further_with_each_player(all in targets(), counts in vec(0..8_usize, 0..30)) {
        let action = balance(BalanceBy::RoundRobin, &Crowds::default());
        let mut turn = 0;
        for count in counts {
            let some = &all[..count.min(all.len())];
            let mut expected = identifiers(some);
            if !expected.is_empty() {
                let first = turn % expected.len();
                expected = [&expected[first..], &expected[..first]].concat();
                turn += 1;
            }
            prop_assert_eq!(identifiers(&left(&action, some)), expected);
        }
    }

    #[test]
    fn round_robin_spreads_evenly(count in 1..8_usize, players in 0..60_u32) {
        let all: Vec<_> = (0..count).map(|number| target(number, 0, &[])).collect();
        let action = balance(BalanceBy::RoundRobin, &Crowds::default());
        let mut there = vec![0_u32; count];
        for _ in 0..players {
            there[place_of(&left(&action, &all)[0])] += 1;
            prop_assert!(there.iter().max().unwrap() - there.iter().min().unwrap() <= 1, "{there:?}");
        }
    }

    #[test]
    fn the_lowest_priority_is_first(all in targets()) {
        let order = left(&balance(BalanceBy::Priority, &Crowds::default()), &all);
        prop_assert!(order.is_sorted_by_key(|target| target.priority), "{:?}", identifiers(&order));
    }

    #[test]
    fn those_that_weigh_nothing_come_last(all in targets()) {
        let order = left(&balance(BalanceBy::Weighted, &Crowds::default()), &all);
        let weighs = |target: &Target| number(target, "weight").unwrap_or(1.0) > 0.0;
        prop_assert!(order.is_sorted_by_key(|target| !weighs(target)), "{:?}", order);
    }

    /// Over all routes: some players come by another, which knows the same crowds.
    #[test]
    fn the_fewest_connections_are_first(count in 1..6_usize, others in vec(0..6_usize, 0..20), steps in steps()) {
        let all: Vec<_> = (0..count).map(|number| target(number, 0, &[])).collect();
        let crowds = Crowds::default();
        let enter = |number: usize| -> InCrowd { crowds.enter(all[number].address.to_string(), None).unwrap() };
        let _others: Vec<_> = others.iter().map(|number| enter(number % count)).collect();
        let elsewhere = |number: usize| others.iter().filter(|other| *other % count == number).count() as u32;
        let action = balance(BalanceBy::LeastConnections, &crowds);
        come_and_go(
            &steps,
            count,
            |there| {
                let _here: Vec<_> = there.iter().enumerate().flat_map(|(at, &many)| (0..many).map(move |_| at)).map(enter).collect();
                let order = left(&action, &all);
                let counts: Vec<_> = order.iter().map(|target| crowds.count(&target.address.to_string())).collect();
                assert!(counts.is_sorted(), "{counts:?}");
                order.first().map(place_of)
            },
            |there, chosen| {
                let carried: Vec<_> = there.iter().enumerate().map(|(at, many)| many + elsewhere(at)).collect();
                prop_assert_eq!(carried.iter().min(), chosen.map(|at| &carried[at]), "{:?}", carried);
                Ok(())
            },
        )?;
    }

    /// The fullest with room first; those that don't say last; those without room nowhere.
    #[test]
    fn the_fullest_with_room_is_first(all in targets(), max_players in 0..6_u32) {
        let section = PlayerFillSection { max_players, ..PlayerFillSection::default() };
        let order = left(&PlayerFill::new(&section), &all);
        let has_room = |target: &&Target| {
            max_players == 0 || number(target, "players").is_none_or(|players| players < f64::from(max_players))
        };
        let expected: Vec<_> = all.iter().filter(has_room).cloned().collect();
        prop_assert_eq!(sorted(identifiers(&order)), identifiers(&expected));
        for pair in order.windows(2) {
            let [one, other] = [number(&pair[0], "players"), number(&pair[1], "players")];
            let in_order = match (one, other) {
                (Some(one), Some(other)) => one >= other,
                (one, other) => one.is_some() || other.is_none(),
            };
            prop_assert!(in_order, "{one:?} before {other:?}");
        }
    }

    /// Who comes fills a target that has players already, before one that has none.
    #[test]
    fn one_target_is_filled_before_the_next(count in 0..6_usize, max_players in 1..6_u32, steps in steps()) {
        let section = PlayerFillSection { max_players, ..PlayerFillSection::default() };
        let action = PlayerFill::new(&section);
        let says = |there: &[u32]| -> Vec<_> {
            there.iter().enumerate().map(|(at, many)| target(at, 0, &[("players", Some(many.to_string()))])).collect()
        };
        come_and_go(
            &steps,
            count,
            |there| left(&action, &says(there)).first().map(place_of),
            |there, chosen| {
                let fullest = there.iter().filter(|many| **many < max_players).max();
                prop_assert_eq!(fullest, chosen.map(|at| &there[at]), "{:?}", there);
                Ok(())
            },
        )?;
    }

    /// Whatever the order they come in; who goes moves nobody else, nor does who comes, but to itself.
    #[test]
    fn a_sticky_player_moves_only_with_their_target(all in targets(), rotated in 0..8_usize, gone in 0_u8.., id: u128, name in "[A-Za-z0-9_]{1,16}") {
        let id = Uuid::from_u128(id).to_string();
        let other = Uuid::nil().to_string();
        for (player, same) in [
            (verified(&name, &id), verified("Renamed", &id)),
            (claimed(&name, &id), claimed(&name.to_uppercase(), &other)),
        ] {
            let order = wait(applied_to(&Sticky, &player, all.clone())).unwrap();
            let mut others = all.clone();
            others.rotate_left(rotated % all.len().max(1));
            prop_assert_eq!(&wait(applied_to(&Sticky, &same, others.clone())).unwrap(), &order);
            others.retain(|target| gone >> place_of(target) & 1 == 0);
            let fewer = identifiers(&others);
            let expected: Vec<_> = order.iter().filter(|identifier| fewer.contains(identifier)).cloned().collect();
            prop_assert_eq!(wait(applied_to(&Sticky, &player, others)).unwrap(), expected);
        }
    }

    /// The rules in their plainest form.
    #[test]
    fn a_filter_leaves_those_for_which_every_rule_holds(all in targets(), rules in vec((0..10_usize, any::<bool>(), 0..6_i32, 0..6_i32), 1..4)) {
        const OPS: [&str; 10] = ["equals", "not_equals", "in", "not_in", "exists", "not_exists", "lt", "le", "gt", "ge"];
        let text: Vec<_> = rules.iter().map(|&(op, by_players, one, other)| {
            let key = if by_players { "players" } else { "weight" };
            let value = match op {
                0 | 1 => format!(", value = '{one}'"),
                2 | 3 => format!(", value = [{one}, '{other}']"),
                4 | 5 => String::new(),
                _ => format!(", value = {one}"),
            };
            format!("{{ key = '{key}', op = '{}'{value} }}", OPS[op])
        }).collect();
        let section: MetaFilterSection = read_text("a.toml", &format!("rules = [{}]", text.join(", "))).unwrap();
        let holds = |target: &Target, &(op, by_players, one, other): &(usize, bool, i32, i32)| {
            let key = if by_players { "players" } else { "weight" };
            let (said, known) = (target.meta.get(key), number(target, key));
            let [one, other] = [one, other].map(|number| (number.to_string(), f64::from(number)));
            let is = |value: &str| said.is_some_and(|said| said == value);
            match op {
                0 => is(&one.0),
                1 => !is(&one.0),
                2 => is(&one.0) || is(&other.0),
                3 => !is(&one.0) && !is(&other.0),
                4 => said.is_some(),
                5 => said.is_none(),
                6 => known.is_some_and(|known| known < one.1),
                7 => known.is_some_and(|known| known <= one.1),
                8 => known.is_some_and(|known| known > one.1),
                _ => known.is_some_and(|known| known >= one.1),
            }
        };
        let expected: Vec<_> = all.iter().filter(|target| rules.iter().all(|rule| holds(target, rule))).cloned().collect();
        prop_assert_eq!(identifiers(&left(&MetaFilter::new(&section), &all)), identifiers(&expected), "{:?}", text);
    }

    /// By name in any case, or by a UUID that somebody vouches for: these alone, or all others.
    #[test]
    fn a_filter_of_players_lets_those_on_that_it_should(
        all in targets(), named in vec("[ab]{1,2}", 0..4), ids in vec(0..4_u128, 0..3), name in "[abAB]{1,2}", id in 0..4_u128, is_verified: bool,
    ) {
        let ids_text: Vec<_> = ids.iter().map(|id| format!("'{}'", Uuid::from_u128(*id))).collect();
        let names_text: Vec<_> = named.iter().map(|name| format!("'{name}'")).collect();
        let text = format!("usernames = [{}]\nids = [{}]\nmessage = 'no'", names_text.join(","), ids_text.join(","));
        let section: PlayerFilterSection = read_text("a.toml", &text).unwrap();
        let uuid = Uuid::from_u128(id).to_string();
        let player = if is_verified { verified(&name, &uuid) } else { claimed(&name, &uuid) };
        let is_meant = named.contains(&name.to_lowercase()) || (is_verified && ids.contains(&id));
        for (rule, may) in [(Rule::Allow, is_meant), (Rule::Block, !is_meant)] {
            let found = wait(applied_to(&PlayerFilter::new(&section, rule), &player, all.clone()));
            let expected = if may { Ok(identifiers(&all)) } else { Err(ActionError::Refused(Some("no".to_owned()))) };
            prop_assert_eq!(found, expected);
        }
    }

    #[test]
    fn a_discovery_adds_behind_what_it_finds_besides(all in targets(), others in targets(), from in 0..8_usize) {
        let found: Vec<_> = others.iter().map(|other| target(place_of(other) + from, 0, &[])).collect();
        let order = left_of(&Append(Arc::new(Finds(found.clone()))), &all);
        let there = identifiers(&all);
        let new = identifiers(&found).into_iter().filter(|identifier| !there.contains(identifier));
        prop_assert_eq!(order, there.iter().cloned().chain(new).collect::<Vec<_>>());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn chance_is_even_where_nothing_else_decides(all in targets().prop_filter("a target", |all| !all.is_empty())) {
        let even = |fit: &dyn Fn(&Target) -> bool| -> Vec<_> {
            all.iter().map(|target| (target.identifier.clone(), f64::from(u8::from(fit(target))))).collect()
        };
        as_shared(&firsts(&balance(BalanceBy::Random, &Crowds::default()), &all), &even(&|_| true))?;
        as_shared(&firsts(&balance(BalanceBy::LeastConnections, &Crowds::default()), &all), &even(&|_| true))?;
        let lowest = all.iter().map(|target| target.priority).min().unwrap();
        let is_lowest = |target: &Target| target.priority == lowest;
        as_shared(&firsts(&balance(BalanceBy::Priority, &Crowds::default()), &all), &even(&is_lowest))?;
        let says = |target: &Target| number(target, "players").unwrap_or(f64::NEG_INFINITY);
        let most = all.iter().map(says).fold(f64::NEG_INFINITY, f64::max);
        let fill = PlayerFill::new(&PlayerFillSection::default());
        as_shared(&firsts(&fill, &all), &even(&|target| says(target) == most))?;
    }

    #[test]
    fn twice_the_weight_is_twice_as_likely(all in targets().prop_filter("a target", |all| !all.is_empty())) {
        let weight = |target: &Target| (target.identifier.clone(), number(target, "weight").unwrap_or(1.0).max(0.0));
        let shares: Vec<_> = all.iter().map(weight).collect();
        prop_assume!(shares.iter().any(|(_, share)| *share > 0.0));
        as_shared(&firsts(&balance(BalanceBy::Weighted, &Crowds::default()), &all), &shares)?;
    }
}

/// The identifiers of what is left, of whatever was there.
fn left_of(action: &dyn ActionAdapter, all: &[Target]) -> Vec<String> {
    let player = claimed("Alice", &Uuid::nil().to_string());
    identifiers(&wait(action.apply(&client(), &player, all.to_vec())).unwrap())
}

/// A discovery that finds these.
#[derive(Debug)]
struct Finds(Vec<Target>);

#[async_trait]
impl DiscoveryAdapter for Finds {
    async fn targets(&self, _: &Client, _: &Identity) -> Result<Vec<Target>, AdapterError> {
        Ok(self.0.clone())
    }
}
