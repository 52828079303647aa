//! From a claim to an identity: cookies, key exchange, and the route's authentication adapter.
//!
//! What must stay true: nothing is sent between Encryption Request and Response; the identity comes from the adapter or from
//! a sealed cookie and from nowhere else; an adapter that can't answer lets nobody in.

use crate::conversation::Conversation;
use crate::cookie::{Binding, Hint, Jar, Proof};
use crate::ended::Ended;
use crate::journey::Journey;
use crate::keys::{SharedSecret, TOKEN};
use crate::login::{Identified, Login, Visit};
use crate::snapshot::Snapshot;
use drawbridge_model::{
    Authentication, AuthenticationError, Client, Identity, Profile, Refusal, Refused, TraceContext,
};
use drawbridge_net::Knock;
use drawbridge_protocol::packet::login::{
    CookieRequest, CookieResponse, EncryptionRequest, EncryptionResponse, LoginAcknowledged, LoginSuccess,
};
use drawbridge_routing::Route;
use drawbridge_rsa::KeyPair;
use drawbridge_telemetry::metrics::{self, Cookie, Limit};
use drawbridge_telemetry::span;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Instant, SystemTime};
use uuid::Uuid;

/// Finds out who the player is, and brings the connection into configuration.
pub(crate) async fn identify(
    login: Login,
    visit: &mut Visit,
    conversation: &mut Conversation,
    journey: &mut Journey,
) -> Result<Identified, Ended> {
    let identified = vouch(login, visit, conversation, journey).await?;
    welcome(&identified.identity, visit, conversation).await?;
    Ok(identified)
}

/// Finds out who the player is; they stay in the login.
pub(crate) async fn vouch(
    login: Login,
    visit: &mut Visit,
    conversation: &mut Conversation,
    journey: &mut Journey,
) -> Result<Identified, Ended> {
    let snapshot = Arc::clone(&visit.snapshot);
    let jar = snapshot.cookies.as_ref();
    let hint = match jar {
        Some(jar) if visit.returning => Some(ask_hint(jar, conversation).await?),
        _ => None,
    };
    if let Some(trace) = hint.and_then(|hint| hint.trace) {
        visit.client.trace = TraceContext { span_id: visit.client.trace.span_id, ..trace };
        journey.follows(trace.span_id);
    }
    if hint.is_some() && !promises(hint) {
        metrics::cookie_asked(Cookie::Miss);
    }
    let promising = jar.zip(binding(&snapshot, &visit.route, &visit.client)).filter(|_| promises(hint));
    let asks_session = promising.is_none() && visit.route.authentication.wants_session();
    // Whoever says that a Transfer brought them, and has nothing that spares the session server, costs what any login costs.
    let address = visit.client.address.ip();
    if visit.returning && asks_session && !visit.shared.gate.rate(Knock::Login, address, Instant::now()) {
        metrics::limited(Limit::Login);
        return Err(Ended::Refused(Refusal::Rate));
    }
    let pair = conversation.meanwhile(pin!(visit.shared.keys.pair())).await??;
    let secret = exchange_keys(&pair, visit, conversation, asks_session).await?;
    let identified = match promising {
        Some((jar, binding)) => {
            let proof = open_cookie(jar, binding, &login, conversation).await?;
            metrics::cookie_asked(Cookie::Hit);
            Identified { identity: Identity::Verified(proof.profile), proved: Some(proof.proved) }
        }
        None => ask_adapter(login, visit, conversation, journey, (&pair, &secret)).await?,
    };
    // By the UUID too, which may belong to another name than it did, and by the name that somebody vouches for.
    visit.ask_bans(&identified.identity)?;
    Ok(identified)
}

/// What a cookie of this player would be bound to, where the route's adapter takes one in place of its own answer.
fn binding<'a>(snapshot: &Snapshot, route: &'a Route, client: &Client) -> Option<Binding<'a>> {
    let realm = route.authentication.realm()?;
    let address = snapshot.limits.prefix.of(client.address.ip());
    Some(Binding { realm, address })
}

/// Whether the hint says that the authentication cookie is still good.
fn promises(hint: Option<Hint>) -> bool {
    hint.and_then(|hint| hint.good_until).is_some_and(|until| SystemTime::now() < until)
}

/// Asks for the session cookie, in plain sight.
async fn ask_hint(jar: &Jar, conversation: &mut Conversation) -> Result<Hint, Ended> {
    let cookie = ask_cookie(jar.session_key(), conversation).await?;
    Ok(Hint::from_cookie(&cookie.unwrap_or_default()))
}

/// Asks for a cookie. A client that answers with anything else doesn't speak the protocol.
pub(crate) async fn ask_cookie(
    key: String,
    conversation: &mut Conversation,
) -> Result<Option<Vec<u8>>, Ended> {
    let request = CookieRequest { key };
    conversation.send(&request)?;
    conversation.flush().await?;
    let response: CookieResponse = conversation.expect().await?;
    if response.key == request.key { Ok(response.payload) } else { Err(Ended::MALFORMED) }
}

