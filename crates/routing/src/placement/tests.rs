//! Placement against its rule in the plainest form: each action is applied to what the one before it left.

use super::*;
use async_trait::async_trait;
use drawbridge_model::{AdapterError, Claim, TargetAddress, TraceContext};
use drawbridge_protocol::ProtocolVersion;
use proptest::collection::vec;
use proptest::prelude::*;
use uuid::Uuid;

/// An action that does one thing.
#[derive(Debug, Clone)]
enum Does {
    Reverse,
    /// Leaves so many.
    Leave(usize),
    /// Adds one.
    Add(u8),
    Refuse,
    Fail,
}

#[derive(Debug)]
struct Finds(Option<Vec<Target>>);

#[async_trait]
impl DiscoveryAdapter for Finds {
    async fn targets(&self, _: &Client, _: &Identity) -> Result<Vec<Target>, AdapterError> {
        self.0.clone().ok_or_else(|| AdapterError::Answer("silent".into()))
    }
}

#[async_trait]
impl ActionAdapter for Does {
    async fn apply(
        &self,
        _: &Client,
        _: &Identity,
        mut targets: Vec<Target>,
    ) -> Result<Vec<Target>, ActionError> {
        match self {
            Self::Reverse => targets.reverse(),
            Self::Leave(count) => targets.truncate(*count),
            Self::Add(number) => targets.push(target(*number)),
            Self::Refuse => return Err(ActionError::Refused(Some("a key".to_owned()))),
            Self::Fail => return Err(ActionError::Unavailable(AdapterError::Answer("silent".into()))),
        }
        Ok(targets)
    }
}

fn target(number: u8) -> Target {
    let identifier = format!("t{number}");
    Target {
        address: TargetAddress { host: identifier.clone(), port: 25565 },
        identifier,
        priority: 0,
        meta: Arc::default(),
        lease: None,
    }
}

fn does() -> impl Strategy<Value = Does> {
    prop_oneof![
        3 => Just(Does::Reverse),
        3 => (0..5_usize).prop_map(Does::Leave),
        3 => any::<u8>().prop_map(Does::Add),
        1 => Just(Does::Refuse),
        1 => Just(Does::Fail),
    ]
}

/// The identifiers of the targets; or why there is none, and the number of the action that did it.
type Outcome = Result<Vec<String>, (Refusal, Option<usize>)>;

fn naive(found: Option<&[u8]>, actions: &[Does]) -> Outcome {
    let found = found.ok_or((Refusal::Discovery, None))?;
    let mut targets: Vec<String> = found.iter().map(|number| format!("t{number}")).collect();
    let mut took_the_last = None;
    for (number, action) in actions.iter().enumerate() {
        let were = targets.len();
        match action {
            Does::Reverse => targets.reverse(),
            Does::Leave(count) => targets = targets.into_iter().take(*count).collect(),
            Does::Add(number) => targets.push(format!("t{number}")),
            Does::Refuse => return Err((Refusal::Action, Some(number))),
            Does::Fail => return Err((Refusal::ActionFailed, Some(number))),
        }
        if were > 0 && targets.is_empty() {
            took_the_last = Some(number);
        }
    }
    if targets.is_empty() { Err((Refusal::NoTarget, took_the_last)) } else { Ok(targets) }
}

fn placed(found: Option<&[u8]>, actions: &[Does]) -> Outcome {
    let found = found.map(|found| found.iter().copied().map(target).collect());
    let action = |(number, action): (usize, &Does)| Action {
        name: number.to_string(),
        adapter: Arc::new(action.clone()),
        failing: Seldom::default(),
    };
    let actions = actions.iter().enumerate().map(action).collect();
    let placement = Placement { discovery: Arc::new(Finds(found)), actions, failing: Seldom::default() };
    let client = Client {
        address: ([127, 0, 0, 1], 4711).into(),
        version: ProtocolVersion::newest(),
        host: "play.example.com".into(),
        port: 25565,
        trace: TraceContext { trace_id: 1, span_id: 1, flags: 0 },
    };
    let player = Identity::Claimed(Claim { name: "Alice".into(), id: Uuid::nil() });
    let placing = placement.place("lobby", &client, &player);
    match tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(placing) {
        Ok(targets) => Ok(targets.into_iter().map(|target| target.identifier).collect()),
        Err(refused) => {
            assert_eq!(refused.key.is_some(), refused.refusal == Refusal::Action);
            Err((refused.refusal, refused.by.map(|by| by.parse().unwrap())))
        }
    }
}

proptest! {
    #[test]
    fn a_player_is_placed_by_each_action_in_turn(found in prop::option::weighted(0.9, vec(any::<u8>(), 0..6)), actions in vec(does(), 0..6)) {
        prop_assert_eq!(placed(found.as_deref(), &actions), naive(found.as_deref(), &actions));
    }
}
