//! Reading, writing and replacing, over all versions.

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::{ProtocolVersion, nbt};

fn json(component: &Component, version: i32) -> String {
    let mut out = String::new();
    component.to_json(ProtocolVersion(version), &mut out);
    out
}

fn with_events() -> Component {
    let mut component = Component::text("a").colored(Color::Rgb([0xff, 0x50, 0x50]));
    component.style.decorate(Decoration::Bold, true);
    component.style.decorate(Decoration::Italic, false);
    component.style.insertion = Some("i".to_owned());
    component.style.click =
        Some(ClickEvent { action: ClickAction::OpenUrl, value: "https://example.com".to_owned() });
    component.style.hover = Some(Box::new(Component::text("h")));
    component.with(Component::translate("key", vec!["x".into()]))
}

#[test]
fn each_version_gets_its_own_spelling() {
    let component = with_events();
    let tail = r#","extra":[{"translate":"key","with":[{"text":"x"}]}]}"#;
    let named = r##"{"text":"a","color":"red","bold":true,"italic":false,"insertion":"i","clickEvent":{"action":"open_url","value":"https://example.com"},"hoverEvent":{"action":"show_text","value":{"text":"h"}}"##;
    assert_eq!(json(&component, 578), format!("{named}{tail}"));
    let hex = r##"{"text":"a","color":"#ff5050","bold":true,"italic":false,"insertion":"i","clickEvent":{"action":"open_url","value":"https://example.com"},"hoverEvent":{"action":"show_text","contents":{"text":"h"}}"##;
    assert_eq!(json(&component, 735), format!("{hex}{tail}"));
    assert_eq!(json(&component, 769), format!("{hex}{tail}"));
    let snake = r##"{"text":"a","color":"#ff5050","bold":true,"italic":false,"insertion":"i","click_event":{"action":"open_url","url":"https://example.com"},"hover_event":{"action":"show_text","value":{"text":"h"}}"##;
    assert_eq!(json(&component, 770), format!("{snake}{tail}"));
    assert_eq!(json(&component, 777), format!("{snake}{tail}"));
}

#[test]
fn clicks_since_770_have_a_field_each_and_wrong_ones_are_left_out() {
    let click = |action, value: &str| {
        let mut component = Component::text("");
        component.style.click = Some(ClickEvent { action, value: value.to_owned() });
        let value: serde_json::Value = serde_json::from_str(&json(&component, 770)).unwrap();
        value.get("click_event").cloned()
    };
    assert_eq!(
        click(ClickAction::RunCommand, "/a"),
        Some(json!({ "action": "run_command", "command": "/a" }))
    );
    assert_eq!(
        click(ClickAction::SuggestCommand, "/a"),
        Some(json!({ "action": "suggest_command", "command": "/a" }))
    );
    assert_eq!(click(ClickAction::ChangePage, "3"), Some(json!({ "action": "change_page", "page": 3 })));
    assert_eq!(
        click(ClickAction::CopyToClipboard, "3"),
        Some(json!({ "action": "copy_to_clipboard", "value": "3" }))
    );
    assert_eq!(click(ClickAction::OpenUrl, "javascript:x"), None);
    assert_eq!(click(ClickAction::OpenUrl, "https://a b"), None);
    assert_eq!(click(ClickAction::ChangePage, "0"), None);
    assert_eq!(click(ClickAction::ChangePage, "x"), None);
    assert_eq!(click(ClickAction::RunCommand, "/a\n"), None);
}

/// How many components there are.
fn count(component: &Component) -> usize {
    let with = match &component.content {
        Content::Text(_) => &[][..],
        Content::Translate { with, .. } => with,
    };
    let hover = component.style.hover.as_deref();
    1 + component.extra.iter().chain(with).chain(hover).map(count).sum::<usize>()
}

