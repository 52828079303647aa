//! Encryption of calls: whose certificates are trusted, and by which the edge is known.

use drawbridge_config::{
    Diagnostic, DocumentPath, Fields, Json, Reader, Schemas, Secret, Setting, Value, file_metadata, section,
};
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, ConfigBuilder, RootCertStore, WantsVerifier, client::WantsClientCert};
use rustls_platform_verifier::BuilderVerifierExt as _;
use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use std::sync::Arc;
use thiserror::Error;
use tokio::sync::OnceCell;
use tokio_rustls::TlsConnector;

/// The largest file of certificates, in bytes: as many as a system has.
const LARGEST: u64 = 1 << 20;

section! {
    /// How calls are encrypted.
    #[defaults]
    #[check(TlsSection::check)]
    pub struct TlsSection {
        /// A PEM file of the certificates that are trusted; without it, the system's.
        pub ca: Option<Certificates>,
        /// A PEM file of the certificate by which the edge is known to the service, and of those that it leads back to.
        pub cert: Option<Certificates>,
        /// The PEM of its private key.
        pub key: Option<Secret>,
    }
}

impl TlsSection {
    fn check(&self, fields: &mut Fields<'_, '_, '_>) {
        if self.cert.is_some() != self.key.is_some() {
            let (given, missing) = if self.cert.is_some() { ("cert", "key") } else { ("key", "cert") };
            fields.error(given, format!("a certificate and its key go together: {missing} is missing"));
            return;
        }
        if let Some(ca) = &self.ca
            && let Err(error) = roots(ca)
        {
            fields.error("ca", format!("nobody can be trusted by it: {error}"));
        }
        // Whatever is trusted, the edge's own certificate is taken or not.
        let trusting = builder().map(|builder| builder.with_root_certificates(RootCertStore::empty()));
        if let Err(error) = trusting.and_then(|trusting| self.with_own(trusting)) {
            let key = if matches!(error, TlsError::Key(_)) { "key" } else { "cert" };
            fields.error(key, format!("the edge can't be known by it: {error}"));
        }
    }

    /// Whether both make the same connections.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        let der = |certificates: &Option<Certificates>| certificates.as_ref().map(|own| Arc::clone(&own.0));
        // Both are the operator's, so that it tells nobody anything how long this takes.
        let keys = [self, other].map(|section| section.key.as_ref().map(Secret::expose));
        der(&self.ca) == der(&other.ca) && der(&self.cert) == der(&other.cert) && keys[0] == keys[1]
    }

    /// As it is used. Reading the system's certificates takes its time.
    fn config(&self) -> Result<ClientConfig, TlsError> {
        let trusting = match &self.ca {
            Some(ca) => builder()?.with_root_certificates(roots(ca)?),
            None => builder()?.with_platform_verifier().map_err(TlsError::System)?,
        };
        let mut config = self.with_own(trusting)?;
        config.alpn_protocols = vec![b"h2".to_vec()];
        Ok(config)
    }

    fn with_own(
        &self,
        trusting: ConfigBuilder<ClientConfig, WantsClientCert>,
    ) -> Result<ClientConfig, TlsError> {
        let Some((cert, key)) = self.cert.as_ref().zip(self.key.as_ref()) else {
            return Ok(trusting.with_no_client_auth());
        };
        let key =
            PrivateKeyDer::from_pem_slice(key.expose()).map_err(|error| TlsError::Key(error.to_string()))?;
        trusting.with_client_auth_cert(cert.0.to_vec(), key).map_err(TlsError::Own)
    }
}

/// Why calls can't be encrypted.
#[derive(Debug, Clone, Error)]
pub(crate) enum TlsError {
    #[error("{0}")]
    Key(String),
    #[error("{0}")]
    Own(#[source] rustls::Error),
    #[error("{0}")]
    Roots(#[source] rustls::Error),
    #[error("no root certificates: {0} (on Linux, ca-certificates holds them; SSL_CERT_FILE names others)")]
    System(#[source] rustls::Error),
    #[error("the certificates couldn't be loaded: {0}")]
    Ended(String),
}

fn builder() -> Result<ConfigBuilder<ClientConfig, WantsVerifier>, TlsError> {
    ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(TlsError::Own)
}

fn roots(ca: &Certificates) -> Result<RootCertStore, TlsError> {
    let mut roots = RootCertStore::empty();
    ca.0.iter().try_for_each(|certificate| roots.add(certificate.clone())).map_err(TlsError::Roots)?;
    Ok(roots)
}

/// The certificates of a PEM file, one at least.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificates(Arc<[CertificateDer<'static>]>);

impl Setting for Certificates {
    fn read(value: &Value, reader: &mut Reader<'_>) -> Option<Self> {
        let path = DocumentPath::read(value, reader)?;
        match read_certificates(&path) {
            Ok(certificates) => Some(Self(certificates.into())),
            Err(reason) => {
                let message = format!("no certificates in {:?}", path.as_path());
                reader.report(Diagnostic::error(value.origin(), message).label(reason));
                None
            }
        }
    }

    fn schema(schemas: &mut Schemas) -> Json {
        DocumentPath::schema(schemas)
    }
}

fn read_certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let mut pem = Vec::new();
    let metadata = file_metadata(path).map_err(|error| error.to_string())?;
    if metadata.len() > LARGEST {
        return Err(format!("it is larger than {LARGEST} bytes"));
    }
    let file = File::open(path).map_err(|error| error.to_string())?;
    file.take(LARGEST).read_to_end(&mut pem).map_err(|error| error.to_string())?;
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
    match certificates {
        Ok(none) if none.is_empty() => Err("expected -----BEGIN CERTIFICATE-----".to_owned()),
        certificates => certificates.map_err(|error| error.to_string()),
    }
}

/// How calls are encrypted, once that is known.
#[derive(Debug)]
pub(crate) struct Tls {
    section: TlsSection,
    config: OnceCell<Arc<ClientConfig>>,
}

impl Tls {
    pub(crate) fn new(section: TlsSection) -> Self {
        Self { section, config: OnceCell::new() }
    }

    /// What makes encrypted connections.
    pub(crate) async fn connector(&self) -> Result<TlsConnector, TlsError> {
        let config = self.config.get_or_try_init(|| async {
            let section = self.section.clone();
            // Reading some hundred certificates is no work for a thread that moves bytes.
            let loaded = tokio::task::spawn_blocking(move || section.config()).await;
            loaded.map_err(|error| TlsError::Ended(error.to_string()))?.map(Arc::new)
        });
        config.await.map(|config| TlsConnector::from(Arc::clone(config)))
    }
}
