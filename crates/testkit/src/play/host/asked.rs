//! What a host has asked of a client and has no answer to yet. Clients answer in order, and only what was asked.

use crate::play::fault::Fault;
use drawbridge_protocol::ids::Kind;
use std::collections::VecDeque;
use std::time::Duration;
use tokio::time::Instant;

/// How long a keep-alive may stay without an answer; vanilla's time.
pub(super) const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// Questions without an answer.
#[derive(Debug, Default)]
pub(super) struct Asked {
    keep_alive: Option<(i64, Instant)>,
    /// When the last keep-alive was answered.
    calm: Option<Instant>,
    pub(super) cookies: VecDeque<String>,
    pub(super) teleports: VecDeque<i32>,
    /// Batches of chunks.
    batches: u32,
    /// How many of them were said before the keep-alive.
    batches_before: u32,
    pub(super) known_packs: bool,
    pub(super) configuration: bool,
    pub(super) finish: bool,
}

impl Asked {
    pub(super) fn keep_alive(&mut self, id: i64) {
        self.keep_alive = Some((id, Instant::now()));
        self.batches_before = self.batches;
    }

    /// Whether it is time for the next one, so long after the last.
    pub(super) fn wants_keep_alive(&self, beat: Duration) -> bool {
        self.keep_alive.is_none() && self.calm.is_none_or(|calm| calm.elapsed() >= beat)
    }

    /// A keep-alive's answer, behind which there can be none to what was asked before it.
    pub(super) fn answered(&mut self, id: i64) -> Result<(), Fault> {
        let asked = self.keep_alive.take_if(|(asked, _)| *asked == id);
        self.calm = Some(Instant::now());
        asked.ok_or(Fault::Unasked(Kind::KeepAlive))?;
        if self.batches_before > 0 {
            return Err(Fault::Unanswered(Kind::ChunkBatchFinished));
        }
        // Players are placed once, before all else.
        if self.teleports.is_empty() { Ok(()) } else { Err(Fault::Unanswered(Kind::Position)) }
    }

    /// A batch of chunks.
    pub(super) const fn batch(&mut self) {
        self.batches += 1;
    }

    /// The answer to one.
    pub(super) fn batch_received(&mut self) -> Result<(), Fault> {
        self.batches_before = self.batches_before.saturating_sub(1);
        self.batches = self.batches.checked_sub(1).ok_or(Fault::Unasked(Kind::ChunkBatchReceived))?;
        Ok(())
    }

    /// The client agrees to be configured: what was asked in play has its answer by now.
    pub(super) fn configured(&mut self) -> Result<(), Fault> {
        once(&mut self.configuration, Kind::ConfigurationAcknowledged)?;
        match std::mem::take(&mut self.batches) {
            0 => self.is_late(Duration::ZERO),
            _ => Err(Fault::Unanswered(Kind::ChunkBatchFinished)),
        }
    }

    /// Whether a keep-alive has waited for too long, or should have been answered before what was said behind it is.
    pub(super) fn is_late(&self, patience: Duration) -> Result<(), Fault> {
        match self.keep_alive {
            Some((_, since)) if since.elapsed() >= patience => Err(Fault::Unanswered(Kind::KeepAlive)),
            _ => Ok(()),
        }
    }
}

/// Takes a question that was asked: that it was.
pub(super) fn once(asked: &mut bool, kind: Kind) -> Result<(), Fault> {
    if std::mem::take(asked) { Ok(()) } else { Err(Fault::Unasked(kind)) }
}

/// Takes the oldest question, which must be this one.
pub(super) fn oldest<T: PartialEq>(asked: &mut VecDeque<T>, answer: &T, kind: Kind) -> Result<(), Fault> {
    if asked.front() != Some(answer) {
        return Err(Fault::Unasked(kind));
    }
    asked.pop_front();
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_keep_alive_is_late_when_its_time_is_over_and_not_before() {
        let mut asked = Asked::default();
        assert!(asked.wants_keep_alive(Duration::MAX));
        assert_eq!(asked.is_late(Duration::ZERO), Ok(()));
        asked.keep_alive(5);
        assert!(!asked.wants_keep_alive(Duration::ZERO));
        assert_eq!(asked.is_late(KEEP_ALIVE), Ok(()));
        assert_eq!(asked.is_late(Duration::ZERO), Err(Fault::Unanswered(Kind::KeepAlive)));
        assert_eq!(asked.answered(6), Err(Fault::Unasked(Kind::KeepAlive)));
        assert_eq!(asked.answered(5), Ok(()));
        assert!(asked.wants_keep_alive(Duration::ZERO) && !asked.wants_keep_alive(Duration::MAX));
    }
}
