//! Buffers that nobody uses at present, for whoever needs one next on the same thread.
//!
//! A connection holds a buffer only while something waits in it, and taking one must not cost an allocation each time.

use std::cell::RefCell;

/// The most buffers that are kept, and the most bytes that each may hold.
const MOST: usize = 16;
const LARGEST: usize = 256 * 1024;

thread_local! {
    static SPARE: RefCell<Vec<Vec<u8>>> = const { RefCell::new(Vec::new()) };
}

/// An empty buffer.
pub(super) fn take() -> Vec<u8> {
    SPARE.with_borrow_mut(Vec::pop).unwrap_or_default()
}

/// Gives back what a buffer took for something long that is gone, where what is left is short: a peer could keep it so for ever.
pub(super) fn fit(buffer: &mut Vec<u8>) {
    if buffer.capacity() > LARGEST && buffer.len() <= buffer.capacity() / 4 {
        buffer.shrink_to_fit();
    }
}

/// Keeps a buffer that isn't needed any more, if it is worth it.
pub(super) fn give_back(mut buffer: Vec<u8>) {
    if buffer.capacity() == 0 || buffer.capacity() > LARGEST {
        return;
    }
    buffer.clear();
    SPARE.with_borrow_mut(|spare| {
        if spare.len() < MOST {
            spare.push(buffer);
        }
    });
}
