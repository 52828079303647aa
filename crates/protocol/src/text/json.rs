//! The JSON encoding of texts: its writer, exact in what it escapes.

use super::write::Sink;

/// Appends JSON to a string.
pub(super) struct JsonSink<'a> {
    out: &'a mut String,
}

impl<'a> JsonSink<'a> {
    pub(super) const fn new(out: &'a mut String) -> Self {
        Self { out }
    }

    /// A comma, unless something was just opened. Every value ends in another character than these two.
    fn separate(&mut self) {
        if !self.out.ends_with(['{', '[']) {
            self.out.push(',');
        }
    }

    fn key(&mut self, key: &str) {
        self.separate();
        push_string(key, self.out);
        self.out.push(':');
    }
}

impl Sink for JsonSink<'_> {
    fn root(&mut self) {
        self.out.push('{');
    }

    fn text(&mut self, key: &str, value: &str) {
        self.key(key);
        push_string(value, self.out);
    }

    fn flag(&mut self, key: &str, value: bool) {
        self.key(key);
        self.out.push_str(if value { "true" } else { "false" });
    }

    fn number(&mut self, key: &str, value: i32) {
        self.key(key);
        self.out.push_str(&value.to_string());
    }

    fn object(&mut self, key: &str) {
        self.key(key);
        self.out.push('{');
    }

    fn list(&mut self, key: &str, _: usize) {
        self.key(key);
        self.out.push('[');
    }

    fn item(&mut self) {
        self.separate();
        self.out.push('{');
    }

    fn close(&mut self) {
        self.out.push('}');
    }

    fn close_list(&mut self) {
        self.out.push(']');
    }
}

/// A string in quotes; escaped is what JSON forbids (RFC 8259, section 7) and nothing else.
fn push_string(text: &str, out: &mut String) {
    out.push('"');
    let mut rest = text;
    while let Some(at) = rest.find(|character| matches!(character, '"' | '\\' | '\0'..='\x1f')) {
        let (plain, tail) = rest.split_at(at);
        out.push_str(plain);
        let mut characters = tail.chars();
        match characters.next() {
            Some('\n') => out.push_str("\\n"),
            Some('"') => out.push_str("\\\""),
            Some('\\') => out.push_str("\\\\"),
            Some(control) => {
                let code = u32::from(control);
                out.push_str("\\u00");
                out.extend(
                    [code >> 4, code & 0xf].into_iter().filter_map(|digit| char::from_digit(digit, 16)),
                );
            }
            None => {}
        }
        rest = characters.as_str();
    }
    out.push_str(rest);
    out.push('"');
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn pushed(text: &str) -> String {
        let mut out = String::new();
        push_string(text, &mut out);
        out
    }

    #[test]
    fn what_must_be_is_escaped() {
        assert_eq!(pushed("a\"b\\c\n\u{1}\u{1f}§ü</"), r#""a\"b\\c\n\u0001\u001f§ü</""#);
    }

    proptest! {
        #[test]
        fn another_parser_reads_the_same(text in "\\PC*|[\\x00-\\x{10ffff}]{0,40}") {
            prop_assert_eq!(serde_json::from_str::<String>(&pushed(&text)).unwrap(), text);
        }
    }
}
