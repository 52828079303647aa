//! Targets of sessions that don't keep to the protocol, or do so to harm: they lose the player whom they do it to, and players on other
//! targets notice nothing.

#![allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]

mod support;

use drawbridge_protocol::ids::{Kind, State};
use drawbridge_testkit::{Edge, Host, Line};
use std::io::{self, Write as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};
use support::attack::serves_others_during;
use support::edge;
use support::liar::{Caller, Liar};
use support::stranger::{NEW, OLD, Others, Stranger};

/// What a target may have the edge take of memory: a few times the most that is kept of a connection.
const LITTLE: u64 = 32 * 1024 * 1024;

/// A server that is sound, and one that lies, behind an edge of one thread of each kind. Who is lost is told.
struct House {
    edge: Edge,
    hub: Host,
}

impl House {
    fn start(liar: &Liar, more: &str) -> Self {
        let hub = Host::builder(1).compress(64).start().unwrap();
        let route = |name: &str, hosts: &str, target| {
            format!(
                "[[routes]]\nname = \"{name}\"\nhosts = [\"{hosts}\"]\nmode = \"offline\"\ntargets = [\"{target}\"]\n\
                 session = {{ limbo = \"never\", answer = \"2s\", {more} }}\n"
            )
        };
        let config = route("home", "*", hub.address()) + &route("lies", "lies", liar.address);
        // What clients send isn't looked at here.
        let edge = edge()
            .config(format!("threads = 1\n[limits.play]\nbytes = 0\nplugin_messages = 0\n{config}"))
            .start();
        Self { edge, hub }
    }

    /// That the player of a target that was lost is told so.
    #[track_caller]
    fn loses(&self, stranger: &mut Stranger, error: &str) {
        let told = stranger.ends();
        assert!(told.as_deref().is_some_and(|told| told.contains("was lost")), "{error}: {told:?}");
        self.loses_to(error);
        let name = &*stranger.name;
        let end = self.edge.wait_for("the end", |line| is_end(line, name));
        assert_eq!(end.field("end").as_deref(), Some("target_lost"), "{end}");
    }

    /// The line of a target that was lost.
    #[track_caller]
    fn loses_to(&self, error: &str) {
        let line = self.edge.wait_for("a lost target", |line| {
            line.message() == Some("a target was lost")
                && line.field("error").is_some_and(|told| told.contains(error))
        });
        assert_eq!(line.field("route").as_deref(), Some("lies"), "{line}");
    }
}

fn is_end(line: &Line, name: &str) -> bool {
    line.message() == Some("session ended") && line.field("player").as_deref() == Some(name)
}

/// What a target does in a login, and what the edge says of it.
type Deed = fn(&mut Caller) -> io::Result<()>;

#[test]
fn targets_that_lie_in_a_login_are_passed_over() {
    let deeds: Vec<(&str, Deed)> = vec![
        ("an empty frame", |it| it.stream.write_all(&[0])),
        ("a frame length of more than 21 bits", |it| it.stream.write_all(&[0xff; 5])),
        ("a packet that has no place in a login (id 127)", |it| it.repeats(&[0x7f], 1)),
        ("it authenticates players itself", |it| {
            let body = it.body(State::Login, Kind::EncryptionBegin, |_| ());
            it.repeats(&body, 1)
        }),
        ("timed out", |it| it.stream.write_all(&[100, 2])),
        // What it was told are the client's words, so that it need not be its fault.
        ("", |it| {
            it.stream.write_all(&[100, 2])?;
            Err(io::ErrorKind::Other.into())
        }),
        ("the packet ended", |it| it.repeats(&[2, 16, 1], 1)),
        ("longer than those of a login", |it| {
            it.compress(64)?;
            let mut body = it.body(State::Login, Kind::Compress, |out| out.varint(64));
            body.resize(8 * 1024 * 1024, 0);
            it.repeats(&body, 3)
        }),
        ("it asked more than", |it| {
            let body = it.body(State::Login, Kind::Compress, |out| out.varint(-1));
            it.repeats(&body, 2_000)
        }),
    ];
    // Each of which may be asked, until together they are too much.
    let questions: Deed = |it| {
        it.compress(64)?;
        let mut body = it.body(State::Login, Kind::LoginPluginRequest, |out| {
            out.varint(1);
            out.string("some:mod");
        });
        body.resize(1024 * 1024, 0);
        it.repeats(&body, 100)
    };
    for version in [OLD, NEW] {
        let questions = (version == NEW).then_some(("longer than those of a login", questions));
        for (at, (error, deed)) in deeds.iter().copied().chain(questions).enumerate() {
            let liar = Liar::start(deed);
            let house = House::start(&liar, "compression = 256");
            let others = Others::join(&house.edge, &house.hub);
            let before = house.edge.memory().rss;
            let mut stranger = Stranger::knocks(&house.edge, &format!("guest{at}"), version, "lies");
            let told = stranger.ends();
            assert!(
                told.as_deref().is_some_and(|told| told.contains("can't be reached")),
                "{error}: {told:?}"
            );
            house.edge.wait_for_refusal("unreachable");
            let is_its_fault = |line: &Line| line.message() == Some("a target can't be reached");
            let line = house.edge.log().into_iter().find(is_its_fault);
            let told = line.and_then(|line| line.field("error")).unwrap_or_default();
            assert!(told.contains(error) && told.is_empty() == error.is_empty(), "{error}: {told}");
            others.notice_nothing();
            let grown = house.edge.memory().rss.saturating_sub(before);
            assert!(grown < LITTLE, "{error}: {grown} bytes");
        }
    }
}

