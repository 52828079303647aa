//! A name server on 127.0.0.1, by hand (RFC 1035, RFC 2782).

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};

/// A record's data.
pub(super) enum Data {
    A([u8; 4]),
    /// Priority, weight, port and target.
    Srv(u16, u16, u16, &'static str),
}

impl Data {
    const fn kind(&self) -> u16 {
        match self {
            Self::A(_) => 1,
            Self::Srv(..) => 33,
        }
    }

    fn encode(&self) -> Vec<u8> {
        match self {
            Self::A(ip) => ip.to_vec(),
            Self::Srv(priority, weight, port, target) => {
                let mut data: Vec<u8> =
                    [priority, weight, port].iter().flat_map(|n| n.to_be_bytes()).collect();
                for label in target.split('.').filter(|label| !label.is_empty()) {
                    data.push(label.len() as u8);
                    data.extend_from_slice(label.as_bytes());
                }
                data.push(0);
                data
            }
        }
    }
}

/// Serves `records` for as long as the test runs; other names don't exist.
pub(super) fn serve(records: Vec<(&'static str, Data)>) -> SocketAddr {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = socket.local_addr().unwrap();
    std::thread::spawn(move || {
        let mut buffer = [0; 1500];
        while let Ok((count, peer)) = socket.recv_from(&mut buffer) {
            let _ = socket.send_to(&answer(&buffer[..count], &records), peer);
        }
    });
    address
}

/// A name server that never answers.
pub(super) fn silent() -> (UdpSocket, SocketAddr) {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = socket.local_addr().unwrap();
    (socket, address)
}

fn answer(query: &[u8], records: &[(&str, Data)]) -> Vec<u8> {
    let mut labels = Vec::new();
    let mut at = 12;
    while query[at] != 0 {
        let end = at + 1 + usize::from(query[at]);
        labels.push(String::from_utf8_lossy(&query[at + 1..end]).to_lowercase());
        at = end;
    }
    let kind = u16::from_be_bytes([query[at + 1], query[at + 2]]);
    let question = &query[12..at + 5];
    let name = labels.join(".");
    let known: Vec<_> = records.iter().filter(|(owner, _)| *owner == name).collect();
    let found: Vec<_> = known.iter().filter(|(_, data)| data.kind() == kind).collect();
    let code = if known.is_empty() { 3 } else { 0 };
    let mut out = vec![query[0], query[1], 0x81, 0x80 | code, 0, 1, 0, found.len() as u8, 0, 0, 0, 0];
    out.extend_from_slice(question);
    for (_, data) in found {
        let data = data.encode();
        out.extend([0xc0, 12]);
        out.extend(kind.to_be_bytes());
        out.extend([0, 1, 0, 0, 0, 60]);
        out.extend((data.len() as u16).to_be_bytes());
        out.extend(data);
    }
    out
}
