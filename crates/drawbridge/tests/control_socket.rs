//! The control socket: who may use it, whose it is, and what comes over it.

#![allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]

mod support;

use drawbridge_testkit::{PATIENCE, Player, Signal, eventually, sees};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::{UnixListener, UnixStream};
use std::time::{Duration, Instant};
use support::ctl::{asked, done, fails, socket, told};
use support::{AT_ONCE, HUB, edge, open_lobby};

#[test]
fn without_an_edge_it_says_where_it_looked() {
    let mut edge = edge().config(open_lobby()).start();
    let path = socket(&edge);
    assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    edge.signal(Signal::KILL);
    let _ = edge.exit(PATIENCE);
    assert!(path.exists(), "left over");
    let (code, said) = fails(&edge, &["ctl", "status"]);
    assert_eq!(code, 3);
    assert!(said.contains(&format!("no edge answers at {}", path.display())), "{said}");
    std::fs::remove_file(&path).unwrap();
    assert_eq!(fails(&edge, &["ctl", "status"]).0, 3);
    assert_eq!(done(&edge, &["ban", "Alice"]), "banned alice for ever\n", "on the file");
}

#[test]
fn a_socket_that_was_left_over_is_replaced_and_one_in_use_is_not() {
    sees!("control.socket");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("edge.sock");
    drop(UnixListener::bind(&path).unwrap());
    let config = format!("[control]\nsocket = '{}'\n{}", path.display(), open_lobby());
    let first = edge().config(&config).start();
    assert_eq!(told(&first, &["status"])["addresses"][0], first.address().to_string());
    let second = edge().argument("run").config(&config).finish();
    assert_eq!(second.status.code(), Some(1));
    let said = &second.stderr;
    assert!(said.contains("another edge that runs has") && said.contains("drawbridge.toml:3:"), "{said}");
    assert_eq!(
        told(&first, &["status"])["addresses"][0],
        first.address().to_string(),
        "it wasn't taken away"
    );
    for (socket, words) in [
        (folder.path().join("x".repeat(120)), "is too long for the name of a socket"),
        (folder.path().join("nowhere/edge.sock"), "can't be made"),
        (first.folder().join("drawbridge.toml"), "is there, and no socket"),
    ] {
        let config = format!("[control]\nsocket = '{}'\n{}", socket.display(), open_lobby());
        let finished = edge().argument("run").config(config).finish();
        assert!(finished.status.code() == Some(1) && finished.stderr.contains(words), "{}", finished.stderr);
    }
}

#[test]
fn an_edge_serves_without_a_socket() {
    sees!("control.enabled");
    // The usual name is another thing's.
    let without = edge().file("drawbridge.sock", "").config(open_lobby()).start();
    without.wait_for("that there is none", |line| {
        line.level() == Some("WARN") && line.text().contains("there is no control.socket")
    });
    assert_eq!(Player::new("Alice", 767).join(without.address()).transferred(), HUB);
    let off = edge().config(format!("[control]\nenabled = false\n{}", open_lobby())).start();
    assert!(!socket(&off).exists());
    let (code, said) = fails(&off, &["ctl", "status"]);
    assert!(code == 1 && said.contains("control.enabled is false"), "{said}");
    assert_eq!(done(&off, &["ban", "Alice"]), "banned alice for ever\n");
}

