//! Texts of the server as plain words.

use drawbridge_protocol::text::{Component, Content};

/// A text in JSON, or as it stands if it is none.
pub(super) fn of_json(json: &str) -> String {
    Component::from_json(json).map_or_else(|_| json.to_owned(), |text| plain(&text))
}

/// The text without style. The client translates keys; here they stand as they are, with what would be put into them.
pub(super) fn plain(text: &Component) -> String {
    let mut words = text.to_plain();
    if let Content::Translate { with, .. } = &text.content
        && !with.is_empty()
    {
        let with: Vec<_> = with.iter().map(Component::to_plain).collect();
        words += &format!(" ({})", with.join(", "));
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_show_what_is_put_into_them() {
        let kick = r#"{"translate":"multiplayer.disconnect.outdated_client","with":["1.21.4"]}"#;
        assert_eq!(of_json(kick), "multiplayer.disconnect.outdated_client (1.21.4)");
    }

    #[test]
    fn broken_json_shows_as_it_is() {
        assert_eq!(of_json("Server {closed"), "Server {closed");
        assert_eq!(of_json(r#"{"text":"§cBye","extra":[" now"]}"#), "Bye now");
    }
}
