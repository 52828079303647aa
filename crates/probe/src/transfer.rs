//! Where a Transfer packet leads, and where it may not lead as meant.

use super::address::{Address, DEFAULT_PORT};
use super::report::Passed;
use super::settings::Settings;
use super::way::{Way, ask_srv};
use drawbridge_protocol::packet::configuration::Transfer;
use std::net::IpAddr;

/// Looks at the target of a hand-over.
pub(super) async fn examine(transfer: &Transfer, way: &Way, settings: &Settings) -> Passed {
    let target = Address { host: transfer.host.clone(), port: transfer.port };
    let mut passed =
        Passed::new(target.to_string()).with("host", target.host.as_str()).with("port", target.port);
    let readable = target.to_string().parse::<Address>().is_ok();
    if !readable {
        return passed.warn("this is neither a host name nor an IP address with a port: clients fail here.");
    }
    let is_probed = target.is_like(&settings.address)
        || target.is_like(&way.goal)
        || target.ip().is_some_and(|ip| ip == way.address.ip() && target.port == way.address.port());
    if is_probed {
        passed = passed.warn(
            "this is the server that was probed: unless it treats transferred players otherwise, they come back for ever.",
        );
    }
    match target.ip() {
        Some(ip) if is_inside(ip) && !is_inside(way.address.ip()) => {
            passed.warn("this address is a private one: players from outside can't reach it.")
        }
        None if target.port == DEFAULT_PORT => passed.warn(srv_warning(&target, settings).await),
        _ => passed,
    }
}

/// With port 25565 a client looks for an SRV record of the target's name, and follows it.
async fn srv_warning(target: &Address, settings: &Settings) -> String {
    match ask_srv(settings, &target.host).await {
        Ok(records) if records.is_empty() => {
            "with port 25565 clients look for an SRV record of this name. There is none today; one that is added later \
             can lead them elsewhere, back to the edge even."
                .into()
        }
        Ok(records) => {
            let goal = records.first().map(|srv| Address { host: srv.target.clone(), port: srv.port });
            let goal = goal.map(|goal| goal.to_string()).unwrap_or_default();
            format!(
                "with port 25565 clients follow the SRV record of this name, to {goal}. Let the server listen on another \
                 port, or send players to a name without such a record."
            )
        }
        Err(_) => {
            "with port 25565 clients look for an SRV record of this name, which can lead them elsewhere, back to the edge \
             even."
                .into()
        }
    }
}

/// Whether an address is of use inside a network only.
const fn is_inside(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => ip.is_private() || ip.is_loopback() || ip.is_link_local() || ip.is_unspecified(),
        IpAddr::V6(ip) => {
            ip.is_unique_local() || ip.is_loopback() || ip.is_unicast_link_local() || ip.is_unspecified()
        }
    }
}
