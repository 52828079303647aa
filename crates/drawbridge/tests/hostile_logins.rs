//! Logins that aren't meant well, and session servers in trouble. Throughout each the edge serves others within 100 ms, lets
//! nobody in, and however often it is repeated, the edge doesn't grow.

#![allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]

mod support;

use drawbridge_protocol::ids::{Kind, State};
use drawbridge_protocol::packet::configuration::{
    AddResourcePack, ClientInformation, KeepAliveResponse, PackResult, ResourcePackResponse, Transfer,
};
use drawbridge_protocol::packet::login::{
    CookieRequest, CookieResponse, EncryptionRequest, LoginAcknowledged, LoginSuccess, TokenProof,
};
use drawbridge_testkit::{
    Account, Backend, Connection, Deviation, Edge, Jar, Mode, Outcome, Player, SessionServer, eventually,
    sees,
};
use serde_json::json;
use std::time::Duration;
use support::attack::{
    TIMES, VERSION, answer, body, house, logged_in, plugin_message, survives, survives_waves, target,
};
use support::{COOKIES, HUB, lobby};

/// A pack, whose answer keeps a client in configuration.
const PACK: &str = "[routes.transfer]\nresource_packs = [{ url = \"http://127.0.0.1:1/p.zip\", \
    sha1 = \"0000000000000000000000000000000000000000\" }]\n";

/// Joins with a deviation, which must end the login before anybody is anybody.
#[track_caller]
fn assert_refused(edge: &Edge, account: &Account, deviation: &Deviation) {
    let visit = Player::with_account(account, 767).but(deviation.clone()).join(edge.address());
    assert!(!matches!(visit.outcome, Outcome::Transfer { .. }), "{deviation:?}");
    assert!(visit.profile().is_none(), "{deviation:?}: {visit:#?}");
}

#[test]
fn a_shared_secret_of_another_length() {
    let (edge, session) = house();
    let alice = session.account("Alice");
    survives(&edge, &[17, 0, 1, 15, 32, 100].map(Deviation::SecretOf), |deviation| {
        assert_refused(&edge, &alice, deviation);
    });
    assert_eq!(session.asked(), 0, "nobody is asked about who can't encrypt");
    edge.wait_for_refusal("encryption");
}

#[test]
fn a_wrong_verify_token_or_garbage_for_either() {
    let (edge, session) = house();
    let alice = session.account("Alice");
    let lengths = [0, 1, 127, 128, 129, 512];
    let others = [Deviation::WrongToken, Deviation::NoEncryption, Deviation::EarlyAcknowledgement];
    let secrets = lengths.map(Deviation::GarbledSecret);
    let tokens = lengths.map(Deviation::GarbledToken);
    survives(&edge, &[&others[..], &secrets, &tokens].concat(), |deviation| {
        assert_refused(&edge, &alice, deviation);
    });
    assert_eq!(session.asked(), 0);
}

/// A refusal after the Encryption Request can be read only in plain sight: the client and the edge share no secret.
#[test]
fn who_fails_to_encrypt_is_told_nothing_that_differs() {
    let (edge, session) = house();
    let alice = session.account("Alice");
    let deviations = [
        Deviation::WrongToken,
        Deviation::SecretOf(17),
        Deviation::SecretOf(15),
        Deviation::GarbledSecret(128),
        Deviation::GarbledToken(128),
    ];
    let mut told = None;
    survives(&edge, &deviations, |deviation| {
        let mut connection = Player::with_account(&alice, 767).knock(edge.address()).unwrap();
        let request: EncryptionRequest = connection.receive().unwrap().read().unwrap();
        let mut response = match deviation {
            Deviation::WrongToken => answer(&request, &[1; 16], &[9; 16]),
            Deviation::SecretOf(length) => answer(&request, &vec![1; *length], &request.verify_token),
            _ => answer(&request, &[1; 16], &request.verify_token),
        };
        match deviation {
            Deviation::GarbledSecret(length) => response.shared_secret = vec![0x5a; *length],
            Deviation::GarbledToken(length) => response.token = TokenProof::Encrypted(vec![0x5a; *length]),
            _ => {}
        }
        connection.send(&response).unwrap();
        let rest = connection.rest().unwrap();
        assert!(!rest.is_empty(), "{deviation:?}");
        assert_eq!(told.get_or_insert_with(|| rest.clone()), &rest, "{deviation:?}");
    });
    edge.wait_for_refusal("encryption");
}

