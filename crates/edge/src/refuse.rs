//! How a client that is turned away is told, in the form that it understands.

use crate::conversation::Conversation;
use crate::ended::Ended;
use crate::greeting::{Greeted, Purpose};
use crate::journey::{Facts, Journey};
use crate::report::Line;
use drawbridge_model::{Client, LocalizationAdapter, Message, Refusal, Refused};
use drawbridge_protocol::text::Component;
use drawbridge_routing::Route;
use drawbridge_telemetry::metrics::Outcome;
use std::time::Duration;
use tokio::time::timeout;

/// How long the words for a refusal may take to be found.
const WORDS: Duration = Duration::from_secs(2);

/// A refusal, and whom it is told.
#[derive(Debug)]
pub(crate) struct Told<'a> {
    pub(crate) refused: &'a Refused,
    pub(crate) client: &'a Client,
    /// The name that was claimed, once it was.
    pub(crate) player: Option<&'a str>,
}

impl Told<'_> {
    /// The words of the route, or those `without_route`, in the language of the player as far as it is known. `None` where
    /// nothing is said.
    pub(crate) async fn words(
        &self,
        without_route: &dyn LocalizationAdapter,
        route: Option<&Route>,
        locale: Option<&str>,
    ) -> Option<Component> {
        let key = self.refused.refusal.message()?;
        let versions = route.map(Route::versions_text).unwrap_or_default();
        let mut parameters = vec![
            ("name", self.player.unwrap_or_default()),
            ("host", &self.client.host),
            ("version", self.client.version.name().unwrap_or("?")),
            ("versions", &versions),
        ];
        parameters.extend(self.refused.parameters.iter().map(|(name, value)| (*name, value.as_str())));
        if self.refused.refusal == Refusal::Maintenance
            && let Some(mut words) = route.and_then(|route| route.maintenance.message.clone())
        {
            words.replace(&parameters);
            return Some(words);
        }
        let localization = route.map_or(without_route, |route| &*route.localization);
        let trace = Some(self.client.trace);
        let say =
            async |key| localization.localize(locale, Message { key, parameters: &parameters, trace }).await;
        let words = async {
            // An adapter may have words of its own, which nobody may know.
            let own = match self.refused.key.as_deref() {
                Some(key) => say(key).await,
                None => None,
            };
            match own {
                Some(words) => Some(words),
                None => say(key).await,
            }
        };
        timeout(WORDS, words).await.ok().flatten()
    }
}

/// Turns a client away that has greeted but not gone any further.
pub(crate) async fn tell(
    greeted: Greeted,
    route: Option<&Route>,
    refused: &Refused,
    journey: &mut Journey,
) -> Result<(), Ended> {
    let Greeted { socket, snapshot, arrived, inbound, client, purpose, pass: _pass } = greeted;
    let Purpose::Login(opening) = purpose else {
        let facts = Facts { route: route.map(|route| &*route.name), ..Facts::default() };
        journey.end(Outcome::Refused(refused.refusal), socket.now(), Some(&client), &facts);
        return Err(Ended::Refused(refused.refusal));
    };
    let route_name = route.map(|route| &*route.name);
    Line { client: &client, route: route_name, player: None, arrived, now: socket.now(), journey }
        .refused(refused, false);
    let told = Told { refused, client: &client, player: None };
    let Some(reason) = told.words(&*snapshot.routes.localization, route, None).await else { return Ok(()) };
    let deadline = socket.now() + snapshot.limits.handshake_timeout;
    let mut conversation = Conversation::new(socket, &opening, client.version, inbound).until(deadline);
    conversation.tell(reason);
    conversation.close().await;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shared::new_trace;
    use drawbridge_config::{Diagnostics, read_text};
    use drawbridge_protocol::ProtocolVersion;
    use drawbridge_routing::{RouteSection, Services};
    use drawbridge_testkit::sees;
    use std::collections::BTreeSet;

    /// No adapter that a configuration can name today fails in discovery, and no peer can bring about a fault of the edge;
    /// what is said then is seen here, from the route file to the words.
    #[tokio::test]
    async fn every_refusal_is_told_in_the_words_of_the_route() {
        sees!(
            "routes[].localization(fixed).messages.*.disconnect_action",
            "routes[].localization(fixed).messages.*.disconnect_action_failed",
            "routes[].localization(fixed).messages.*.disconnect_discovery",
            "routes[].localization(fixed).messages.*.disconnect_internal",
        );
        let of_routes = Refusal::ALL.into_iter().filter(|refusal| *refusal != Refusal::NoRoute);
        let keys: BTreeSet<_> = of_routes.clone().filter_map(Refusal::message).collect();
        let texts: Vec<_> = keys.iter().map(|key| format!("{key} = \"<red>own {key}\"")).collect();
        let written = format!(
            "name = \"a\"\nhosts = [\"*\"]\nmode = \"transfer\"\nlocalization.messages.de_de = {{ {} }}",
            texts.join(", ")
        );
        let section: RouteSection = read_text("routes.toml", &written).unwrap();
        let routes = drawbridge_routing::Snapshot::build(
            &[section],
            &Services::default(),
            &mut Diagnostics::default(),
        );
        let routes = routes.unwrap();
        let route = routes.lookup("a.example.com").unwrap();
        let client = Client {
            address: ([127, 0, 0, 1], 1).into(),
            version: ProtocolVersion::newest(),
            host: "a.example.com".into(),
            port: 25565,
            trace: new_trace(),
        };
        for refusal in of_routes {
            let told = Told { refused: &refusal.into(), client: &client, player: None };
            let words = told.words(&*routes.localization, Some(route), Some("de_de")).await;
            let expected = refusal.message().map(|key| format!("own {key}"));
            assert_eq!(words.map(|words| words.to_plain()), expected);
        }
    }
}
