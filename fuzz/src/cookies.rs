//! The cookies that a client carries from edge to edge.
//!
//! What must hold: what was sealed opens as it was; no change of it does, nor does it elsewhere, for another realm or address; without its seal nothing opens
//! at all; a hint is read from any bytes, and reads back.

use crate::house::edge::cookie::{Binding, Cookies, Hint, Jar, Proof};
use crate::{Input, memory};
use drawbridge_protocol::profile::{Profile, Property};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::OnceLock;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use uuid::Uuid;

const NOW: u64 = 1_000_000;
const BINDING: Binding<'_> = Binding { realm: "a realm", address: IpAddr::V4(Ipv4Addr::LOCALHOST) };

fn jar() -> &'static Jar {
    static JAR: OnceLock<Jar> = OnceLock::new();
    JAR.get_or_init(|| {
        let file = std::env::temp_dir().join(format!("drawbridge-fuzz-{}.key", std::process::id()));
        std::fs::write(&file, [b'k'; 32]).expect("a file");
        let settings: Cookies =
            drawbridge_config::read_text("drawbridge.toml", &format!("secrets = [{{ file = {file:?} }}]"))
                .expect("settings");
        let _ = std::fs::remove_file(&file);
        Jar::new(&settings).expect("a secret")
    })
}

/// See the module.
pub fn check(data: &[u8]) {
    let jar = jar();
    let now = UNIX_EPOCH + Duration::from_secs(NOW);
    memory::within(64 * 1024 + 2 * data.len(), || {
        let _ = Hint::from_cookie(data);
        assert!(jar.open(data, "Alice", BINDING, now).is_err(), "anything opens");
        assert!(jar.open_return(data, "Alice", BINDING.address, now).is_err(), "anything is a way back");
    });
    let mut input = Input::new(data);
    let (at, change, elsewhere) = (input.short(), input.byte(), input.byte());
    let name = String::from_utf8_lossy(input.piece()).into_owned();
    let value = String::from_utf8_lossy(input.rest()).into_owned();
    let property = Property {
        name: name.clone(),
        value: value.clone(),
        signature: (change & 1 == 1).then(|| value.clone()),
    };
    let profile =
        Profile { id: Uuid::from_u128(u128::from(at)), name: name.clone(), properties: vec![property] };
    let proof = Proof { profile, proved: UNIX_EPOCH + Duration::from_secs(NOW - u64::from(elsewhere)) };
    way_back((&name, &value), (at, change), now);
    let Some(mut cookie) = jar.seal(&proof, BINDING) else { return };
    assert_eq!(jar.open(&cookie, &name, BINDING, now), Ok(proof));
    let binding = match elsewhere & 1 {
        0 => Binding { realm: "another", ..BINDING },
        _ => Binding { address: Ipv4Addr::from(0x7f00_0002 + u32::from(elsewhere)).into(), ..BINDING },
    };
    assert!(jar.open(&cookie, &name, binding, now).is_err(), "elsewhere");
    let place = usize::from(at) % cookie.len();
    if change == 0 {
        cookie.truncate(place);
    } else {
        cookie[place] ^= change;
    }
    assert!(jar.open(&cookie, &name, BINDING, now).is_err(), "changed");
}

/// The cookie by which a player comes back to a place.
fn way_back((name, place): (&str, &str), (at, change): (u16, u8), now: SystemTime) {
    let (jar, address) = (jar(), BINDING.address);
    let Some(mut cookie) = jar.seal_return(place, name, address, now) else { return };
    assert_eq!(jar.open_return(&cookie, name, address, now).as_deref(), Ok(place));
    assert!(jar.open(&cookie, name, BINDING, now).is_err(), "it proves nothing");
    assert!(jar.open_return(&cookie, name, Ipv4Addr::new(127, 0, 0, 2).into(), now).is_err(), "elsewhere");
    let at = usize::from(at) % cookie.len();
    cookie[at] ^= change.max(1);
    assert!(jar.open_return(&cookie, name, address, now).is_err(), "changed");
}

/// A cookie, and a hint.
#[must_use]
pub fn seeds() -> Vec<Vec<u8>> {
    let hint = Hint { trace: None, good_until: Some(UNIX_EPOCH + Duration::from_secs(NOW)) };
    vec![
        hint.to_cookie(),
        b"\x00\x07\x01\x02\x05Alicevalue".to_vec(),
        b"\x00\x30\x00\x03\x05Alicevalue".to_vec(),
    ]
}
