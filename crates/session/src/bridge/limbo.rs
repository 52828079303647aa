//! A client that no backend has, held in a limbo: a world that the edge plays to it.

use super::Session;
use super::standing::Passage;
use crate::packets;
use drawbridge_limbo::{Arrival, Origin, World, WorldName};
use drawbridge_protocol::ids::{Direction, State};
use drawbridge_protocol::packet::configuration::FinishConfiguration;
use drawbridge_protocol::packet::play::{
    self, BarColor, BarDivision, BossBar, CustomPayload, Surface, TitlePart,
};
use drawbridge_protocol::text::Component;
use uuid::Uuid;

/// The client's own entity. Ids begin at 1 on servers.
const ENTITY: i32 = 1;

/// What the world says it is run by.
const BRAND: &[u8] = b"\x0aDrawbridge";

/// The boss bar over a player who waits.
const BAR: Uuid = Uuid::from_u128(0x6472_6177_6272_6964_6765_0000_0000_0001);

/// How far the client is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// It isn't in configuration yet, or hasn't said so.
    Coming,
    /// It has been told of the world, and hasn't said that it knows all.
    Told,
    /// It stands there.
    There,
}

/// The limbo that a client is in, or on the way to.
#[derive(Debug)]
pub(super) struct Held {
    world: &'static World,
    name: WorldName,
    stage: Stage,
    /// What the client waits for has been shown to it.
    announced: bool,
}

impl Session {
    /// The client is in this limbo from here on, which is its version's; the backend before is gone.
    pub fn hold(&mut self, world: &'static World, name: WorldName) {
        self.leave_backend();
        self.standing.close_bundle(self.version, &mut self.client.writer);
        self.held = Some(Held { world, name, stage: Stage::Coming, announced: false });
        if self.version.has_configuration() {
            self.leave_play();
        }
        self.play_limbo();
    }

    /// Goes on with bringing the client there, as far as it has acknowledged.
    pub(super) fn play_limbo(&mut self) {
        let Some(Held { world, name, stage, .. }) = &mut self.held else { return };
        let (version, client, standing) = (self.version, &mut self.client.writer, &mut self.standing);
        let settled = standing.is_settled();
        if *stage == Stage::Coming
            && version.has_configuration()
            && settled
            && standing.speaks == State::Configuration
        {
            world.configuration().for_each(|body| packets::body(body, client));
            // Each version that has the state has the packet.
            let _ = client.packet(version, &FinishConfiguration {});
            standing.brought_to(Passage::Finish, false);
            *stage = Stage::Told;
            return;
        }
        let told = *stage == Stage::Told || (*stage == Stage::Coming && !version.has_configuration());
        if !told || !settled || standing.speaks != State::Play {
            return;
        }
        *stage = Stage::There;
        standing.remains.clear(version, client);
        let coming_from = if standing.has_been_somewhere { Origin::Server } else { Origin::Login };
        for body in world.arrival(Arrival { entity_id: ENTITY, world: name, coming_from }) {
            packets::say(client, |out| {
                body.write(out);
                true
            });
        }
        standing.enter_world(ENTITY);
        // Before 1.8 the length stands in front of every payload, and not in this one again.
        let data = if version.has_short_arrays() { &BRAND[1..] } else { BRAND };
        let brand = CustomPayload { channel: packets::brand_channel(version), data };
        packets::say(client, |out| brand.write(version, State::Play, Direction::Clientbound, out));
        standing.commands.declare(version, client);
        standing.say(version, client);
    }

    /// Tells a player who stands in a limbo of the edge's commands anew.
    pub(super) fn declare_in_limbo(&mut self) {
        if self.is_there() {
            self.standing.commands.declare(self.version, &mut self.client.writer);
        }
    }

    fn is_there(&self) -> bool {
        self.held.as_ref().is_some_and(|held| held.stage == Stage::There)
    }

    /// Shows a player who stands in a limbo what they wait for: over the hotbar, and the first time also as a title, and in a bar at the top since
    /// 1.9.
    pub fn show_waiting(&mut self, words: &Component) {
        let Some(held) = self.held.as_mut().filter(|held| held.stage == Stage::There) else { return };
        let first = !std::mem::replace(&mut held.announced, true);
        let (version, client) = (self.version, &mut self.client.writer);
        packets::say(client, |out| play::message(version, words, Surface::ActionBar, out));
        if first {
            packets::say(client, |out| play::title(version, TitlePart::Subtitle(words), out));
            packets::say(client, |out| play::title(version, TitlePart::Text(&Component::text("")), out));
            let bar = BossBar {
                id: BAR,
                title: words,
                health: 1.0,
                color: BarColor::White,
                division: BarDivision::None,
            };
            packets::say(client, |out| bar.add(version, out));
            self.standing.note_bar(version, BAR);
        }
    }
}
