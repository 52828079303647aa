//! Frames that are carried from one connection to another, each with a cipher and a compression of its own.
//!
//! A frame is looked at, not rebuilt: its packet's id is read from the first bytes, and whoever carries it decides by that. What passes
//! leaves as the bytes that came, but where the receiver's compression doesn't allow it:
//!
//! | the frame is | and the receiver | then it |
//! |---|---|---|
//! | uncompressed, both sides compress | takes any | leaves as it came |
//! | compressed, at least as long as the receiver's threshold | takes it | leaves as it came |
//! | compressed, shorter than the threshold | takes it for an attack | is inflated, and says so |
//! | compressed | doesn't compress | is inflated |
//! | of a sender who doesn't compress | compresses | is deflated from the threshold on |
//!
//! What must stay true: how a stream is cut into reads changes nothing; a frame that isn't whole never leaves, so that there is always a place
//! between frames at which another sender may go on; a frame that passes costs no allocation; memory grows with what has come, never with
//! what is claimed.

mod reader;
mod spare;
mod writer;

pub use reader::{Frame, FrameReader, Frames};
pub use writer::FrameWriter;

#[cfg(test)]
mod tests;
