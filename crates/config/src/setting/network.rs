//! Networks and socket addresses.

use std::net::{IpAddr, SocketAddr};

use ipnet::{IpNet, Ipv4Net};
use serde_json::json;

use super::Setting;
use crate::{Diagnostic, Json, Reader, Schemas, Value};

const NETWORK: &str = "a network such as \"10.0.0.0/8\"";
const ADDRESS: &str = "an address with a port such as \"[::]:25565\"";

/// A network in the form `10.0.0.0/8`; a bare address is a network of one. IPv4-mapped networks become IPv4.
impl Setting for IpNet {
    fn read(value: &Value, reader: &mut Reader<'_>) -> Option<Self> {
        let text = reader.text(value, NETWORK)?;
        let parsed = match text.parse::<IpAddr>() {
            Ok(address) => Ok(Self::from(address)),
            Err(_) => text.parse::<Self>(),
        };
        let Ok(written) = parsed else {
            return reader.unfit(
                value,
                NETWORK,
                "expected an address, or an address, a slash and a prefix length",
            );
        };
        let network = written.trunc();
        if network != written {
            let warning =
                Diagnostic::warning(value.origin(), format!("{written} has bits behind its prefix"));
            reader.report(warning.label(format!("this is read as {network}")));
        }
        Some(unmapped(network))
    }

    fn schema(_: &mut Schemas) -> Json {
        json!({ "type": "string", "examples": ["10.0.0.0/8", "192.0.2.1", "2001:db8::/32"] })
    }

    fn write(&self) -> Option<Json> {
        Some(json!(self.to_string()))
    }
}

/// `::ffff:10.0.0.0/104` is `10.0.0.0/8`. Networks larger than all mapped addresses stay IPv6.
fn unmapped(network: IpNet) -> IpNet {
    let IpNet::V6(v6) = network else { return network };
    let mapped = v6.addr().to_ipv4_mapped().zip(v6.prefix_len().checked_sub(96));
    mapped.and_then(|(address, prefix)| Ipv4Net::new(address, prefix).ok()).map_or(network, IpNet::V4)
}

impl Setting for SocketAddr {
    fn read(value: &Value, reader: &mut Reader<'_>) -> Option<Self> {
        let text = reader.text(value, ADDRESS)?;
        match text.parse() {
            Ok(address) => Some(address),
            Err(_) if text.parse::<IpAddr>().is_ok() => reader.unfit(value, ADDRESS, "the port is missing"),
            Err(_) => reader.unfit(value, ADDRESS, "expected an IP address, a colon and a port"),
        }
    }

    fn schema(_: &mut Schemas) -> Json {
        json!({ "type": "string", "examples": ["[::]:25565", "127.0.0.1:9100"] })
    }

    fn write(&self) -> Option<Json> {
        Some(json!(self.to_string()))
    }
}
