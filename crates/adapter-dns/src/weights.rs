//! The order of SRV records (RFC 2782): by priority, and within one at random, the heavier the likelier first. Pure: chance is given.
//!
//! Worked example: within a priority, `a` weighs 60, `b` 20 and `c` 20. The running sums are 60, 80 and 100. A number from 0 to
//! 100 is drawn, 75 say: the first whose sum isn't below is `b`. Of the rest the sums are 60 and 80; drawn is 30: `a`, and then
//! `c`. So `a` is first in about 60 of 100 logins. Those that weigh nothing stand before all others when sums are made, so that
//! one of them is drawn with 0 alone.

use crate::names::Service;

/// All of `services`, each once, the first to be tried first. `draw` gives a number from 0 to the given one, both included.
pub(crate) fn order(services: &[Service], mut draw: impl FnMut(u64) -> u64) -> Vec<&Service> {
    let mut left: Vec<&Service> = services.iter().collect();
    left.sort_by_key(|service| (service.priority, service.weight != 0));
    let mut ordered = Vec::with_capacity(left.len());
    for equals in left.chunk_by_mut(|one, other| one.priority == other.priority) {
        let weightless = equals.iter().take_while(|service| service.weight == 0).count();
        shuffle(&mut equals[..weightless], &mut draw);
        let mut sum: u64 = equals.iter().map(|service| u64::from(service.weight)).sum();
        let mut equals = equals.to_vec();
        while !equals.is_empty() {
            let service = equals.remove(chosen(&equals, draw(sum)));
            sum -= u64::from(service.weight);
            ordered.push(service);
        }
    }
    ordered
}

/// Puts `items` into any order, each as likely (Fisher and Yates).
pub(crate) fn shuffle<T>(items: &mut [T], mut draw: impl FnMut(u64) -> u64) {
    for last in (1..items.len()).rev() {
        let other = draw(last as u64) as usize;
        items.swap(last, other.min(last));
    }
}

/// Whose running sum is the first that isn't below `drawn`.
fn chosen(equals: &[&Service], drawn: u64) -> usize {
    let mut sum = 0;
    let reached = equals.iter().position(|service| {
        sum += u64::from(service.weight);
        sum >= drawn
    });
    // What is drawn is never above the last sum.
    reached.unwrap_or(equals.len() - 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rand::SeedableRng as _;
    use rand::rngs::StdRng;
    use std::collections::HashMap;

    fn service(host: &str, priority: u16, weight: u16) -> Service {
        Service { host: host.to_owned(), port: 25565, priority, weight }
    }

    fn hosts(ordered: &[&Service]) -> String {
        ordered.iter().map(|service| service.host.as_str()).collect()
    }

    #[test]
    fn the_worked_example_holds() {
        let services = [service("a", 0, 60), service("b", 0, 20), service("c", 0, 20)];
        let mut drawn = [75, 30, 7].into_iter();
        let mut sums = Vec::new();
        let ordered = order(&services, |most| {
            sums.push(most);
            drawn.next().unwrap()
        });
        assert_eq!((hosts(&ordered).as_str(), sums), ("bac", vec![100, 80, 20]));
    }

    #[test]
    fn priorities_come_before_weights() {
        let services = [service("c", 20, 65535), service("a", 0, 0), service("b", 10, 1)];
        let mut random = StdRng::seed_from_u64(1);
        for _ in 0..100 {
            assert_eq!(hosts(&order(&services, |most| random.random_range(0..=most))), "abc");
        }
    }

    #[test]
    fn those_without_weight_are_first_now_and_then_and_each_as_often() {
        let services = [service("a", 0, 0), service("b", 0, 0), service("c", 0, 8)];
        let mut random = StdRng::seed_from_u64(2);
        let mut first: HashMap<String, f64> = HashMap::new();
        for _ in 0..20_000 {
            let ordered = order(&services, |most| random.random_range(0..=most));
            *first.entry(ordered[0].host.clone()).or_default() += 1.0 / 20_000.0;
        }
        // 0 of 0 to 8 is for one of the two.
        assert!(
            (first["a"] - 1.0 / 18.0).abs() < 0.01 && (first["b"] - 1.0 / 18.0).abs() < 0.01,
            "{first:?}"
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        /// How often each is first is what its weight says, and nobody is lost.
        #[test]
        fn the_heavier_the_more_often_first(weights in prop::collection::vec(1_u16..1000, 1..6), seed in any::<u64>()) {
            const TURNS: u32 = 4_000;
            let services: Vec<_> =
                weights.iter().enumerate().map(|(at, &weight)| service(&at.to_string(), 5, weight)).collect();
            let sum: f64 = weights.iter().map(|&weight| f64::from(weight)).sum();
            let mut random = StdRng::seed_from_u64(seed);
            let mut first = vec![0.0; weights.len()];
            for _ in 0..TURNS {
                let ordered = order(&services, |most| random.random_range(0..=most));
                prop_assert_eq!(ordered.len(), services.len());
                first[ordered[0].host.parse::<usize>().unwrap()] += 1.0;
            }
            for (seen, weight) in first.iter().zip(&weights) {
                let expected = f64::from(*weight) / sum;
                // Five standard deviations, and the one more number that 0 is.
                let deviation = 5.0 * (expected * (1.0 - expected) / f64::from(TURNS)).sqrt() + 1.0 / (sum + 1.0);
                prop_assert!((seen / f64::from(TURNS) - expected).abs() <= deviation, "{:?} {:?}", first, weights);
            }
        }

        #[test]
        fn everybody_comes_once(
            records in prop::collection::vec((0_u16..4, 0_u16..3), 0..40), drawn in prop::collection::vec(any::<u64>(), 100),
        ) {
            let services: Vec<_> = records
                .iter()
                .enumerate()
                .map(|(at, &(priority, weight))| service(&at.to_string(), priority, weight))
                .collect();
            let mut drawn = drawn.into_iter().cycle();
            let ordered = order(&services, |most| drawn.next().unwrap() % (most + 1));
            prop_assert!(ordered.is_sorted_by_key(|service| service.priority));
            let mut seen: Vec<_> = ordered.iter().map(|service| service.host.parse::<usize>().unwrap()).collect();
            seen.sort_unstable();
            prop_assert_eq!(seen, (0..services.len()).collect::<Vec<_>>());
        }
    }
}
