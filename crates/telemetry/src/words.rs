//! Errors in words, and whether words have colours.

use std::error::Error;
use std::io::{IsTerminal as _, stderr};

/// Whether what is written to standard error may have colours: to a terminal it may, unless `NO_COLOR` stands in the environment
/// (<https://no-color.org>).
#[must_use]
pub fn has_colours() -> bool {
    stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none()
}

/// An error with what it comes from, since what says "connection refused" is often the innermost one. What an outer one repeats is said
/// once.
#[must_use]
pub fn in_full(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut inner = error.source();
    while let Some(cause) = inner {
        let words = cause.to_string();
        if !text.contains(&words) {
            text.push_str(": ");
            text.push_str(&words);
        }
        inner = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fmt;
    use std::io;

    #[derive(Debug)]
    struct Outer(&'static str, io::Error);

    impl fmt::Display for Outer {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(self.0)
        }
    }

    impl Error for Outer {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            Some(&self.1)
        }
    }

    #[test]
    fn what_is_behind_an_error_is_said_once() {
        let of = |said| in_full(&Outer(said, io::Error::other("refused")));
        assert_eq!(of("no connection"), "no connection: refused");
        assert_eq!(of("it was refused"), "it was refused");
    }
}
