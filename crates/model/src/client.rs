//! Who is at the other end of an accepted socket.

use drawbridge_protocol::ProtocolVersion;
use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};

/// The other end of an accepted socket, as its greeting showed it.
#[derive(Debug, Clone)]
pub struct Client {
    /// Where it calls from: the socket's peer, or what a trusted PROXY header said. Never an IPv4-mapped address.
    pub address: SocketAddr,
    /// The protocol version it speaks.
    pub version: ProtocolVersion,
    /// The host it typed, cleaned: lower case, no trailing dot, no markers.
    pub host: String,
    /// The port it typed.
    pub port: u16,
    /// Ties its connections together in logs, across hand-overs too.
    pub trace: TraceContext,
}

impl Client {
    /// Asks for `host` on the edge's own behalf, where adapters are asked though nobody has come; in no trace that anybody keeps.
    #[must_use]
    pub fn on_own_behalf(host: String) -> Self {
        Self {
            address: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            version: ProtocolVersion::newest(),
            host,
            port: 25_565,
            trace: TraceContext { trace_id: 1, span_id: 1, flags: 0 },
        }
    }
}

/// A W3C trace context: <https://www.w3.org/TR/trace-context/#traceparent-header>, version 00.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TraceContext {
    /// Names the whole trace; not zero.
    pub trace_id: u128,
    /// Names this connection in it; not zero.
    pub span_id: u64,
    /// The flags; bit 0: sampled.
    pub flags: u8,
}

impl TraceContext {
    /// Reads a `traceparent`: `00-<32 hexadecimal digits>-<16>-<2>`. `None` for anything else, zeros included.
    #[must_use]
    pub fn parse(traceparent: &str) -> Option<Self> {
        let mut fields = traceparent.split('-');
        let [version, trace_id, span_id, flags] = std::array::from_fn(|_| fields.next());
        let lower_hex = |field: Option<&str>, length: usize| {
            let field = field.filter(|field| field.len() == length)?;
            let digits = field.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
            digits.then(|| u128::from_str_radix(field, 16).ok()).flatten()
        };
        if version != Some("00") || fields.next().is_some() {
            return None;
        }
        let trace_id = lower_hex(trace_id, 32)?;
        let span_id = u64::try_from(lower_hex(span_id, 16)?).ok()?;
        let flags = u8::try_from(lower_hex(flags, 2)?).ok()?;
        (trace_id != 0 && span_id != 0).then_some(Self { trace_id, span_id, flags })
    }
}

impl fmt::Display for TraceContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "00-{:032x}-{:016x}-{:02x}", self.trace_id, self.span_id, self.flags)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the specification.
    const SAMPLE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn the_specifications_example_round_trips() {
        let context = TraceContext::parse(SAMPLE).unwrap();
        assert_eq!(context.span_id, 0x00f0_67aa_0ba9_02b7);
        assert_eq!(context.to_string(), SAMPLE);
    }

    #[test]
    fn anything_else_is_no_context() {
        for wrong in [
            "",
            "00",
            "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-x",
            "00-+bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        ] {
            assert_eq!(TraceContext::parse(wrong), None, "{wrong}");
        }
    }
}
