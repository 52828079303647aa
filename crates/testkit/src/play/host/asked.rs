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
    pub(super) batches: u32,
    pub(super) known_packs: bool,
    pub(super) configuration: bool,
    pub(super) finish: bool,
}

impl Asked {
    pub(super) fn keep_alive(&mut self, id: i64) {
        self.keep_alive = Some((id, Instant::now()));
    }

    /// Whether it is time for the next one, so long after the last.
    pub(super) fn wants_keep_alive(&self, beat: Duration) -> bool {
        self.keep_alive.is_none() && self.calm.is_none_or(|calm| calm.elapsed() >= beat)
    }

    pub(super) fn answered(&mut self, id: i64) -> Result<(), Fault> {
        let asked = self.keep_alive.take_if(|(asked, _)| *asked == id);
        self.calm = Some(Instant::now());
        asked.map(drop).ok_or(Fault::Unasked(Kind::KeepAlive))
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
