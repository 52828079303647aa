//! Against what the documentation of MiniMessage shows, and the colours that Adventure's own tests expect.

use proptest::prelude::*;

use crate::text::{ClickAction, ClickEvent, Color, Component, Decoration, NamedColor, Style, TextError};

fn parsed(text: &str) -> Component {
    Component::from_minimessage(text).unwrap()
}

/// Texts with their colours and the names of their decorations.
fn runs(text: &str) -> Vec<String> {
    let mut runs = Vec::new();
    parsed(text).walk(&Style::default(), &mut |text, style| {
        if text.is_empty() {
            return;
        }
        let mut run = text.to_owned();
        if let Some(color) = style.color {
            run.push_str(&format!("|{color}"));
        }
        for decoration in Decoration::ALL {
            match style.decoration(decoration) {
                Some(true) => run.push_str(&format!("|{}", decoration.name())),
                Some(false) => run.push_str(&format!("|!{}", decoration.name())),
                None => {}
            }
        }
        runs.push(run);
    });
    runs
}

#[test]
fn colors_and_decorations_have_all_their_names() {
    assert_eq!(runs("<yellow>Hello <blue>World</blue>!"), ["Hello |yellow", "World|blue", "!|yellow"]);
    assert_eq!(
        runs("<#00ff00>R <color:#FF0000>G</color> <c:dark_grey>x"),
        ["R |#00ff00", "G|#ff0000", " |#00ff00", "x|dark_gray"]
    );
    assert_eq!(
        runs("<b>a<!b>b</!b><i><u><st><obf>c"),
        ["a|bold", "b|!bold", "c|bold|italic|underlined|strikethrough|obfuscated"]
    );
    assert_eq!(runs("<bold>a</bold><em>b</em><italic:false>c"), ["a|bold", "b|italic", "c|!italic"]);
    assert_eq!(runs("<RED>a</Red>b"), ["a|red", "b"]);
    assert_eq!(runs("<yellow><bold>a<reset>b"), ["a|yellow|bold", "b"]);
}

#[test]
fn closing_an_outer_tag_closes_the_inner_ones() {
    assert_eq!(runs("<red><b>a</red>b"), ["a|red|bold", "b"]);
    assert_eq!(runs("<color:red>a</color>b"), ["a|red", "b"]);
    assert_eq!(runs("<color:red>a</color:red>b"), ["a|red", "b"]);
    assert_eq!(runs("<red>a</color>b"), ["a</color>b|red"], "another tag");
    assert_eq!(runs("<bold>a</b>b"), ["a</b>b|bold"], "another name");
    assert_eq!(runs("a</red>b"), ["a</red>b"]);
    assert_eq!(runs("<red/>a"), ["a"]);
}

#[test]
fn what_is_no_tag_stays_as_it_is_written() {
    for text in [
        "",
        "plain",
        "a < b > c",
        "<>",
        "</>",
        "<3",
        "<unknown>x</unknown>",
        "<unknown:'a>b'>",
        "<color:nope>x",
        "<red:blue>x",
        "<click:fly:x>y",
        "<hover:show_item:x>y",
        "<a b>",
        "<\"red\">",
        "<gradient:red>x",
        "<gradient:red:nope>x",
        "<gradient:red:blue:2>x",
        "<gradient:red:blue:nan>x",
        "<rainbow:x>y",
        "<!red>x",
        "<#12345>x",
        "[Lobby] {player} & co",
    ] {
        assert_eq!(parsed(text), Component::text(text), "{text}");
    }
}

