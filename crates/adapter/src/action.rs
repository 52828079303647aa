//! What becomes of the targets that a discovery found.

pub mod balance;
pub mod discovery;
pub mod guarded;
pub mod meta_filter;
pub mod player_fill;
pub mod player_filter;
#[cfg(test)]
mod promises;
pub mod sticky;
#[cfg(test)]
mod testing;

pub use balance::{Balance, BalanceBy, BalanceSection};
pub use discovery::Append;
pub use guarded::{Guarded, OnActionError};
pub use meta_filter::{MetaFilter, MetaFilterSection};
pub use player_fill::{PlayerFill, PlayerFillSection};
pub use player_filter::{PlayerFilter, PlayerFilterSection, Rule};
pub use sticky::{Sticky, StickySection};
