//! Localization `fixed`: the built-in texts, and the operator's over them.
//!
//! What must stay true: a locale comes from a player, so it only ever selects a text; a parameter may come from one too, so
//! it goes in as plain text.

use super::locale::Locale;
use super::texts::{Texts, built_in};
use crate::setting::Text;
use async_trait::async_trait;
use drawbridge_config::{
    Diagnostic, Fields, Json, Located, Reader, Schemas, Setting, Value, json, nearest, section, suggestion,
};
use drawbridge_model::{LocalizationAdapter, Message, Refusal};
use drawbridge_protocol::text::Component;
use std::collections::BTreeMap;

section! {
    /// Texts from the configuration, over the built-in ones.
    #[defaults]
    #[check(FixedLocalizationSection::check)]
    pub struct FixedLocalizationSection {
        /// The locale of players whose own has no texts, and of all whose locale isn't known yet.
        pub default_locale: Locale = Locale::EN_US,
        /// Texts by locale and key; they replace the built-in ones key by key, and may use their placeholders. Other keys are
        /// for what adapters refuse players with.
        pub messages: Messages = Messages::default(),
    }
}

impl FixedLocalizationSection {
    /// Reports a default locale without any text; asked while a section with that key is read.
    pub fn check(&self, fields: &mut Fields<'_, '_, '_>) {
        let language = self.default_locale.language();
        let known = built_in().filter_map(|(name, _)| Locale::parse(name));
        if !known.chain(self.messages.0.keys().copied()).any(|locale| locale.language() == language) {
            let built_in: Vec<_> = built_in().map(|(name, _)| name).collect();
            let mistake = Diagnostic::error(
                fields.origin("default_locale"),
                format!("there are no texts for {:?}", self.default_locale),
            );
            let help = format!("add some under messages, or use a built-in one: {}", built_in.join(", "));
            fields.report(mistake.help(help));
        }
    }
}

/// Texts by locale and key.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Messages(BTreeMap<Locale, BTreeMap<String, Located<Text>>>);

impl Setting for Messages {
    fn read(value: &Value, reader: &mut Reader<'_>) -> Option<Self> {
        let Some(locales) = value.as_table() else {
            return reader.expected(value, "a table of locales");
        };
        let errors = reader.errors();
        let mut messages = BTreeMap::new();
        for (name, value) in locales.iter() {
            let origin = locales.key_origin(name).unwrap_or(value.origin());
            let texts = read_texts(value, reader);
            let Some(locale) = Locale::parse(name) else {
                let mistake = Diagnostic::error(origin, format!("{name:?} is not a locale"));
                reader.report(
                    mistake.help("expected a language, an underscore and a country, such as \"de_de\""),
                );
                continue;
            };
            if messages.insert(locale, texts).is_some() {
                reader.report(Diagnostic::error(origin, format!("a second table of texts for {locale:?}")));
            }
        }
        (reader.errors() == errors).then_some(Self(messages))
    }

    fn schema(schemas: &mut Schemas) -> Json {
        let text = Text::schema(schemas);
        let texts: serde_json::Map<_, _> =
            Texts::of_routes().into_iter().map(|key| (key.to_owned(), text.clone())).collect();
        json!({
            "type": "object",
            "propertyNames": Locale::schema(schemas),
            "additionalProperties": { "type": "object", "properties": texts, "additionalProperties": text },
        })
    }

    fn write(&self) -> Option<Json> {
        let locales = self.0.iter().map(|(locale, texts)| {
            let texts = texts.iter().filter_map(|(key, text)| Some((key.clone(), text.write()?)));
            (locale.to_string(), Json::Object(texts.collect()))
        });
        Some(Json::Object(locales.collect()))
    }
}

/// The texts of one locale; what is wrong with them is reported.
fn read_texts(value: &Value, reader: &mut Reader<'_>) -> BTreeMap<String, Located<Text>> {
    let mut texts = BTreeMap::new();
    let Some(table) = value.as_table() else {
        reader.expected::<()>(value, "a table of texts");
        return texts;
    };
    let known = Texts::of_routes();
    for (name, value) in table.iter() {
        // What is nearly a key of the edge's own is a slip; what isn't may be an adapter's.
        let slip = !known.contains(&name) && nearest(name, known.iter().copied()).is_some();
        if slip || Refusal::NoRoute.message() == Some(name) {
            let origin = table.key_origin(name).unwrap_or(value.origin());
            let mistake = Diagnostic::error(origin, format!("unknown message {name:?}"));
            reader.report(mistake.help(suggestion(name, &known, "messages")));
            continue;
        }
        if let Some(text) = Located::read(value, reader) {
            texts.insert(name.to_owned(), text);
        }
    }
    texts
}

/// Knows the built-in texts and the operator's.
#[derive(Debug, Clone)]
pub struct Fixed {
    default: Locale,
    messages: BTreeMap<Locale, BTreeMap<String, Component>>,
}

impl Fixed {
    /// As the section says.
    #[must_use]
    pub fn new(section: &FixedLocalizationSection) -> Self {
        let components = |texts: &BTreeMap<String, Located<Text>>| {
            texts.iter().map(|(key, text)| (key.clone(), Component::clone(text))).collect()
        };
        let messages = section.messages.0.iter().map(|(locale, texts)| (*locale, components(texts)));
        Self { default: section.default_locale, messages: messages.collect() }
    }

    /// The text for a player of this locale: its own, another of the same language, the default locale's in the same
    /// manner, English. The operator's come before the built-in ones at each step. `None`: nobody knows the key.
    #[must_use]
    pub fn text(&self, locale: Option<&str>, message: Message<'_>) -> Option<Component> {
        let player = locale.and_then(Locale::parse);
        let mut text = player
            .and_then(|locale| self.nearest(locale, message.key))
            .or_else(|| self.nearest(self.default, message.key))
            .or_else(|| self.nearest(Locale::EN_US, message.key))?;
        text.replace(message.parameters);
        Some(text)
    }

    /// The text of exactly this locale, otherwise of its language.
    fn nearest(&self, locale: Locale, key: &str) -> Option<Component> {
        let language = locale.language();
        let exact = || self.messages.get(&locale).and_then(|texts| texts.get(key)).cloned();
        let exact_built_in = || {
            let mut texts = built_in().filter(|(name, _)| *name == locale.as_str());
            texts.find_map(|(_, texts)| texts.text(key)).map(Component::text)
        };
        let related = || {
            let mut texts = self.messages.iter().filter(|(other, _)| other.language() == language);
            texts.find_map(|(_, texts)| texts.get(key)).cloned()
        };
        let related_built_in = || {
            let mut texts = built_in().filter(|(name, _)| name.split('_').next() == Some(language));
            texts.find_map(|(_, texts)| texts.text(key)).map(Component::text)
        };
        exact().or_else(exact_built_in).or_else(related).or_else(related_built_in)
    }
}

#[async_trait]
impl LocalizationAdapter for Fixed {
    async fn localize(&self, locale: Option<&str>, message: Message<'_>) -> Option<Component> {
        self.text(locale, message)
    }
}

#[cfg(test)]
mod tests;
