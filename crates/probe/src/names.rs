//! Asking DNS as a client does.

use super::fault::Fault;
use hickory_resolver::config::{
    ConnectionConfig, LookupIpStrategy, NameServerConfig, ResolveHosts, ResolverConfig,
};
use hickory_resolver::net::NetError;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::rr::{Name, RData, RecordType};
use hickory_resolver::{Resolver, TokioResolver};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

/// The most records of one answer that are looked at.
const MOST_RECORDS: usize = 16;

/// A resolver: the system's, or one name server.
pub(super) struct Names {
    resolver: TokioResolver,
}

/// An SRV record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Srv {
    /// The target as it stands in the record, mostly with a trailing dot; just a dot says that there is no service.
    pub target: String,
    pub port: u16,
    pub priority: u16,
    pub weight: u16,
}

impl Names {
    /// Asks `nameserver` alone, or those that the system is set up with (its hosts file first). A question is asked
    /// again after half of `timeout`.
    pub(super) fn new(nameserver: Option<SocketAddr>, timeout: Duration) -> Result<Self, Fault> {
        let mut builder = match nameserver {
            None => Resolver::builder_tokio().map_err(Fault::NoResolver)?,
            Some(address) => {
                let connections = [ConnectionConfig::udp(), ConnectionConfig::tcp()].map(|mut connection| {
                    connection.port = address.port();
                    connection
                });
                let server = NameServerConfig::new(address.ip(), true, connections.into());
                let config = ResolverConfig::from_name_servers(vec![server]);
                Resolver::builder_with_config(config, TokioRuntimeProvider::default())
            }
        };
        let options = builder.options_mut();
        options.ip_strategy = LookupIpStrategy::Ipv4AndIpv6;
        options.timeout = timeout / 2;
        options.attempts = 1;
        if nameserver.is_some() {
            options.use_hosts_file = ResolveHosts::Never;
        }
        Ok(Self { resolver: builder.build().map_err(Fault::NoResolver)? })
    }

    /// The SRV records `_minecraft._tcp.<host>` in the order in which they came; none is no fault.
    pub(super) async fn srv(&self, host: &str) -> Result<Vec<Srv>, Fault> {
        let mut name = Name::from_ascii(format!("_minecraft._tcp.{}", host.trim_end_matches('.')))
            .map_err(|error| Fault::Dns(NetError::from(error)))?;
        name.set_fqdn(true);
        let lookup = match self.resolver.lookup(name, RecordType::SRV).await {
            Ok(lookup) => lookup,
            Err(error) if error.is_no_records_found() => return Ok(Vec::new()),
            Err(error) => return Err(Fault::Dns(error)),
        };
        let records = lookup.answers().iter().filter_map(|record| match &record.data {
            RData::SRV(srv) => Some(Srv {
                target: srv.target.to_ascii(),
                port: srv.port,
                priority: srv.priority,
                weight: srv.weight,
            }),
            _ => None,
        });
        Ok(records.take(MOST_RECORDS).collect())
    }

    /// The addresses of `host`, IPv4 first as Java prefers it; at least one.
    pub(super) async fn addresses(&self, host: &str) -> Result<Vec<IpAddr>, Fault> {
        let lookup = self.resolver.lookup_ip(host).await.map_err(|error| {
            if error.is_nx_domain() {
                Fault::NoSuchName(host.into())
            } else if error.is_no_records_found() {
                Fault::NoAddress(host.into())
            } else {
                Fault::Dns(error)
            }
        })?;
        let mut addresses: Vec<_> = lookup.iter().take(MOST_RECORDS).collect();
        addresses.sort_by_key(IpAddr::is_ipv6);
        addresses.dedup();
        if addresses.is_empty() { Err(Fault::NoAddress(host.into())) } else { Ok(addresses) }
    }
}
