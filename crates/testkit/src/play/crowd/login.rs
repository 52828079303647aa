//! A client's login, offline or with its account.

use super::answers::Done;
use super::journey::{Lead, Stint};
use super::resident::Place;
use super::words;
use crate::play::fault::Fault;
use crate::play::line::Heard;
use drawbridge_protocol::ids::{Kind, State};
use drawbridge_protocol::packet::Packet as _;
use drawbridge_protocol::packet::handshake::{Handshake, Intent};
use drawbridge_protocol::packet::login::{
    CookieRequest, EncryptionRequest, EncryptionResponse, LoginAcknowledged, LoginDisconnect,
    LoginPluginRequest, LoginPluginResponse, LoginStart, LoginSuccess, SetCompression, TokenProof,
};
use drawbridge_protocol::profile::{offline_uuid, server_hash};
use drawbridge_protocol::text::Component;
use std::net::Ipv4Addr;
use uuid::Uuid;

impl Stint<'_> {
    /// Handshake and Login Start.
    pub(super) fn knock(&mut self, lead: &Lead, intent: Intent) -> Result<(), Fault> {
        let handshake =
            Handshake { version: self.line.version, host: lead.host.clone(), port: lead.port, intent };
        self.line.say_packet(&handshake)?;
        let name = self.shared.lock().name.clone();
        let uuid = self.account.map_or_else(|| offline_uuid(&name), crate::session::Account::id);
        self.line.say_packet(&LoginStart { name, uuid: Some(uuid), key: None })
    }

    pub(super) async fn hear_in_login(&mut self, kind: Kind, heard: &Heard) -> Result<(), Done> {
        let version = self.line.version;
        match kind {
            Kind::Disconnect => {
                let LoginDisconnect { reason } = heard.read(version)?;
                let text = Component::from_json_lenient(&reason);
                return Err(Done::Gone(text.map_or(reason, |text| text.to_plain())));
            }
            Kind::EncryptionBegin => self.exchange_keys(heard.read(version)?).await?,
            Kind::Compress => {
                let SetCompression { threshold } = heard.read(version)?;
                if let Ok(threshold) = usize::try_from(threshold) {
                    self.line.compress(threshold);
                }
            }
            Kind::CookieRequest => {
                let CookieRequest { key } = heard.read(version)?;
                self.answer_cookie(key)?;
            }
            Kind::LoginPluginRequest => {
                let LoginPluginRequest { message, .. } = heard.read(version)?;
                self.line.say_packet(&LoginPluginResponse { message, data: None })?;
            }
            Kind::Success => {
                let _: LoginSuccess = heard.read(version)?;
                self.logged_in()?;
            }
            _ => return Err(Fault::Misplaced { state: State::Login, kind }.into()),
        }
        Ok(())
    }

    /// Login Acknowledged, and what a vanilla client says first in configuration.
    fn logged_in(&mut self) -> Result<(), Fault> {
        if !self.line.version.has_configuration() {
            self.state = State::Play;
            return Ok(());
        }
        self.line.say_packet(&LoginAcknowledged {})?;
        self.state = State::Configuration;
        self.shared.enter(Place::Configuration);
        words::brand(&mut self.line, State::Configuration)?;
        words::information(&mut self.line, State::Configuration)
    }

    /// Encryption Request to Encryption Response, with the session server between them.
    async fn exchange_keys(&mut self, request: EncryptionRequest) -> Result<(), Done> {
        let secret = *Uuid::new_v4().as_bytes();
        let EncryptionRequest { server_id, public_key, verify_token, should_authenticate } = request;
        let hash = server_hash(&server_id, &secret, &public_key);
        if let Some(account) = self.account.filter(|_| should_authenticate).cloned() {
            let joining =
                tokio::task::spawn_blocking(move || account.join(Ipv4Addr::LOCALHOST.into(), &hash));
            let joined = joining.await.map_err(|error| Done::Gone(error.to_string()))?;
            joined.map_err(|trouble| Done::Gone(trouble.to_string()))?;
        }
        let encrypted = |plain: &[u8]| {
            drawbridge_rsa::encrypt(&public_key, plain)
                .map_err(|error| Done::Gone(format!("the server's public key: {error}")))
        };
        let response = EncryptionResponse {
            shared_secret: encrypted(&secret)?,
            token: TokenProof::Encrypted(encrypted(&verify_token)?),
        };
        self.line.say_kind(EncryptionResponse::STATE, EncryptionResponse::KIND, |version, out| {
            response.encode(version, out);
        })?;
        self.line.encrypt(&secret);
        Ok(())
    }
}
