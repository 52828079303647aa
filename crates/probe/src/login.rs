//! A login, from the handshake to Login Success.

use super::fault::Fault;
use super::peer::{Deadline, Peer, Received};
use super::report::{Passed, Report, Step};
use super::session;
use super::settings::{Join, Settings};
use super::way::Way;
use super::words;
use drawbridge_protocol::ProtocolVersion;
use drawbridge_protocol::ids::{Kind, State};
use drawbridge_protocol::packet::handshake::{Handshake, Intent};
use drawbridge_protocol::packet::login::{
    EncryptionRequest, EncryptionResponse, LoginDisconnect, LoginPluginRequest, LoginPluginResponse,
    LoginStart, LoginSuccess, SetCompression, TokenProof,
};
use drawbridge_protocol::profile::{Profile, server_hash};
use std::time::Duration;
use tokio::time::Instant;

/// The most plugin channels that are remembered.
const MOST_CHANNELS: usize = 8;

/// A login under way.
pub(super) struct Login<'a> {
    pub peer: Peer,
    pub settings: &'a Settings,
    pub join: &'a Join,
    pub way: &'a Way,
    /// The version that the status named.
    pub status_says: Option<ProtocolVersion>,
    pub report: &'a mut Report,
}

/// What the server did on the way that decides nothing.
#[derive(Default)]
struct Asides {
    threshold: Option<usize>,
    cookies: usize,
    channels: Vec<String>,
}

enum Decision {
    Encrypt(EncryptionRequest),
    Success(Profile),
}

