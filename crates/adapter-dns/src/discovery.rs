//! Discovery `dns`: the targets that DNS names.

use crate::answers::{Answers, Found, Question, SHORTEST, State};
use crate::counts::Counting;
use crate::names::{SERVERS, Service};
use crate::setting::{Domain, NameServer};
use crate::{Dns, weights};
use async_trait::async_trait;
use drawbridge_adapter::discovery::OnDiscoveryError;
use drawbridge_config::{Fields, keywords, section};
use drawbridge_model::{AdapterError, Client, DiscoveryAdapter, Identity, Target, TargetAddress};
use drawbridge_telemetry::metrics;
use rand::RngExt as _;
use std::collections::{BTreeMap, HashSet};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

keywords! {
    /// What DNS is asked for.
    pub enum Record {
        /// Hosts and ports, with priorities and weights.
        "srv" => Srv,
        /// Addresses, of IPv4 and IPv6.
        "a" => A,
    }
}

section! {
    /// Targets from DNS.
    #[check(DnsSection::check)]
    pub struct DnsSection {
        /// The name that is asked for. SRV records are asked for at `_minecraft._tcp.` before it, unless it begins with `_` itself.
        pub domain: Domain,
        /// What it is asked for.
        pub record: Record = Record::Srv,
        /// The port of addresses; an SRV record names its own.
        pub port: u16 = 25565,
        /// The longest time that an answer is used, where it doesn't say a shorter one; `1s` at least.
        pub refresh: Duration = Duration::from_secs(30),
        /// How long an answer may take, and how long a login waits for the first.
        pub timeout: Duration = Duration::from_secs(2),
        /// Who is asked, in this order; the system's name servers if empty.
        pub nameservers: Vec<NameServer> = Vec::new(),
        /// What becomes of a player when an answer can't be renewed.
        pub on_error: OnDiscoveryError = OnDiscoveryError::Stale,
    }
}

impl DnsSection {
    fn check(&self, fields: &mut Fields<'_, '_, '_>) {
        if self.record == Record::Srv && fields.has("port") {
            fields.error("port", "an SRV record names its port itself: the key is for record = \"a\"");
        }
        if self.port == 0 {
            fields.error("port", "nobody listens at port 0");
        }
        if self.refresh < SHORTEST {
            fields.error("refresh", "DNS is asked once a second at most");
        }
        if self.timeout.is_zero() {
            fields.error("timeout", "nobody answers in no time");
        }
        if self.nameservers.len() > SERVERS {
            fields.error("nameservers", format!("{SERVERS} name servers at most are asked"));
        }
    }

    fn question(&self) -> Question {
        let domain = self.domain.as_str();
        let name = match self.record {
            Record::Srv if !domain.starts_with('_') => format!("_minecraft._tcp.{domain}"),
            Record::Srv | Record::A => domain.to_owned(),
        };
        Question {
            name,
            record: self.record,
            nameservers: self.nameservers.iter().map(|server| server.0).collect(),
            refresh: self.refresh,
            timeout: self.timeout,
        }
    }
}

/// Finds the targets that DNS names: SRV records by priority and weight, addresses in any order, those first that the client
/// can surely reach.
#[derive(Debug)]
pub struct DnsDiscovery {
    answers: Arc<Answers>,
    counting: Arc<Counting>,
    port: u16,
    on_error: OnDiscoveryError,
}

impl DnsDiscovery {
    /// As the section says. DNS is asked from now on, as soon as `dns` has a runtime.
    #[must_use]
    pub fn new(section: &DnsSection, dns: &Dns) -> Self {
        let answers = dns.answers(&section.question());
        Self { answers, counting: dns.counting(), port: section.port, on_error: section.on_error }
    }

    /// What may be used of what is known.
    fn usable(&self, state: State) -> Result<Arc<Found>, AdapterError> {
        match (state.found, state.failed) {
            (Some((found, _)), None) => Ok(found),
            (Some((found, until)), Some(_)) if Instant::now() < until => Ok(found),
            (Some((found, _)), Some(_)) if self.on_error == OnDiscoveryError::Stale => {
                self.counting.stale.add(1);
                metrics::discovery_stale("dns");
                Ok(found)
            }
            (_, Some(error)) => Err(error),
            (None, None) => Err(AdapterError::Unreachable("nothing is known yet".to_owned())),
        }
    }
}

#[async_trait]
impl DiscoveryAdapter for DnsDiscovery {
    async fn targets(&self, client: &Client, _: &Identity) -> Result<Vec<Target>, AdapterError> {
        self.shared_targets(client).await
    }

    async fn shared_targets(&self, client: &Client) -> Result<Vec<Target>, AdapterError> {
        let found = self.usable(self.answers.state().await?)?;
        let mut random = rand::rng();
        let mut draw = |most| random.random_range(0..=most);
        Ok(match &*found {
            Found::Services(services) => distinct(weights::order(services, draw).into_iter().map(of_service)),
            Found::Addresses(addresses) => {
                let mut addresses = addresses.clone();
                weights::shuffle(&mut addresses, &mut draw);
                // Who came by IPv4 may have nothing else.
                let v6 = client.address.ip().to_canonical().is_ipv6();
                addresses.sort_by_key(|address| address.is_ipv6() != v6);
                distinct(addresses.into_iter().map(|address| self.of_address(address)))
            }
        })
    }
}

impl DnsDiscovery {
    fn of_address(&self, address: IpAddr) -> Target {
        target(TargetAddress { host: address.to_string(), port: self.port }, 0, BTreeMap::new())
    }
}

fn of_service(service: &Service) -> Target {
    let address = TargetAddress { host: service.host.clone(), port: service.port };
    let meta = BTreeMap::from([("weight".to_owned(), service.weight.to_string())]);
    target(address, service.priority.into(), meta)
}

fn target(address: TargetAddress, priority: u32, meta: BTreeMap<String, String>) -> Target {
    Target { identifier: address.to_string(), address, priority, meta: Arc::new(meta), lease: None }
}

/// The first of each identifier: records may name a host twice.
fn distinct(targets: impl Iterator<Item = Target>) -> Vec<Target> {
    let mut seen = HashSet::new();
    targets.filter(|target| seen.insert(target.identifier.clone())).collect()
}

#[cfg(test)]
mod tests;