#[test]
fn names_that_are_more_than_names() {
    let (edge, session) = house();
    let victim = session.account("Victim");
    victim.join([127, 0, 0, 1].into(), "1f").unwrap();
    let names = [
        "",
        "a b",
        "A&x=1",
        "A#",
        "\"A\"",
        "'A'",
        "A\0",
        "A\n",
        "\u{1b}[2J",
        "Ünal",
        "名前",
        "A/../B",
        "§cA",
        "A%00",
        "*",
    ];
    survives(&edge, &names, |name| {
        let visit = Player::with_account(&victim, 767).claims(name).join(edge.address());
        let shown: String = name.chars().filter(|&c| !c.is_control() && c != '§').collect();
        let told = format!("The name {shown} can't be used on this server.");
        assert!(visit.kicked().starts_with(&told), "{name:?}: {}", visit.kicked());
    });
    assert_eq!(session.asked(), 0, "a name is checked before anybody is asked about it");
}

/// Where a route takes other names, they still can't be more than a name to the session server.
#[test]
fn a_name_is_encoded_whatever_a_route_takes() {
    sees!("routes[].names");
    let session = SessionServer::start().unwrap();
    let route = support::route(
        "lobby",
        &format!("names = \".*\"\n[routes.authentication]\nurl = \"{}\"\n", session.url()),
    );
    let edge = target(route).start();
    let victim = session.account("Victim");
    survives(&edge, &["V&serverId=1f#", "V?a=b", "V%26", "V+ \"'", "Vü§\0\n"], |name| {
        let visit = Player::with_account(&victim, 767).claims(name).join(edge.address());
        assert!(
            visit.kicked().starts_with("Your account couldn't be verified."),
            "{name:?}: {}",
            visit.kicked()
        );
        let asked = session.last_asked().unwrap();
        assert_eq!(asked.parameter("username"), Some(*name));
        assert_eq!(asked.query.len(), 2, "{}", asked.target);
        assert_ne!(asked.parameter("serverId"), Some("1f"));
    });
}

/// A second packet while the edge waits for the session server: a client has nothing to say then.
#[test]
fn who_talks_out_of_turn_is_dropped() {
    let (edge, session) = house();
    let alice = session.account("Alice");
    session.mode(Mode::Silent);
    survives(&edge, &[()], |()| {
        let mut connection = Player::with_account(&alice, 767).knock(edge.address()).unwrap();
        let request: EncryptionRequest = connection.receive().unwrap().read().unwrap();
        connection.send(&answer(&request, &[1; 16], &request.verify_token)).unwrap();
        connection.encrypt(&[1; 16]);
        connection.send(&LoginAcknowledged {}).unwrap();
        connection.within(Duration::from_secs(3)).closed().unwrap();
    });
    edge.wait_for_refusal("malformed");
}

#[test]
fn floods_in_configuration() {
    // Enough to see that more would not be taken either: each flood is a login and all these packets.
    const FLOODS: usize = 120;
    let session = SessionServer::start().unwrap();
    let alice = session.account("Alice");
    let edge = target(lobby(&session) + PACK).start();
    survives_waves(&edge, FLOODS, || {
        for _ in 0..FLOODS {
            let mut connection = logged_in(&edge, &alice);
            // Refused before all of it is sent.
            for _ in 0..400 {
                if connection.send_id(0x02, |out| out.string("minecraft:brand")).is_err() {
                    break;
                }
            }
            connection.within(Duration::from_secs(5)).closed().unwrap();
        }
    });
    edge.wait_for_refusal("malformed");
}

