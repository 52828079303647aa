//! Looking for a target that lets a player in: at first while the client is in the login, where it can be asked what a target asks, and later
//! for a player who is elsewhere the while.

use super::Person;
use super::stay::brief;
use crate::attempt::{Attempt, TRIED, is_targets_fault};
use crate::conversation::Conversation;
use crate::dial;
use crate::ended::Ended;
use drawbridge_model::{Client, Profile, Refusal, Target};
use drawbridge_net::{Dialer, InCrowd, Socket, proxy_protocol};
use drawbridge_protocol::packet::Packet;
use drawbridge_protocol::packet::login::{CookieRequest, CookieResponse, LoginPluginResponse};
use drawbridge_protocol::text::Component;
use drawbridge_routing::Route;
use drawbridge_session::forwarding::Traveller;
use drawbridge_session::{Backend, Introduction, LoggingIn, LoginError, Question, Step};
use std::io;
use std::pin::{Pin, pin};
use std::time::Instant;

/// A target that has let the player in.
#[derive(Debug)]
pub(crate) struct Reached {
    pub(crate) target: Target,
    /// The player's place among those who are there.
    pub(crate) at_target: Option<InCrowd>,
    pub(crate) backend: Backend,
    /// As the target knows the player.
    pub(crate) profile: Profile,
}

/// Why none did.
#[derive(Debug)]
pub(crate) enum Unreached {
    /// The client came to its end first.
    Ended(Ended),
    /// None could be reached.
    Unreachable,
    /// The last that could turned the player away, with these words.
    Kicked(Box<Component>),
}

impl From<Ended> for Unreached {
    fn from(ended: Ended) -> Self {
        Self::Ended(ended)
    }
}

/// What is known while a target is looked for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Search<'a> {
    pub(crate) route: &'a Route,
    pub(crate) client: &'a Client,
    pub(super) person: &'a Person,
    /// The cookies that no target may see.
    pub(crate) reserved: &'a [String],
    pub(crate) dialer: &'a Dialer,
}

/// Who answers what a target asks of the client.
#[derive(Debug)]
pub(crate) enum Respondent<'a> {
    /// The client, which is in the login.
    Client(&'a mut Conversation),
    /// Nobody: the client is elsewhere.
    Nobody,
}

impl Respondent<'_> {
    /// Waits for something, and for the client's end, if it is in the login.
    async fn during<T>(&mut self, work: Pin<&mut impl Future<Output = T>>) -> Result<T, Ended> {
        match self {
            Self::Client(conversation) => {
                conversation.keeping(work).await.map_err(|ended| ended.late(Refusal::Unreachable))
            }
            Self::Nobody => Ok(work.await),
        }
    }
}

