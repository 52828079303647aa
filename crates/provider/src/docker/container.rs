//! What a container is like, as far as routes go, and where its players go.

use crate::draft::Trouble;
use crate::labels::{Labels, NETWORK, OVERHEAD, PORT, Style};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// The port of Minecraft.
const USUAL_PORT: u16 = 25565;

pub(crate) const STYLE: Style =
    Style { prefix: "drawbridge.", noun: "label", wearer: "container", own: &[PORT, NETWORK] };

/// A container, as far as routes go. The rest of what the daemon says of it is dropped at once, for that may be megabytes.
#[derive(Debug, Default, Deserialize)]
#[serde(from = "Inspected")]
pub(crate) struct Container {
    name: String,
    state: State,
    labels: Option<Labels>,
    /// The TCP ports that are exposed.
    ports: BTreeSet<u16>,
    network: Network,
}

/// How it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum State {
    /// It has ended, or is still to start.
    #[default]
    Absent,
    /// It runs, and whoever looks after its health finds that good.
    Ready,
    Paused,
    /// It runs, and its health isn't known yet.
    Starting,
    Unhealthy,
}

impl State {
    /// What it is instead of ready, if it isn't.
    pub(crate) const fn trouble(self) -> Option<&'static str> {
        match self {
            Self::Ready => None,
            Self::Absent => Some("not running"),
            Self::Paused => Some("paused"),
            Self::Starting => Some("starting"),
            Self::Unhealthy => Some("unhealthy"),
        }
    }
}

/// Where it is reached.
#[derive(Debug)]
enum Network {
    /// Where the host is.
    Host,
    Nowhere,
    /// In the network of another container.
    Another,
    /// In these networks, by these addresses.
    Own(BTreeMap<String, IpAddr>),
}

impl Default for Network {
    fn default() -> Self {
        Self::Own(BTreeMap::new())
    }
}