#[test]
fn a_session_server_that_says_no() {
    let (edge, session) = house();
    let alice = session.account("Alice");
    session.mode(Mode::Denies);
    survives(&edge, &[()], |()| {
        let visit = Player::with_account(&alice, 767).join(edge.address());
        assert!(visit.kicked().starts_with("Your account couldn't be verified."), "{}", visit.kicked());
        assert!(visit.profile().is_none());
    });
    edge.wait_for_refusal("authentication");
}

/// What a player reads while nobody can be asked.
const UNAVAILABLE: &str = "The authentication servers can't be reached right now.";

/// Joins while the session server is in trouble, which nobody may get out of.
fn assert_unavailable(edge: &Edge, account: &Account, mode: &Mode) {
    let visit = Player::with_account(account, 767).join(edge.address());
    assert!(visit.kicked().starts_with(UNAVAILABLE), "{mode:?}: {}", visit.kicked());
    assert!(visit.profile().is_none(), "{mode:?}");
    assert!(visit.took < Duration::from_secs(4), "{mode:?} took {:?}", visit.took);
}

/// Joins while the session server answers in these ways in turn. After two failures it answers once as it should, since it
/// isn't asked any more after three.
fn survives_session_server(modes: &[Mode]) {
    let (edge, session) = house();
    let alice = session.account("Alice");
    let modes: Vec<Mode> =
        modes.chunks(2).flat_map(|two| two.iter().cloned().chain([Mode::Honest])).collect();
    let mut joined = 0;
    survives(&edge, &modes, |mode| {
        session.mode(mode.clone());
        joined += 1;
        match mode {
            Mode::Honest => {
                assert_eq!(Player::with_account(&alice, 767).join(edge.address()).transferred(), HUB);
            }
            trouble => assert_unavailable(&edge, &alice, trouble),
        }
    });
    assert!(session.asked() >= joined, "asked {} times for {joined} players", session.asked());
    edge.wait_for_refusal("authentication_unavailable");
}

#[test]
fn a_session_server_that_fails_lets_nobody_in() {
    survives_session_server(&[500, 503, 302, 404].map(Mode::Fails));
}

#[test]
fn a_session_server_that_answers_garbage_lets_nobody_in() {
    let someone_else =
        json!({ "id": "00000000000000000000000000000001", "name": "Mallory", "properties": [] });
    survives_session_server(&[
        Mode::Garbage,
        Mode::Says(b"not JSON".to_vec()),
        Mode::Says(b"{}".to_vec()),
        Mode::Says(b"null".to_vec()),
        Mode::Says(vec![b'['; 4096]),
        Mode::Says(vec![b' '; 1 << 20]),
        Mode::Vouches(someone_else),
        Mode::Closes(1000),
    ]);
}

/// It isn't asked by most of these: it has said that it is asked too much.
#[test]
fn a_session_server_that_is_asked_too_much_lets_nobody_in() {
    let (edge, session) = house();
    let alice = session.account("Alice");
    survives(&edge, &[Mode::Busy(None), Mode::Busy(Some(3600))], |mode| {
        session.mode(mode.clone());
        assert_unavailable(&edge, &alice, mode);
    });
    assert!((1..20).contains(&session.asked()), "asked {} times", session.asked());
    edge.wait_for_refusal("authentication_unavailable");
}

#[test]
fn a_session_server_that_says_nothing_lets_nobody_in() {
    sees!("routes[].authentication(mojang).timeout");
    // Each of these takes its time. After two it has to answer again, since it isn't asked any more after three.
    const ROUNDS: usize = 40;
    let session = SessionServer::start().unwrap();
    let edge = target(lobby(&session) + "timeout = \"30ms\"\n").start();
    let alice = session.account("Alice");
    survives_waves(&edge, ROUNDS * 3, || {
        for _ in 0..ROUNDS {
            let asked = session.asked();
            session.mode(Mode::Silent);
            assert_unavailable(&edge, &alice, &Mode::Silent);
            assert_unavailable(&edge, &alice, &Mode::Silent);
            assert_eq!(session.asked(), asked + 2);
            session.mode(Mode::Honest);
            // On a busy machine an answer may come too late too.
            let well_again = eventually(Duration::from_secs(10), || {
                let visit = Player::with_account(&alice, 767).join(edge.address());
                matches!(visit.outcome, Outcome::Transfer { .. }).then_some(())
            });
            assert!(well_again.is_some());
        }
    });
    edge.wait_for_refusal("authentication_unavailable");
}

