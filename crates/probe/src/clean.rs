//! Text from the network, made fit for a terminal.
//!
//! What must stay true: nothing that this module lets through can move the cursor, change colours, reorder the line or fill
//! the screen.

/// The most characters of one piece of text that are shown.
const LONGEST: usize = 400;

/// Makes one line of at most [`LONGEST`] characters: line breaks become ` / `, what is invisible or steers a terminal
/// falls away, and runs of blanks shrink to one.
pub(super) fn clean(text: &str) -> String {
    let mut line = String::with_capacity(text.len().min(LONGEST * 4));
    let mut count = 0;
    let mut gap = "";
    for character in text.chars() {
        if matches!(character, '\n' | '\u{2028}' | '\u{2029}') {
            gap = " / ";
        } else if character.is_whitespace() {
            gap = if gap.is_empty() { " " } else { gap };
        } else if !is_unfit(character) {
            if !line.is_empty() {
                line.push_str(gap);
                count += gap.len();
            }
            gap = "";
            if count >= LONGEST {
                line.push('…');
                break;
            }
            line.push(character);
            count += 1;
        }
    }
    line
}

/// Control characters (C0, C1, DEL), marks that change a line's direction, and invisible ones.
fn is_unfit(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{00ad}' | '\u{061c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// [`clean`]s every string in a JSON value, keys included.
pub(super) fn clean_value(value: &mut serde_json::Value) {
    match value {
        serde_json::Value::String(text) => *text = clean(text),
        serde_json::Value::Array(items) => items.iter_mut().for_each(clean_value),
        serde_json::Value::Object(fields) => {
            *fields = std::mem::take(fields)
                .into_iter()
                .map(|(key, mut field)| {
                    clean_value(&mut field);
                    (clean(&key), field)
                })
                .collect();
        }
        serde_json::Value::Null | serde_json::Value::Bool(_) | serde_json::Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_steers_a_terminal_falls_away() {
        assert_eq!(clean("\u{1b}[31mred\u{7}\u{9b}2J"), "[31mred2J");
        assert_eq!(clean("abc\u{202e}def\u{200b}"), "abcdef");
        assert_eq!(clean("  two \t blanks\r\n\nlines  "), "two blanks / lines");
        assert_eq!(clean("Grüße, 世界 🎉"), "Grüße, 世界 🎉");
    }

    #[test]
    fn long_text_is_cut() {
        let cut = clean(&"ä".repeat(10_000));
        assert_eq!(cut.chars().count(), LONGEST + 1);
        assert!(cut.ends_with('…'));
    }

    #[test]
    fn values_are_cleaned_to_their_leaves() {
        let mut value = serde_json::json!({ "a\u{1b}": ["b\u{7}", { "c": "d\ne" }], "n": 1 });
        clean_value(&mut value);
        assert_eq!(value, serde_json::json!({ "a": ["b", { "c": "d / e" }], "n": 1 }));
    }

    proptest! {
        #[test]
        fn any_text_becomes_one_short_line(text in "\\PC*|[\\x00-\\x1f\\u{80}-\\u{9f}a ]*") {
            let line = clean(&text);
            prop_assert!(!line.chars().any(is_unfit));
            prop_assert!(line.chars().count() <= LONGEST + 4);
            prop_assert_eq!(clean(&line), line);
        }
    }
}
