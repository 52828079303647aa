//! Errors in words.

use std::error::Error;

/// An error with what it comes from, since what says "connection refused" is often the innermost one.
#[must_use]
pub fn chain(error: &(dyn Error + 'static)) -> String {
    let mut words = error.to_string();
    let mut inner = error.source();
    while let Some(error) = inner {
        words.push_str(": ");
        words.push_str(&error.to_string());
        inner = error.source();
    }
    words
}
