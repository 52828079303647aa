//! The built-in texts: one file a language, every language with every key.
//!
//! In use as placeholders: `{version}` (the client's) and `{versions}` (those that are taken) in `disconnect_version`,
//! `{name}` in `disconnect_name`, `{host}` in `disconnect_no_route`, `{reason}` and `{until}` where somebody is banned, `{reason}` where
//! somebody is kicked; in what players are told in the chat those that [`drawbridge_model::Notice`] names.

use drawbridge_model::Refusal;
mod de_de;
mod en_us;
mod es_es;
mod fr_fr;
mod ja_jp;
mod pt_br;
mod ru_ru;
mod zh_cn;

macro_rules! texts {
    ($($key:ident)+) => {
        /// The texts of one language, without markup.
        #[derive(Debug)]
        pub struct Texts {
            $($key: &'static str),+
        }

        impl Texts {
            /// Every key.
            pub const KEYS: &'static [&'static str] = &[$(stringify!($key)),+];

            /// The keys that a route can have texts of its own for: not what is said where there is no route.
            pub fn of_routes() -> Vec<&'static str> {
                Self::KEYS.iter().copied().filter(|key| Some(*key) != Refusal::NoRoute.message()).collect()
            }

            /// The text of `key`.
            #[must_use]
            pub fn text(&self, key: &str) -> Option<&'static str> {
                match key {
                    $(stringify!($key) => Some(self.$key),)+
                    _ => None,
                }
            }
        }
    };
}

texts! {
    disconnect_access
    disconnect_banned
    disconnect_banned_until
    disconnect_kicked
    disconnect_maintenance
    disconnect_rate
    disconnect_timeout
    disconnect_no_route
    disconnect_version
    disconnect_name
    disconnect_encryption
    disconnect_authentication
    disconnect_authentication_unavailable
    disconnect_cookie
    disconnect_no_target
    disconnect_discovery
    disconnect_action
    disconnect_action_failed
    disconnect_placement_timeout
    disconnect_unreachable
    disconnect_target_lost
    disconnect_play_limit
    disconnect_full
    disconnect_resource_pack
    disconnect_shutdown
    disconnect_internal
    notice_servers
    notice_already_there
    notice_unknown_server
    notice_server_unreachable
    notice_server_refused
    notice_waiting
    notice_target_lost
    notice_brought_to
    notice_too_fast
    notice_unknown_command
    notice_usage
    notice_nobody
    notice_sent
    notice_found
    notice_online
    notice_online_at
    notice_online_names
    notice_more
    notice_drawbridge
    notice_status
    notice_route
    notice_route_maintained
    notice_target
    notice_player
    notice_kicked
    notice_reloaded
    notice_not_taken_over
    notice_not_reloaded
    notice_draining
    notice_maintained
    notice_not_maintained
    notice_failed
}

/// Every language that is built in, by the locale that stands for it.
static BUILT_IN: [(&str, &Texts); 8] = [
    ("en_us", &en_us::TEXTS),
    ("de_de", &de_de::TEXTS),
    ("es_es", &es_es::TEXTS),
    ("fr_fr", &fr_fr::TEXTS),
    ("ja_jp", &ja_jp::TEXTS),
    ("pt_br", &pt_br::TEXTS),
    ("ru_ru", &ru_ru::TEXTS),
    ("zh_cn", &zh_cn::TEXTS),
];

/// The built-in texts with the locales that stand for them.
pub fn built_in() -> impl Iterator<Item = (&'static str, &'static Texts)> {
    BUILT_IN.into_iter()
}

#[cfg(test)]
mod tests {
    use super::*;
    use drawbridge_model::Notice;
    use drawbridge_model::refusal::BANNED_UNTIL;
    use std::collections::BTreeSet;

    static ENGLISH: &Texts = &en_us::TEXTS;

    /// What stands in braces.
    fn placeholders(text: &str) -> BTreeSet<&str> {
        text.split('{').skip(1).filter_map(|rest| rest.split('}').next()).collect()
    }

    #[test]
    fn there_is_a_text_for_all_that_a_player_reads_and_none_too_many() {
        let messages = Refusal::ALL.iter().filter_map(|refusal| refusal.message());
        let notices = Notice::ALL.iter().map(|notice| notice.message());
        let read: BTreeSet<_> = messages.chain(notices).chain([BANNED_UNTIL]).collect();
        assert_eq!(Texts::KEYS.iter().copied().collect::<BTreeSet<_>>(), read);
    }

    #[test]
    fn every_language_uses_the_same_placeholders_in_words_of_its_own() {
        for (locale, texts) in built_in() {
            for key in Texts::KEYS {
                let (text, english) = (texts.text(key).unwrap(), ENGLISH.text(key).unwrap());
                assert_eq!(placeholders(text), placeholders(english), "{locale} {key}");
                assert!(locale == "en_us" || text != english, "{locale} {key} is English");
                assert!(text.trim() == text && text.ends_with(['.', '。', '!', '}']), "{locale} {key}");
            }
        }
        assert_eq!(ENGLISH.text("disconnect_nothing"), None);
    }

    #[test]
    fn placeholders_are_where_they_are_promised() {
        for (key, expected) in [
            ("disconnect_version", &["version", "versions"][..]),
            ("disconnect_name", &["name"]),
            ("disconnect_no_route", &["host"]),
            ("disconnect_banned", &["reason"]),
            ("disconnect_banned_until", &["reason", "until"]),
            ("disconnect_kicked", &["reason"]),
            ("disconnect_internal", &[]),
            ("notice_servers", &["server", "servers"]),
            ("notice_target_lost", &["server"]),
            ("notice_brought_to", &["server"]),
            ("notice_too_fast", &["server"]),
            ("notice_sent", &["count", "server"]),
            ("notice_online_names", &["server", "count", "players"]),
            ("notice_target", &["target", "route", "address", "health", "players"]),
        ] {
            assert_eq!(placeholders(ENGLISH.text(key).unwrap()), expected.iter().copied().collect(), "{key}");
        }
    }
}
