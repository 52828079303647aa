//! Cutting a text into tags and what stands between them, in one pass.

use super::tag::Tag;

/// A piece of a text. `raw` is how it was written.
#[derive(Debug, PartialEq)]
pub(super) enum Token<'a> {
    /// Something between tags, still with its escapes.
    Text(&'a str),
    /// `<name>`, `<name:argument>` or `<name/>`.
    Open { raw: &'a str, tag: Tag<'a> },
    /// `</name>`.
    Close { raw: &'a str, tag: Tag<'a> },
}

/// A tag is from a `<` to the next `>` outside of quotes; another `<` before that starts over. Quotes open behind a colon and
/// only if they close.
pub(super) fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    // Where what no token has starts, and where the tag starts that may be read.
    let (mut done, mut start) = (0, None);
    let mut position = 0;
    while let Some(&byte) = text.as_bytes().get(position) {
        let next = text.as_bytes().get(position + 1);
        match (byte, start) {
            (b'\\', None) if matches!(next, Some(b'<' | b'\\')) => position += 1,
            (b'\\', Some(_)) if next == Some(&b'<') => {
                start = None;
                position += 1;
            }
            (b'<', _) => start = Some(position),
            (b':', Some(_)) => position = behind_quotes(text, position + 1).unwrap_or(position + 1) - 1,
            (b'>', Some(from)) => {
                start = None;
                if let Some(token) = token(&text[from..=position]) {
                    tokens.extend((from > done).then(|| Token::Text(&text[done..from])));
                    tokens.push(token);
                    done = position + 1;
                }
            }
            _ => {}
        }
        position += 1;
    }
    tokens.extend((done < text.len()).then(|| Token::Text(&text[done..])));
    tokens
}

/// Where a quoted argument that starts at `start` has ended, if there is one.
fn behind_quotes(text: &str, start: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    let quote = *bytes.get(start).filter(|byte| matches!(byte, b'\'' | b'"'))?;
    let mut position = start + 1;
    loop {
        match *bytes.get(position)? {
            b'\\' => position += 2,
            byte if byte == quote => return Some(position + 1),
            _ => position += 1,
        }
    }
}

/// The tag in `<…>`, unless its name can't be one.
fn token(raw: &str) -> Option<Token<'_>> {
    let inside = raw.strip_prefix('<')?.strip_suffix('>')?;
    if let Some(inside) = inside.strip_prefix('/') {
        return Some(Token::Close { raw, tag: tag(inside)? });
    }
    match inside.strip_suffix('/') {
        Some(inside) => Some(Token::Open { raw, tag: Tag { closes_itself: true, ..tag(inside)? } }),
        None => Some(Token::Open { raw, tag: tag(inside)? }),
    }
}

fn tag(inside: &str) -> Option<Tag<'_>> {
    let mut parts = parts(inside).into_iter();
    let name = parts.next()?.to_ascii_lowercase();
    let rest = name.strip_prefix(['!', '#']).unwrap_or(&name);
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    (!rest.is_empty() && rest.bytes().all(legal)).then(|| Tag {
        name,
        arguments: parts.collect(),
        closes_itself: false,
    })
}

/// Splits at colons outside of quotes; those of `://` stay.
fn parts(inside: &str) -> Vec<&str> {
    let bytes = inside.as_bytes();
    let mut parts = Vec::new();
    let (mut start, mut position) = (0, 0);
    while position < bytes.len() {
        if bytes[position] == b':' && !inside[position..].starts_with("://") {
            parts.push(&inside[start..position]);
            start = position + 1;
            position = behind_quotes(inside, start).unwrap_or(start);
        } else {
            position += 1;
        }
    }
    parts.push(&inside[start..]);
    parts
}

/// A text between tags without the backslashes before `<` and before themselves.
pub(super) fn unescape(raw: &str) -> String {
    without_backslashes(raw, |character| matches!(character, '<' | '\\'))
}

/// An argument without its quotes, if it has any, and the backslashes in them.
pub(super) fn unquote(argument: &str) -> String {
    for quote in ['\'', '"'] {
        if let Some(inside) = argument.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote)) {
            return without_backslashes(inside, |character| character == quote || character == '\\');
        }
    }
    argument.to_owned()
}

fn without_backslashes(text: &str, escapes: impl Fn(char) -> bool) -> String {
    let mut out = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        let escaped = characters.next_if(|&next| character == '\\' && escapes(next));
        out.push(escaped.unwrap_or(character));
    }
    out
}
