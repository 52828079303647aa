//! Authentication `disabled`: nobody is asked, and nothing is verified.

use async_trait::async_trait;
use drawbridge_model::{Authentication, AuthenticationAdapter, AuthenticationError, Identity};

/// Lets everybody in as who they claim to be, and no more than that.
#[derive(Debug, Clone, Copy)]
pub struct Disabled;

#[async_trait]
impl AuthenticationAdapter for Disabled {
    fn wants_session(&self) -> bool {
        false
    }

    /// Asking costs nothing, so that nothing needs to be a substitute for it.
    fn realm(&self) -> Option<&str> {
        None
    }

    async fn authenticate(&self, request: Authentication<'_>) -> Result<Identity, AuthenticationError> {
        Ok(Identity::Claimed(request.claim.clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::ask;

    #[tokio::test]
    async fn a_claim_stays_a_claim() {
        let identity = ask(&Disabled, "Notch").await.unwrap();
        assert!(matches!(identity, Identity::Claimed(claim) if claim.name == "Notch"));
        assert!(!Disabled.wants_session());
    }
}
