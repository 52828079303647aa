//! What a backend has asked of the client and the client hasn't answered.

/// The most questions of a kind that are remembered. Vanilla never has more than one keep-alive under way.
const MOST: usize = 8;

/// The last questions of a kind, in the order in which they were asked.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pending<T> {
    asked: [Option<T>; MOST],
}

impl<T: Copy + PartialEq> Pending<T> {
    pub(crate) const fn new() -> Self {
        Self { asked: [None; MOST] }
    }

    /// Something was asked. Where there are too many the oldest is forgotten: its answer is nobody's then.
    pub(crate) fn ask(&mut self, question: T) {
        if self.asked.iter().all(Option::is_some) {
            self.asked.rotate_left(1);
            self.asked[MOST - 1] = None;
        }
        if let Some(free) = self.asked.iter_mut().find(|asked| asked.is_none()) {
            *free = Some(question);
        }
    }

    /// Whether this answers something, which from here on is answered.
    pub(crate) fn answer(&mut self, question: T) -> bool {
        let Some(at) = self.asked.iter().position(|asked| *asked == Some(question)) else { return false };
        self.asked[at..].rotate_left(1);
        self.asked[MOST - 1] = None;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_counts_once() {
        let mut pending = Pending::new();
        pending.ask(1);
        pending.ask(2);
        assert!(pending.answer(2) && !pending.answer(2) && pending.answer(1) && !pending.answer(3));
    }

    #[test]
    fn too_many_questions_push_out_the_oldest() {
        let mut pending = Pending::new();
        (0..=MOST).for_each(|question| pending.ask(question));
        assert!(!pending.answer(0) && pending.answer(1) && pending.answer(MOST));
    }
}
