//! Rates: so many at once, and so many again in a time.

use std::time::Duration;

use crate::Fields;

crate::section! {
    /// How often something may happen: `burst` times at once, and as many again in each `per`.
    #[check(Rate::check)]
    #[derive(Copy, PartialEq, Eq)]
    pub struct Rate {
        /// How many at once, at least 1.
        pub burst: u32,
        /// The time in which as many may follow, longer than `0s`.
        pub per: Duration,
    }
}

impl Rate {
    /// `burst` times in each `per`.
    #[must_use]
    pub const fn new(burst: u32, per: Duration) -> Self {
        Self { burst, per }
    }

    fn check(&self, fields: &mut Fields<'_, '_, '_>) {
        if self.burst == 0 {
            fields.error("burst", "a burst of 0 lets nobody in");
        }
        if self.per.is_zero() {
            fields.error("per", "a rate needs a time longer than \"0s\"");
        }
    }
}
