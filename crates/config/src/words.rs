//! Words for messages: quoting what somebody wrote, and finding what they meant.

/// As many characters of somebody's text are repeated in a message.
const MOST_QUOTED: usize = 60;

/// The text in quotes, with control characters escaped, cut after 60 characters.
#[must_use]
pub fn quoted(text: &str) -> String {
    let mut shown = String::new();
    for (count, character) in text.chars().enumerate() {
        if count == MOST_QUOTED {
            shown.push('…');
            break;
        }
        match character {
            character if character.is_control() => shown.extend(character.escape_default()),
            character => shown.push(character),
        }
    }
    format!("\"{shown}\"")
}

/// The candidate that was probably meant: within a third of its letters, letter case and dashes aside.
#[must_use]
pub fn nearest<'a>(text: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // A name this long is no slip of a key, and the distance takes quadratic time.
    if text.len() > 100 {
        return None;
    }
    let plain = |text: &str| text.to_lowercase().replace('-', "_");
    let text = plain(text);
    candidates
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(&text, &plain(candidate)), candidate))
        .filter(|(distance, candidate)| *distance <= (candidate.chars().count() / 3).max(1))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// The nearest of the `known` as a question, or the list of them.
#[must_use]
pub fn suggestion(text: &str, known: &[&str], what: &str) -> String {
    match nearest(text, known.iter().copied()) {
        Some(nearest) => format!("did you mean \"{nearest}\"?"),
        None if known.is_empty() => format!("there are no {what}"),
        None => format!("the {what} are {}", listed(known)),
    }
}

fn listed(known: &[&str]) -> String {
    known.iter().map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_is_within_a_third_of_its_letters() {
        let keys = ["hosts", "mode", "max_players", "v4"];
        for (written, meant) in [
            ("hots", Some("hosts")),
            ("Hosts", Some("hosts")),
            ("max-players", Some("max_players")),
            ("maxplayer", Some("max_players")),
            ("mdoe", Some("mode")),
            ("v6", Some("v4")),
            ("nodes", None),
            ("", None),
            ("something_else", None),
        ] {
            assert_eq!(nearest(written, keys), meant, "{written}");
        }
        assert_eq!(nearest(&"x".repeat(1_000_000), keys), None);
    }

    #[test]
    fn quotes_are_short_and_plain() {
        assert_eq!(quoted("a\u{1b}[2J\n\\d'"), "\"a\\u{1b}[2J\\n\\d'\"");
        assert_eq!(quoted(&"é".repeat(60)), format!("\"{}\"", "é".repeat(60)));
        assert_eq!(quoted(&"é".repeat(61)), format!("\"{}…\"", "é".repeat(60)));
    }
}