/// Agrees on a secret with the client and turns the cipher on.
async fn exchange_keys(
    pair: &Arc<KeyPair>,
    visit: &Visit,
    conversation: &mut Conversation,
    should_authenticate: bool,
) -> Result<SharedSecret, Ended> {
    let token: [u8; TOKEN] = rand::random();
    conversation.send(&EncryptionRequest {
        server_id: String::new(),
        public_key: pair.public_der().to_vec(),
        verify_token: token.to_vec(),
        should_authenticate,
    })?;
    conversation.flush().await?;
    let response: EncryptionResponse = conversation.expect().await?;
    let exchange = pin!(visit.shared.keys.exchange(Arc::clone(pair), response, token));
    let secret = conversation.meanwhile(exchange).await??;
    conversation.encrypt(&secret);
    Ok(secret)
}

/// Asks for the authentication cookie, encrypted, and believes it or not. It was promised: the client has not told the
/// session server that it joins, and can't be asked to any more.
async fn open_cookie(
    jar: &Jar,
    binding: Binding<'_>,
    login: &Login,
    conversation: &mut Conversation,
) -> Result<Proof, Ended> {
    let cookie = ask_cookie(jar.authentication_key(), conversation).await?.unwrap_or_default();
    jar.open(&cookie, &login.claim.name, binding, SystemTime::now()).map_err(|error| {
        metrics::cookie_asked(Cookie::Invalid);
        tracing::debug!(%error, player = login.claim.name, "authentication cookie refused");
        Ended::Refused(Refusal::Cookie)
    })
}

/// Asks the route's adapter.
async fn ask_adapter(
    login: Login,
    visit: &Visit,
    conversation: &mut Conversation,
    journey: &Journey,
    (pair, secret): (&KeyPair, &[u8; 16]),
) -> Result<Identified, Ended> {
    let client = journey.client(&visit.client);
    let asking = pin!(span::asked("authentication", None, &client, async |client| {
        let claim = &login.claim;
        let request = Authentication { client, claim, shared_secret: secret, public_key: pair.public_der() };
        visit.route.authentication.authenticate(request).await
    }));
    let answer = conversation.meanwhile(asking).await?;
    let identity = answer.map_err(|error| match error {
        AuthenticationError::Denied => Refusal::Authentication.into(),
        AuthenticationError::Refused(key) => Refused { key: Some(key), ..Refusal::Authentication.into() },
        AuthenticationError::Unavailable(error) => {
            if visit.route.unauthenticated.permits_now() {
                tracing::warn!(%error, route = visit.route.name, "nobody can be authenticated");
            }
            Refusal::AuthenticationUnavailable.into()
        }
    })?;
    // A cookie is good for whom it names. Who is given another name claims their own the next time, and is asked about again.
    let keeps_name = |profile: &&Profile| profile.name.eq_ignore_ascii_case(&login.claim.name);
    let proved = identity.verified().filter(keeps_name).map(|_| SystemTime::now());
    Ok(Identified { identity, proved })
}

/// The cookies that a player takes along who is handed over, in the order in which they are stored: key and payload. Made then, since they are as
/// large as a profile, and kept by nobody.
pub(crate) fn cookies(
    identity: &Identity,
    proved: Option<SystemTime>,
    snapshot: &Snapshot,
    route: &Route,
    client: &Client,
) -> Vec<(String, Vec<u8>)> {
    let (Some(jar), Some(binding), Some(profile), Some(proved)) =
        (&snapshot.cookies, binding(snapshot, route, client), identity.verified(), proved)
    else {
        return Vec::new();
    };
    let proof = Proof { profile: profile.clone(), proved };
    let sealed = jar.seal(&proof, binding);
    if sealed.is_none()
        && let Some(times) = route.too_large.due()
    {
        tracing::warn!(player = profile.name, times, "the profile is too large for a cookie");
    }
    let good_until = sealed.is_some().then(|| jar.good_until(&proof));
    let hint = Hint { trace: Some(client.trace), good_until };
    let authentication = sealed.map(|cookie| (jar.authentication_key(), cookie));
    authentication.into_iter().chain([(jar.session_key(), hint.to_cookie())]).collect()
}

/// Ends the login: the client goes into configuration as `identity`.
async fn welcome(identity: &Identity, visit: &Visit, conversation: &mut Conversation) -> Result<(), Ended> {
    let profile = identity.told().into_owned();
    conversation.send(&LoginSuccess { profile, session_id: Uuid::new_v4() })?;
    // The client is in configuration as soon as it has read this, and what it is told from here on has to be too.
    conversation.enter_configuration();
    conversation.flush().await?;
    let LoginAcknowledged {} = conversation.expect().await?;
    conversation.set_deadline(Instant::now() + visit.snapshot.limits.placement_timeout);
    Ok(())
}
