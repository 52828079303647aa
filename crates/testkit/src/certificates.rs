//! Certificates for tests: an authority, a server of 127.0.0.1, a client, and a client that nobody knows.

use rcgen::{BasicConstraints, CertificateParams, DistinguishedName, DnType, IsCa, Issuer, KeyPair};
use std::path::PathBuf;
use tempfile::TempDir;

/// PEM files in a folder of their own: `ca.pem`, and `server`, `client` and `stranger`, each as `….pem` and `….key`.
#[derive(Debug)]
pub struct Certificates(TempDir);

impl Certificates {
    /// Makes them.
    ///
    /// # Panics
    /// When they can't be made or written.
    #[must_use]
    pub fn new() -> Self {
        let made = TempDir::new().map_err(|error| error.to_string()).and_then(|folder| {
            make(&folder).map_err(|error| error.to_string())?;
            Ok(Self(folder))
        });
        made.unwrap_or_else(|error| panic!("no certificates: {error}"))
    }

    /// One of the files.
    #[must_use]
    pub fn file(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }
}

impl Default for Certificates {
    fn default() -> Self {
        Self::new()
    }
}

fn make(folder: &TempDir) -> Result<(), Box<dyn std::error::Error>> {
    let write = |name: &str, pem: String| std::fs::write(folder.path().join(name), pem);
    // Who signs and who is signed are told apart by their names.
    let named = |name: &str, hosts: Vec<String>| -> Result<_, rcgen::Error> {
        let mut params = CertificateParams::new(hosts)?;
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, name);
        Ok(params)
    };
    let authority = |name: &str| -> Result<_, rcgen::Error> {
        let mut params = named(name, Vec::new())?;
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate()?;
        Ok((params.self_signed(&key)?, Issuer::new(params, key)))
    };
    let (ca, issuer) = authority("authority")?;
    write("ca.pem", ca.pem())?;
    let (_, nobody) = authority("nobody")?;
    for (name, signed_by) in [("server", &issuer), ("client", &issuer), ("stranger", &nobody)] {
        let key = KeyPair::generate()?;
        let params = named(name, vec!["localhost".to_owned(), "127.0.0.1".to_owned()])?;
        write(&format!("{name}.pem"), params.signed_by(&key, signed_by)?.pem())?;
        write(&format!("{name}.key"), key.serialize_pem())?;
    }
    Ok(())
}
