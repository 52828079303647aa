//! What players read: the texts of Passage by locale and key.

use super::super::draft::Draft;
use super::super::route::Route;
use super::super::source::Entry;
use super::super::text::Table;
use super::{complete, set_endpoint};
use drawbridge_adapter::localization::Locale;
use serde_json::{Map, Value as Json, json};

/// The locales of the built-in texts.
const BUILT_IN: [&str; 8] = ["en_us", "de_de", "es_es", "fr_fr", "ja_jp", "pt_br", "ru_ru", "zh_cn"];

/// Reads a route's localization.
pub(super) fn read(entry: &Entry<'_>, route: &mut Route, draft: &mut Draft) {
    let mut table = Table::default();
    let kind = entry.get("type");
    if kind.as_ref().and_then(|entry| draft.text(entry)) == Some("grpc") {
        table.set("type", "grpc");
        set_endpoint(entry, &mut table, draft);
    } else {
        read_texts(entry, &mut table, draft);
    }
    kind.iter().for_each(|entry| draft.keep(entry, "routes.localization.type"));
    *route.table("localization") = complete(table, entry, route, draft);
}

fn read_texts(entry: &Entry<'_>, table: &mut Table, draft: &mut Draft) {
    let mut messages = Map::new();
    for (locale, texts) in entry.get("messages").iter().flat_map(Entry::fields) {
        let known = locale.to_ascii_lowercase().replace('-', "_");
        if Locale::parse(&known).is_none() {
            draft.leave(&texts, "is of no locale");
            continue;
        }
        let of_locale =
            texts.fields().into_iter().filter_map(|(key, entry)| read_message(key, &entry, draft)).collect();
        messages.insert(known, Json::Object(of_locale));
    }
    if let Some(entry) = entry.get("default_locale") {
        read_default(&entry, &messages, table, draft);
    }
    if !messages.is_empty() {
        table.set("messages", messages);
    }
    draft.leave_all(entry, &["warn_unknown_keys"], "other keys are for services to refuse players with");
}

/// Sets the default locale, if there are texts of its language.
fn read_default(entry: &Entry<'_>, messages: &Map<String, Json>, table: &mut Table, draft: &mut Draft) {
    let Some(text) = draft.text(entry) else { return };
    let locale = text.to_ascii_lowercase().replace('-', "_");
    let language = |locale: &str| locale.split('_').next().unwrap_or_default().to_owned();
    let known = messages.keys().map(String::as_str).chain(BUILT_IN);
    if known.map(language).any(|known| known == language(&locale)) && Locale::parse(&locale).is_some() {
        table.set("default_locale", locale);
        draft.keep(entry, "routes.localization.default_locale");
    } else {
        draft.leave(entry, "there are no texts of this language");
    }
}

/// The key of a text for players, and the text. Two of Passage's keys have another name here.
fn read_message(key: &str, entry: &Entry<'_>, draft: &mut Draft) -> Option<(String, Json)> {
    if key == "locale" {
        draft.leave(entry, "the locale's name is shown nowhere");
        return None;
    }
    let is_sound =
        key.len() <= 64 && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.:".contains(&byte));
    if !is_sound || key.is_empty() {
        draft.leave(entry, "is no key of a message");
        return None;
    }
    let text = draft.text(entry)?;
    let text = draft.component(entry, &text.replace("{preferred}", "{versions}"))?;
    let to = match key {
        "disconnect_unauthenticated" => {
            draft.keep(entry, "routes.localization.messages, disconnect_authentication");
            "disconnect_authentication"
        }
        "disconnect_unsupported" => {
            draft.change(
                entry,
                "routes.localization.messages, disconnect_version, with {versions} for {preferred}",
            );
            "disconnect_version"
        }
        key => {
            draft.keep(entry, "routes.localization.messages");
            key
        }
    };
    Some((to.to_owned(), json!(text)))
}
