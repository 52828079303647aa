//! The return cookie: where a player whose edge stops is to be brought back to.
//!
//! | field | type |
//! |---|---|
//! | format | byte, 1 |
//! | when the edge stopped | long, seconds since 1970 |
//! | the player's name, the place | strings |
//! | seal | 32 bytes, HMAC-SHA256 |
//!
//! Where no secrets are set it is the place alone, which is no more than what a player may type.

use super::{Binding, CLOCK_SKEW, CookieError, FORMAT, Jar, seconds, time};
use drawbridge_protocol::packet::MAX_COOKIE;
use drawbridge_protocol::wire::{DecodeError, Decoder, Encoder};
use std::net::IpAddr;
use std::time::{Duration, SystemTime};

/// What is sealed.
const RETURN: &str = "drawbridge return cookie";

/// How long a player may take to come back.
const GOOD_FOR: Duration = Duration::from_secs(5 * 60);

/// Nobody vouches for it.
fn binding(address: IpAddr) -> Binding<'static> {
    Binding { realm: "", address }
}

impl Jar {
    /// The cookie that brings `player` back to `place` until a few minutes after `now`. `None` when the place's name is too long for one.
    #[must_use]
    pub fn seal_return(
        &self,
        place: &str,
        player: &str,
        address: IpAddr,
        now: SystemTime,
    ) -> Option<Vec<u8>> {
        let mut cookie = Vec::with_capacity(128);
        let mut fields = Encoder::new(&mut cookie);
        fields.u8(FORMAT);
        fields.i64(seconds(now));
        fields.string(player);
        fields.string(place);
        self.sealed(cookie, RETURN, binding(address))
    }

    /// Where the player who claims `name`, and sent this at `now`, is to be brought.
    ///
    /// # Errors
    /// When it isn't theirs, or no more, for the reasons in [`CookieError`].
    pub fn open_return(
        &self,
        cookie: &[u8],
        name: &str,
        address: IpAddr,
        now: SystemTime,
    ) -> Result<String, CookieError> {
        let body = self.opened(cookie, RETURN, binding(address))?;
        let (stopped, player, place) = read(body).map_err(|_| CookieError::Format)?;
        let too_old = stopped.checked_add(GOOD_FOR).is_none_or(|until| now > until);
        if too_old || stopped > now + CLOCK_SKEW {
            return Err(CookieError::Expired);
        }
        if player.eq_ignore_ascii_case(name) { Ok(place) } else { Err(CookieError::Player) }
    }
}

fn read(body: &[u8]) -> Result<(SystemTime, String, String), DecodeError> {
    let mut fields = Decoder::new(body);
    match fields.u8("format")? {
        FORMAT => {}
        value => return Err(DecodeError::Value { field: "format", value: value.into() }),
    }
    let stopped = time(&mut fields)?;
    let player = fields.string("name", MAX_COOKIE)?.to_owned();
    let place = fields.string("place", MAX_COOKIE)?.to_owned();
    fields.finish()?;
    Ok((stopped, player, place))
}

#[cfg(test)]
mod tests {
    use super::super::Proof;
    use super::super::fixtures::jar_with;
    use super::*;
    use drawbridge_model::Profile;
    use std::net::Ipv4Addr;
    use uuid::Uuid;

    const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

    fn jar(namespace: &str) -> Jar {
        jar_with(1, &format!("namespace = \"{namespace}\""))
    }

    #[test]
    fn who_comes_back_in_time_finds_their_place_and_nobody_else_does() {
        let (jar, now) = (jar("mine"), SystemTime::UNIX_EPOCH + Duration::from_secs(1_790_000_000));
        let cookie = jar.seal_return("far/y", "Alice", HERE, now).unwrap();
        let open = |cookie: &[u8], name, address, after: Duration| {
            jar.open_return(cookie, name, address, now + after)
        };
        assert_eq!(open(&cookie, "aLICE", HERE, Duration::ZERO).unwrap(), "far/y");
        assert_eq!(open(&cookie, "Alice", HERE, GOOD_FOR).unwrap(), "far/y");
        let late = GOOD_FOR + Duration::from_secs(1);
        assert_eq!(open(&cookie, "Alice", HERE, late), Err(CookieError::Expired));
        assert_eq!(open(&cookie, "Bob", HERE, Duration::ZERO), Err(CookieError::Player));
        let elsewhere = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));
        assert_eq!(open(&cookie, "Alice", elsewhere, Duration::ZERO), Err(CookieError::Seal));
        assert_eq!(self::jar("other").open_return(&cookie, "Alice", HERE, now), Err(CookieError::Seal));
        let early = now - CLOCK_SKEW - Duration::from_secs(1);
        assert_eq!(jar.open_return(&cookie, "Alice", HERE, early), Err(CookieError::Expired));
        for at in 0..cookie.len() {
            let mut changed = cookie.clone();
            changed[at] ^= 1;
            assert_eq!(open(&changed, "Alice", HERE, Duration::ZERO), Err(CookieError::Seal), "{at}");
            assert_eq!(open(&cookie[..at], "Alice", HERE, Duration::ZERO), Err(CookieError::Seal), "{at}");
        }
        assert_eq!(jar.seal_return(&"a".repeat(MAX_COOKIE), "Alice", HERE, now), None);
    }

    /// A cookie of the other kind proves nothing, though it is sealed with the same secret.
    #[test]
    fn cookies_of_one_kind_are_none_of_the_other() {
        let (jar, now) = (jar("mine"), SystemTime::now());
        let profile = Profile { id: Uuid::nil(), name: "Alice".into(), properties: Vec::new() };
        let proof = jar.seal(&Proof { profile, proved: now }, binding(HERE)).unwrap();
        assert_eq!(jar.open_return(&proof, "Alice", HERE, now), Err(CookieError::Seal));
        let place = jar.seal_return("hub", "Alice", HERE, now).unwrap();
        assert_eq!(jar.open(&place, "Alice", binding(HERE), now), Err(CookieError::Seal));
    }
}
