//! Taking an input apart: a few bytes of choices, and behind them what is parsed.

use drawbridge_protocol::ProtocolVersion;
use drawbridge_protocol::version::RELEASES;

/// The bytes of an input that haven't been used. Where none are left every choice is 0.
#[derive(Debug, Clone)]
pub struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    /// All of it.
    #[must_use]
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// A byte.
    pub fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        *first
    }

    /// A bit.
    pub fn flag(&mut self) -> bool {
        self.byte() & 1 == 1
    }

    /// Two bytes.
    pub fn short(&mut self) -> u16 {
        u16::from_be_bytes([self.byte(), self.byte()])
    }

    /// A number below `count`, which is at most 256.
    pub fn below(&mut self, count: usize) -> usize {
        usize::from(self.byte()) % count
    }

    /// A release, by its place in the list.
    pub fn version(&mut self) -> ProtocolVersion {
        RELEASES[self.below(RELEASES.len())].version
    }

    /// So many bytes, or as many as are left.
    pub fn take(&mut self, count: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(count.min(self.0.len()));
        self.0 = rest;
        taken
    }

    /// As many bytes as the next byte says.
    pub fn piece(&mut self) -> &'a [u8] {
        let count = self.byte().into();
        self.take(count)
    }

    /// Everything that is left.
    #[must_use]
    pub const fn rest(&self) -> &'a [u8] {
        self.0
    }

    /// Whether nothing is left.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// The choice that makes [`Input::version`] give this release.
pub(crate) fn choice_of(version: ProtocolVersion) -> u8 {
    let place = RELEASES.iter().position(|release| release.version == version);
    place.and_then(|place| u8::try_from(place).ok()).expect("a release, of which there are fewer than 256")
}
