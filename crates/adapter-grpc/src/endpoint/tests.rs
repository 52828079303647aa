//! How endpoints are read.

use super::*;
use drawbridge_config::{Error, Style, read_text};
use rcgen::{CertificateParams, KeyPair};
use std::path::PathBuf;

section! {
    /// Something that is asked.
    struct Asked {
        /// Whom.
        endpoint: Endpoint,
    }
}

fn read(text: &str) -> Result<Endpoint, String> {
    match read_text::<Asked>("asked.toml", text) {
        Ok(asked) => Ok(asked.endpoint),
        Err(Error::Invalid(diagnostics)) => Err(diagnostics.render(Style::Plain)),
        Err(error) => Err(error.to_string()),
    }
}

#[test]
fn a_uri_alone_is_an_endpoint() {
    let endpoint = read("endpoint = 'http://127.0.0.1:50051'").unwrap();
    assert_eq!(endpoint.name(), "http://127.0.0.1:50051");
    assert_eq!(endpoint.timeout, Duration::from_secs(2));
}

#[test]
fn what_is_sent_along_is_never_shown() {
    let endpoint =
        read("endpoint = { uris = ['http://a:1', 'http://b:2'], metadata = { tenant = 'secretive' } }");
    let endpoint = endpoint.unwrap();
    assert_eq!(endpoint.name(), "http://a:1 http://b:2");
    assert!(!format!("{endpoint:?}").contains("secretive"));
    let shown = read("endpoint = { uris = ['http://a:1'], metadata = { authorization = 'Bearer abc' } }");
    let shown = shown.unwrap_err();
    assert!(shown.contains("secrets aren't written here") && !shown.contains("abc"), "{shown}");
}

#[test]
fn mistakes_say_what_is_wrong() {
    for (text, words) in [
        ("1", "a URI such as"),
        ("'hub:1'", "begins with http:// or https://"),
        ("{ uris = [] }", "nobody can be asked"),
        ("{ uris = ['http://a:1', 'http://A:1/'] }", "is given twice"),
        ("{ uris = ['http://a:1'], timeout = '0s' }", "in no time"),
        ("{ uris = ['http://a:1'], keep_alive = '0s' }", "silent for some time"),
        ("{ uris = ['http://a:1'], tls = {} }", "isn't encrypted"),
        ("{ uris = ['https://a:1'], tls = { ca = 'nowhere.pem' } }", "no certificates in"),
        ("{ uris = ['http://a:1'], metadata = { grpc-timeout = '1S' } }", "can't be sent as metadata"),
        ("{ uris = ['http://a:1'], metadata = { Tenant = 'a' } }", "can't be sent as metadata"),
        ("{ uris = ['http://a:1'], metadata = { tenant-bin = 'a' } }", "can't be sent as metadata"),
        ("{ uris = ['http://a:1'], metadata = { tenant = \"a\\nb\" } }", "visible ASCII"),
    ] {
        let shown = read(&format!("endpoint = {text}")).expect_err(text);
        assert!(shown.contains(words), "{text}: {shown}");
    }
}

/// A certificate and its key, and a key of somebody else's, as files.
struct Files(PathBuf);

impl Files {
    fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("drawbridge-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let (key, other) = (KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
        let cert = CertificateParams::new(vec!["edge".to_owned()]).unwrap().self_signed(&key).unwrap();
        for (name, pem) in
            [("cert", cert.pem()), ("key", key.serialize_pem()), ("other", other.serialize_pem())]
        {
            std::fs::write(folder.join(format!("{name}.pem")), pem).unwrap();
        }
        Self(folder)
    }

    fn tls(&self, cert: &str, key: &str) -> Result<Endpoint, String> {
        let file = |name: &str| self.0.join(format!("{name}.pem")).display().to_string();
        read(&format!(
            "endpoint = {{ uris = ['https://a:1'], tls = {{ ca = '{}', cert = '{}', key = {{ file = '{}' }} }} }}",
            file("cert"),
            file(cert),
            file(key)
        ))
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[test]
fn certificates_are_checked_while_they_are_read() {
    let files = Files::new("tls");
    let (one, same) = (files.tls("cert", "key").unwrap(), files.tls("cert", "key").unwrap());
    assert_eq!(one.connections(), same.connections());
    assert!(files.tls("cert", "other").unwrap_err().contains("can't be known by it"));
    assert!(files.tls("key", "key").unwrap_err().contains("BEGIN CERTIFICATE"));
    assert!(files.tls("cert", "cert").unwrap_err().contains("can't be known by it"));
    let key = files.0.join("key.pem");
    let alone = format!(
        "endpoint = {{ uris = ['https://a:1'], tls = {{ key = {{ file = '{}' }} }} }}",
        key.display()
    );
    assert!(read(&alone).unwrap_err().contains("cert is missing"));
    let plain = read("endpoint = 'https://a:1'").unwrap();
    assert_ne!(plain.connections(), one.connections());
}
