use super::*;
use crate::{PATIENCE, eventually};
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::thread;
use std::time::Instant;

/// How long nothing may come where nothing is to come.
const QUIET: Duration = Duration::from_millis(100);

/// Somebody who calls over a wire, and somebody who is called.
struct Call {
    wire: Wire,
    listener: std::net::TcpListener,
    caller: TcpStream,
    called: TcpStream,
}

impl Call {
    fn new() -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let wire = Wire::to(listener.local_addr().unwrap()).unwrap();
        let (caller, called) = calls(&wire, &listener);
        Self { wire, listener, caller, called }
    }
}

fn calls(wire: &Wire, listener: &std::net::TcpListener) -> (TcpStream, TcpStream) {
    let caller = TcpStream::connect(wire.address()).unwrap();
    let (called, _) = listener.accept().unwrap();
    for side in [&caller, &called] {
        side.set_read_timeout(Some(PATIENCE)).unwrap();
        side.set_nodelay(true).unwrap();
    }
    (caller, called)
}

/// The next words of this length.
fn hears(mut side: &TcpStream, length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    side.read_exact(&mut bytes).unwrap();
    bytes
}

fn says(mut side: &TcpStream, words: &[u8]) {
    side.write_all(words).unwrap();
}

/// Whether nothing comes for a while.
fn is_quiet(mut side: &TcpStream) -> bool {
    side.set_read_timeout(Some(QUIET)).unwrap();
    let read = side.read(&mut [0]);
    side.set_read_timeout(Some(PATIENCE)).unwrap();
    read.is_err_and(|error| matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut))
}

/// How a side's connection ends: in good order, or by a reset. What came before is given.
fn ends(mut side: &TcpStream) -> (Vec<u8>, bool) {
    let mut came = Vec::new();
    let read = side.read_to_end(&mut came);
    assert!(
        read.as_ref().err().is_none_or(|error| error.kind() == io::ErrorKind::ConnectionReset),
        "{read:?}"
    );
    (came, read.is_ok())
}

#[test]
fn what_is_said_goes_both_ways_and_so_does_each_end() {
    let Call { wire, caller, called, .. } = Call::new();
    says(&caller, b"hello");
    assert_eq!(hears(&called, 5), b"hello");
    says(&called, b"you too");
    assert_eq!(hears(&caller, 7), b"you too");
    caller.shutdown(Shutdown::Write).unwrap();
    assert_eq!(ends(&called), (Vec::new(), true));
    says(&called, b"still here");
    drop(called);
    assert_eq!(ends(&caller), (b"still here".to_vec(), true));
    assert_eq!(wire.carried(), (5, 17));
    assert_eq!(wire.came(), 1);
    assert!(eventually(PATIENCE, || (wire.open() == 0).then_some(())).is_some());
}

#[test]
fn what_comes_late_comes_in_its_order_and_its_end_behind_it() {
    let Call { wire, caller, called, .. } = Call::new();
    wire.there(Flow::Late(QUIET));
    let start = Instant::now();
    says(&caller, b"one");
    says(&caller, b"two");
    caller.shutdown(Shutdown::Write).unwrap();
    says(&called, b"at once");
    assert_eq!(hears(&caller, 7), b"at once");
    assert_eq!(ends(&called), (b"onetwo".to_vec(), true));
    assert!(start.elapsed() >= QUIET, "{:?}", start.elapsed());
}

#[test]
fn what_trickles_comes_so_many_bytes_at_a_time() {
    let Call { wire, caller, mut called, .. } = Call::new();
    let every = Duration::from_millis(20);
    wire.there(Flow::Trickles { bytes: 2, every });
    let start = Instant::now();
    says(&caller, b"abcdefgh");
    let mut heard = Vec::new();
    while heard.len() < 8 {
        let mut buffer = [0; 8];
        let read = called.read(&mut buffer).unwrap();
        heard.extend_from_slice(&buffer[..read]);
    }
    assert_eq!(heard, b"abcdefgh");
    assert!(start.elapsed() >= 3 * every, "{:?}", start.elapsed());
    wire.there(Flow::Trickles { bytes: 1, every: Duration::ZERO });
    let words = vec![7; 10_000];
    says(&caller, &words);
    assert_eq!(hears(&called, words.len()), words);
}

