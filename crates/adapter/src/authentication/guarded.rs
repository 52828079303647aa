//! An authentication that asks somebody else, behind a guard. It never fails open.

use crate::guard::Guard;
use async_trait::async_trait;
use drawbridge_model::{Authentication, AuthenticationAdapter, AuthenticationError, Identity};

/// A guarded authentication.
#[derive(Debug)]
pub struct Guarded<A> {
    adapter: A,
    guard: Guard,
}

impl<A> Guarded<A> {
    /// `adapter`, behind `guard`.
    #[must_use]
    pub const fn new(adapter: A, guard: Guard) -> Self {
        Self { adapter, guard }
    }
}

#[async_trait]
impl<A: AuthenticationAdapter> AuthenticationAdapter for Guarded<A> {
    fn wants_session(&self) -> bool {
        self.adapter.wants_session()
    }

    fn realm(&self) -> Option<&str> {
        self.adapter.realm()
    }

    async fn authenticate(&self, request: Authentication<'_>) -> Result<Identity, AuthenticationError> {
        self.guard.ask(self.adapter.authenticate(request)).await
    }
}
