//! Values at random for what the edge writes: the same for the same seed.

use drawbridge_protocol::text::{ClickAction, ClickEvent, Component, Content, Decoration, NamedColor};
use proptest::char::range;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use uuid::Uuid;

pub(crate) struct Random(TestRunner);

impl Random {
    pub(crate) fn new(seed: &str) -> Self {
        let mut bytes = [0_u8; 32];
        for (at, byte) in seed.bytes().enumerate() {
            bytes[at % 32] = bytes[at % 32].wrapping_mul(31).wrapping_add(byte);
        }
        let random = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
        Self(TestRunner::new_with_rng(Config::default(), random))
    }

    pub(crate) fn make<S: Strategy>(&mut self, strategy: S) -> S::Value {
        strategy.new_tree(&mut self.0).unwrap().current()
    }

    pub(crate) fn any<T: Arbitrary>(&mut self) -> T {
        self.make(any::<T>())
    }

    pub(crate) fn below(&mut self, count: usize) -> usize {
        self.make(0..count)
    }

    /// A whole number, small ones as often as large ones.
    pub(crate) fn int(&mut self) -> i32 {
        let bits = self.make(0..32_u32);
        self.any::<i32>() >> bits
    }

    pub(crate) fn uuid(&mut self) -> Uuid {
        Uuid::from_u128(self.any())
    }

    pub(crate) fn bytes(&mut self, most: usize) -> Vec<u8> {
        self.make(vec(any::<u8>(), 0..=most))
    }

    /// At most so many UTF-16 units. None is half of a character, nor is any 0: node-minecraft-protocol writes these in NBT as UTF-8 does, Java and the
    /// edge don't.
    pub(crate) fn text(&mut self, most: usize) -> String {
        let any = prop_oneof![4 => range('a', 'z'), 1 => range('\u{1}', '\u{d7ff}'), 1 => "[\"\\\\§{}<>/: ]".prop_map(|text| text.chars().next().unwrap())];
        self.make(vec(any, 0..=most.min(40))).into_iter().collect()
    }

    pub(crate) fn maybe<T>(&mut self, make: impl FnOnce(&mut Self) -> T) -> Option<T> {
        self.any::<bool>().then(|| make(self))
    }

    pub(crate) fn some<T>(&mut self, most: usize, mut make: impl FnMut(&mut Self) -> T) -> Vec<T> {
        let count = self.below(most + 1);
        (0..count).map(|_| make(self)).collect()
    }

    /// A text for players.
    pub(crate) fn component(&mut self) -> Component {
        self.component_within(0)
    }

    fn component_within(&mut self, depth: usize) -> Component {
        let most = if depth < 3 { 2 } else { 0 };
        let content = if self.below(4) == 0 {
            let with = self.some(most, |random| random.component_within(depth + 1));
            Content::Translate { key: self.text(20), with }
        } else {
            Content::Text(self.text(20))
        };
        let mut component = Component { content, ..Component::default() };
        let colors = [NamedColor::Black, NamedColor::DarkRed, NamedColor::Gold, NamedColor::White];
        component.style.color = self.maybe(|random| colors[random.below(colors.len())].into());
        for decoration in Decoration::ALL {
            if self.below(5) == 0 {
                component.style.decorate(decoration, self.any());
            }
        }
        component.style.insertion = (self.below(6) == 0).then(|| self.text(20));
        let command = ClickEvent { action: ClickAction::RunCommand, value: "/server hub".to_owned() };
        component.style.click = (self.below(6) == 0).then_some(command);
        component.extra = self.some(most, |random| random.component_within(depth + 1));
        component
    }
}
