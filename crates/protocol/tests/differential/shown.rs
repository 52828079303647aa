//! What the edge says without a type of its own, with random values: texts, bars and lists, and what takes them away.

use crate::node::hex;
use crate::random::Random;
use crate::seen::seen;
use crate::trial::Trial;
use crate::words::pack_result;
use drawbridge_protocol::ProtocolVersion;
use drawbridge_protocol::ids::{Direction, Kind, State};
use drawbridge_protocol::packet::play::{
    self, BarColor, BarDivision, BossBar, Completion, CustomPayload, Surface, TitlePart,
};
use drawbridge_protocol::text::Component;
use serde_json::{Value, json};

/// What is said: the packet's name and values, if the version has it.
type Said = Option<(Kind, Value)>;

/// Says one of each in a version, for node-minecraft-protocol to read.
pub(crate) fn say(version: ProtocolVersion, round: usize, trial: &mut Trial) {
    let mut random = trial.random(&format!("shown {} {round}", version.number()));
    let mut saying = Saying { version, trial };
    saying.messages(&mut random);
    saying.titles(&mut random);
    saying.bars(&mut random);
    saying.removals(&mut random);
    saying.lists(&mut random);
    saying.both_ways(&mut random);
}

struct Saying<'a> {
    version: ProtocolVersion,
    trial: &'a mut Trial,
}

