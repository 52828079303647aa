//! Texts with placeholders for what is known of a player: `{{ .Player.Name }}`.
//!
//! What must stay true: what a player says is put in as it is and never read again, so that nobody's name is a placeholder; a
//! value of a label has the form that Kubernetes takes, whatever it is made of.

use drawbridge_config::{Json, Reader, Schemas, Setting, Value, json};
use drawbridge_model::{Client, Identity};
use thiserror::Error;

/// The most bytes of a label's value.
const LABEL: usize = 63;

/// What may stand between `{{` and `}}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Placeholder {
    ClientAddress,
    ClientProtocol,
    PlayerId,
    PlayerName,
    ServerAddress,
    ServerPort,
}

const PLACEHOLDERS: [(&str, Placeholder); 6] = [
    (".Client.Address", Placeholder::ClientAddress),
    (".Client.Protocol", Placeholder::ClientProtocol),
    (".Player.ID", Placeholder::PlayerId),
    (".Player.Name", Placeholder::PlayerName),
    (".Server.Address", Placeholder::ServerAddress),
    (".Server.Port", Placeholder::ServerPort),
];

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Placeholder(Placeholder),
}

/// A text with placeholders, as written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    written: String,
    parts: Vec<Part>,
}

/// What is wrong with a template.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(crate) enum TemplateError {
    #[error("a {{{{ without a }}}} behind it")]
    Open,
    #[error("unknown placeholder {0:?}; there are {known}", known = PLACEHOLDERS.map(|(name, _)| name).join(", "))]
    Unknown(String),
}

/// What is known of a player.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Facts<'a> {
    pub(crate) client: &'a Client,
    pub(crate) identity: &'a Identity,
}

impl Template {
    fn parse(written: &str) -> Result<Self, TemplateError> {
        let mut parts = Vec::new();
        let mut rest = written;
        while let Some((text, behind)) = rest.split_once("{{") {
            let (name, after) = behind.split_once("}}").ok_or(TemplateError::Open)?;
            let name = name.trim();
            let known = PLACEHOLDERS.iter().find(|(known, _)| *known == name);
            let (_, placeholder) = known.ok_or_else(|| TemplateError::Unknown(name.to_owned()))?;
            parts.push(Part::Text(text.to_owned()));
            parts.push(Part::Placeholder(*placeholder));
            rest = after;
        }
        parts.push(Part::Text(rest.to_owned()));
        Ok(Self { written: written.to_owned(), parts })
    }

    /// The text for this player.
    pub(crate) fn fill(&self, facts: Facts<'_>) -> String {
        let part = |part: &Part| match part {
            Part::Text(text) => text.clone(),
            Part::Placeholder(placeholder) => placeholder.value(facts),
        };
        self.parts.iter().map(part).collect()
    }

    /// The text for this player as the value of a label.
    pub(crate) fn fill_label(&self, facts: Facts<'_>) -> String {
        label_value(&self.fill(facts))
    }

    /// Why it can't be the value of a label, where that doesn't depend on the player.
    pub(crate) fn unfit_label(&self) -> bool {
        let fixed = !self.parts.iter().any(|part| matches!(part, Part::Placeholder(_)));
        fixed && !is_label_value(&self.written)
    }
}

impl Placeholder {
    fn value(self, Facts { client, identity }: Facts<'_>) -> String {
        match self {
            Self::ClientAddress => client.address.ip().to_string(),
            Self::ClientProtocol => client.version.number().to_string(),
            Self::PlayerId => match identity {
                Identity::Verified(profile) => profile.id.to_string(),
                Identity::Claimed(claim) => claim.id.to_string(),
            },
            Self::PlayerName => identity.name().to_owned(),
            Self::ServerAddress => client.host.clone(),
            Self::ServerPort => client.port.to_string(),
        }
    }
}

/// What Kubernetes takes as a label's value, made of any text: what it doesn't take becomes `_`, the ends are letters or
/// digits, and no more than 63 bytes are left.
///
/// Worked example: `.Steve` becomes `Steve`, `2001:db8::1` becomes `2001_db8__1`.
pub(crate) fn label_value(text: &str) -> String {
    let taken =
        |char: char| if char.is_ascii_alphanumeric() || matches!(char, '-' | '.') { char } else { '_' };
    let taken: String = text.chars().map(taken).collect();
    let inner = |text: &str| text.trim_matches(|end: char| !end.is_ascii_alphanumeric()).to_owned();
    let mut value = inner(&taken);
    value.truncate(LABEL);
    inner(&value)
}

/// Whether Kubernetes takes it as a label's value.
pub(crate) fn is_label_value(text: &str) -> bool {
    text.len() <= LABEL && (text.is_empty() || is_name(text))
}

