//! Asking name servers: the system's, or named ones.
//!
//! What must stay true: name servers are asked in their order, the next when one fails; that there is nothing is an answer, and
//! nothing that fails is ever taken for it.

use hickory_resolver::config::{
    ConnectionConfig, NameServerConfig, ResolveHosts, ResolverConfig, ResolverOpts,
};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::proto::rr::{Name, RData, RecordType};
use hickory_resolver::system_conf::read_system_conf;
use hickory_resolver::{Resolver, TokioResolver};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use thiserror::Error;
use tokio::task::spawn_blocking;

/// The most records of an answer that are looked at.
pub(crate) const RECORDS: usize = 1_024;
/// The most name servers that are asked.
pub(crate) const SERVERS: usize = 8;

/// An SRV record that leads somewhere.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Service {
    pub(crate) priority: u16,
    /// Without a dot at its end.
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) weight: u16,
}

/// Why a question has no answer.
#[derive(Debug, Clone, Error)]
pub(crate) enum NamesError {
    #[error("the system's name servers can't be found out: {0}")]
    System(String),
    #[error("{0} can't be asked for: {1}")]
    Name(String, String),
    #[error("every name server failed, the last: {0}")]
    Servers(String),
}

/// What name servers say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer<T> {
    /// Empty: they say that there is nothing.
    pub(crate) records: Vec<T>,
    /// For how many seconds that is good, where they say so.
    pub(crate) ttl: Option<u32>,
}

/// Name servers, as they are set up now. Connections end with this.
#[derive(Clone)]
pub(crate) struct Names(Arc<Inner>);

struct Inner {
    servers: Vec<TokioResolver>,
    /// Who answered last is asked first, so that one that is dead isn't waited for twice in a row.
    first: AtomicUsize,
    search: Vec<Name>,
    dots: usize,
}

impl Names {
    /// Those at `addresses`, or the system's if there are none, each with its part of `patience` for an answer. What the
    /// system says is read anew each time, since it may change while the edge runs.
    pub(crate) async fn open(addresses: Vec<SocketAddr>, patience: Duration) -> Result<Self, NamesError> {
        let failed = |error: String| NamesError::System(error);
        let opened = spawn_blocking(move || build(&addresses, patience));
        let inner = opened.await.map_err(|error| failed(error.to_string()))?;
        Ok(Self(Arc::new(inner.map_err(|error| failed(error.to_string()))?)))
    }

    /// The records of `name`, as they are made by `read`.
    pub(crate) async fn records<T>(
        &self,
        name: &str,
        kind: RecordType,
        read: impl Fn(&RData) -> Option<T>,
    ) -> Result<Answer<T>, NamesError> {
        let mut ttl = None;
        for candidate in self.candidates(name)? {
            let answer = self.ask(candidate, kind, &read).await?;
            if !answer.records.is_empty() {
                return Ok(answer);
            }
            ttl = [ttl, answer.ttl].into_iter().flatten().min();
        }
        Ok(Answer { records: Vec::new(), ttl })
    }

    /// IPv4 and IPv6 addresses of `name`. If one kind can't be had, the other is enough.
    pub(crate) async fn addresses(&self, name: &str) -> Result<Answer<IpAddr>, NamesError> {
        let v4 = self.records(name, RecordType::A, |data| match data {
            RData::A(address) => Some(IpAddr::from(address.0)),
            _ => None,
        });
        let v6 = self.records(name, RecordType::AAAA, |data| match data {
            RData::AAAA(address) => Some(IpAddr::from(address.0)),
            _ => None,
        });
        match tokio::join!(v4, v6) {
            (Ok(v4), Ok(v6)) => {
                // That there are none of one kind may be forgotten sooner than the others, which doesn't make these wrong.
                let good = [&v4, &v6].into_iter().filter(|answer| !answer.records.is_empty());
                let ttl = good.filter_map(|answer| answer.ttl).min().or(v4.ttl).or(v6.ttl);
                Ok(Answer { records: [v4.records, v6.records].concat(), ttl })
            }
            (Ok(some), Err(_)) | (Err(_), Ok(some)) if !some.records.is_empty() => Ok(some),
            (Err(error), _) | (_, Err(error)) => Err(error),
        }
    }

    /// The full names that `name` may stand for, as resolv.conf(5) says.
    fn candidates(&self, name: &str) -> Result<Vec<Name>, NamesError> {
        let unfit = |error: String| NamesError::Name(name.to_owned(), error);
        let mut whole = Name::from_ascii(name).map_err(|error| unfit(error.to_string()))?;
        if whole.is_fqdn() {
            return Ok(vec![whole]);
        }
        // One that would become too long is none.
        let mut names: Vec<Name> =
            self.0.search.iter().filter_map(|behind| whole.clone().append_domain(behind).ok()).collect();
        whole.set_fqdn(true);
        let at = if name.matches('.').count() >= self.0.dots { 0 } else { names.len() };
        names.insert(at, whole);
        Ok(names)
    }