#[test]
fn escapes_make_text_of_tags() {
    assert_eq!(parsed(r"\<red>a"), Component::text("<red>a"));
    assert_eq!(runs(r"\\<red>a"), [r"\", "a|red"]);
    assert_eq!(parsed(r"C:\dir \\ \n"), Component::text(r"C:\dir \ \n"));
    assert_eq!(runs(r"<red \<blue>a"), ["<red <blue>a"]);
    assert_eq!(runs("it's <3 for you're <red>it's"), ["it's <3 for you're ", "it's|red"]);
}

#[test]
fn texts_are_joined_and_levels_are_few() {
    assert_eq!(parsed("<red>Hi"), Component::text("Hi").colored(NamedColor::Red));
    assert_eq!(parsed("a<br>b<newline/>c"), Component::text("a\nb\nc"));
    assert_eq!(parsed("<red></red>"), Component::default());
}

#[test]
fn events_take_quoted_arguments() {
    let click = |text: &str| parsed(text).style.click;
    let event = |action, value: &str| Some(ClickEvent { action, value: value.to_owned() });
    assert_eq!(click("<click:run_command:/seed>x"), event(ClickAction::RunCommand, "/seed"));
    assert_eq!(click("<click:open_url:https://a.example/b:c>x"), None, "a colon that isn't quoted");
    assert_eq!(
        click("<click:open_url:https://a.example/b>x"),
        event(ClickAction::OpenUrl, "https://a.example/b")
    );
    assert_eq!(
        click("<click:open_url:'https://a.example:80/b'>x"),
        event(ClickAction::OpenUrl, "https://a.example:80/b")
    );
    assert_eq!(
        click(r#"<click:suggest_command:"say \"<red>\" it's">x"#),
        event(ClickAction::SuggestCommand, r#"say "<red>" it's"#)
    );
    assert_eq!(click("<click:change_page:2>x"), event(ClickAction::ChangePage, "2"));

    let hover = parsed("<hover:show_text:'<red>test:TEST'>x").style.hover.unwrap();
    assert_eq!(*hover, Component::text("test:TEST").colored(NamedColor::Red));
    let hover = parsed(r#"<hover:show_text:"<hover:show_text:'b'>a">x"#).style.hover.unwrap();
    assert_eq!(*hover.style.hover.unwrap(), Component::text("b"));
    assert_eq!(parsed("<insert:test>x").style.insertion.as_deref(), Some("test"));
}

#[test]
fn translations_take_texts() {
    let expected = Component::translate(
        "commands.drop.success.single",
        vec![
            Component::text("1").colored(NamedColor::Red),
            Component::text("Stone").colored(NamedColor::Blue),
        ],
    );
    assert_eq!(parsed("<lang:commands.drop.success.single:'<red>1':'<blue>Stone'>"), expected);
    let mut outer = Component::text("You have ").with(Component::translate("block.minecraft.stone", vec![]));
    outer.extra.push("!".into());
    assert_eq!(parsed("You have <lang:block.minecraft.stone>!"), outer);
}

/// Adventure's test `testGradient`.
#[test]
fn a_gradient_is_as_adventures() {
    let colors = [
        "ffffff", "f4f4f4", "e9e9e9", "dedede", "d3d3d3", "c8c8c8", "bcbcbc", "b1b1b1", "a6a6a6", "9b9b9b",
        "909090", "858585", "7a7a7a", "6f6f6f", "646464", "595959", "4e4e4e", "434343", "373737", "2c2c2c",
        "212121", "161616", "0b0b0b", "000000",
    ];
    let expected: Vec<String> = colors.iter().map(|color| format!("||#{color}")).collect();
    assert_eq!(runs(&format!("<gradient>{}</gradient>", "|".repeat(24))), expected);
}

/// Adventure's test `testRainbow`.
#[test]
fn a_rainbow_is_as_adventures() {
    let colors = [
        "ff0000", "ff3f00", "ff7f00", "ffbf00", "ffff00", "bfff00", "7fff00", "3fff00", "00ff00", "00ff3f",
        "00ff7f", "00ffbf", "00ffff", "00bfff", "007fff", "003fff", "0000ff", "3f00ff", "7f00ff", "bf00ff",
        "ff00ff", "ff00bf", "ff007f", "ff003f",
    ];
    let mut expected: Vec<String> = colors.iter().map(|color| format!("||#{color}")).collect();
    assert_eq!(runs(&format!("<rainbow>{}", "|".repeat(24))), expected);
    expected.reverse();
    assert_eq!(runs(&format!("<rainbow:!>{}", "|".repeat(24))), expected);
}

#[test]
fn paint_keeps_colors_and_placeholders_whole() {
    assert_eq!(
        runs("<gradient:#000000:#0000ff>a<b>b</b><red>c</red>d</gradient>e"),
        ["a|#000000", "b|#000055|bold", "c|red", "d|#0000ff", "e"]
    );
    assert_eq!(runs("<gradient:black:#0a0a0a>{player}!"), ["{player}|#000000", "!|#0a0a0a"]);
    assert_eq!(runs("<gradient:red:green:blue>a"), ["a|#ff5555"]);
    assert_eq!(runs("<gradient:#000000:#0000ff:-1>ab"), ["a|#0000ff", "b|#000000"]);
    assert_eq!(runs("<rainbow>äää"), ["ä|#ff0000", "ä|#00ff00", "ä|#0000ff"]);
    assert_eq!(runs("<rainbow:!5>a"), ["a|#00ffff"]);
    assert_eq!(runs("<rainbow></rainbow>a"), ["a"]);
    assert_eq!(runs("<gradient:red:red>same"), ["same|#ff5555"]);
}

#[test]
fn depth_and_length_are_bounded() {
    assert!(Component::from_minimessage(&"<b>a".repeat(40)).is_ok());
    assert!(matches!(Component::from_minimessage(&"<b>a".repeat(60)), Err(TextError::TooDeep)));
    assert!(matches!(
        Component::from_minimessage(&"a".repeat(32_769)),
        Err(TextError::TooLong { length: 32_769, .. })
    ));
    // Each by itself is not too deep.
    let within = |depth: usize| format!("{0}<lang:a:'{0}b'>", "<b>a".repeat(depth));
    let shallow = Component::from_minimessage(&within(20)).unwrap();
    let mut json = String::new();
    shallow.to_json(crate::ProtocolVersion::newest(), &mut json);
    assert!(Component::from_json_lenient(&json).is_ok(), "{json}");
    assert!(matches!(Component::from_minimessage(&within(30)), Err(TextError::TooDeep)));
    let mut nested = "x".to_owned();
    for _ in 0..8 {
        let quoted = nested.replace('\\', r"\\").replace('\'', r"\'");
        nested = format!("<hover:show_text:'{quoted}'>x");
        if nested.len() > 30_000 {
            break;
        }
    }
    assert!(Component::from_minimessage(&nested).is_ok());
}

proptest! {
    #[test]
    fn no_text_panics(text in "([<>/:'\"\\\\!#a{}§é ]|<red>|</red>|<b>|<gradient:red:blue:0\\.3>|<rainbow>|</rainbow>|<hover:show_text:'|<reset>|<lang:a:b>){0,30}") {
        if let Ok(component) = Component::from_minimessage(&text) {
            let mut json = String::new();
            component.to_json(crate::ProtocolVersion::newest(), &mut json);
            prop_assert!(serde_json::from_str::<serde_json::Value>(&json).is_ok());
        }
    }

    #[test]
    fn text_without_tags_is_itself(text in "[^<\\\\]{0,60}") {
        prop_assert_eq!(parsed(&text), Component::text(text));
    }

    #[test]
    fn escaped_text_is_itself(text in "[<>/:'a\\\\ ]{0,60}") {
        let escaped = text.replace('\\', r"\\").replace('<', r"\<");
        prop_assert_eq!(parsed(&escaped), Component::text(text));
    }

    #[test]
    fn every_gradient_ends_where_it_should(first: [u8; 3], last: [u8; 3], count in 2usize..50) {
        let [from, to] = [first, last].map(|rgb| Color::Rgb(rgb).to_string());
        let runs = runs(&format!("<gradient:{from}:{to}>{}", "x".repeat(count)));
        let expected = [format!("|{from}"), format!("|{to}")];
        prop_assert!(runs[0].ends_with(&expected[0]) && runs[runs.len() - 1].ends_with(&expected[1]));
    }
}
