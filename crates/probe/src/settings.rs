//! What is to be probed, and as whom.

use super::address::Address;
use drawbridge_protocol::ProtocolVersion;
use drawbridge_protocol::profile::offline_uuid;
use std::fmt;
use std::net::SocketAddr;
use std::str::FromStr;
use std::time::Duration;
use uuid::Uuid;

/// The command line, checked and put together.
pub(super) struct Settings {
    pub address: Address,
    pub nameserver: Option<SocketAddr>,
    /// For each step.
    pub timeout: Duration,
    /// The version to greet and to join with; else the status decides.
    pub version: Option<ProtocolVersion>,
    pub join: Option<Join>,
}

/// A login that is to be tried.
pub(super) struct Join {
    pub name: String,
    /// What Login Start claims.
    pub uuid: Uuid,
    /// Without one, servers that authenticate players can't be joined.
    pub account: Option<Account>,
    /// The session server's base URL.
    pub session_server: String,
}

impl Join {
    /// A login of `name`. A token is of use with its account's UUID only.
    pub(super) fn new(
        name: String,
        uuid: Option<Uuid>,
        token: Option<Token>,
        session_server: String,
    ) -> Result<Self, &'static str> {
        let account = match (uuid, token) {
            (None, Some(_)) => return Err("a token needs the --uuid of its account"),
            (Some(uuid), Some(token)) => Some(Account { uuid, token }),
            (_, None) => None,
        };
        Ok(Self { uuid: uuid.unwrap_or_else(|| offline_uuid(&name)), name, account, session_server })
    }
}

/// A Minecraft account, as the session server knows it.
pub(super) struct Account {
    pub uuid: Uuid,
    pub token: Token,
}

/// An access token. It is shown nowhere.
#[derive(Clone)]
pub(super) struct Token(String);

impl Token {
    pub(super) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[token]")
    }
}

/// Blanks and the line break behind a token that was pasted or read from a file are no part of it.
impl FromStr for Token {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let token = text.trim();
        if token.is_empty() { Err("the token is empty") } else { Ok(Self(token.into())) }
    }
}

/// A player's name: what fits the packet, so that odd names can be tried too.
pub(super) fn parse_name(text: &str) -> Result<String, &'static str> {
    let fits = (1..=16).contains(&text.encode_utf16().count()) && !text.chars().any(char::is_control);
    if fits { Ok(text.into()) } else { Err("a name has 1 to 16 characters") }
}

/// A protocol number or a release, of those that are known.
pub(super) fn parse_version(text: &str) -> Result<ProtocolVersion, String> {
    let version = match text.parse() {
        Ok(number) => Some(ProtocolVersion(number)).filter(|version| version.is_known()),
        Err(_) => ProtocolVersion::of_release(text),
    };
    version.ok_or_else(|| {
        let newest = ProtocolVersion::newest();
        format!("not a known release or protocol number; the newest known is {newest} ({})", newest.number())
    })
}

/// A whole number of `s` or `ms`, from 100 ms to 10 minutes.
pub(super) fn parse_timeout(text: &str) -> Result<Duration, &'static str> {
    let (number, unit) = match text.strip_suffix("ms") {
        Some(number) => (number, 1),
        None => (text.strip_suffix('s').unwrap_or_default(), 1_000),
    };
    let milliseconds = number.parse::<u64>().ok().and_then(|number| number.checked_mul(unit));
    match milliseconds {
        Some(milliseconds @ 100..=600_000) => Ok(Duration::from_millis(milliseconds)),
        _ => Err("expected a time such as 10s or 500ms, from 100ms to 600s"),
    }
}

/// An `http` or `https` URL.
pub(super) fn parse_url(text: &str) -> Result<String, String> {
    let url = reqwest::Url::parse(text).map_err(|error| format!("not a URL: {error}"))?;
    match url.scheme() {
        "http" | "https" => Ok(text.into()),
        _ => Err("expected an http or https URL".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_numbers_or_releases() {
        assert_eq!(parse_version("769"), Ok(ProtocolVersion(769)));
        assert_eq!(parse_version("1.21.1"), Ok(ProtocolVersion(767)));
        for text in ["", "1", "999", "1.99", "latest"] {
            assert!(parse_version(text).unwrap_err().contains("26.3 (777)"), "{text}");
        }
    }

    #[test]
    fn timeouts_have_a_unit_and_bounds() {
        assert_eq!(parse_timeout("10s"), Ok(Duration::from_secs(10)));
        assert_eq!(parse_timeout("250ms"), Ok(Duration::from_millis(250)));
        for text in
            ["", "10", "s", "-1s", "1.5s", "99ms", "601s", "99999999999999999999s", "18446744073709551615s"]
        {
            assert!(parse_timeout(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_token_is_never_shown() {
        let token: Token = " secret\n".parse().unwrap();
        assert_eq!(token.expose(), "secret");
        assert_eq!(format!("{token:?}"), "[token]");
        assert!(" ".parse::<Token>().is_err());
    }

    #[test]
    fn names_fit_the_packet() {
        assert!(parse_name("Notch").is_ok() && parse_name(".Bedrock Player").is_ok());
        assert!(
            parse_name("").is_err() && parse_name("a\n").is_err() && parse_name("12345678901234567").is_err()
        );
    }
}
