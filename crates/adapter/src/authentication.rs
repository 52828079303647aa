//! Who decides who a player is. The session server is asked by `drawbridge-adapter-http`.

pub mod disabled;
pub mod fixed;
pub mod guarded;

pub use disabled::Disabled;
pub use fixed::{Fixed, FixedAuthenticationSection};
pub use guarded::Guarded;