#[test]
fn targets_that_do_not_keep_to_the_protocol_lose_the_player_and_nobody_else() {
    let deeds: Vec<(&str, Deed)> = vec![
        ("an empty frame", |it| it.stream.write_all(&[0])),
        ("a frame length of more than 21 bits", |it| it.stream.write_all(&[0xff; 5])),
        ("where 8388608 are allowed", |it| it.stream.write_all(&[5, 0x81, 0x80, 0x80, 0x04, 0])),
        ("compressed packet", |it| it.stream.write_all(&[4, 0x80, 0x08, 0x78, 0x9c])),
        ("it closed the connection", |it| {
            it.stream.write_all(&[100, 2])?;
            it.stream.shutdown(std::net::Shutdown::Write)
        }),
        ("the packet ended", |it| {
            let body = it.body(State::Play, Kind::KeepAlive, |out| out.u8(0));
            it.repeats(&body, 1)
        }),
        ("the packet ended", |it| {
            let body = it.body(State::Play, Kind::Login, |out| out.u8(0));
            it.repeats(&body, 1)
        }),
        ("a keep_alive of 2097151 bytes", |it| {
            let mut body = it.body(State::Play, Kind::KeepAlive, |_| ());
            body.resize(2 * 1024 * 1024 - 1, 0);
            it.repeats(&body, 1)
        }),
    ];
    for version in [OLD, NEW] {
        for (error, deed) in &deeds {
            let deed = *deed;
            let liar = Liar::start(move |it| {
                it.compress(64)?;
                it.plays()?;
                deed(it)
            });
            let house = House::start(&liar, "compression = 256");
            let others = Others::join(&house.edge, &house.hub);
            let mut stranger = Stranger::configuring(&house.edge, "guest", version, "lies");
            house.loses(&mut stranger, error);
            others.notice_nothing();
        }
    }
}

/// With a client that is in league with the target: it hears everything, and acknowledges nothing.
#[test]
fn what_a_client_is_brought_to_and_does_not_acknowledge_is_bounded() {
    let liar = Liar::start(|it| {
        it.welcome()?;
        let finish = it.body(State::Configuration, Kind::FinishConfiguration, |_| ());
        let start = it.body(State::Play, Kind::StartConfiguration, |_| ());
        let both = [it.frame(&finish), it.frame(&start)].concat();
        it.stream.write_all(&both.repeat(100_000))
    });
    let house = House::start(&liar, "compression = -1");
    let others = Others::join(&house.edge, &house.hub);
    let stranger = &mut Stranger::configuring(&house.edge, "guest", NEW, "lies");
    let mut heard = 0;
    let told = loop {
        let packet = stranger.connection.receive().unwrap();
        match support::stranger::words(&packet) {
            Some(words) => break words,
            None => heard += 1,
        }
    };
    assert!(told.contains("was lost"), "{told}");
    assert_eq!(heard, 64);
    house.loses_to("out of its place");
    others.notice_nothing();
}

