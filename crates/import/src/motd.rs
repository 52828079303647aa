//! Texts with `&` before a colour's letter, as proxies in Java have them, and their hexadecimal colours `&#rrggbb`.

/// The text with `§` codes. `&` before anything else stays.
pub(super) fn from_ampersands(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        let behind = &rest[at + 1..];
        if let Some(hex) = behind.strip_prefix('#').and_then(|hex| hex.get(..6)).filter(|hex| is_hex(hex)) {
            out.push_str("§x");
            hex.chars().for_each(|digit| out.extend(['§', digit]));
            rest = &behind[7..];
            continue;
        }
        let is_code = behind
            .chars()
            .next()
            .is_some_and(|code| "0123456789abcdefklmnorx".contains(code.to_ascii_lowercase()));
        out.push(if is_code { '§' } else { '&' });
        rest = behind;
    }
    out.push_str(rest);
    out
}

fn is_hex(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ampersands_become_signs_before_codes_alone() {
        for (text, out) in [
            ("&1Hello", "§1Hello"),
            ("&LBold & plain &", "§LBold & plain &"),
            ("&#09add3A", "§x§0§9§a§d§d§3A"),
            ("&#09adzz", "&#09adzz"),
            ("&#é", "&#é"),
            ("§a&é", "§a&é"),
        ] {
            assert_eq!(from_ampersands(text), out);
        }
    }
}