#[test]
fn a_session_server_that_is_not_there_lets_nobody_in() {
    let nobody = Backend::nobody().unwrap();
    let route = support::route("lobby", &format!("[routes.authentication]\nurl = \"http://{nobody}\"\n"));
    let edge = target(route).start();
    survives(&edge, &[()], |()| {
        let visit = Player::new("Alice", 767).join(edge.address());
        assert!(visit.kicked().starts_with(UNAVAILABLE), "{}", visit.kicked());
        assert!(visit.profile().is_none());
    });
}

#[test]
fn a_session_server_that_recovers_is_asked_again() {
    let (edge, session) = house();
    let alice = session.account("Alice");
    session.mode(Mode::Closes(1));
    let visit = Player::with_account(&alice, 767).join(edge.address());
    assert_eq!(visit.transferred(), HUB, "one retry on a connection error");
    assert_eq!(session.asked(), 2);

    session.mode(Mode::Fails(500));
    assert!(Player::with_account(&alice, 767).join(edge.address()).kicked().starts_with(UNAVAILABLE));
    assert_eq!(session.asked(), 3, "no retry on an answer");
    session.mode(Mode::Honest);
    let recovered = eventually(Duration::from_secs(40), || {
        let visit = Player::with_account(&alice, 767).join(edge.address());
        matches!(visit.outcome, Outcome::Transfer { .. }).then_some(())
    });
    assert!(recovered.is_some());
}

/// Half a login each, at every step: none of them may stay.
#[test]
fn clients_that_leave_at_every_step() {
    let (edge, session) = house();
    let alice = session.account("Alice");
    let before = edge.descriptors();
    survives(&edge, &[Kind::EncryptionBegin, Kind::Success, Kind::Transfer], |kind| {
        let visit = Player::with_account(&alice, 767).but(Deviation::LeavesAt(*kind)).join(edge.address());
        assert!(matches!(visit.outcome, Outcome::Left), "{kind:?}: {visit:#?}");
    });
    // The edge keeps a few connections to the session server.
    let gone = eventually(Duration::from_secs(10), || (edge.descriptors() <= before + 8).then_some(()));
    assert!(gone.is_some(), "{} descriptors, {before} before", edge.descriptors());
}

/// Where the edge waits for a packet of a returning player, in order; the last three all in configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    Hint,
    Encryption,
    Cookie,
    Acknowledgement,
    Information,
    KeepAlive,
    Pack,
}

const STEPS: [Step; 7] = [
    Step::Hint,
    Step::Encryption,
    Step::Cookie,
    Step::Acknowledgement,
    Step::Information,
    Step::KeepAlive,
    Step::Pack,
];

/// An edge with cookies and a pack, and a player who has been there: everything that the edge ever waits for.
struct Returning {
    edge: Edge,
    session: SessionServer,
    alice: Account,
    jar: Jar,
}

impl Returning {
    fn new() -> Self {
        let session = SessionServer::start().unwrap();
        let edge = target(format!("{COOKIES}{}{PACK}", lobby(&session))).start();
        let alice = session.account("Alice");
        let jar = Player::with_account(&alice, VERSION).join(edge.address()).jar;
        Self { edge, session, alice, jar }
    }