/// Nothing that is acknowledged stands between two servers of which the first goes while the client is in configuration.
#[test]
fn nobody_is_told_what_another_server_asked_in_configuration() {
    let asks = |it: &mut Caller, number| {
        let ping = it.body(State::Configuration, Kind::Ping, |out| out.i32(number));
        it.repeats(&ping, 1)
    };
    let first = Liar::start(move |it| {
        it.welcome()?;
        asks(it, 1)?;
        Err(io::ErrorKind::Other.into())
    });
    let (tells, told) = mpsc::channel();
    let next = Liar::start(move |it| {
        it.welcome()?;
        asks(it, 2)?;
        let _ = tells.send(it.waits_for(State::Configuration, Kind::Pong)?);
        Ok(())
    });
    let route = |name: &str, hosts: &str, target, more: &str| {
        format!(
            "[[routes]]\nname = \"{name}\"\nhosts = [\"{hosts}\"]\nmode = \"offline\"\ntargets = [\"{target}\"]\n{more}\n"
        )
    };
    let config = route("first", "*", first.address, "session.fallback = [\"next\"]")
        + &route("next", "next", next.address, "");
    let edge = edge().config(config).start();
    let mut stranger = Stranger::configuring(&edge, "Alice", NEW, "first");
    let mut asked = Vec::new();
    // It takes its time to answer: until it is asked again, by whomever.
    while asked.len() < 2 {
        let packet = stranger.connection.receive().unwrap();
        if matches!(packet.kind(), Some(Kind::Ping | Kind::KeepAlive)) {
            asked.push(packet);
        }
    }
    loop {
        for packet in asked.drain(..) {
            match packet.kind() {
                Some(Kind::Ping) => {
                    let pong = stranger.body(Kind::Pong, |out| out.bytes(&packet.fields));
                    stranger.says(&pong, 1);
                }
                _ => stranger.obeys(&packet),
            }
        }
        match told.recv_timeout(Duration::from_millis(10)) {
            Ok(pong) => return assert_eq!(pong, 2i32.to_be_bytes()),
            Err(RecvTimeoutError::Timeout) => {}
            Err(error) => panic!("the next server: {error}"),
        }
        asked.extend(stranger.connection.receive());
    }
}

#[test]
fn what_targets_say_takes_little_memory_and_no_time_of_others() {
    const TIMES: usize = 100;
    // As much is kept of names as they are long, and they are few when they are long.
    let teams: Deed = |it| {
        let mut names = (0..3_000).map(|number| format!("{number:0>30000}"));
        names.try_for_each(|name| {
            let body = it.body(State::Play, Kind::Teams, |out| {
                out.string(&name);
                out.u8(0);
            });
            it.repeats(&body, 1)
        })
    };
    // Looked at, since it may be a bar that has to be taken away again.
    let bars: Deed = |it| {
        let mut body = it.body(State::Play, Kind::BossBar, |_| ());
        body.resize(2 * 1024 * 1024 - 1, 0);
        it.repeats(&body, 2 * TIMES)
    };
    // Has to be inflated for a client that doesn't inflate.
    let chunks: Deed = |it| {
        let mut body = it.body(State::Play, Kind::MapChunk, |_| ());
        body.resize(2 * 1024 * 1024 - 1, 0);
        it.repeats(&body, TIMES)
    };
    // Names as many children as it can.
    let trees: Deed = |it| {
        let mut body = it.body(State::Play, Kind::DeclareCommands, |out| {
            out.varint(1_000_000);
            out.u8(0);
            out.varint(1_000_000);
        });
        body.resize(2 * 1024 * 1024 - 1, 1);
        it.repeats(&body, TIMES)
    };
    for (what, version, deed, compression, last) in [
        ("teams", OLD, teams, 256, (Kind::Teams, 3_000)),
        ("bars", OLD, bars, 256, (Kind::BossBar, 2 * TIMES)),
        ("chunks", OLD, chunks, -1, (Kind::MapChunk, TIMES)),
        ("trees", NEW, trees, 256, (Kind::DeclareCommands, TIMES)),
    ] {
        let liar = Liar::start(move |it| {
            it.compress(64)?;
            it.plays()?;
            deed(it)
        });
        let house = House::start(&liar, &format!("compression = {compression}"));
        let others = Others::join(&house.edge, &house.hub);
        let before = house.edge.memory().rss;
        let mut stranger = Stranger::configuring(&house.edge, "guest", version, "lies");
        if version == NEW {
            stranger.hears(Kind::FinishConfiguration);
        }
        // It doesn't read at first.
        others.notice_nothing();
        let grown = house.edge.memory().rss.saturating_sub(before);
        assert!(grown < LITTLE, "{what}: {grown} bytes");
        let mut reads = || (0..last.1).for_each(|_| drop(stranger.hears(last.0)));
        // Names are looked at letter by letter, which takes its time where nothing is optimised.
        if what == "teams" {
            reads();
        } else {
            serves_others_during(&house.edge, reads);
        }
        others.notice_nothing();
        let grown = house.edge.memory().rss.saturating_sub(before);
        assert!(grown < LITTLE, "{what}: {grown} bytes");
    }
}

