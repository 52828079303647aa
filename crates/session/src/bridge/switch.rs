//! From one backend to the next, while the client stays.

use super::standing::{Passage, Standing};
use super::{Client, Session};
use crate::backend::{Asked, Backend, Foreword};
use crate::forge;
use crate::packets;
use drawbridge_protocol::ProtocolVersion;
use drawbridge_protocol::carry::FrameWriter;
use drawbridge_protocol::ids::{Kind, State};
use drawbridge_protocol::packet::RawPacket;
use drawbridge_protocol::packet::login::LoginAcknowledged;
use drawbridge_protocol::packet::play::{
    self, Dimension, InConfiguration, JoinGame, KeepAlive, RemoveResourcePack, StartConfiguration, TitlePart,
};
use std::time::Instant;

impl Session {
    /// The client is with this backend from here on, which has just let the player in. The one before is gone, and what it has said
    /// and the client hasn't been sent with it.
    pub fn take_over(&mut self, backend: Backend) {
        self.leave_backend();
        self.held = None;
        self.backend = Some(backend);
        let now = self.now();
        self.heard = now;
        if !self.version.has_configuration() {
            return self.arrive();
        }
        if self.standing.hears == State::Configuration {
            // Nothing that the client acknowledges stands between what it was asked before and what it will be asked.
            self.standing.raise_fence(self.version, &mut self.client.writer, now);
        }
        self.leave_play();
        if let Some(backend) = &mut self.backend {
            backend.open_to(&self.standing, self.version);
        }
    }

    /// Nothing more is carried to or from the backend.
    pub(super) fn leave_backend(&mut self) {
        let packs = self.backend.take().map(|before| before.packs);
        self.packs.extend(packs.into_iter().flatten());
        self.backend_stuck = None;
        self.standing.awaits_world = false;
        self.standing.has_arrived = false;
        for transition in &mut self.standing.transitions {
            transition.awaited = false;
        }
    }

    /// Leads the client into configuration, if it isn't there, and takes away what would outlast that.
    pub(super) fn leave_play(&mut self) {
        if self.standing.hears == State::Play {
            self.standing.close_bundle(self.version, &mut self.client.writer);
            let client = &mut self.client.writer;
            packets::say(client, |out| play::title(self.version, TitlePart::Reset, out));
            // Each version that has the state has the packet.
            let _ = client.packet(self.version, &StartConfiguration {});
            self.standing.brought_to(Passage::Start, false);
        }
        self.clear_configuration();
    }
}

impl Session {
    /// Up to 763: the client is told of the new world by its Join Game and by Respawn. Nothing acknowledges that, so a keep-alive of the
    /// edge's own stands behind, up to whose answer the client means the old world.
    fn arrive(&mut self) {
        let (version, now) = (self.version, self.now());
        let Self { client: Client { writer: client, .. }, standing, backend, options, .. } = self;
        let Some(Backend { foreword, writer, asked, .. }) = backend else { return };
        let Some(Foreword { before, join, .. }) = foreword.take() else { return };
        standing.close_bundle(version, client);
        if std::mem::take(&mut standing.shaken) {
            forge::reset(version, client);
        }
        let world = join.as_ref().and_then(|join| JoinGame::read(version, join).ok());
        if let Some(world) = &world {
            standing.change_world(world, options.shakes_hands, client);
        }
        for body in before {
            asked.note_keep_alive(version, &body);
            packets::body(&body, client);
        }
        match world {
            Some(_) => standing.fence(version, client, writer, now),
            None => standing.awaits_world = true,
        }
    }

    /// Takes away what of the backend before would outlast configuration.
    fn clear_configuration(&mut self) {
        let client = &mut self.client.writer;
        for pack in self.packs.drain(..) {
            // Who has packs with ids can take them back.
            let _ = client.packet(self.version, &InConfiguration(RemoveResourcePack { id: Some(pack) }));
        }
        packets::say(client, |out| play::clear_server_links(self.version, State::Configuration, out));
        packets::say(client, |out| play::clear_report_details(self.version, State::Configuration, out));
    }
}

impl Standing {
    /// Up to 763: the client goes from one world into another, whatever it is told about the first.
    pub(super) fn change_world(&mut self, join: &JoinGame<'_>, shakes_hands: bool, client: &mut FrameWriter) {
        self.remains.clear(join.version(), client);
        // With Forge the dimension of the Join Game has to be one that the client knows of.
        let dimensions: &[_] = if shakes_hands {
            &[Dimension::Real, Dimension::Other, Dimension::Real]
        } else {
            &[Dimension::Other, Dimension::Real]
        };
        packets::say(client, |out| join.write_join(dimensions[0], out));
        for dimension in &dimensions[1..] {
            packets::say(client, |out| join.write_respawn(*dimension, out));
        }
        self.enter_world(join.entity);
    }

    /// Asks the client for a sign of life, up to which what it says is for whom it was with before.
    fn raise_fence(&mut self, version: ProtocolVersion, client: &mut FrameWriter, now: Instant) {
        let fence = self.ask(version, client, now);
        self.fence = Some(fence);
    }

    /// From the answer to this on what the client says is about the new world.
    pub(super) fn fence(
        &mut self,
        version: ProtocolVersion,
        client: &mut FrameWriter,
        backend: &mut FrameWriter,
        now: Instant,
    ) {
        self.raise_fence(version, client, now);
        introduce(self, State::Play, version, backend);
    }
}

impl Backend {
    /// Whether it has been told that the player goes on with it.
    pub(super) fn is_open(&self) -> bool {
        self.hears != State::Login
    }

    /// Lets it begin, once the client is in configuration and has acknowledged that, and is through with what others asked: tells it what the client has said of itself to those
    /// before.
    pub(super) fn open_to(&mut self, client: &Standing, version: ProtocolVersion) {
        let is_there = client.is_settled() && client.fence.is_none();
        if self.is_open() || client.speaks != State::Configuration || !is_there {
            return;
        }
        // Each version that has the state has the packet.
        let _ = self.writer.packet(version, &LoginAcknowledged {});
        self.hears = State::Configuration;
        introduce(client, self.hears, version, &mut self.writer);
    }
}

impl Asked {
    /// Notes the keep-alive that a packet may be.
    fn note_keep_alive(&mut self, version: ProtocolVersion, body: &[u8]) {
        let asked = RawPacket::parse(body).and_then(|packet| packet.read::<KeepAlive>(version));
        if let Ok(KeepAlive { id }) = asked {
            self.keep_alives.ask(id);
        }
    }
}

/// Tells a backend what the client won't say again.
fn introduce(client: &Standing, hears: State, version: ProtocolVersion, backend: &mut FrameWriter) {
    let said = [(Kind::CustomPayload, &client.brand), (Kind::Settings, &client.settings)];
    for (kind, fields) in said {
        if let Some(fields) = fields {
            packets::to_backend(version, hears, kind, fields, backend);
        }
    }
}
