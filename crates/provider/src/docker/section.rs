//! `[providers.docker]`, as it is written.

use drawbridge_config::{Json, Reader, Schemas, Setting, Value, json, parsed, section};
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use thiserror::Error;

section! {
    /// Routes by the labels of Docker's containers. The table alone is enough to ask for them.
    #[defaults]
    #[derive(PartialEq)]
    pub struct DockerSection {
        /// Where the daemon listens: a socket `unix:///…`, or `http://host:port` (also written `tcp://`), such as a proxy that lets lists
        /// and events through and nothing else.
        pub endpoint: DockerEndpoint = DockerEndpoint::usual(),
        /// The network of which addresses are taken, where no label `drawbridge.network` names another. When left out: the only
        /// one that a container is in, or the first by name.
        pub network: Option<String>,
    }
}

/// Where a daemon listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DockerEndpoint {
    /// A socket of the file system.
    Unix(PathBuf),
    /// A host with a port.
    Tcp(String),
}

/// Why a text is no [`DockerEndpoint`].
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum DockerEndpointError {
    /// A socket without its path.
    #[error("the path of a socket begins with a slash: unix:///var/run/docker.sock")]
    NoPath,
    /// TLS, which isn't spoken.
    #[error("TLS isn't spoken with a daemon: use a socket, or a proxy on this machine")]
    Tls,
    /// No host with a port.
    #[error("expected a host with a port, such as http://127.0.0.1:2375")]
    NoPort,
    /// Something else.
    #[error("expected unix:///… or http://host:port")]
    Unknown,
}

impl DockerEndpoint {
    fn usual() -> Self {
        Self::Unix(PathBuf::from("/var/run/docker.sock"))
    }
}

impl FromStr for DockerEndpoint {
    type Err = DockerEndpointError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let Some((scheme, rest)) = text.split_once("://") else { return Err(DockerEndpointError::Unknown) };
        match scheme {
            "unix" if rest.starts_with('/') && !rest.contains('\0') => Ok(Self::Unix(PathBuf::from(rest))),
            "unix" => Err(DockerEndpointError::NoPath),
            "http" | "tcp" => {
                let authority = rest.strip_suffix('/').unwrap_or(rest);
                let written: hyper::http::uri::Authority =
                    authority.parse().map_err(|_| DockerEndpointError::NoPort)?;
                let whole = written.port_u16().is_some_and(|port| port > 0) && !written.host().is_empty();
                if whole && !authority.contains('@') {
                    Ok(Self::Tcp(authority.to_owned()))
                } else {
                    Err(DockerEndpointError::NoPort)
                }
            }
            "https" => Err(DockerEndpointError::Tls),
            _ => Err(DockerEndpointError::Unknown),
        }
    }
}

impl fmt::Display for DockerEndpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix(path) => write!(f, "unix://{}", path.display()),
            Self::Tcp(authority) => write!(f, "http://{authority}"),
        }
    }
}

impl Setting for DockerEndpoint {
    fn read(value: &Value, reader: &mut Reader<'_>) -> Option<Self> {
        parsed(value, reader, "the endpoint of a Docker daemon")
    }

    fn schema(_: &mut Schemas) -> Json {
        json!({
            "type": "string",
            "pattern": "^(unix:///.+|(http|tcp)://[^/@]+:[0-9]{1,5}/?)$",
            "examples": ["unix:///var/run/docker.sock", "http://127.0.0.1:2375"],
        })
    }

    fn write(&self) -> Option<Json> {
        Some(json!(self.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoints_are_sockets_or_hosts_with_ports() {
        for (text, read) in [
            ("unix:///run/docker.sock", "unix:///run/docker.sock"),
            ("tcp://127.0.0.1:2375", "http://127.0.0.1:2375"),
            ("http://[::1]:2375/", "http://[::1]:2375"),
        ] {
            assert_eq!(text.parse::<DockerEndpoint>().unwrap().to_string(), read);
        }
        for (text, error) in [
            ("unix://run/docker.sock", DockerEndpointError::NoPath),
            ("https://127.0.0.1:2376", DockerEndpointError::Tls),
            ("http://127.0.0.1", DockerEndpointError::NoPort),
            ("http://user@127.0.0.1:1", DockerEndpointError::NoPort),
            ("http://127.0.0.1:0", DockerEndpointError::NoPort),
            ("http://127.0.0.1:80/path", DockerEndpointError::NoPort),
            ("/var/run/docker.sock", DockerEndpointError::Unknown),
            ("npipe:////./pipe/docker_engine", DockerEndpointError::Unknown),
        ] {
            assert_eq!(text.parse::<DockerEndpoint>(), Err(error), "{text}");
        }
    }
}
