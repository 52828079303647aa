//! Where the server is: SRV, addresses, and a connection.

use super::address::{Address, DEFAULT_PORT};
use super::fault::Fault;
use super::names::{Names, Srv};
use super::peer::{Deadline, Peer};
use super::report::{Passed, Report, Step};
use super::settings::Settings;
use drawbridge_protocol::ProtocolVersion;
use serde_json::{Value, json};
use std::net::{IpAddr, SocketAddr};
use tokio::time::Instant;

/// The way to a server that took a connection.
pub(super) struct Way {
    /// Where SRV led, or what was typed.
    pub goal: Address,
    /// The address that took the connection.
    pub address: SocketAddr,
}

/// Finds the server and connects to it. None when that failed, which the report then tells.
pub(super) async fn find(
    settings: &Settings,
    version: ProtocolVersion,
    report: &mut Report,
) -> Option<(Way, Peer)> {
    let goal = follow_srv(settings, report).await?;
    let addresses = resolve(settings, &goal, report).await?;
    let clock = Instant::now();
    let connected = connect(&addresses, version, Deadline::after(settings.timeout)).await;
    match connected {
        Ok((address, peer, passed)) => {
            report.add(Step::Connect, clock.elapsed(), Ok(passed));
            Some((Way { goal, address }, peer))
        }
        Err(fault) => {
            report.add(Step::Connect, clock.elapsed(), Err(fault));
            None
        }
    }
}

/// Where the SRV record leads. Like vanilla, asks only for names, and only when the port is the default one.
async fn follow_srv(settings: &Settings, report: &mut Report) -> Option<Address> {
    let typed = &settings.address;
    let reason = match typed.ip() {
        Some(_) => Some("an IP address has none"),
        None if typed.port != DEFAULT_PORT => {
            Some("clients look for one only without a port, or with port 25565")
        }
        None => None,
    };
    if let Some(reason) = reason {
        report.skip(Step::Srv, reason);
        return Some(typed.clone());
    }
    let clock = Instant::now();
    let found = ask_srv(settings, &typed.host).await.and_then(|records| choose(typed, &records));
    match found {
        Ok((goal, passed)) => {
            report.add(Step::Srv, clock.elapsed(), Ok(passed));
            Some(goal)
        }
        // A client goes on with the name itself then, and so does this.
        Err(fault @ (Fault::Dns(_) | Fault::TimedOut(_))) => {
            report.add(Step::Srv, clock.elapsed(), Err(fault));
            Some(typed.clone())
        }
        Err(fault) => {
            report.add(Step::Srv, clock.elapsed(), Err(fault));
            None
        }
    }
}

/// The SRV records of `host`.
pub(super) async fn ask_srv(settings: &Settings, host: &str) -> Result<Vec<Srv>, Fault> {
    let names = Names::new(settings.nameserver, settings.timeout)?;
    Deadline::after(settings.timeout).bound(names.srv(host)).await?
}

fn choose(typed: &Address, records: &[Srv]) -> Result<(Address, Passed), Fault> {
    let Some(first) = records.first() else {
        return Ok((
            typed.clone(),
            Passed::new(format!("no record; {typed} itself")).with("records", json!([])),
        ));
    };
    if first.target == "." {
        return Err(Fault::NoService);
    }
    let goal = Address { host: first.target.clone(), port: first.port };
    let listed: Vec<Value> = records
        .iter()
        .map(|srv| {
            json!({
                "target": srv.target,
                "port": srv.port,
                "priority": srv.priority,
                "weight": srv.weight,
            })
        })
        .collect();
    let mut passed = Passed::new(goal.to_string()).with("records", listed);
    if records.len() > 1 {
        passed = passed.warn(format!(
            "there are {} records; vanilla clients ignore priority and weight, and take whichever comes first.",
            records.len()
        ));
    }
    Ok((goal, passed))
}

/// The socket addresses of `goal`.
async fn resolve(settings: &Settings, goal: &Address, report: &mut Report) -> Option<Vec<SocketAddr>> {
    if let Some(ip) = goal.ip() {
        report.skip(Step::Dns, "an IP address needs none");
        return Some(vec![SocketAddr::new(ip, goal.port)]);
    }
    let clock = Instant::now();
    let asked = async {
        let names = Names::new(settings.nameserver, settings.timeout)?;
        Deadline::after(settings.timeout).bound(names.addresses(&goal.host)).await?
    };
    match asked.await {
        Ok(addresses) => {
            let shown: Vec<_> = addresses.iter().map(IpAddr::to_string).collect();
            let passed = Passed::new(shown.join(", ")).with("addresses", shown);
            report.add(Step::Dns, clock.elapsed(), Ok(passed));
            Some(addresses.into_iter().map(|ip| SocketAddr::new(ip, goal.port)).collect())
        }
        Err(fault) => {
            report.add(Step::Dns, clock.elapsed(), Err(fault));
            None
        }
    }
}

/// Tries the addresses in turn; each may take its share of what is left of the time.
async fn connect(
    addresses: &[SocketAddr],
    version: ProtocolVersion,
    deadline: Deadline,
) -> Result<(SocketAddr, Peer, Passed), Fault> {
    let mut failures = Vec::new();
    for (index, &address) in addresses.iter().enumerate() {
        match Peer::connect(address, version, deadline.share(addresses.len() - index)).await {
            Ok(peer) => {
                let passed = Passed::new(address.to_string()).with("address", address.to_string());
                let passed = failures.iter().fold(passed, |passed, (address, fault)| {
                    passed
                        .warn(format!("{address}: {fault}. Clients try one address only, mostly the first."))
                });
                return Ok((address, peer, passed));
            }
            Err(fault) => failures.push((address, fault)),
        }
    }
    Err(Fault::NoConnection(failures))
}
