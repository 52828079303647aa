//! The configuration state, from Login Acknowledged until the server is done with the player.

use super::fault::Fault;
use super::peer::{Deadline, Peer, Received};
use super::report::Passed;
use super::words;
use drawbridge_protocol::ProtocolVersion;
use drawbridge_protocol::ids::{Kind, State};
use drawbridge_protocol::packet::configuration::{
    AddResourcePack, ClientInformation, Disconnect, KeepAlive, KeepAliveResponse, PackResult,
    ResourcePackResponse, StoreCookie, Transfer,
};
use drawbridge_protocol::packet::login::LoginAcknowledged;
use std::time::Duration;

/// The most identifiers of cookies that are remembered.
const MOST_COOKIES: usize = 16;

/// What ended the state.
pub(super) enum End {
    /// The player is handed over.
    Transfer(Transfer),
    /// Finish Configuration: the player would be in the world.
    World,
}

/// What the server did before the end.
#[derive(Default)]
struct Stay {
    keep_alives: usize,
    cookies_asked: usize,
    cookies_stored: Vec<String>,
    packs: usize,
    conduct: bool,
}

/// Goes through the state as a client does that has no cookies and knows no packs, and stops where it would leave it.
pub(super) async fn run(mut peer: Peer, timeout: Duration) -> Result<(Passed, End), Fault> {
    let deadline = Deadline::after(timeout);
    peer.say(&LoginAcknowledged {});
    peer.enter(State::Configuration);
    peer.say_fields(Kind::CustomPayload, |out| {
        out.string("minecraft:brand");
        out.string("vanilla");
    });
    peer.say(&ClientInformation { locale: "en_us".into() });
    let mut stay = Stay::default();
    loop {
        peer.flush(deadline).await?;
        let received = peer.hear(deadline).await?;
        if let Some(end) = step(&mut peer, &mut stay, &received)? {
            return Ok((stay.told(&end), end));
        }
    }
}

/// Answers one packet, or tells that it is the end. What needs no answer, such as registries, and what isn't known is
/// passed over.
fn step(peer: &mut Peer, stay: &mut Stay, received: &Received) -> Result<Option<End>, Fault> {
    let Some(kind) = received.kind else { return Ok(None) };
    match kind {
        Kind::Transfer => return Ok(Some(End::Transfer(received.read()?))),
        Kind::FinishConfiguration => return Ok(Some(End::World)),
        Kind::Disconnect => return Err(kicked(peer.version(), received)?),
        Kind::KeepAlive => {
            let KeepAlive { id } = received.read()?;
            peer.say(&KeepAliveResponse { id });
            stay.keep_alives += 1;
        }
        Kind::Ping => {
            let id = received.read_with(|fields| fields.bytes("id", 4).map(<[u8]>::to_vec))?;
            peer.say_fields(Kind::Pong, |out| out.bytes(&id));
        }
        Kind::CookieRequest => {
            let key = received.read_with(|fields| Ok(fields.string("cookie", 32_767)?.to_owned()))?;
            peer.say_no_cookie(&key);
            stay.cookies_asked += 1;
        }
        Kind::StoreCookie => {
            let StoreCookie { key, .. } = received.read()?;
            if stay.cookies_stored.len() < MOST_COOKIES {
                stay.cookies_stored.push(key);
            }
        }
        Kind::SelectKnownPacks => peer.say_fields(Kind::SelectKnownPacks, |out| out.length(0)),
        Kind::AddResourcePack | Kind::ResourcePackSend => {
            pretend_to_load(peer, received)?;
            stay.packs += 1;
        }
        Kind::CodeOfConduct => {
            peer.say_fields(Kind::AcceptCodeOfConduct, |_| ());
            stay.conduct = true;
        }
        _ => {}
    }
    Ok(None)
}

/// Says of a resource pack what a client says that loads it: a server that insists on it would kick otherwise. Packs
/// have no UUID in 764.
fn pretend_to_load(peer: &mut Peer, received: &Received) -> Result<(), Fault> {
    if received.kind == Some(Kind::ResourcePackSend) {
        for result in [PackResult::Accepted, PackResult::Loaded] {
            peer.say_fields(Kind::ResourcePackReceive, |out| out.varint(result as i32));
        }
        return Ok(());
    }
    let AddResourcePack { id, .. } = received.read()?;
    for result in [PackResult::Accepted, PackResult::Downloaded, PackResult::Loaded] {
        peer.say(&ResourcePackResponse { id, result });
    }
    Ok(())
}

/// A kick's text, which is JSON in 764 still.
fn kicked(version: ProtocolVersion, received: &Received) -> Result<Fault, Fault> {
    let text = if version.has_nbt_text() {
        words::plain(&received.read::<Disconnect>()?.reason)
    } else {
        words::of_json(&received.read_with(|fields| Ok(fields.string("reason", 262_144)?.to_owned()))?)
    };
    Ok(Fault::Kicked { text, joined_as: version, status_says: None })
}

impl Stay {
    fn told(&self, end: &End) -> Passed {
        let mut details = vec![match end {
            End::Transfer(_) => "handed over".to_owned(),
            End::World => "finished: the player would be in the world now".to_owned(),
        }];
        let mut count = |count: usize, one: &str, many: &str| match count {
            0 => {}
            1 => details.push(format!("1 {one}")),
            _ => details.push(format!("{count} {many}")),
        };
        count(self.keep_alives, "keep-alive", "keep-alives");
        count(self.cookies_asked, "cookie asked for", "cookies asked for");
        count(self.cookies_stored.len(), "cookie stored", "cookies stored");
        count(self.packs, "resource pack", "resource packs");
        let passed = Passed::new(details.join(", "))
            .with("end", if matches!(end, End::World) { "world" } else { "transfer" })
            .with("keep_alives", self.keep_alives)
            .with("cookies_asked", self.cookies_asked)
            .with("cookies_stored", self.cookies_stored.clone())
            .with("resource_packs", self.packs);
        self.confessed(passed)
    }

    /// What was said that isn't true of a real client.
    fn confessed(&self, mut passed: Passed) -> Passed {
        if self.packs > 0 {
            passed = passed.warn(
                "resource packs were said to be loaded, but not downloaded: whether their URLs work isn't known.",
            );
        }
        if self.conduct {
            passed = passed.warn("the server's code of conduct was accepted unread; players are asked.");
        }
        passed
    }
}