/// Whether Kubernetes takes it as the key of a label or annotation: a name, perhaps behind a domain and a slash.
pub(crate) fn is_key(key: &str) -> bool {
    let (domain, name) = match key.split_once('/') {
        Some((domain, name)) => (Some(domain), name),
        None => (None, key),
    };
    let part = |part: &str| {
        is_name(part)
            && part.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
    };
    name.len() <= LABEL
        && is_name(name)
        && domain.is_none_or(|domain| domain.len() <= 253 && domain.split('.').all(part))
}

fn is_name(text: &str) -> bool {
    let end = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric());
    end(text.bytes().next())
        && end(text.bytes().next_back())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
}

impl Setting for Template {
    fn read(value: &Value, reader: &mut Reader<'_>) -> Option<Self> {
        const WHAT: &str = "a text, perhaps with placeholders such as {{ .Player.Name }}";
        let written = reader.text(value, WHAT)?;
        match Self::parse(written) {
            Ok(template) => Some(template),
            Err(error) => reader.unfit(value, WHAT, error.to_string()),
        }
    }

    fn schema(_: &mut Schemas) -> Json {
        json!({
            "description": "A text, perhaps with placeholders for what is known of the player.",
            "type": "string",
            "examples": PLACEHOLDERS.map(|(name, _)| format!("{{{{ {name} }}}}")),
        })
    }

    fn write(&self) -> Option<Json> {
        Some(json!(self.written))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use drawbridge_model::{Claim, TraceContext};
    use proptest::prelude::*;
    use uuid::Uuid;

    fn client(host: &str) -> Client {
        Client {
            address: "[2001:db8::1]:4711".parse().unwrap(),
            version: 767.into(),
            host: host.into(),
            port: 25565,
            trace: TraceContext { trace_id: 1, span_id: 1, flags: 0 },
        }
    }

    fn player(name: &str) -> Identity {
        let id = Uuid::parse_str("069a79f4-44e9-4726-a5be-fca90e38aaf5").unwrap();
        Identity::Claimed(Claim { name: name.into(), id })
    }

    fn filled(template: &str, name: &str, host: &str) -> String {
        let (client, identity) = (client(host), player(name));
        Template::parse(template).unwrap().fill(Facts { client: &client, identity: &identity })
    }

    #[test]
    fn placeholders_are_what_is_known_of_the_player() {
        let all = "{{ .Client.Address }} {{.Client.Protocol}} {{ .Server.Address }}:{{ .Server.Port }} \
                   {{ .Player.Name }} {{ .Player.ID }}!";
        assert_eq!(
            filled(all, "Notch", "play.example.com"),
            "2001:db8::1 767 play.example.com:25565 Notch 069a79f4-44e9-4726-a5be-fca90e38aaf5!"
        );
        assert_eq!(filled("none", "Notch", "a"), "none");
    }

    #[test]
    fn nobodys_name_or_host_is_a_placeholder() {
        assert_eq!(
            filled("<{{ .Player.Name }}|{{ .Server.Address }}>", "{{ .Player.ID }}", "}}{{"),
            "<{{ .Player.ID }}|}}{{>"
        );
    }

    #[test]
    fn mistakes_say_what_there_is() {
        let error = Template::parse("{{ .Player.Age }}").unwrap_err().to_string();
        assert!(
            error.contains("\".Player.Age\"") && error.contains(".Player.Name, .Server.Address"),
            "{error}"
        );
        assert_eq!(
            Template::parse("a {{ .Player.Name").unwrap_err().to_string(),
            "a {{ without a }} behind it"
        );
    }

    #[test]
    fn labels_have_the_form_that_kubernetes_takes() {
        for (text, label) in
            [(".Steve", "Steve"), ("2001:db8::1", "2001_db8__1"), ("Jörg", "J_rg"), ("…", ""), ("a b", "a_b")]
        {
            assert_eq!(label_value(text), label);
        }
        assert_eq!(label_value(&format!("{}-b", "a".repeat(62))).len(), 62);
        assert!(Template::parse("a b").unwrap().unfit_label());
        assert!(!Template::parse("{{ .Player.Name }} b").unwrap().unfit_label());
    }

    #[test]
    fn keys_are_names_with_a_domain_perhaps() {
        for key in ["mode", "agones.dev/fleet", "a_b.C-1", "agones.dev/sdk-mode"] {
            assert!(is_key(key), "{key}");
        }
        for key in ["", "a b", "/a", "a/", "-a", "a/b/c", "A.dev/x", "x..y/z"] {
            assert!(!is_key(key), "{key}");
        }
    }

    proptest! {
        #[test]
        fn any_text_makes_a_label_value(text in any::<String>()) {
            prop_assert!(is_label_value(&label_value(&text)));
        }
    }
}
