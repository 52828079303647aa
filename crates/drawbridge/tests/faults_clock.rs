//! The clock on the wall jumps, as where somebody sets it: deadlines don't go by it, and what does lets nobody in who wasn't to be. The other one,
//! which they go by, runs ahead where they are minutes away.

#![allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]

mod support;

use drawbridge_protocol::ProtocolVersion;
use drawbridge_testkit::{
    Clock, Crowd, Edge, Host, Mode, Outcome, PATIENCE, PackAnswer, Player, SessionServer, Traffic,
    eventually, ping,
};
use std::thread;
use std::time::Duration;
use support::ctl::{carried, comes, done, is_carried, world};
use support::scrape::{METRICS, wait_for};
use support::{COOKIES, HUB, edge, lobby, open_lobby};

const VERSION: ProtocolVersion = ProtocolVersion::V1_21;
const HOUR: i64 = 60 * 60;
/// A day ahead, back to yesterday, and right again.
const JUMPS: [i64; 3] = [24 * HOUR, -24 * HOUR, 0];

/// Whether anybody without an account is let in.
fn lets_in(edge: &Edge, name: &str) -> bool {
    matches!(Player::new(name, VERSION).join(edge.address()).outcome, Outcome::Transfer { .. })
}

#[test]
fn whoever_plays_or_logs_in_goes_on_when_the_clock_jumps() {
    let clock = Clock::right();
    let (session, world) = (SessionServer::start().unwrap(), world());
    let host = Host::builder(1).pushes(Traffic { small: 20, chunks: 0 }).start().unwrap();
    let hall = format!(
        "[[routes]]\nname = \"hall\"\nhosts = [\"hall\"]\nmode = \"offline\"\ntargets = [\"{}\"]\n",
        host.address()
    );
    let config = format!(
        "{}timeout = \"20s\"\n{hall}{}",
        lobby(&session),
        carried("world", "world", world.address(), "")
    );
    let edge = edge().clock(&clock).config(config).start();
    let crowd = Crowd::of(2, 340).versions(&[340, 767]).host("hall").join(edge.address()).unwrap();
    crowd.all_at(&host, PATIENCE);
    let mut bob = comes(&edge, &Player::new("Bob", VERSION).host("world"));
    let alice = session.account("Alice");
    for jump in JUMPS {
        session.mode(Mode::Held);
        let asked = session.asked();
        let (player, address) = (Player::with_account(&alice, VERSION), edge.address());
        let login = thread::spawn(move || player.join(address));
        assert!(eventually(PATIENCE, || (session.asked() > asked).then_some(())).is_some());
        clock.is_off_by(jump);
        ping(edge.address(), VERSION, "localhost").unwrap();
        let heard = crowd.resident(0).heard_here;
        crowd.until("hear on", PATIENCE, |resident| resident.heard_here >= heard + 20);
        assert!(is_carried(&mut bob), "{jump}");
        session.release();
        assert_eq!(login.join().unwrap().transferred(), HUB, "{jump}");
    }
    assert_eq!((crowd.faults(), crowd.gone()), (Vec::new(), Vec::new()));
    assert!(crowd.residents().iter().all(|resident| resident.arrivals.len() == 1));
}

/// Who has a cookie from the future has to join again; one that is too old by the new time is as none.
#[test]
fn a_cookie_is_not_good_for_longer_when_the_clock_jumps() {
    let clock = Clock::right();
    let session = SessionServer::start().unwrap();
    let edge = edge().clock(&clock).config(format!("{COOKIES}max_age = \"1h\"\n{}", lobby(&session))).start();
    let alice = session.account("Alice");
    let player = Player::with_account(&alice, VERSION);
    let jar = player.join(edge.address()).jar;
    let returns = |expected: usize| {
        let asked = session.asked();
        let visit = player.clone().sent_on(&jar).join(edge.address());
        assert_eq!(session.asked() - asked, expected, "{visit:#?}");
        visit
    };
    assert_eq!(returns(0).transferred(), HUB);
    // Less than clocks of two edges may be apart.
    clock.is_off_by(-30);
    assert_eq!(returns(0).transferred(), HUB);
    clock.is_off_by(-HOUR);
    assert_eq!(returns(0).kicked(), "Your earlier login is no longer valid. Please join again.");
    assert_eq!(player.join(edge.address()).transferred(), HUB);
    clock.is_off_by(2 * HOUR);
    assert_eq!(returns(1).transferred(), HUB);
    clock.is_off_by(0);
    assert_eq!(returns(0).transferred(), HUB);
}

#[test]
fn bans_end_by_the_clock_and_those_for_ever_never_do() {
    let clock = Clock::right();
    let edge = edge().clock(&clock).config(open_lobby()).start();
    done(&edge, &["ban", "Griefer"]);
    done(&edge, &["ban", "Shouter", "--for", "1h"]);
    assert!(!lets_in(&edge, "Griefer") && !lets_in(&edge, "Shouter"));
    for (jump, ended) in [(-24 * HOUR, false), (2 * HOUR, true), (0, false)] {
        clock.is_off_by(jump);
        assert!(!lets_in(&edge, "Griefer"), "{jump}");
        assert_eq!(lets_in(&edge, "Shouter"), ended, "{jump}");
        assert!(lets_in(&edge, "Alice"), "{jump}");
    }
    // What is banned while the clock is wrong is on disk all the same, and counts.
    clock.is_off_by(-24 * HOUR);
    done(&edge, &["ban", "Spammer"]);
    let banned = || (!lets_in(&edge, "Spammer")).then_some(());
    assert!(eventually(Duration::from_secs(5), banned).is_some());
}

/// Neither the time for a login nor that for placement, which are over by then, but five minutes of their own.
#[test]
fn who_says_nothing_of_a_resource_pack_has_five_minutes() {
    const PACKS: Duration = Duration::from_secs(300);
    const ALMOST: Duration = Duration::from_secs(290);
    let clock = Clock::right();
    let pack = "[[routes.transfer.resource_packs]]\nurl = \"http://127.0.0.1:1/a.zip\"\nsha1 = \"2fd4e1c67a2d28fced849ee1bb76e7391b93eb12\"\n";
    let edge = edge().clock(&clock).config(format!("threads = 1\n{METRICS}{}{pack}", open_lobby())).start();
    let (alice, address) = (Player::new("Alice", VERSION).packs(PackAnswer::Ignores), edge.address());
    let login = thread::spawn(move || alice.join(address));
    let placed = ["phase=\"placement\"", "outcome=\"ok\""];
    wait_for(edge.metrics_address(), "drawbridge_phase_duration_seconds_count", &placed, |count| {
        count >= 1.0
    });
    // By the time that others are answered it has been offered.
    let others = || drop(ping(edge.address(), VERSION, "localhost").unwrap());
    others();
    clock.runs_ahead(ALMOST);
    others();
    let ends = |within| eventually(within, || login.is_finished().then_some(()));
    assert!(ends(Duration::from_secs(1)).is_none(), "{:#?}", login.join());
    clock.runs_ahead(PACKS);
    others();
    assert!(ends(PATIENCE).is_some(), "it is still waited for");
    let visit = login.join().unwrap();
    assert!(visit.kicked().starts_with("Joining took too long."), "{}", visit.kicked());
}
