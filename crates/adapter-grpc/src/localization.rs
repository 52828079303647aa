//! Localization `grpc`: a service knows the words, as long as it answers; otherwise they are the built-in ones.
//!
//! What must stay true: a locale is sent and kept only in the form that clients' locales have; what is kept has a bound.

use crate::endpoint::Endpoint;
use crate::error::shown;
use crate::grpc::Grpc;
use crate::proto::{LocalizationRequest, LocalizationResponse, path};
use crate::service::{Method, Service};
use async_trait::async_trait;
use drawbridge_adapter::guard::Guard;
use drawbridge_adapter::localization::{Fixed, FixedLocalizationSection, Locale};
use drawbridge_config::{Fields, keywords, section};
use drawbridge_model::{AdapterError, LocalizationAdapter, Message, Refusal, TraceContext};
use drawbridge_protocol::text::Component;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::OnceCell;
use tokio::time::{Instant, timeout};

keywords! {
    /// What the service is told of what a text may speak of.
    pub enum Parameters {
        /// What it is: `name` is `Alice`.
        "values" => Values,
        /// Where it goes: `name` is `{name}`, in place of which the edge puts `Alice` as plain text.
        "placeholders" => Placeholders,
    }
}

section! {
    /// Words that a service knows.
    #[check(GrpcLocalizationSection::check)]
    pub struct GrpcLocalizationSection {
        /// The service.
        pub endpoint: Endpoint,
        /// The locale of the built-in texts for players whose own has none, and for all whose locale isn't known yet; they are
        /// shown where the service has no answer.
        pub default_locale: Locale = Locale::EN_US,
        /// How long a text is kept.
        pub cache: Duration = Duration::from_secs(300),
        /// What the service is told of what a text may speak of. With placeholders one text serves all players.
        pub parameters: Parameters = Parameters::Values,
    }
}

impl GrpcLocalizationSection {
    fn check(&self, fields: &mut Fields<'_, '_, '_>) {
        self.built_in().check(fields);
    }

    fn built_in(&self) -> FixedLocalizationSection {
        FixedLocalizationSection {
            default_locale: self.default_locale,
            ..FixedLocalizationSection::default()
        }
    }
}

/// A text is short; a client takes 262,144 characters at most, which nobody reads.
const METHOD: Method = Method { path: path::LOCALIZATION, largest: 16 << 10 };
/// The most texts that are kept; the one that was looked at longest ago makes room.
const TEXTS: usize = 1_024;
/// How long a text is waited for: the edge gives the words of a refusal 2 s, and an own key may have to be looked up before the
/// refusal's.
pub const PATIENCE: Duration = Duration::from_millis(750);
/// How much longer somebody waits whose text another is asking for, so that the guard sees who hangs.
const MARGIN: Duration = Duration::from_millis(100);

/// What a text depends on.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Key {
    locale: Option<Locale>,
    key: String,
    parameters: Vec<(String, String)>,
}

/// A text, once it is known. Whoever wants it meanwhile waits for the one who asks. `None`: the service doesn't know it.
type Text = Arc<OnceCell<Option<Component>>>;

#[derive(Debug)]
struct Kept {
    text: Text,
    since: Instant,
    looked_at: Instant,
}

/// What those are told who are turned away by the thousand: the built-in texts, since nobody's flood is to reach a service.
const AT_HAND: [Refusal; 3] = [Refusal::Access, Refusal::NoRoute, Refusal::Rate];

/// Asks a service for texts.
#[derive(Debug)]
pub struct GrpcLocalization {
    service: Service,
    guard: Guard,
    built_in: Fixed,
    cache: Duration,
    parameters: Parameters,
    texts: Mutex<HashMap<Key, Kept>>,
}

impl GrpcLocalization {
    /// As the section says, behind `guard`, which waits [`PATIENCE`] at most.
    #[must_use]
    pub fn new(section: &GrpcLocalizationSection, grpc: &Grpc, guard: Guard) -> Self {
        Self {
            service: grpc.service(&section.endpoint),
            guard,
            built_in: Fixed::new(&section.built_in()),
            cache: section.cache,
            parameters: section.parameters,
            texts: Mutex::default(),
        }
    }

    /// The service's text, if it has one.
    async fn text(&self, key: Key, trace: Option<TraceContext>) -> Result<Option<Component>, AdapterError> {
        let text = self.kept(&key);
        let asked = text.get_or_try_init(|| self.guard.ask(self.ask(&key, trace)));
        match timeout(PATIENCE + MARGIN, asked).await {
            Ok(text) => text.cloned(),
            Err(_) => Err(AdapterError::TimedOut(PATIENCE)),
        }
    }

    async fn ask(&self, key: &Key, trace: Option<TraceContext>) -> Result<Option<Component>, AdapterError> {
        let question = LocalizationRequest {
            locale: key.locale.map(|locale| locale.to_string()),
            key: key.key.clone(),
            params: key.parameters.iter().cloned().collect(),
        };
        let answer: LocalizationResponse = self.service.ask(METHOD, question, trace).await?;
        if answer.message.is_empty() {
            return Ok(None);
        }
        let text = Component::parse_config(&answer.message);
        text.map(Some).map_err(|error| AdapterError::Answer(format!("{}: {error}", shown(&answer.message))))
    }

    /// The place of a text, where it may be already.
    fn kept(&self, key: &Key) -> Text {
        let now = Instant::now();
        // Each change is whole, so that what a panic elsewhere left behind is sound.
        let mut texts = self.texts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(kept) = texts.get_mut(key)
            && now.saturating_duration_since(kept.since) < self.cache
        {
            kept.looked_at = now;
            return Arc::clone(&kept.text);
        }
        if texts.len() >= TEXTS
            && !texts.contains_key(key)
            && let Some(oldest) =
                texts.iter().min_by_key(|(_, kept)| kept.looked_at).map(|(key, _)| key.clone())
        {
            texts.remove(&oldest);
        }
        let text = Text::default();
        texts.insert(key.clone(), Kept { text: Arc::clone(&text), since: now, looked_at: now });
        text
    }

    fn key(&self, locale: Option<&str>, message: Message<'_>) -> Key {
        let parameters = message.parameters.iter().map(|&(name, value)| match self.parameters {
            Parameters::Values => (name.to_owned(), value.to_owned()),
            Parameters::Placeholders => (name.to_owned(), format!("{{{name}}}")),
        });
        Key {
            locale: locale.and_then(Locale::parse),
            key: message.key.to_owned(),
            parameters: parameters.collect(),
        }
    }
}

#[async_trait]
impl LocalizationAdapter for GrpcLocalization {
    async fn localize(&self, locale: Option<&str>, message: Message<'_>) -> Option<Component> {
        if AT_HAND.iter().any(|refusal| refusal.message() == Some(message.key)) {
            return self.built_in.text(locale, message);
        }
        match self.text(self.key(locale, message), message.trace).await {
            Ok(Some(mut text)) => {
                text.replace(message.parameters);
                Some(text)
            }
            Ok(None) => self.built_in.text(locale, message),
            Err(error) => {
                self.guard.tell(&error, "a text can't be had: the built-in one is shown");
                self.built_in.text(locale, message)
            }
        }
    }
}