impl Saying<'_> {
    /// What `write` says is read as the packet and its values, or isn't said.
    fn says(&mut self, said: Said, write: impl FnOnce(ProtocolVersion, &mut Vec<u8>) -> bool) {
        self.says_in((State::Play, Direction::Clientbound), said, write);
    }

    fn says_in(
        &mut self,
        (state, direction): (State, Direction),
        said: Said,
        write: impl FnOnce(ProtocolVersion, &mut Vec<u8>) -> bool,
    ) {
        let mut body = Vec::new();
        let has = write(self.version, &mut body);
        let kind = said.as_ref().map(|(kind, _)| *kind);
        assert_eq!(has, kind.is_some(), "{kind:?} in {}", self.version.number());
        if let Some((kind, values)) = said {
            self.trial.ask((self.version, state, direction, kind), body, values, &[]);
        }
    }

    fn since(&self, first: ProtocolVersion) -> bool {
        self.version >= first
    }

    fn messages(&mut self, random: &mut Random) {
        let text = random.component();
        let words = seen(&text);
        for (place, is_bar) in [(Surface::Chat, false), (Surface::ActionBar, true)] {
            let said = if self.since(ProtocolVersion::V1_19_1) {
                Some((Kind::SystemChat, json!({ "content": words, "isActionBar": is_bar })))
            } else if self.since(ProtocolVersion::V1_19) {
                Some((Kind::SystemChat, json!({ "content": words, "type": if is_bar { 2 } else { 1 } })))
            } else if !is_bar {
                let position = self.since(ProtocolVersion::V1_8).then_some(1);
                let sender =
                    self.since(ProtocolVersion::V1_16).then_some("00000000-0000-0000-0000-000000000000");
                Some((Kind::Chat, json!({ "message": words, "position": position, "sender": sender })))
            } else if self.since(ProtocolVersion::V1_17) {
                Some((Kind::ActionBar, json!({ "text": words })))
            } else if self.since(ProtocolVersion::V1_11) {
                Some((Kind::Title, json!({ "action": 2, "text": words })))
            } else {
                // With codes: as one text without a style.
                let codes = seen(&Component::text(text.to_legacy()));
                let bar = json!({ "message": codes, "position": 2 });
                self.since(ProtocolVersion::V1_8).then_some((Kind::Chat, bar))
            };
            self.says(said, |version, out| play::message(version, &text, place, out));
        }
    }

    fn titles(&mut self, random: &mut Random) {
        let text = random.component();
        let [fade_in, stay, fade_out] = [random.any(), random.any(), random.any::<i32>()];
        let times = json!({ "fadeIn": fade_in, "stay": stay, "fadeOut": fade_out });
        let text_values = json!({ "text": seen(&text) });
        let parts = [
            (TitlePart::Text(&text), Kind::SetTitleText, 0, text_values.clone(), text_values.clone()),
            (TitlePart::Subtitle(&text), Kind::SetTitleSubtitle, 1, text_values.clone(), text_values),
            (TitlePart::Times { fade_in, stay, fade_out }, Kind::SetTitleTime, 2, times.clone(), times),
            (TitlePart::Hide, Kind::ClearTitles, 3, json!({}), json!({ "reset": false })),
            (TitlePart::Reset, Kind::ClearTitles, 4, json!({}), json!({ "reset": true })),
        ];
        for (part, kind, action, mut before, since) in parts {
            let said = if self.since(ProtocolVersion::V1_17) {
                Some((kind, since))
            } else {
                let is_moved = action > 1 && self.since(ProtocolVersion::V1_11);
                before["action"] = json!(action + i32::from(is_moved));
                self.since(ProtocolVersion::V1_8).then_some((Kind::Title, before))
            };
            self.says(said, |version, out| play::title(version, part, out));
        }
    }

    fn bars(&mut self, random: &mut Random) {
        let colors = [BarColor::Pink, BarColor::Blue, BarColor::Red, BarColor::Green, BarColor::White];
        let divisions = [BarDivision::None, BarDivision::Six, BarDivision::Ten, BarDivision::Twenty];
        let (id, title, health) = (random.uuid(), random.component(), random.any::<u8>());
        // Such that few digits are enough for it.
        let health = f32::from(health) / 256.0;
        let (color, division) = (colors[random.below(5)], divisions[random.below(4)]);
        let bar = BossBar { id, title: &title, health, color, division };
        let has = self.since(ProtocolVersion::V1_9);
        let values = json!({
            "entityUUID": id.to_string(),
            "action": 0,
            "title": seen(&title),
            "health": health,
            "color": color as i32,
            "dividers": division as i32,
            "flags": 0,
        });
        self.says(has.then_some((Kind::BossBar, values)), |version, out| bar.add(version, out));
        let removal = json!({ "entityUUID": id.to_string(), "action": 1 });
        self.says(has.then_some((Kind::BossBar, removal)), |version, out| {
            play::remove_boss_bar(version, id, out)
        });
    }

    fn removals(&mut self, random: &mut Random) {
        let name = random.text(30);
        let shown = (!self.since(ProtocolVersion::V1_8)).then_some("");
        let objective = json!({ "name": name, "action": 1, "displayText": shown });
        self.says(Some((Kind::ScoreboardObjective, objective)), |version, out| {
            play::remove_objective(version, &name, out)
        });
        let mode = if self.since(ProtocolVersion::V1_21_6) { json!("remove") } else { json!(1) };
        let team = if self.since(ProtocolVersion::V1_9) { Kind::Teams } else { Kind::ScoreboardTeam };
        self.says(Some((team, json!({ "team": name, "mode": mode }))), |version, out| {
            play::remove_team(version, &name, out)
        });
        let effect =
            if self.since(ProtocolVersion::V1_18_2) { random.int() } else { random.any::<i8>().into() };
        let entity = random.int();
        self.says(
            Some((Kind::RemoveEntityEffect, json!({ "entityId": entity, "effectId": effect }))),
            |version, out| play::remove_effect(version, entity, effect, out),
        );
        for state in [State::Play, State::Configuration] {
            let has = self.since(ProtocolVersion::V1_21);
            let which = (state, Direction::Clientbound);
            self.says_in(which, has.then(|| (Kind::ServerLinks, json!({ "links": [] }))), |version, out| {
                play::clear_server_links(version, state, out)
            });
            self.says_in(
                which,
                has.then(|| (Kind::CustomReportDetails, json!({ "details": [] }))),
                |version, out| play::clear_report_details(version, state, out),
            );
        }
    }

    fn lists(&mut self, random: &mut Random) {
        let (header, footer) = (random.component(), random.component());
        let values = json!({ "header": seen(&header), "footer": seen(&footer) });
        let has = self.since(ProtocolVersion::V1_8);
        self.says(has.then_some((Kind::PlayerlistHeader, values)), |version, out| {
            play::list_header(version, &header, &footer, out)
        });
        let players = random.some(5, Random::uuid);
        let ids: Vec<_> = players.iter().map(ToString::to_string).collect();
        let said = if self.since(ProtocolVersion::V1_19_3) {
            Some((Kind::PlayerRemove, json!({ "players": ids })))
        } else {
            let data: Vec<_> = ids.iter().map(|id| json!({ "uuid": id })).collect();
            has.then(|| (Kind::PlayerInfo, json!({ "action": "remove_player", "data": data })))
        };
        self.says(said, |version, out| play::remove_players(version, &players, out));
        let name = random.text(16);
        let gone = json!({ "playerName": name, "online": false, "ping": 0 });
        self.says((!has).then_some((Kind::PlayerInfo, gone)), |version, out| {
            play::remove_named_player(version, &name, out)
        });
        self.matches(random);
    }

    fn matches(&mut self, random: &mut Random) {
        let matches = random.some(5, |random| random.text(20));
        let matches: Vec<&str> = matches.iter().map(String::as_str).collect();
        let [id, start, length] = [random.int(), random.int(), random.int()];
        let values = if self.since(ProtocolVersion::V1_13) {
            let matches: Vec<_> = matches.iter().map(|text| json!({ "match": text })).collect();
            json!({ "transactionId": id, "start": start, "length": length, "matches": matches })
        } else {
            json!({ "matches": matches })
        };
        self.says(Some((Kind::TabComplete, values)), |version, out| {
            Completion { id, start, length, matches: &matches }.write(version, out)
        });
    }

    /// What the edge says to servers, and in configuration too.
    fn both_ways(&mut self, random: &mut Random) {
        let seen_messages = random.int();
        let has = self.since(ProtocolVersion::V1_19_3);
        let acknowledged = has.then(|| (Kind::MessageAcknowledgement, json!({ "count": seen_messages })));
        self.says_in((State::Play, Direction::Serverbound), acknowledged, |version, out| {
            play::acknowledge(version, seen_messages, out)
        });
        for state in [State::Play, State::Configuration] {
            let has = state == State::Play || self.version.has_configuration();
            for direction in [Direction::Clientbound, Direction::Serverbound] {
                let (channel, data) = (random.text(30), random.bytes(60));
                let values = json!({ "channel": channel, "data": hex(&data) });
                self.says_in(
                    (state, direction),
                    has.then_some((Kind::CustomPayload, values)),
                    |version, out| {
                        CustomPayload { channel: &channel, data: &data }.write(version, state, direction, out)
                    },
                );
            }
            self.packs(state, has && self.since(ProtocolVersion::V1_8), random);
        }
    }

    fn packs(&mut self, state: State, has: bool, random: &mut Random) {
        let (id, url, hash, forced) = (random.uuid(), random.text(40), random.text(40), random.any());
        let prompt = random.maybe(Random::component);
        let [has_id, has_prompt] =
            [ProtocolVersion::V1_20_3, ProtocolVersion::V1_17].map(|first| self.since(first));
        let kind = if has_id { Kind::AddResourcePack } else { Kind::ResourcePackSend };
        let named = has_id.then(|| id.to_string());
        let values = json!({
            "uuid": named,
            "url": url,
            "hash": hash,
            "forced": has_prompt.then_some(forced),
            "promptMessage": prompt.as_ref().filter(|_| has_prompt).map(seen),
        });
        let pack = play::ResourcePack { id: Some(id), url: &url, hash: &hash, forced };
        self.says_in((state, Direction::Clientbound), has.then_some((kind, values)), |version, out| {
            pack.write(version, state, prompt.as_ref(), out)
        });
        let result = pack_result(random);
        let told = (!self.since(ProtocolVersion::V1_10)).then_some(&hash);
        let values = json!({ "uuid": named, "hash": told, "result": result as i32 });
        let answer = play::ResourcePackAnswer { id: Some(id), hash: Some(&hash), result };
        self.says_in(
            (state, Direction::Serverbound),
            has.then_some((Kind::ResourcePackReceive, values)),
            |version, out| answer.write(version, state, out),
        );
    }
}
