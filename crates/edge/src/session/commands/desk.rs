//! What a player has asked and isn't answered yet.
//!
//! What must stay true: answers come in the order of the questions; a player who asks faster than is answered isn't heard beyond a bound.

use drawbridge_protocol::text::Component;
use drawbridge_session::HalfTyped;
use std::collections::VecDeque;
use std::pin::Pin;
use std::task::{Context, Poll};

/// The most questions that wait.
const MOST: usize = 8;

/// The most of all that waits to be told.
const MOST_TOLD: usize = 64;

/// What is to be told, once it is known.
pub(in super::super) type Answer = Pin<Box<dyn Future<Output = Vec<Component>>>>;

/// What could stand next, once it is known.
pub(in super::super) type Matches = Pin<Box<dyn Future<Output = Vec<String>>>>;

/// Something that is known now.
#[derive(Debug)]
pub(in super::super) enum Done {
    /// The player is told this.
    Answered(Vec<Component>),
    /// The player, who waits in limbo, is shown this.
    Waits(Vec<Component>),
    /// They are offered these.
    Completed(HalfTyped, Vec<String>),
}

/// A player's questions that aren't answered yet.
#[derive(Default)]
pub(in super::super) struct Desk {
    answers: VecDeque<Answer>,
    /// What a player who waits is shown.
    waiting: Option<Answer>,
    /// Who asks to complete something else doesn't wait for what they had begun before.
    completion: Option<(HalfTyped, Matches)>,
}

impl Desk {
    /// Looks for an answer, unless too many wait.
    pub(in super::super) fn take(&mut self, answer: Answer) {
        if self.answers.len() < MOST {
            self.answers.push_back(answer);
        }
    }

    /// Looks for the words of what has happened to the player.
    pub(in super::super) fn tell(&mut self, words: Answer) {
        if self.answers.len() < MOST_TOLD {
            self.answers.push_back(words);
        }
    }

    /// Looks for the words that a player who waits is shown.
    pub(in super::super) fn show(&mut self, words: Answer) {
        self.waiting = Some(words);
    }

    /// Looks for what completes this, and for nothing else any more.
    pub(in super::super) fn complete(&mut self, request: HalfTyped, matches: Matches) {
        self.completion = Some((request, matches));
    }

    /// The next thing that is known.
    pub(in super::super) fn poll(&mut self, context: &mut Context<'_>) -> Poll<Done> {
        if let Some(first) = self.answers.front_mut()
            && let Poll::Ready(words) = first.as_mut().poll(context)
        {
            self.answers.pop_front();
            return Poll::Ready(Done::Answered(words));
        }
        if let Some(waiting) = &mut self.waiting
            && let Poll::Ready(words) = waiting.as_mut().poll(context)
        {
            self.waiting = None;
            return Poll::Ready(Done::Waits(words));
        }
        if let Some((_, matches)) = &mut self.completion
            && let Poll::Ready(matches) = matches.as_mut().poll(context)
            && let Some((request, _)) = self.completion.take()
        {
            return Poll::Ready(Done::Completed(request, matches));
        }
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::task::Waker;
    use tokio::sync::oneshot;

    fn answered(desk: &mut Desk) -> Option<Vec<Component>> {
        match desk.poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(Done::Answered(words)) => Some(words),
            Poll::Ready(Done::Completed(..) | Done::Waits(_)) => panic!("nothing of that was asked"),
            Poll::Pending => None,
        }
    }

    #[test]
    fn answers_come_in_the_order_of_the_questions_and_too_many_go_unheard() {
        let mut desk = Desk::default();
        let (known, slow) = oneshot::channel::<()>();
        desk.take(Box::pin(async move {
            let _ = slow.await;
            vec![Component::text("0")]
        }));
        for number in 1..MOST + 5 {
            desk.take(Box::pin(async move { vec![Component::text(number.to_string())] }));
        }
        assert_eq!(answered(&mut desk), None, "the first isn't known yet");
        known.send(()).unwrap();
        for number in 0..MOST {
            assert_eq!(answered(&mut desk), Some(vec![Component::text(number.to_string())]));
        }
        assert_eq!(answered(&mut desk), None);
    }
}
