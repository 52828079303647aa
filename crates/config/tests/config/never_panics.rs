//! Whatever is written, reading and drawing end without a panic.

use drawbridge_config::{Document, Error, Root, Style};
use proptest::prelude::*;

use crate::settings::Settings;

/// Pieces that documents are made of, whole and torn.
const PIECES: &[&str] = &[
    "[limits]",
    "[[routes]]",
    "[routes.status]",
    "[",
    "]",
    "{",
    "}",
    "=",
    " = ",
    ".",
    ",",
    "\n",
    "\r\n",
    "\r",
    "#",
    "\"",
    "'",
    "\"\"\"",
    "'''",
    "\\",
    "\\u001b",
    "\u{feff}",
    "\0",
    "\u{1b}",
    "é",
    "𝄞",
    "\u{301}",
    "\u{202e}",
    "\t",
    "nan",
    "true",
    "-1",
    "0x",
    "99999999999999999999999999999999999999999999",
    "1979-05-27",
    "1e999",
    "connections",
    "status",
    "routes",
    "type",
    "cookies",
    "secrets",
    "key",
    "file",
    "env",
    "name",
    "hosts",
    "'5s'",
    "\"8KiB\"",
    "a.b.c.d",
    "limits.status",
    "bind",
    "names",
    "\"(((\"",
    "{ file = '.' }",
    "{ env = 'X' }",
    "[[[[[[[[[[[[[[[[[[[[",
    "{a={a={a={a={a=",
];

fn read(text: &str, value: &str) {
    let mut root = Root::new(Some(Document::parse("a.toml", text)), &["routes"]);
    root.environment("DRAWBRIDGE", [("DRAWBRIDGE__LIMITS__CONNECTIONS", value), ("DRAWBRIDGE__BIND", text)]);
    root.append(vec![Document::parse("b.toml", text)]);
    if let Err(Error::Invalid(diagnostics)) = root.read::<Settings>() {
        assert!(diagnostics.errors() > 0, "an error without a mistake: {text:?}");
        for style in [Style::Plain, Style::Colour] {
            assert!(!diagnostics.render(style).is_empty());
        }
        let _ = diagnostics.to_json();
    }
}

proptest! {
    #[test]
    fn no_pieces_of_documents_do(pieces in prop::collection::vec(prop::sample::select(PIECES), 0..40), value: String) {
        read(&pieces.concat(), &value);
    }

    #[test]
    fn no_text_does(text: String) {
        read(&text, &text);
    }

    #[test]
    fn no_lines_do(lines in prop::collection::vec("[a-z]{0,3}( = )?[0-9\"'\\[{]{0,3}", 0..20)) {
        read(&lines.join("\n"), "1");
    }
}

#[test]
fn depth_and_length_do_not() {
    for text in [
        "a.".repeat(100_000) + "b = 1",
        "[".repeat(100_000),
        "a = ".to_owned() + &"[".repeat(100_000),
        "a = ".to_owned() + &"{a=".repeat(100_000),
        "x".repeat(1_000_000),
        "\"".repeat(99_999),
        "a = 1\n".repeat(2_000),
        "a\n".repeat(2_000),
        format!("[{}]\n{} = 1", vec!["a"; 79].join("."), vec!["b"; 79].join(".")),
    ] {
        read(&text, "1");
    }
}
