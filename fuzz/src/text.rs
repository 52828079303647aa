//! Texts: JSON, NBT, MiniMessage, `§`, and what an operator writes in any of these.
//!
//! What must hold: whatever form a text was read from, it is written in each form so that reading that and writing it again gives the same; plain
//! text has no codes; what players say never becomes markup; memory is bounded.

use crate::{Input, memory, vectors};
use drawbridge_protocol::ProtocolVersion;
use drawbridge_protocol::text::{Component, MAX_LENGTH, TextError, TextFormat};

/// See the module.
pub fn check(data: &[u8]) {
    let mut input = Input::new(data);
    let form = input.below(6);
    let format = TextFormat::ALL[input.below(3)];
    let bytes = input.rest();
    if bytes.len() > MAX_LENGTH {
        return;
    }
    // A component takes some 200 bytes, and a byte of markup can become one.
    let most = 1024 * 1024 + 2_000 * bytes.len();
    let Ok(text) = memory::within(most, || read(form, bytes)) else { return };
    round(&text, format);
    player(text, bytes);
}

fn read(form: usize, bytes: &[u8]) -> Result<Component, TextError> {
    let text = String::from_utf8_lossy(bytes);
    match form {
        0 => Component::from_nbt(bytes).map(|(text, _)| text),
        1 => Component::from_json(&text),
        2 => Component::from_json_lenient(&text),
        3 => Component::from_legacy(&text),
        4 => Component::from_minimessage(&text),
        _ => Component::parse_config(&text),
    }
}

/// Written, read and written again, in each form.
fn round(text: &Component, format: TextFormat) {
    let json = |text: &Component| {
        let mut out = String::new();
        text.to_json(format, &mut out);
        out
    };
    let nbt = |text: &Component| {
        let mut out = Vec::new();
        text.to_nbt(format, &mut out);
        out
    };
    let once = json(text);
    if once.len() <= MAX_LENGTH {
        let back = Component::from_json_lenient(&once).unwrap_or_else(|error| panic!("{error}: {once}"));
        assert_eq!(json(&back), once, "JSON");
    }
    let once = nbt(text);
    // A text that takes more memory than is allowed can be written, and isn't read.
    if once.len() < MAX_LENGTH / 8 {
        let (back, length) = Component::from_nbt(&once).unwrap_or_else(|error| panic!("{error}: {text:?}"));
        assert_eq!((nbt(&back), length), (once.clone(), once.len()), "NBT");
    }
    // A sign that stands in the words themselves is a code to whoever reads them.
    let has_signs = json(text).contains('§');
    let once = text.to_legacy();
    if !has_signs && once.len() <= drawbridge_protocol::text::MAX_MARKUP {
        let back = Component::from_legacy(&once).expect("it is short");
        assert_eq!(back.to_plain(), text.to_plain(), "the words in § codes: {once:?}");
        assert_eq!(back.to_legacy(), once, "§ codes");
    }
}

/// A player's words stay words.
fn player(mut text: Component, words: &[u8]) {
    let words = String::from_utf8_lossy(words);
    let shape = shape(&text);
    text.replace(&[("player", &words), ("", &words), ("a", &words)]);
    assert_eq!(self::shape(&text), shape, "more components");
    assert!(!text.to_plain().contains('§'), "codes in plain text");
}

/// How many components there are.
fn shape(text: &Component) -> usize {
    1 + text.extra.iter().map(shape).sum::<usize>() + text.style.hover.as_deref().map_or(0, shape)
}

/// A text of each form.
#[must_use]
pub fn seeds() -> Vec<Vec<u8>> {
    let json = [
        r#"{"text":"a","color":"red","bold":true,"extra":["b",{"translate":"k","with":["c",1,true]}]}"#,
        r##"[{"text":"x","color":"#ff8800"},{"clickEvent":{"action":"open_url","value":"https://example.com"},"text":"y"}]"##,
        r#"{"text":"h","hoverEvent":{"action":"show_text","contents":{"text":"{player}"}},"insertion":"i"}"#,
        r#"{"text":"h","hover_event":{"action":"show_text","value":"v"},"click_event":{"action":"run_command","command":"/a"}}"#,
        r#""just {player}""#,
    ];
    let legacy = ["§cRed §lbold§r plain", "§x§f§f§8§8§0§0hex", "§", "a§kb§mc§nd§oe"];
    let minimessage = [
        "<red>Red <bold>bold</bold> <#ff8800>hex</red>",
        "<gradient:red:blue>long text</gradient><rainbow>x</rainbow>",
        "<hover:show_text:'<b>hi'>h</hover><click:open_url:https://example.com>c</click>",
        "<lang:a.key:'<red>x'><newline><!italic>\\<red>{player}",
        "<reset><insert:x>y</insert><color:#123456>z",
    ];
    let mut seeds = Vec::new();
    for (forms, texts) in [(&[1u8, 2, 5][..], &json[..]), (&[3, 5], &legacy[..]), (&[4, 5], &minimessage[..])]
    {
        for text in texts {
            seeds.extend(forms.iter().map(|&form| [&[form, 1], text.as_bytes()].concat()));
            let read = Component::parse_config(text).expect("a text");
            for format in 0..3u8 {
                let mut seed = vec![0, format];
                read.to_nbt(TextFormat::ALL[usize::from(format)], &mut seed);
                seeds.push(seed);
            }
        }
    }
    let vectors = vectors::all().into_iter().filter(|vector| vector.version >= ProtocolVersion::V1_20_3);
    seeds.extend(
        vectors
            .filter(|vector| vector.fields.first() == Some(&10))
            .map(|vector| [&[0, 2], &vector.fields[..]].concat()),
    );
    seeds
}