impl Search<'_> {
    /// The first target that lets the player in. Those that had better not be tried come last.
    pub(crate) async fn reach(
        &self,
        targets: Vec<Target>,
        mut respondent: Respondent<'_>,
    ) -> Result<Reached, Unreached> {
        let route = self.route;
        let mut words = None;
        for target in route.health.last(targets, |target| &target.address).take(TRIED) {
            // From here on, so that many who come at once don't all find it empty.
            let at_target = route.carried.enter(target.address.to_string(), None);
            let mut attempt = Attempt::begin(route, &target, route.session.answer);
            match self.log_in(&target, &mut attempt, &mut respondent).await? {
                Ok((backend, profile)) => {
                    attempt.answered();
                    return Ok(Reached { target, at_target, backend, profile });
                }
                Err(LoginError::Kicked(reason)) => {
                    attempt.answered();
                    tracing::info!(
                        client = %self.client.address,
                        route = route.name,
                        player = self.person.identity.name(),
                        target = target.identifier,
                        address = %target.address,
                        words = brief(&reason),
                        "a target turned the player away"
                    );
                    words = Some(reason);
                }
                Err(error) => {
                    let its_fault = match &error {
                        LoginError::Connection(error) => is_targets_fault(error),
                        _ => true,
                    };
                    attempt.failed(&error, its_fault);
                }
            }
        }
        Err(words.map_or(Unreached::Unreachable, Unreached::Kicked))
    }

    /// Logs the player in at a target; the outer error is the client's end.
    async fn log_in(
        &self,
        target: &Target,
        attempt: &mut Attempt<'_>,
        respondent: &mut Respondent<'_>,
    ) -> Result<Result<(Backend, Profile), LoginError>, Ended> {
        let connected = respondent.during(pin!(self.connect(target))).await?;
        let socket = match connected {
            Ok(socket) => socket,
            Err(error) => return Ok(Err(error.into())),
        };
        let mut until = Instant::now() + self.route.session.answer;
        let profile = self.person.identity.told();
        let mut login = match LoggingIn::begin(socket, self.introduction(&profile)) {
            Ok(login) => login,
            Err(error) => return Ok(Err(error)),
        };
        loop {
            let step = respondent.during(pin!(login.next())).await?;
            let answered = match step {
                Ok(Step::Welcomed(profile)) => {
                    let mut backend = login.welcomed();
                    // Who is in the login sees the way into the world; who is elsewhere comes when there is one.
                    if let Respondent::Nobody = respondent
                        && let Err(error) = backend.arrive(self.client.version).await
                    {
                        return Ok(Err(error));
                    }
                    return Ok(Ok((backend, profile)));
                }
                Ok(Step::Asks(question)) => {
                    // What the client takes for it is nothing that the target is late by.
                    let asked = Instant::now();
                    attempt.pause();
                    let answered = self.answer(question, &mut login, respondent).await?;
                    attempt.resume();
                    until += asked.elapsed();
                    login.set_deadline(until);
                    answered
                }
                Err(error) => Err(error),
            };
            if let Err(error) = answered {
                return Ok(Err(error));
            }
        }
    }

    fn introduction<'b>(&'b self, profile: &'b Profile) -> Introduction<'b> {
        let Client { version, port, address, .. } = self.client;
        let forwarding = &self.route.session.forwarding;
        let Person { key, host, .. } = self.person;
        let key = key.as_ref().filter(|_| forwarding.tells_profile());
        let traveller = Traveller { profile, address: address.ip(), key };
        Introduction { version: *version, host, port: *port, traveller, forwarding }
    }

    /// A connection to a target, which has been told for whom it is where it wants that told beforehand.
    async fn connect(&self, target: &Target) -> io::Result<Socket> {
        let session = &self.route.session;
        let mut socket =
            dial::connect(self.dialer, &target.address, Instant::now() + session.connect).await?;
        socket.set_deadline(Instant::now() + session.answer);
        if let Some(version) = session.proxy_protocol {
            socket
                .write_all(&proxy_protocol::header(version, self.client.address, self.person.local))
                .await?;
        }
        Ok(socket)
    }

    /// Answers a target: what the client says, or where nobody can be asked, that the question isn't understood.
    async fn answer(
        &self,
        question: Question,
        login: &mut LoggingIn<'_>,
        respondent: &mut Respondent<'_>,
    ) -> Result<Result<(), LoginError>, Ended> {
        match (question, respondent) {
            (Question::Plugin(request), Respondent::Client(conversation)) => {
                let answer: LoginPluginResponse = ask(&request, conversation).await?;
                if answer.message != request.message {
                    return Err(Ended::MALFORMED);
                }
                Ok(login.answer_plugin(&answer))
            }
            (Question::Plugin(request), Respondent::Nobody) => {
                Ok(login.answer_plugin(&LoginPluginResponse { message: request.message, data: None }))
            }
            (Question::Cookie(request), Respondent::Client(conversation))
                if !drawbridge_session::is_reserved(self.reserved, &request.key) =>
            {
                let answer: CookieResponse = ask(&request, conversation).await?;
                if answer.key != request.key {
                    return Err(Ended::MALFORMED);
                }
                Ok(login.answer_cookie(&answer))
            }
            (Question::Cookie(CookieRequest { key }), _) => {
                Ok(login.answer_cookie(&CookieResponse { key, payload: None }))
            }
        }
    }
}

/// Asks the client what a target asks.
async fn ask<Q: Packet, A: Packet>(question: &Q, conversation: &mut Conversation) -> Result<A, Ended> {
    conversation.send(question)?;
    conversation.flush().await?;
    conversation.expect().await
}