    /// Goes as far as this step. Gives the connection, and the body of the packet that the edge waits for then.
    fn up_to(&self, step: Step) -> (Connection, Vec<u8>) {
        let player = Player::with_account(&self.alice, VERSION).sent_on(&self.jar);
        let mut connection = player.knock(self.edge.address()).unwrap();
        let cookie = |connection: &mut Connection| {
            let CookieRequest { key } = connection.receive().unwrap().read().unwrap();
            let payload = self.jar.get(&key).cloned();
            body(&CookieResponse { key, payload })
        };
        let send = |connection: &mut Connection, body: &[u8]| {
            let bytes = connection.frame(body).unwrap();
            connection.raw(&bytes).unwrap();
        };
        let hint = cookie(&mut connection);
        if step == Step::Hint {
            return (connection, hint);
        }
        send(&mut connection, &hint);
        let request: EncryptionRequest = connection.receive().unwrap().read().unwrap();
        let response = body(&answer(&request, &[1; 16], &request.verify_token));
        if step == Step::Encryption {
            return (connection, response);
        }
        send(&mut connection, &response);
        connection.encrypt(&[1; 16]);
        let proof = cookie(&mut connection);
        if step == Step::Cookie {
            return (connection, proof);
        }
        send(&mut connection, &proof);
        connection.receive().unwrap().read::<LoginSuccess>().unwrap();
        let acknowledged = body(&LoginAcknowledged {});
        if step == Step::Acknowledgement {
            return (connection, acknowledged);
        }
        send(&mut connection, &acknowledged);
        connection.enter(State::Configuration);
        let AddResourcePack { id, .. } = connection.receive().unwrap().read().unwrap();
        let last = match step {
            Step::Information => body(&ClientInformation { locale: "en_us".to_owned() }),
            Step::KeepAlive => body(&KeepAliveResponse { id: 1 }),
            _ => body(&ResourcePackResponse { id, result: PackResult::Loaded }),
        };
        (connection, last)
    }
}

/// How a packet is cut.
#[derive(Debug, Clone, Copy)]
enum Cut {
    /// Its frame is whole, and says how short it is.
    Inside,
    /// The client says that nothing more comes.
    Finish,
    /// The client resets the connection.
    Reset,
}

/// Where to cut so many bytes: everywhere near both ends, and here and there between.
fn places(length: usize) -> impl Iterator<Item = usize> {
    (0..length).filter(move |&place| place < 8 || place + 4 >= length || place % (length / 16).max(1) == 0)
}

/// Each packet behind Login Start, cut off: what comes before it stands in `hostile.rs`.
#[test]
fn everything_behind_login_start_cut_off() {
    let returning = Returning::new();
    let ways: Vec<_> = STEPS
        .into_iter()
        .flat_map(|step| {
            let length = returning.up_to(step).1.len();
            // A byte too many is no better.
            let inside = places(length).chain([length + 1]).map(|place| (Cut::Inside, place));
            let ends = places(length + 1).flat_map(|place| [(Cut::Finish, place), (Cut::Reset, place)]);
            inside.chain(ends).map(move |(cut, place)| (step, cut, place)).collect::<Vec<_>>()
        })
        .collect();
    assert!(ways.len() <= 2 * TIMES, "not all are sent: {}", ways.len());
    survives(&returning.edge, &ways, |&(step, cut, place)| {
        let (mut connection, mut body) = returning.up_to(step);
        if let Cut::Inside = cut {
            body.resize(place, 0);
        }
        let mut bytes = connection.frame(&body).unwrap();
        if let Cut::Finish | Cut::Reset = cut {
            bytes.truncate(place);
        }
        connection.raw(&bytes).unwrap();
        match cut {
            Cut::Inside => {}
            Cut::Finish => connection.finish().unwrap(),
            Cut::Reset => return connection.reset().unwrap(),
        }
        let closed = connection.within(Duration::from_secs(3)).closed();
        closed.unwrap_or_else(|trouble| panic!("{trouble}: {step:?} {cut:?} at {place}"));
    });
    assert_eq!(returning.session.asked(), 1, "the first time, when all was well");
    let handed_over =
        returning.edge.log().iter().filter(|line| line.message() == Some("handed over")).count();
    assert_eq!(handed_over, 1);
    returning.edge.wait_for_refusal("malformed");
}

