use std::net::SocketAddr;

use super::*;

/// As a dual-stack listener gets them, but on the loopback interface alone.
#[cfg(unix)]
#[test]
fn ipv4_clients_of_an_ipv6_listener_are_ipv4() {
    use socket2::{Domain, Type};

    let mapped: SocketAddr = "[::ffff:127.0.0.1]:0".parse().unwrap();
    let listener = socket2::Socket::new(Domain::IPV6, Type::STREAM, None).unwrap();
    listener.set_only_v6(false).unwrap();
    listener.set_nonblocking(true).unwrap();
    listener.bind(&mapped.into()).unwrap();
    listener.listen(16).unwrap();
    let bound = Bound::of(listener.into());
    let address = SocketAddr::from(([127, 0, 0, 1], bound.local_addresses()[0].port()));

    let (told, addresses) = std::sync::mpsc::channel();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let _serving = bound
        .serve(
            move |socket| {
                told.send(socket.peer()).unwrap();
                async move {
                    drop(socket);
                    None
                }
            },
            runtime.handle(),
        )
        .unwrap();
    let client = std::net::TcpStream::connect(address).unwrap();
    let seen = addresses.recv_timeout(Duration::from_secs(20)).unwrap();
    assert_eq!(seen, client.local_addr().unwrap());
}