/// A container as the daemon describes it.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Inspected {
    name: String,
    state: InspectedState,
    config: Config,
    host_config: HostConfig,
    network_settings: NetworkSettings,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct InspectedState {
    status: String,
    health: Option<Health>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Health {
    status: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Config {
    labels: Option<BTreeMap<String, String>>,
    exposed_ports: Option<BTreeMap<String, serde::de::IgnoredAny>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct HostConfig {
    network_mode: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct NetworkSettings {
    networks: Option<BTreeMap<String, Option<Endpoint>>>,
}

/// Where it is in a network.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Endpoint {
    #[serde(rename = "IPAddress")]
    v4: String,
    #[serde(rename = "GlobalIPv6Address")]
    v6: String,
}

impl Endpoint {
    fn address(&self) -> Option<IpAddr> {
        [&self.v4, &self.v6].into_iter().find_map(|text| text.parse().ok())
    }
}

impl From<InspectedState> for State {
    fn from(state: InspectedState) -> Self {
        let health = state.health.as_ref().map_or("", |health| &health.status);
        match (state.status.as_str(), health) {
            ("paused", _) => Self::Paused,
            ("running", "" | "none" | "healthy") => Self::Ready,
            ("running", "starting") => Self::Starting,
            ("running", _) => Self::Unhealthy,
            _ => Self::Absent,
        }
    }
}

impl From<Inspected> for Container {
    fn from(inspected: Inspected) -> Self {
        let labels = inspected.config.labels.iter().flatten();
        let exposed = inspected.config.exposed_ports.iter().flatten();
        let network = match inspected.host_config.network_mode.as_str() {
            "host" => Network::Host,
            "none" => Network::Nowhere,
            shared if shared.starts_with("container:") => Network::Another,
            _ => {
                let networks = inspected.network_settings.networks.into_iter().flatten();
                Network::Own(
                    networks.filter_map(|(name, endpoint)| Some((name, endpoint?.address()?))).collect(),
                )
            }
        };
        Self {
            labels: Labels::of(STYLE, labels.map(|(key, text)| (key.as_str(), text.as_str()))),
            ports: exposed.filter_map(|(port, _)| port.strip_suffix("/tcp")?.parse().ok()).collect(),
            name: inspected.name.trim_start_matches('/').to_owned(),
            state: inspected.state.into(),
            network,
        }
    }
}

impl Container {
    /// The same container by another name.
    pub(super) fn named(self, name: &str) -> Self {
        Self { name: name.to_owned(), ..self }
    }

    /// Its name, which no other has.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Whether it is there: one that has ended or is still to start is not.
    pub(crate) fn is_there(&self) -> bool {
        !self.name.is_empty() && self.state != State::Absent
    }

    /// Whether players can be sent to it.
    pub(crate) const fn state(&self) -> State {
        self.state
    }

    /// Its labels; `None` where nothing marks it.
    pub(crate) const fn labels(&self) -> Option<&Labels> {
        self.labels.as_ref()
    }

    /// About how many bytes it takes to know this.
    pub(crate) fn bytes(&self) -> usize {
        let networks = match &self.network {
            Network::Own(networks) => networks.keys().map(|name| name.len() + OVERHEAD).sum(),
            _ => 0,
        };
        let labels = self.labels.as_ref().map_or(0, Labels::bytes);
        OVERHEAD + self.name.len() + labels + self.ports.len() * size_of::<u16>() + networks
    }

    /// Where its players go, with what is doubtful about it.
    ///
    /// # Errors
    /// With the reason why that can't be told.
    pub(crate) fn target(
        &self,
        labels: &Labels,
        usual_network: Option<&str>,
    ) -> Result<(SocketAddr, Option<Trouble>), Trouble> {
        let port = self.port(labels)?;
        let (address, doubt) = self.address(labels, usual_network)?;
        Ok((SocketAddr::new(address, port), doubt))
    }

    fn port(&self, labels: &Labels) -> Result<u16, Trouble> {
        let trouble = |message: String| {
            let help =
                format!("{}{PORT} says which port players go to: drawbridge.port = 25565", STYLE.prefix);
            Trouble { label: PORT, fatal: true, message, help }
        };
        if let Some(text) = labels.get(PORT) {
            let port = text.trim().parse().ok().filter(|port| *port != 0);
            return port.ok_or_else(|| trouble(format!("{:?} is no port", crate::labels::shown(text))));
        }
        let exposed = &self.ports;
        let mut ports = exposed.iter();
        match (ports.next(), ports.next()) {
            (Some(port), None) => Ok(*port),
            _ if exposed.contains(&USUAL_PORT) => Ok(USUAL_PORT),
            (None, _) => Err(trouble("no port is exposed".to_owned())),
            _ => Err(trouble(format!("{} ports are exposed, and none is {USUAL_PORT}", exposed.len()))),
        }
    }

    fn address(
        &self,
        labels: &Labels,
        usual_network: Option<&str>,
    ) -> Result<(IpAddr, Option<Trouble>), Trouble> {
        let trouble = |fatal: bool, message: String, help: &str| Trouble {
            label: NETWORK,
            fatal,
            message,
            help: help.to_owned(),
        };
        let networks = match &self.network {
            Network::Own(networks) => networks,
            Network::Host => return Ok((Ipv4Addr::LOCALHOST.into(), None)),
            Network::Nowhere => {
                let help = "connect it to one that the edge reaches";
                return Err(trouble(true, "it is in no network".to_owned(), help));
            }
            Network::Another => {
                let help = "label that container instead";
                return Err(trouble(true, "it is in another container's network".to_owned(), help));
            }
        };
        let known = || {
            let names: Vec<_> = networks.keys().take(8).map(|name| crate::labels::shown(name)).collect();
            names.join(", ")
        };
        if let Some(wanted) = labels.get(NETWORK).map(str::trim).or(usual_network) {
            let address = networks.get(wanted).copied();
            let missing = || {
                let message = format!("it has no address in the network {:?}", crate::labels::shown(wanted));
                let help = format!("drawbridge.network names one of those that it is in: {}", known());
                trouble(true, message, if networks.is_empty() { "connect it to that network" } else { &help })
            };
            return Ok((address.ok_or_else(missing)?, None));
        }
        let mut all = networks.iter();
        match (all.next(), all.next()) {
            (Some((_, address)), None) => Ok((*address, None)),
            (Some((name, address)), Some(_)) => {
                let message = format!(
                    "it is in several networks ({}): its address in {:?} is taken",
                    known(),
                    crate::labels::shown(name)
                );
                let help = "drawbridge.network, or network in [providers.docker], says which";
                Ok((*address, Some(trouble(false, message, help))))
            }
            (None, _) => {
                let help = "connect it to a network that the edge reaches";
                Err(trouble(true, "it has no address in any network".to_owned(), help))
            }
        }
    }
}

#[cfg(test)]
mod tests;
