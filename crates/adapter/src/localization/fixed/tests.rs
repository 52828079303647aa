use super::*;
use drawbridge_config::{Error, Style, read_text};
use proptest::prelude::*;

fn fixed(text: &str) -> Fixed {
    Fixed::new(&read_text("localization.toml", text).unwrap())
}

fn mistakes(text: &str) -> String {
    match read_text::<FixedLocalizationSection>("localization.toml", text) {
        Err(Error::Invalid(diagnostics)) => diagnostics.render(Style::Plain),
        other => panic!("{other:?}"),
    }
}

fn said(fixed: &Fixed, locale: Option<&str>, key: &str) -> String {
    fixed
        .text(locale, Message { key, parameters: &[], trace: None })
        .map(|text| text.to_plain())
        .unwrap_or_default()
}

#[test]
fn players_read_their_own_language() {
    let fixed = fixed("");
    for (locale, words) in [
        (Some("de_de"), "zu oft"),
        (Some("DE-AT"), "zu oft"),
        (Some("es_mx"), "demasiado"),
        (Some("fr_ca"), "trop souvent"),
        (Some("ru_ru"), "слишком часто"),
        (Some("zh_tw"), "频繁"),
        (Some("pt_pt"), "vezes demais"),
        (Some("ja_jp"), "多すぎます"),
        (Some("en_gb"), "too often"),
        (Some("nl_nl"), "too often"),
        (Some("not a locale"), "too often"),
        (None, "too often"),
    ] {
        assert!(said(&fixed, locale, "disconnect_rate").contains(words), "{locale:?}");
    }
}

#[test]
fn the_operators_texts_come_key_by_key() {
    let fixed = fixed(
        "default_locale = 'de_de'
        [messages.de_de]
        disconnect_rate = '<red>Langsam!'
        [messages.de_at]
        disconnect_cookie = 'Servus'
        [messages.nl_nl]
        disconnect_cookie = 'Hallo'
        [messages.en_us]
        disconnect_internal = 'Oops'",
    );
    assert_eq!(said(&fixed, Some("de_de"), "disconnect_rate"), "Langsam!");
    // The same language, the operator's before the built-in.
    assert_eq!(said(&fixed, Some("de_ch"), "disconnect_rate"), "Langsam!");
    assert_eq!(said(&fixed, Some("de_ch"), "disconnect_cookie"), "Servus");
    // The exact locale, built in, before another of the language.
    assert!(said(&fixed, Some("de_de"), "disconnect_cookie").contains("Anmeldung"));
    // What a locale lacks, the default locale has.
    assert_eq!(said(&fixed, Some("nl_nl"), "disconnect_cookie"), "Hallo");
    assert_eq!(said(&fixed, Some("nl_be"), "disconnect_rate"), "Langsam!");
    assert_eq!(said(&fixed, Some("en_gb"), "disconnect_internal"), "Oops");
    assert_eq!(said(&fixed, None, "disconnect_rate"), "Langsam!");
    assert_eq!(said(&fixed, None, "no_such_key"), "");
}

#[test]
fn what_players_supply_stays_plain_text() {
    let fixed = fixed("messages.en_us.disconnect_name = '<red>No, {name}'");
    let parameters = [("name", "<bold>§l{\"text\":\"x\"}{name}")];
    let text =
        fixed.text(None, Message { key: "disconnect_name", parameters: &parameters, trace: None }).unwrap();
    let json = {
        let mut out = String::new();
        text.to_json(drawbridge_protocol::text::TextFormat::ALL[0], &mut out);
        out
    };
    assert!(!json.contains("bold\":"), "{json}");
    let built_in = Fixed::new(&FixedLocalizationSection::default());
    let parameters = [("version", "1.8"), ("versions", "1.20.5+")];
    let message = Message { key: "disconnect_version", parameters: &parameters, trace: None };
    let text = built_in.text(None, message).unwrap().to_plain();
    assert!(text.contains("1.8") && text.contains("1.20.5+") && !text.contains('{'), "{text}");
}

#[test]
fn unknown_messages_and_locales_are_mistakes() {
    let shown = mistakes(
        "default_locale = 'nl_nl'
        [messages.de_de]
        disconnect_cokie = 'x'
        disconnect_rate = 7
        [messages.'de de']
        disconnect_rate = 'x'",
    );
    for words in ["did you mean \"disconnect_cookie\"", "expected a text", "\"de de\" is not a locale"] {
        assert!(shown.contains(words), "{words}: {shown}");
    }
    assert!(mistakes("default_locale = 'nl_nl'").contains("no texts for \"nl_nl\""));
    assert!(mistakes("messages = { de_de = {}, DE-DE = {} }").contains("a second table"));
}

/// Adapters refuse players with keys that the edge doesn't know.
#[test]
fn adapters_may_have_keys_of_their_own() {
    let fixed = fixed("messages.en_us.banned_for_life = 'Never again'");
    assert_eq!(said(&fixed, Some("de_de"), "banned_for_life"), "Never again");
    assert_eq!(fixed.text(None, Message { key: "banned_for_a_day", parameters: &[], trace: None }), None);
}

proptest! {
    #[test]
    fn no_locale_panics(locale in "\\PC{0,40}", key in "[a-z_]{0,20}") {
        let fixed = Fixed::new(&FixedLocalizationSection::default());
        prop_assert_eq!(said(&fixed, Some(&locale), &key).is_empty(), !Texts::KEYS.contains(&&*key));
        prop_assert!(!said(&fixed, Some(&locale), Texts::KEYS[0]).is_empty());
    }
}
