//! Encryption of calls: the system's root certificates, loaded when the first encrypted call is made.

use crate::error::HttpError;
use rustls::crypto::aws_lc_rs;
use rustls::{ClientConfig, RootCertStore};
use rustls_platform_verifier::BuilderVerifierExt;
use std::sync::Arc;
use tokio::sync::OnceCell;
use tokio_rustls::TlsConnector;

/// How calls are encrypted.
#[derive(Debug, Default)]
pub(crate) struct Tls {
    config: OnceCell<Arc<ClientConfig>>,
}

impl Tls {
    /// What makes encrypted connections.
    pub(crate) async fn connector(&self) -> Result<TlsConnector, HttpError> {
        self.config().await.map(TlsConnector::from)
    }

    /// What servers are believed.
    pub(crate) async fn config(&self) -> Result<Arc<ClientConfig>, HttpError> {
        let config = self.config.get_or_try_init(|| async {
            // Reading some hundred certificates is no work for a thread that moves bytes.
            let loaded = tokio::task::spawn_blocking(platform_config).await;
            loaded.map_err(|error| HttpError::Certificates(error.to_string()))?
        });
        config.await.map(Arc::clone)
    }

    /// With a configuration that is there already.
    #[cfg(test)]
    pub(crate) fn of(config: ClientConfig) -> Self {
        Self { config: OnceCell::new_with(Some(Arc::new(config))) }
    }
}

impl Tls {
    /// For calls that aren't encrypted, where there are no root certificates to be had.
    pub(crate) fn trusting_nobody() -> Result<ClientConfig, HttpError> {
        let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| failed(&error))?;
        Ok(config.with_root_certificates(RootCertStore::empty()).with_no_client_auth())
    }
}

fn failed(error: &rustls::Error) -> HttpError {
    HttpError::Certificates(format!(
        "{error} (on Linux, ca-certificates holds them; SSL_CERT_FILE names others)"
    ))
}

fn platform_config() -> Result<Arc<ClientConfig>, HttpError> {
    let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .and_then(BuilderVerifierExt::with_platform_verifier)
        .map_err(|error| failed(&error))?;
    Ok(Arc::new(config.with_no_client_auth()))
}