#[test]
fn what_is_stalled_goes_on_where_it_was() {
    let Call { wire, caller, called, .. } = Call::new();
    wire.there(Flow::Stalls { after: 3 });
    says(&caller, b"abcdef");
    assert_eq!(hears(&called, 3), b"abc");
    assert!(is_quiet(&called));
    says(&called, b"well?");
    assert_eq!(hears(&caller, 5), b"well?");
    wire.there(Flow::Free);
    assert_eq!(hears(&called, 3), b"def");
}

/// As a peer that is stopped: after what its system keeps, nobody gets rid of anything.
#[test]
fn nothing_is_taken_while_it_is_stalled() {
    let Call { wire, caller, called, .. } = Call::new();
    wire.there(Flow::STALLED);
    caller.set_write_timeout(Some(QUIET)).unwrap();
    let mut said = 0_u64;
    let words = vec![7; 1 << 20];
    while let Ok(some) = (&caller).write(&words) {
        said += some as u64;
        assert!(said < 1 << 30, "it takes all");
    }
    wire.there(Flow::Free);
    let hearing = thread::spawn(move || ends(&called).0.len() as u64);
    caller.shutdown(Shutdown::Write).unwrap();
    assert_eq!(hearing.join().unwrap(), said);
}

#[test]
fn what_vanishes_is_gone_and_the_connection_stays() {
    let Call { wire, caller, called, .. } = Call::new();
    wire.there(Flow::Vanishes);
    says(&caller, b"lost");
    assert!(eventually(PATIENCE, || (wire.lost().0 == 4).then_some(())).is_some());
    wire.there(Flow::Free);
    says(&caller, b"heard");
    assert_eq!(hears(&called, 5), b"heard");
}

#[test]
fn a_connection_breaks_after_as_many_bytes_as_it_was_told() {
    for (by, in_order) in [(Cut::Close, true), (Cut::Reset, false)] {
        let Call { wire, listener, caller, called } = Call::new();
        wire.back(Flow::Breaks { after: 3, by });
        says(&called, b"abcdef");
        let (came, ended_in_order) = ends(&caller);
        assert_eq!(ended_in_order, in_order, "{by:?}");
        // A reset may take along what came before it.
        assert!(came == b"abc" || (!in_order && b"abc".starts_with(&came[..])), "{by:?}: {came:?}");
        assert_eq!(ends(&called).1, in_order, "{by:?}");
        let (caller, called) = calls(&wire, &listener);
        says(&called, b"ghijkl");
        assert!(ends(&caller).0.len() <= 3, "{by:?}: those that come later too");
    }
}

#[test]
fn all_connections_are_cut_at_once() {
    for (how, in_order) in [(Cut::Close, true), (Cut::Reset, false)] {
        let Call { wire, listener, caller, called } = Call::new();
        let others = calls(&wire, &listener);
        assert_eq!(wire.open(), 2);
        wire.cut(how);
        for side in [&caller, &called, &others.0, &others.1] {
            assert_eq!(ends(side), (Vec::new(), in_order), "{how:?}");
        }
        drop((caller, called, others));
        let (caller, called) = calls(&wire, &listener);
        says(&caller, b"again");
        assert_eq!(hears(&called, 5), b"again");
    }
}

#[test]
fn whoever_calls_is_refused_or_hears_nothing_until_the_door_opens() {
    let Call { wire, listener, caller, called } = Call::new();
    wire.door(Door::Shut).unwrap();
    let refused = TcpStream::connect(wire.address()).unwrap_err();
    assert_eq!(refused.kind(), io::ErrorKind::ConnectionRefused);
    says(&caller, b"under way");
    assert_eq!(hears(&called, 9), b"under way");
    wire.door(Door::Silent).unwrap();
    let waiting = TcpStream::connect(wire.address()).unwrap();
    says(&waiting, b"hello");
    assert!(is_quiet(&waiting));
    assert_eq!(wire.came(), 2);
    wire.door(Door::Open).unwrap();
    let (called, _) = listener.accept().unwrap();
    assert_eq!(hears(&called, 5), b"hello");
}