/// The cipher doesn't notice a change; it spoils what stands there and the sixteen bytes behind it. What then isn't the protocol ends the login,
/// and nobody becomes anybody by it.
#[test]
fn enciphered_packets_that_were_changed_on_the_way() {
    let returning = Returning::new();
    let enciphered = STEPS.into_iter().filter(|step| *step >= Step::Cookie);
    let ways: Vec<_> = enciphered
        .flat_map(|step| {
            let (mut connection, body) = returning.up_to(step);
            let length = connection.frame(&body).unwrap().len();
            places(length).flat_map(move |place| [1, 0x80].map(|bit| (step, place, bit)))
        })
        .collect();
    assert!(ways.len() <= 2 * TIMES, "not all are sent: {}", ways.len());
    survives(&returning.edge, &ways, |&(step, place, bit)| {
        let (mut connection, body) = returning.up_to(step);
        let mut bytes = connection.frame(&body).unwrap();
        bytes[place] ^= bit;
        connection.raw(&bytes).unwrap();
        connection.finish().unwrap();
        let connection = connection.within(Duration::from_secs(3));
        while let Ok(told) = connection.receive() {
            assert!(step > Step::Cookie || told.kind() == Some(Kind::Disconnect), "{told:?}: {place} {bit}");
        }
        let end = connection.closed();
        end.unwrap_or_else(|trouble| panic!("{trouble}: {step:?}, bits {bit:#x} at {place}"));
    });
    assert_eq!(returning.session.asked(), 1, "the first time, when all was well");
    returning.edge.wait_for_refusal("cookie");
    returning.edge.wait_for_refusal("malformed");
}

/// Who is identified may send long plugin messages, as vanilla servers let them; nobody else.
#[test]
fn how_long_a_packet_may_be_depends_on_whose_it_is() {
    let returning = Returning::new();
    let send = |connection: &mut Connection, body: &[u8]| {
        let bytes = connection.frame(body).unwrap();
        connection.raw(&bytes).unwrap();
    };
    for length in [20_000, 36_764] {
        let (mut connection, pack) = returning.up_to(Step::Pack);
        send(&mut connection, &plugin_message(length));
        send(&mut connection, &pack);
        let transferred = std::iter::repeat_with(|| connection.receive().unwrap())
            .find_map(|packet| packet.read::<Transfer>().ok());
        assert_eq!(transferred.unwrap().host, HUB.0, "{length} bytes");
    }
    for (step, length) in
        [(Step::Pack, 40_000), (Step::Hint, 9 * 1024), (Step::Encryption, 9 * 1024), (Step::Cookie, 9 * 1024)]
    {
        let (mut connection, _) = returning.up_to(step);
        // The length alone is enough: what is taken would be waited for.
        let bytes = connection.frame(&plugin_message(length)).unwrap();
        connection.raw(&bytes[..100]).unwrap();
        let closed = connection.within(Duration::from_secs(3)).closed();
        closed.unwrap_or_else(|trouble| panic!("{trouble}: {length} bytes at {step:?}"));
    }
    returning.edge.wait_for_refusal("malformed");
}

/// Which most of what `how_long_a_packet_may_be_depends_on_whose_it_is` lets them say is kept for.
#[test]
fn who_is_identified_and_says_half_a_packet_takes_so_much_memory_and_no_more() {
    const MANY: u64 = 60;
    const EACH: u64 = 80 << 10;
    let returning = Returning::new();
    let waits = || {
        let (mut connection, _) = returning.up_to(Step::Pack);
        let message = connection.frame(&plugin_message(36_000)).unwrap();
        connection.raw(&message[..message.len() - 1]).unwrap();
        connection
    };
    drop(waits());
    let before = returning.edge.memory().rss;
    let flood: Vec<_> = (0..MANY).map(|_| waits()).collect();
    let grown = || returning.edge.memory().rss.saturating_sub(before);
    let taken = eventually(Duration::from_secs(10), || (grown() > MANY * 36_000).then_some(()));
    assert!(taken.is_some(), "{} bytes are kept", grown());
    assert!(grown() < MANY * EACH, "{} bytes each", grown() / MANY);
    drop(flood);
}
