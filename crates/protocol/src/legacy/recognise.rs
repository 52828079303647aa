//! Telling legacy packets from modern ones, and reading them.

use super::{LegacyLogin, LegacyPing, Recognised};

/// The first byte of a ping (packet FE, "Server List Ping").
const PING: u8 = 0xfe;
/// The second byte of pings since 1.4.
const MAGIC: u8 = 0x01;
/// The third byte of pings since 1.6 (packet FA, "Plugin Message").
const PLUGIN_MESSAGE: u8 = 0xfa;
/// The first byte of a login (packet 02, "Handshake").
const LOGIN: u8 = 0x02;
/// The channel of the plugin message.
const CHANNEL: &str = "MC|PingHost";

/// The protocol numbers of 1.3 to 1.6, whose logins say them.
const NUMBERED: std::ops::RangeInclusive<u8> = 39..=78;
/// The longest name in UTF-16 units.
const MAX_NAME: u16 = 16;
/// The longest host in UTF-16 units.
const MAX_HOST: u16 = 255;
/// The longest login before 1.3 in UTF-16 units: name, `;`, host, `:`, port.
const MAX_OLD_LOGIN: u16 = MAX_NAME + 1 + MAX_HOST + 6;

/// Says what the first bytes of a connection are. Call it again with more bytes, from the first on, while it needs more.
///
/// A frame since 1.7 starts with its length, so `FE 01` also starts a handshake of 254 bytes: its third byte is the packet
/// id 00, where a legacy ping has nothing or `FA`. A frame of two bytes, `02 …`, can be no handshake, for which
/// six are the least; what starts so is a legacy login, or whatever the frame's reader says of it.
#[must_use]
pub fn recognise(bytes: &[u8]) -> Recognised {
    match *bytes {
        [] => Recognised::NeedMore { complete_as: None },
        [PING] => Recognised::NeedMore { complete_as: Some(LegacyPing::Beta) },
        [PING, MAGIC] => Recognised::NeedMore { complete_as: Some(LegacyPing::V1_4) },
        [PING, MAGIC, PLUGIN_MESSAGE, ref rest @ ..] => match ping_host(rest) {
            Ok(ping) => Recognised::Ping(ping),
            // Pingers have been seen that stop here; they understand the answer to 1.4.
            Err(Stop::Truncated) => Recognised::NeedMore { complete_as: Some(LegacyPing::V1_4) },
            Err(Stop::Malformed) => Recognised::Malformed,
        },
        [LOGIN, ref rest @ ..] => login(rest),
        _ => Recognised::Modern,
    }
}

/// Why reading stopped early.
enum Stop {
    Truncated,
    Malformed,
}

/// Reads from the front of a legacy packet.
struct Fields<'a> {
    rest: &'a [u8],
}

impl Fields<'_> {
    fn array<const N: usize>(&mut self) -> Result<[u8; N], Stop> {
        let (taken, rest) = self.rest.split_first_chunk().ok_or(Stop::Truncated)?;
        self.rest = rest;
        Ok(*taken)
    }

    fn short(&mut self) -> Result<u16, Stop> {
        self.array().map(u16::from_be_bytes)
    }

    /// A length in UTF-16 units and the text, of at most `bound` units.
    fn string(&mut self, bound: u16) -> Result<String, Stop> {
        let length = self.short()?;
        if length > bound {
            return Err(Stop::Malformed);
        }
        let size = usize::from(length) * 2;
        let (text, rest) = self.rest.split_at_checked(size).ok_or(Stop::Truncated)?;
        self.rest = rest;
        let units: Vec<u16> = text.as_chunks().0.iter().map(|&unit| u16::from_be_bytes(unit)).collect();
        String::from_utf16(&units).map_err(|_| Stop::Malformed)
    }

    fn port(&mut self) -> Result<u16, Stop> {
        let port = i32::from_be_bytes(self.array()?);
        u16::try_from(port).map_err(|_| Stop::Malformed)
    }
}

/// What follows `FE 01 FA`: channel, length in bytes, protocol, host and port.
fn ping_host(bytes: &[u8]) -> Result<LegacyPing, Stop> {
    let mut fields = Fields { rest: bytes };
    let channel_length = CHANNEL.len() as u16;
    if fields.string(channel_length)? != CHANNEL {
        return Err(Stop::Malformed);
    }
    let length = fields.short()?;
    let before = fields.rest.len();
    let [protocol] = fields.array()?;
    let host = fields.string(MAX_HOST)?;
    let port = fields.port()?;
    if before - fields.rest.len() != usize::from(length) {
        return Err(Stop::Malformed);
    }
    Ok(LegacyPing::V1_6 { protocol, host, port })
}

/// What follows `02`. Since 1.3 that is the protocol number; before, a text whose length starts with 00 or 01.
fn login(bytes: &[u8]) -> Recognised {
    let login = match bytes.first() {
        None => return Recognised::NeedMore { complete_as: None },
        Some(number) if NUMBERED.contains(number) => numbered_login(bytes),
        Some(0 | 1) => old_login(bytes),
        Some(_) => return Recognised::Modern,
    };
    match login {
        Ok(login) => Recognised::Login(login),
        Err(Stop::Truncated) => Recognised::NeedMore { complete_as: None },
        Err(Stop::Malformed) => Recognised::Malformed,
    }
}

/// Protocol number, name, host and port.
fn numbered_login(bytes: &[u8]) -> Result<LegacyLogin, Stop> {
    let mut fields = Fields { rest: bytes };
    let [protocol] = fields.array()?;
    let name = fields.string(MAX_NAME)?;
    let host = fields.string(MAX_HOST)?;
    fields.port()?;
    Ok(LegacyLogin { protocol: Some(protocol), name, host: Some(host) })
}

/// `name;host:port`, or the name alone.
fn old_login(bytes: &[u8]) -> Result<LegacyLogin, Stop> {
    let mut fields = Fields { rest: bytes };
    let text = fields.string(MAX_OLD_LOGIN)?;
    if text.is_empty() {
        return Err(Stop::Malformed);
    }
    let (name, place) = match text.split_once(';') {
        Some((name, place)) => (name.to_owned(), Some(place)),
        None => (text.clone(), None),
    };
    let host = place.map(|place| place.rsplit_once(':').map_or(place, |(host, _)| host).to_owned());
    Ok(LegacyLogin { protocol: None, name, host })
}
