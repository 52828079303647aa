//! The words that players read.

pub mod fixed;
mod locale;
mod texts;

pub use fixed::{Fixed, FixedLocalizationSection, Messages};
pub use locale::Locale;
pub use texts::{Texts, built_in};