impl Login<'_> {
    /// Goes as far as Login Success, and gives the connection back if that came.
    pub(super) async fn run(mut self) -> Option<Peer> {
        let mut asides = Asides::default();
        let clock = Instant::now();
        let decision = self.start(&mut asides).await;
        let decision = self.note(Step::Login, clock.elapsed(), decision, |login, _| login.as_whom())?;

        let (clock, result) = match decision {
            Decision::Success(profile) => {
                self.report.skip(Step::Encryption, "the server doesn't ask for it");
                self.report.skip(Step::Session, "the server doesn't ask for it");
                (clock, Ok(profile))
            }
            Decision::Encrypt(request) => {
                self.encrypt(&request).await?;
                let clock = Instant::now();
                (clock, self.finish(&mut asides).await)
            }
        };
        self.note(Step::Success, clock.elapsed(), result, |login, profile| login.welcomed(profile, &asides))?;
        Some(self.peer)
    }

    /// Adds a step to the report, and gives back what it brought if it went well.
    fn note<T>(
        &mut self,
        step: Step,
        elapsed: Duration,
        result: Result<T, Fault>,
        passed: impl FnOnce(&Self, &T) -> Passed,
    ) -> Option<T> {
        match result {
            Ok(value) => {
                let passed = passed(self, &value);
                self.report.add(step, elapsed, Ok(passed));
                Some(value)
            }
            Err(fault) => {
                self.report.add(step, elapsed, Err(fault));
                None
            }
        }
    }

    const fn deadline(&self) -> Duration {
        self.settings.timeout
    }

    /// Greets, and waits for the first answer that decides anything. Other than for the status, the handshake names
    /// where an SRV record led, trailing dot and all, as vanilla does.
    async fn start(&mut self, asides: &mut Asides) -> Result<Decision, Fault> {
        let deadline = Deadline::after(self.deadline());
        let version = self.peer.version();
        let (host, port) = (self.way.goal.host.clone(), self.way.goal.port);
        self.peer.say(&Handshake { version, host, port, intent: Intent::Login });
        self.peer.enter(State::Login);
        self.peer.say(&LoginStart { name: self.join.name.clone(), uuid: Some(self.join.uuid), key: None });
        self.peer.flush(deadline).await?;
        let decision = self.decision(asides, deadline).await;
        decision.map_err(|fault| self.peer.recognise(fault))
    }

    fn as_whom(&self) -> Passed {
        let version = self.peer.version();
        Passed::new(format!("as {}, {version} (protocol {})", self.join.name, version.number()))
            .with("name", self.join.name.as_str())
            .with("protocol", version.number())
    }

    /// Reads on until something is decided.
    async fn decision(&mut self, asides: &mut Asides, deadline: Deadline) -> Result<Decision, Fault> {
        let version = self.peer.version();
        loop {
            let received = self.peer.hear(deadline).await?;
            match received.kind {
                Some(Kind::EncryptionBegin) => {
                    return Ok(Decision::Encrypt(received.read()?));
                }
                Some(Kind::Success) => {
                    return Ok(Decision::Success(received.read::<LoginSuccess>()?.profile));
                }
                Some(Kind::Disconnect) => {
                    let text = words::of_json(&received.read::<LoginDisconnect>()?.reason);
                    return Err(Fault::Kicked { text, joined_as: version, status_says: self.status_says });
                }
                _ => self.aside(&received, asides)?,
            }
            self.peer.flush(deadline).await?;
        }
    }

    /// Does what a client does with packets that decide nothing: of cookies and plugin messages it knows none.
    fn aside(&mut self, received: &Received, asides: &mut Asides) -> Result<(), Fault> {
        match received.kind {
            Some(Kind::Compress) => {
                asides.threshold = usize::try_from(received.read::<SetCompression>()?.threshold).ok();
                if let Some(threshold) = asides.threshold {
                    self.peer.compress(threshold);
                }
            }
            Some(Kind::CookieRequest) => {
                let key = received.read_with(|fields| Ok(fields.string("cookie", 32_767)?.to_owned()))?;
                self.peer.say_no_cookie(&key);
                asides.cookies += 1;
            }
            Some(Kind::LoginPluginRequest) => {
                let LoginPluginRequest { message, channel, .. } = received.read()?;
                self.peer.say(&LoginPluginResponse { message, data: None });
                if asides.channels.len() < MOST_CHANNELS {
                    asides.channels.push(channel);
                }
            }
            _ => return Err(received.unexpected("a packet of the login")),
        }
        Ok(())
    }

    /// Takes the server's key, tells the session server if the server wants that, and switches the cipher on. None when
    /// that failed, which the report then tells.
    async fn encrypt(&mut self, request: &EncryptionRequest) -> Option<()> {
        let clock = Instant::now();
        let keys = exchange(request);
        let (secret, response) =
            self.note(Step::Encryption, clock.elapsed(), keys, |_, _| asked_for(request))?;
        if request.should_authenticate {
            let clock = Instant::now();
            let told = self.tell_session_server(request, &secret).await;
            self.note(Step::Session, clock.elapsed(), told, |login, ()| {
                Passed::new(format!("{} knows of the join", login.join.session_server))
            })?;
        } else {
            self.report.skip(Step::Session, "the server doesn't ask for it");
        }
        self.peer.say(&response);
        let clock = Instant::now();
        let sent = self.peer.flush(Deadline::after(self.deadline())).await;
        if let Err(fault) = sent {
            self.report.add(Step::Success, clock.elapsed(), Err(fault));
            return None;
        }
        self.peer.encrypt(&secret);
        Some(())
    }

    async fn tell_session_server(&self, request: &EncryptionRequest, secret: &[u8; 16]) -> Result<(), Fault> {
        let account = self.join.account.as_ref().ok_or(Fault::NoToken)?;
        let hash = server_hash(&request.server_id, secret, &request.public_key);
        session::join(&self.join.session_server, account, &hash, self.deadline()).await
    }

    /// Waits for Login Success once the cipher is on.
    async fn finish(&mut self, asides: &mut Asides) -> Result<Profile, Fault> {
        let deadline = Deadline::after(self.deadline());
        match self.decision(asides, deadline).await? {
            Decision::Success(profile) => Ok(profile),
            Decision::Encrypt(_) => Err(Fault::Unexpected {
                name: Kind::EncryptionBegin.name(),
                id: 1,
                expected: "a packet of the login after the cipher is on",
            }),
        }
    }

    fn welcomed(&self, profile: &Profile, asides: &Asides) -> Passed {
        let properties = match profile.properties.len() {
            1 => "1 property".to_owned(),
            count => format!("{count} properties"),
        };
        let mut detail = format!("{}, {}, {properties}", profile.name, profile.id);
        detail += &match asides.threshold {
            Some(threshold) => format!(", compressed from {threshold} bytes on"),
            None => ", not compressed".into(),
        };
        let passed = Passed::new(detail)
            .with("name", profile.name.as_str())
            .with("uuid", profile.id.to_string())
            .with("properties", profile.properties.len())
            .with("compression", asides.threshold)
            .with("cookies_asked", asides.cookies)
            .with("plugin_channels", asides.channels.clone());
        if profile.name == self.join.name {
            return passed;
        }
        passed.warn(format!(
            "the login was made as {}, and the server calls the player otherwise.",
            self.join.name
        ))
    }
}

fn asked_for(request: &EncryptionRequest) -> Passed {
    let wants = if request.should_authenticate { "wants" } else { "doesn't want" };
    Passed::new(format!("AES-128-CFB8; the server {wants} an authenticated player"))
        .with("authentication", request.should_authenticate)
}

/// Makes a shared secret, and the answer that carries it to the server.
fn exchange(request: &EncryptionRequest) -> Result<([u8; 16], EncryptionResponse), Fault> {
    let secret: [u8; 16] = rand::random();
    let response = EncryptionResponse {
        shared_secret: drawbridge_rsa::encrypt(&request.public_key, &secret)?,
        token: TokenProof::Encrypted(drawbridge_rsa::encrypt(&request.public_key, &request.verify_token)?),
    };
    Ok((secret, response))
}
