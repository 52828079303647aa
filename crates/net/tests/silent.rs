//! Many connections that say nothing. A process of its own, because it takes nearly all descriptors.
#![cfg(target_os = "linux")]
#![allow(missing_docs, clippy::unwrap_used, reason = "a test")]

mod common;

use std::time::{Duration, Instant};

use common::{Edge, SOON, assert_echoes};
use drawbridge_net::{Gate, Limits, Socket};

/// Resident memory of this process in bytes.
fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<usize>().unwrap() * 1024
}

/// 10,000 where the descriptor limit allows; both ends are in this process.
#[test]
fn ten_thousand_silent_connections_hurt_nobody() {
    let descriptors = drawbridge_net::limits::raise_descriptor_limit();
    let count = usize::try_from((descriptors - 200) / 2).unwrap().min(10_000);
    let limits = Limits { per_address: 20_000, ..Limits::default() };
    let gate = Gate::new(&limits, 1 << 20);
    let admitting = gate.clone();
    let mut edge = Edge::start_on("127.0.0.1:0", 2, move |mut socket: Socket| {
        let ticket = admitting.admit(socket.peer().ip());
        async move {
            let Ok(_ticket) = ticket else {
                return;
            };
            socket.set_deadline(socket.now() + Duration::from_secs(120));
            let mut buffer = [0; 256];
            while let Ok(read @ 1..) = socket.read(&mut buffer).await {
                socket.write_all(&buffer[..read]).await.unwrap();
            }
        }
    });
    assert_echoes(&mut edge.connect());
    let before = resident();
    let silent: Vec<_> = (0..count).map(|_| edge.connect()).collect();
    let deadline = Instant::now() + 3 * SOON;
    while (gate.connections() as usize) < count {
        assert!(Instant::now() < deadline, "{} of {count} admitted", gate.connections());
        std::thread::yield_now();
    }
    let each = resident().saturating_sub(before) / count;
    println!("{count} silent connections, {each} bytes each");
    assert!(each < 2048, "{each} bytes a connection, beside the kernel's");

    let mut answers: Vec<_> = (0..50)
        .map(|_| {
            let since = Instant::now();
            assert_echoes(&mut edge.connect());
            since.elapsed()
        })
        .collect();
    answers.sort_unstable();
    assert!(answers[25] < Duration::from_millis(100), "others are served: {:?}", answers[25]);

    edge.serving.stop_accepting();
    drop(silent);
    edge.finish();
    assert_eq!(gate.connections(), 0);
}