/// As long as a text may be, and each few characters of it a component.
#[test]
fn a_text_becomes_no_more_components_than_are_allowed() {
    let list = |item: &str, around: [&str; 2]| {
        let times = (MAX_LENGTH - around[0].len() - around[1].len()) / (item.len() + 1);
        format!("{}{}{}", around[0], vec![item; times].join(","), around[1])
    };
    for text in [
        list("0", ["[", "]"]),
        list("[0]", ["[", "]"]),
        list("[[0],0]", ["[", "]"]),
        list("0", [r#"{"text":"","extra":["#, "]}"]),
        list("0", [r#"{"translate":"a","with":["#, "]}"]),
        list(r#"{"text":"","hover_event":{"action":"show_text","value":[0,0]}}"#, ["[", "]"]),
    ] {
        let read = Component::from_json_lenient(&text).unwrap();
        assert_eq!(count(&read), MAX_COMPONENTS, "{}", &text[..40]);
        assert!(matches!(Component::from_json(&text), Err(TextError::TooMany)));
    }
    // NBT of that length has room for more of them too.
    let mut nbt = vec![9, 1, 0, 0, 0x40, 0];
    nbt.resize(nbt.len() + 0x4000, 7);
    let (read, length) = Component::from_nbt(&nbt).unwrap();
    assert_eq!((length, count(&read)), (nbt.len(), MAX_COMPONENTS));
}

/// The bytes by hand, after the wiki's "NBT format".
#[test]
fn nbt_is_as_on_the_wire() {
    let mut component = Component::text("Hi").colored(NamedColor::Red).with("é".into());
    component.style.decorate(Decoration::Bold, true);
    let mut out = Vec::new();
    component.to_nbt(ProtocolVersion::V1_20_5, &mut out);
    let expected = b"\x0a\
        \x08\x00\x04text\x00\x02Hi\
        \x08\x00\x05color\x00\x03red\
        \x01\x00\x04bold\x01\
        \x09\x00\x05extra\x0a\x00\x00\x00\x01\
        \x08\x00\x04text\x00\x02\xc3\xa9\x00\
        \x00";
    assert_eq!(out, expected);
}

#[test]
fn vanillas_lenient_forms_are_read() {
    let read = |json: &str| Component::from_json(json).unwrap();
    assert_eq!(read("\"a\""), Component::text("a"));
    assert_eq!(read("1.5"), Component::text("1.5"));
    assert_eq!(read("true"), Component::text("true"));
    assert_eq!(
        read(r#"[{"text":"a","color":"red"},"b"]"#),
        Component::text("a").colored(NamedColor::Red).with("b".into())
    );
    let bold = |json: &str| read(json).style.decoration(Decoration::Bold);
    assert_eq!(bold(r#"{"text":"","bold":true}"#), Some(true));
    assert_eq!(bold(r#"{"text":"","bold":"false"}"#), Some(false));
    assert_eq!(bold(r#"{"text":"","bold":1}"#), Some(true));
    assert_eq!(read(r#"{"text":5}"#), Component::text("5"));
    for hover in [
        r#"{"text":"","hoverEvent":{"action":"show_text","value":"h"}}"#,
        r#"{"text":"","hoverEvent":{"action":"show_text","contents":{"text":"h"}}}"#,
        r#"{"text":"","hover_event":{"action":"show_text","value":["h"]}}"#,
    ] {
        assert_eq!(*read(hover).style.hover.unwrap(), Component::text("h"));
    }
    let page = read(r#"{"text":"","click_event":{"action":"change_page","page":2}}"#).style.click.unwrap();
    assert_eq!(page, ClickEvent { action: ClickAction::ChangePage, value: "2".to_owned() });
}

#[test]
fn an_operators_mistakes_are_told_and_a_servers_overlooked() {
    let told = |json: &str| Component::from_json(json).unwrap_err().to_string();
    let overlooked = |json: &str| Component::from_json_lenient(json).unwrap();
    for (json, message) in [
        (r#"{"text":"a","bolt":true}"#, "a text component has no \"bolt\", or it isn't supported here"),
        (
            r#"{"text":"a","color":"rot"}"#,
            "\"rot\" where a colour's name or #rrggbb was expected in a text component's \"color\"",
        ),
        (
            r#"{"text":"a","bold":"yes"}"#,
            "\"yes\" where true or false was expected in a text component's \"bold\"",
        ),
    ] {
        assert_eq!(told(json), message);
        assert_eq!(overlooked(json), Component::text("a"));
    }
    assert!(told(r#"{"text":"a","clickEvent":{"action":"open_file","value":"x"}}"#).contains("click_event"));
    assert!(told(r#"{"text":"a","hoverEvent":{"action":"show_item","contents":{}}}"#).contains("show_text"));
    assert!(told(r#"{"keybind":"key.jump"}"#).contains("without \"text\""));
    assert_eq!(overlooked(r#"{"keybind":"key.jump"}"#), Component::text("key.jump"));
    for json in ["null", "[]", "{}", r#"{"text":{}}"#, r#"{"text":"","extra":"a"}"#] {
        assert!(Component::from_json(json).is_err(), "{json}");
    }
    assert!(told("{\"text\":\"a\"").starts_with("a text that looks like JSON but is none: EOF"));
}

#[test]
fn reading_is_bounded() {
    let nested =
        |depth: usize| format!("{}\"a\"{}", r#"{"text":"","extra":["#.repeat(depth), "]}".repeat(depth));
    assert!(Component::from_json(&nested(MAX_DEPTH - 1)).is_ok());
    assert!(matches!(Component::from_json(&nested(MAX_DEPTH)), Err(TextError::TooDeep)));
    assert!(Component::from_json(&nested(5_000)).is_err());
    assert!(Component::from_json(&"[".repeat(200_000)).is_err());
    let long = format!("\"{}\"", "a".repeat(MAX_LENGTH));
    assert!(matches!(Component::from_json(&long), Err(TextError::TooLong { .. })));

    let mut list = vec![9];
    for _ in 0..400 {
        list.extend([9, 0, 0, 0, 1]);
    }
    list.extend([8, 0, 0, 0, 1, 0, 1, b'a']);
    assert!(nbt::skip(&list).is_ok());
    assert!(matches!(Component::from_nbt(&list), Err(TextError::TooDeep)));
    assert!(Component::from_nbt(&[0]).is_err());
    assert_eq!(Component::from_nbt(b"\x08\x00\x01a??").unwrap(), (Component::text("a"), 4));
    // A list of mixed types, as vanilla wraps it.
    let mixed =
        b"\x0a\x08\x00\x04text\x00\x01a\x09\x00\x05extra\x0a\x00\x00\x00\x01\x08\x00\x00\x00\x01b\x00\x00";
    assert_eq!(Component::from_nbt(mixed).unwrap().0, Component::text("a").with("b".into()));
}

#[test]
fn configuration_texts_are_told_apart() {
    let parse = |text: &str| Component::parse_config(text).unwrap();
    let red = Component::text("a").colored(NamedColor::Red);
    for text in [r#"{"text":"a","color":"red"}"#, r#" [ {"text":"a","color":"red"} ]"#, "§ca", "<red>a"] {
        assert_eq!(parse(text), red, "{text}");
    }
    assert_eq!(parse("\"a\""), Component::text("a"));
    for text in ["", "{player} left", "[Lobby] a", "[", "{", "1", "a \"b\""] {
        assert_eq!(parse(text), Component::text(text), "{text}");
    }
    assert!(Component::parse_config("{\"text\":").is_err());
    assert!(Component::parse_config("{}").is_err());
}

#[test]
fn what_a_player_says_stays_plain() {
    let mut message = Component::parse_config(
        "<red>{player}</red> <hover:show_text:'{player}'><click:run_command:'/tell {player}'>at {host}, {unknown}{",
    )
    .unwrap();
    message.replace(&[("player", "<b>§cEve§\n\u{202e}{host}"), ("host", "{player}")]);
    assert_eq!(message.to_plain(), "<b>cEve{host} at {player}, {unknown}{");
    assert_eq!(message.to_legacy(), "§c<b>cEve{host}§r at {player}, {unknown}{");
    let json = json(&message, 777);
    assert!(
        json.contains(r#""hover_event":{"action":"show_text","value":{"text":"<b>cEve{host}"}}"#),
        "{json}"
    );
    assert!(json.contains(r#""command":"/tell {player}""#), "{json}");

    let mut painted = Component::parse_config("<rainbow>Hi {player}!").unwrap();
    painted.replace(&[("player", "Eve")]);
    assert_eq!(painted.to_plain(), "Hi Eve!");
    let mut translated = Component::translate("key", vec!["{a}".into()]);
    translated.replace(&[("a", "b")]);
    assert_eq!(translated, Component::translate("key", vec!["b".into()]));
}

#[test]
fn plain_text_has_no_codes() {
    assert_eq!(Component::text("a§cb").with("§".into()).to_plain(), "ab");
    assert_eq!(Component::translate("key", vec!["x".into()]).to_plain(), "key");
}

fn components() -> impl Strategy<Value = Component> {
    let color = prop_oneof![
        (0usize..16).prop_map(|index| Color::Named(NamedColor::ALL[index])),
        any::<[u8; 3]>().prop_map(Color::Rgb),
    ];
    let style = (
        prop::option::of(color),
        any::<[Option<bool>; 5]>(),
        prop::option::of(any::<String>()),
        prop::option::of((0usize..2, "[a-z/]{0,9}")),
    );
    let style = style.prop_map(|(color, decorations, insertion, click)| {
        let actions = [ClickAction::RunCommand, ClickAction::CopyToClipboard];
        let click = click.map(|(action, value)| ClickEvent { action: actions[action], value });
        Style { color, decorations, insertion, click, hover: None }
    });
    let content = any::<String>();
    let leaf = (content, style).prop_map(|(text, style)| Component { style, ..Component::text(text) });
    leaf.prop_recursive(4, 24, 4, |inner| {
        let list = prop::collection::vec(inner.clone(), 0..4);
        (inner.clone(), list.clone(), prop::option::of((any::<String>(), list)), prop::option::of(inner))
            .prop_map(|(mut component, extra, translated, hover)| {
                component.extra = extra;
                component.style.hover = hover.map(Box::new);
                if let Some((key, with)) = translated {
                    component.content = Content::Translate { key, with };
                }
                component
            })
    })
}

proptest! {
    #[test]
    fn what_is_written_reads_back(component in components()) {
        for format in [TextFormat::Hex, TextFormat::SnakeCase] {
            let mut json = String::new();
            component.to_json(format, &mut json);
            prop_assert_eq!(&Component::from_json(&json).unwrap(), &component);
            let mut bytes = Vec::new();
            component.to_nbt(format, &mut bytes);
            prop_assert_eq!(nbt::skip(&bytes), Ok(bytes.len()));
            prop_assert_eq!(Component::from_nbt(&bytes).unwrap(), (component.clone(), bytes.len()));
        }
    }

    #[test]
    fn old_versions_see_named_colors_only(component in components()) {
        prop_assert!(!json(&component, 47).contains("\"color\":\"#"));
        prop_assert!(Component::from_json(&json(&component, 47)).is_ok());
    }

    #[test]
    fn a_value_adds_no_code_to_any_form(value in "\\PC*|[§&<>{}\"\\\\a\n]{0,20}") {
        let mut component = Component::text("{v}");
        component.replace(&[("v", &value)]);
        prop_assert!(!component.to_legacy().contains('§'));
        let plain = component.to_plain();
        prop_assert_eq!(component, Component::text(plain));
    }

    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(prop_oneof![0u8..13, any::<u8>()], 0..100), text in "\\PC*") {
        let _ = Component::from_nbt(&bytes);
        let _ = Component::parse_config(&text);
        let _ = Component::from_json_lenient(&text);
    }
}