#[test]
fn whatever_comes_over_the_socket_players_are_served() {
    let edge = edge().config(format!("threads = 1\n{}", open_lobby())).start();
    let connect = || {
        let stream = UnixStream::connect(socket(&edge)).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        stream
    };
    for (line, error) in [
        (&b"\n"[..], "malformed"),
        (b"\0\xff\xfe\n", "malformed"),
        (b"GET / HTTP/1.1\r\n", "malformed"),
        (b"{\"request\":\"dance\"}\n", "unknown_request"),
        (b"{\"request\":\"status\",\"verbose\":true}\n", "unknown_request"),
        (b"{\"version\":99,\"request\":\"status\"}\n", "version"),
        (b"{\"request\":\"kick\",\"whom\":\"\"}\n", "whom"),
        (b"{\"request\":\"connections\",\"route\":\"\\u0000\"}\n", "no_route"),
        (b"{\"request\":\"ban\",\"whom\":\"A\",\"by\":\"me\",\"until\":\"1999-01-01T00:00:00Z\"}\n", "until"),
    ] {
        let mut stream = connect();
        let answer = asked(&mut stream, line);
        assert_eq!((&answer["answer"], &answer["error"]), (&"failed".into(), &error.into()), "{answer}");
        assert_eq!(answer["version"], 1);
        assert_eq!(asked(&mut stream, b"{\"request\":\"status\"}\n")["answer"], "status", "it goes on");
    }
    // Nested as deep as a line is long.
    assert_eq!(asked(&mut connect(), &[&[b'['; 60_000][..], b"\n"].concat())["error"], "malformed");
    // A line without an end: the edge stops reading, says so and closes.
    let mut long = connect();
    let _ = long.write_all(&vec![b'x'; 1 << 20]);
    let mut said = Vec::new();
    let _ = long.read_to_end(&mut said);
    assert!(String::from_utf8_lossy(&said).contains("too_long"), "{}", String::from_utf8_lossy(&said));
    // Sixteen who begin a line and say nothing more, as soon as those from before have left: the others are turned away at once.
    let mut silent = Vec::new();
    let all_places = eventually(PATIENCE, || {
        let mut stream = connect();
        if asked(&mut stream, b"{\"request\":\"status\"}\n")["answer"] == "status" {
            stream.write_all(b"{\"request\":").unwrap();
            silent.push(stream);
        }
        (silent.len() == 16).then_some(())
    });
    assert!(all_places.is_some(), "{} places", silent.len());
    for _ in 0..84 {
        let mut said = String::new();
        connect().read_to_string(&mut said).unwrap();
        assert!(said.contains("\"error\":\"busy\""), "{said}");
    }
    edge.serves_others_within(AT_ONCE);
    assert_eq!(Player::new("Alice", 767).join(edge.address()).transferred(), HUB);
    let (code, said) = fails(&edge, &["ctl", "status"]);
    assert!(code == 1 && said.contains("16 others are asking"), "{said}");
    drop(silent);
    let free = eventually(PATIENCE, || (told(&edge, &["status"])["answer"] == "status").then_some(()));
    assert!(free.is_some());
}

/// What is asked in one go is answered in its order.
#[test]
fn requests_can_follow_each_other() {
    let edge = edge().config(open_lobby()).start();
    let mut stream = UnixStream::connect(socket(&edge)).unwrap();
    stream
        .write_all(b"{\"request\":\"status\"}\n{\"request\":\"routes\"}\n{\"request\":\"bans\"}\n")
        .unwrap();
    stream.shutdown(std::net::Shutdown::Write).unwrap();
    let mut said = String::new();
    stream.read_to_string(&mut said).unwrap();
    let answers: Vec<serde_json::Value> =
        said.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let kinds: Vec<_> = answers.iter().map(|answer| answer["answer"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["status", "routes", "bans"]);
}

/// Sixteen are served at once: who holds a place has 30 s for a request, however slowly it comes.
#[test]
fn who_says_nothing_any_more_makes_room_for_others() {
    let edge = edge().config(open_lobby()).start();
    let connect = || UnixStream::connect(socket(&edge)).unwrap();
    let begun = Instant::now();
    let mut silent: Vec<_> = (0..16).map(|_| connect()).collect();
    let mut turned_away = connect();
    turned_away.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut told = String::new();
    turned_away.read_to_string(&mut told).unwrap();
    assert!(told.contains("busy"), "{told}");
    let mut slow = silent.pop().unwrap();
    let slow = std::thread::spawn(move || {
        slow.set_read_timeout(Some(Duration::from_secs(1))).unwrap();
        // Its request would be whole after a minute.
        (0..60).find(|_| slow.write_all(b" ").is_err() || matches!(slow.read(&mut [0]), Ok(0)))
    });
    for mut client in silent {
        client.set_read_timeout(Some(Duration::from_secs(45))).unwrap();
        assert_eq!(client.read(&mut [0]).unwrap(), 0, "nothing is said to who says nothing");
    }
    let took = begun.elapsed();
    assert!((29..45).contains(&took.as_secs()), "{took:?}");
    assert!(slow.join().unwrap().is_some(), "a byte a second is no request either");
    done(&edge, &["ctl", "status"]);
}
