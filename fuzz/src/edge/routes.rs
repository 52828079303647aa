//! What the edges' settings come to for who knocks.

use super::made::{BANNED_ADDRESS, BANNED_NAME};
use std::net::IpAddr;

/// How a route's players fare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fares {
    /// They are held in limbo, or turned away.
    Stays,
    /// They are relayed to nobody.
    Relayed,
    /// They are handed over.
    HandedOver,
    /// Nobody gets in.
    Shut,
}

/// A route.
#[derive(Debug, Clone, Copy)]
pub(super) struct Route {
    pub(super) host: &'static str,
    pub(super) fares: Fares,
    /// Whether keys are exchanged before anybody is let in.
    pub(super) seals: bool,
    /// Whether it has somebody vouch in whose name cookies are good.
    pub(super) vouched: bool,
    /// How many resource packs it offers.
    pub(super) packs: usize,
    /// Who everybody is.
    pub(super) everybody: Option<&'static str>,
}

const fn route(host: &'static str, fares: Fares, seals: bool) -> Route {
    Route { host, fares, seals, vouched: false, packs: 0, everybody: None }
}

/// All of them, and a host of nobody's.
pub(super) const ROUTES: [Route; 10] = [
    route("hub", Fares::Stays, false),
    route("island", Fares::Stays, false),
    route("away", Fares::Stays, false),
    route("through", Fares::Relayed, false),
    route("handed", Fares::HandedOver, true),
    route("nobody", Fares::Shut, false),
    Route { packs: 2, everybody: Some("Fixed"), ..route("packed", Fares::HandedOver, true) },
    Route { everybody: Some("Fixed"), ..route("kept", Fares::Stays, true) },
    Route { vouched: true, ..route("vouched", Fares::HandedOver, true) },
    route("closed", Fares::Shut, true),
];

/// Whether somebody of this name, who calls from there, is kept out.
pub(super) fn is_banned(name: &str, address: IpAddr) -> bool {
    name == BANNED_NAME || address == BANNED_ADDRESS
}