    /// Asks for a full name, one server after the other.
    async fn ask<T>(
        &self,
        name: Name,
        kind: RecordType,
        read: &impl Fn(&RData) -> Option<T>,
    ) -> Result<Answer<T>, NamesError> {
        let Inner { servers, first, .. } = &*self.0;
        let start = first.load(Ordering::Relaxed);
        let mut last = NetError::NoConnections;
        for at in (0..servers.len()).map(|step| (start + step) % servers.len()) {
            let asked = servers[at].lookup(name.clone(), kind).await;
            let answer = match asked {
                Ok(lookup) => {
                    let records = lookup.answers();
                    let ttl = records.iter().map(|record| record.ttl).min();
                    let records = records.iter().filter_map(|record| read(&record.data)).take(RECORDS);
                    Answer { records: records.collect(), ttl }
                }
                Err(NetError::Dns(DnsError::NoRecordsFound(nothing))) => {
                    Answer { records: Vec::new(), ttl: nothing.negative_ttl }
                }
                Err(error) => {
                    last = error;
                    continue;
                }
            };
            first.store(at, Ordering::Relaxed);
            return Ok(answer);
        }
        Err(NamesError::Servers(last.to_string()))
    }
}

fn build(addresses: &[SocketAddr], patience: Duration) -> Result<Inner, NetError> {
    let (config, mut options) = if addresses.is_empty() {
        read_system_conf()?
    } else {
        let servers = addresses.iter().map(|address| name_server(*address));
        let mut options = ResolverOpts::default();
        options.use_hosts_file = ResolveHosts::Never;
        (ResolverConfig::from_name_servers(servers.collect()), options)
    };
    let servers = &config.name_servers()[..config.name_servers().len().min(SERVERS)];
    // Each name is asked for once; what is kept is kept by whoever asks.
    options.cache_size = 0;
    options.attempts = 0;
    options.timeout = patience / u32::try_from(servers.len().max(1)).unwrap_or(u32::MAX);
    let resolver = |server: &NameServerConfig| {
        let config = ResolverConfig::from_name_servers(vec![server.clone()]);
        let resolver = Resolver::builder_with_config(config, TokioRuntimeProvider::default());
        resolver.with_options(options.clone()).build()
    };
    let servers = servers.iter().map(resolver).collect::<Result<_, _>>()?;
    Ok(Inner { servers, first: AtomicUsize::new(0), search: config.search().to_vec(), dots: options.ndots })
}

/// UDP first, TCP for what doesn't fit.
fn name_server(address: SocketAddr) -> NameServerConfig {
    let connections = [ConnectionConfig::udp(), ConnectionConfig::tcp()].map(|mut connection| {
        connection.port = address.port();
        connection
    });
    NameServerConfig::new(address.ip(), true, connections.into())
}

/// What an SRV record leads to. Just a dot says that there is no service; other than hosts and ports that can be gone to, nothing is taken.
pub(crate) fn service(data: &RData) -> Option<Service> {
    let RData::SRV(srv) = data else { return None };
    let host = srv.target.to_ascii();
    let host = host.strip_suffix('.').unwrap_or(&host);
    let address: drawbridge_model::TargetAddress = format!("{host}:{}", srv.port).parse().ok()?;
    Some(Service { host: address.host, port: srv.port, priority: srv.priority, weight: srv.weight })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidates(name: &str, dots: usize) -> Vec<String> {
        let search = ["games.svc.cluster.local.", "example.com."].map(|name| Name::from_ascii(name).unwrap());
        let inner = Inner { servers: Vec::new(), first: AtomicUsize::new(0), search: search.into(), dots };
        let names = Names(Arc::new(inner)).candidates(name).unwrap();
        assert!(names.iter().all(Name::is_fqdn));
        names.iter().map(Name::to_string).collect()
    }

    /// As resolv.conf(5) has it for `search` and `ndots`.
    #[test]
    fn names_are_searched_for_where_the_system_says() {
        assert_eq!(
            candidates("lobby", 1),
            ["lobby.games.svc.cluster.local.", "lobby.example.com.", "lobby."]
        );
        assert_eq!(candidates("a.b", 1)[0], "a.b.");
        assert_eq!(
            candidates("_minecraft._tcp.lobby", 5)[0],
            "_minecraft._tcp.lobby.games.svc.cluster.local."
        );
        assert_eq!(candidates("lobby.", 5), ["lobby."]);
        let long = ["label"; 39].join(".");
        assert_eq!(candidates(&long, 99).len(), 2, "one with the longer end behind it would be too long");
    }
}
