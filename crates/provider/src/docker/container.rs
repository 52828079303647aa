//! What a container is like, as far as routes go, and where its players go.

use crate::draft::Trouble;
use crate::labels::{Labels, NETWORK, PORT, Style};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// The port of Minecraft.
const USUAL_PORT: u16 = 25565;

pub(crate) const STYLE: Style =
    Style { prefix: "drawbridge.", noun: "label", wearer: "container", own: &[PORT, NETWORK] };

/// A container as the daemon describes it.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct Container {
    name: String,
    state: State,
    config: Config,
    host_config: HostConfig,
    network_settings: NetworkSettings,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct State {
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

impl Container {
    /// Its name, which no other has.
    pub(crate) fn name(&self) -> &str {
        self.name.trim_start_matches('/')
    }

    /// Whether it is there: one that has ended or is still to start is not.
    pub(crate) fn is_there(&self) -> bool {
        !self.name().is_empty() && matches!(self.state.status.as_str(), "running" | "paused")
    }

    /// Whether players can be sent to it: it isn't paused, and where somebody looks after its health, that is good.
    pub(crate) fn is_ready(&self) -> bool {
        let healthy = |health: &Health| matches!(health.status.as_str(), "" | "none" | "healthy");
        self.state.status == "running" && self.state.health.as_ref().is_none_or(healthy)
    }

    /// Its labels; `None` where nothing marks it.
    pub(crate) fn labels(&self) -> Option<Labels> {
        let all = self.config.labels.iter().flatten();
        Labels::of(STYLE, all.map(|(key, text)| (key.as_str(), text.as_str())))
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
        let exposed = self.config.exposed_ports.iter().flatten();
        let exposed: BTreeSet<u16> =
            exposed.filter_map(|(port, _)| port.strip_suffix("/tcp")?.parse().ok()).collect();
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
        match self.host_config.network_mode.as_str() {
            "host" => return Ok((Ipv4Addr::LOCALHOST.into(), None)),
            "none" => {
                return Err(trouble(
                    true,
                    "it is in no network".to_owned(),
                    "connect it to one that the edge reaches",
                ));
            }
            shared if shared.starts_with("container:") => {
                let help = "label that container instead";
                return Err(trouble(true, "it is in another container's network".to_owned(), help));
            }
            _ => {}
        }
        let networks = self.network_settings.networks.iter().flatten();
        let networks: BTreeMap<&str, IpAddr> = networks
            .filter_map(|(name, endpoint)| Some((name.as_str(), endpoint.as_ref()?.address()?)))
            .collect();
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
