//! What a client types by itself, each time it has settled where it is.

/// Texts to type, one after the other and over again.
#[derive(Debug, Default, Clone)]
pub(super) struct Tour {
    texts: Vec<String>,
    left: usize,
    /// Which is typed next.
    next: usize,
    /// So many marked packets are heard in a visit first.
    marks: u32,
}

impl Tour {
    /// Types so many times in all, each time after so many marked packets.
    pub(super) fn new(texts: &[&str], times: usize, marks: u32) -> Self {
        let left = if texts.is_empty() { 0 } else { times };
        Self { texts: texts.iter().map(ToString::to_string).collect(), left, next: 0, marks }
    }

    /// What to type now, in a visit in which nothing was typed yet and so many marked packets were heard.
    pub(super) fn due(&mut self, heard_here: u32) -> Option<&str> {
        if self.left == 0 || heard_here < self.marks {
            return None;
        }
        self.left -= 1;
        let at = self.next;
        self.next = (at + 1) % self.texts.len();
        Some(&self.texts[at])
    }
}