/// How long a side may take nothing.
const STALLED: Duration = Duration::from_secs(30);

/// At once, since each takes as long as the edge is patient.
#[test]
fn who_does_not_read_is_cut_and_little_is_kept_for_them() {
    // Says as much as it can, and says how much that was.
    let said = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&said);
    let liar = Liar::start(move |it| {
        it.plays()?;
        match &*it.name {
            "deafclient" => {
                let mut body = it.body(State::Play, Kind::CustomPayload, |out| out.string("a:b"));
                body.resize(32 * 1024, 0);
                let frame = it.frame(&body);
                loop {
                    it.stream.write_all(&frame)?;
                    counted.fetch_add(frame.len() as u64, Ordering::Relaxed);
                }
            }
            // Asks for what the edge answers itself, and doesn't read the answers.
            "asked" => {
                let body = it.body(State::Play, Kind::CookieRequest, |out| out.string("drawbridge:return"));
                let frames = it.frame(&body).repeat(1_000);
                loop {
                    it.stream.write_all(&frames)?;
                    counted.fetch_add(frames.len() as u64, Ordering::Relaxed);
                }
            }
            // It doesn't listen.
            _ => loop {
                std::thread::park();
            },
        }
    });
    let house = House::start(&liar, "compression = -1");
    let others = Others::join(&house.edge, &house.hub);
    let before = house.edge.memory().rss;
    let start = Instant::now();
    let _deaf_client = Stranger::configuring(&house.edge, "deafclient", OLD, "lies");
    let mut asked = Stranger::configuring(&house.edge, "asked", NEW, "lies");
    asked.hears(Kind::FinishConfiguration);
    let mut speaks = Stranger::configuring(&house.edge, "speaks", OLD, "lies");
    let flood = speaks.connection.frame(&speaks.plugin_message(30 * 1024)).unwrap();
    let speaking = std::thread::spawn(move || {
        let mut said = 0;
        // Until nothing is taken any more for a while.
        while speaks.connection.raw(&flood).is_ok() {
            said += flood.len();
        }
        (speaks, said)
    });
    for (name, label) in
        [("deafclient", "client_stalled"), ("asked", "target_lost"), ("speaks", "target_lost")]
    {
        while start.elapsed() < STALLED / 2 {
            others.notice_nothing();
            let grown = house.edge.memory().rss.saturating_sub(before);
            assert!(grown < LITTLE, "{grown} bytes");
        }
        while start.elapsed() < STALLED + Duration::from_secs(5)
            && !house.edge.log().iter().any(|line| is_end(line, name))
        {
            others.notice_nothing();
        }
        let end = house.edge.wait_for("the end", |line| is_end(line, name));
        assert_eq!(end.field("end").as_deref(), Some(label), "{end}");
        assert!(start.elapsed() >= STALLED, "{name} after {:?}", start.elapsed());
    }
    house.loses_to("it stopped reading");
    let (_speaks, spoken) = speaking.join().unwrap();
    let said = said.load(Ordering::Relaxed);
    // What sockets hold is the system's.
    assert!(said < 64 << 20 && spoken < 64 << 20, "{said} and {spoken} bytes were taken");
    others.notice_nothing();
}
