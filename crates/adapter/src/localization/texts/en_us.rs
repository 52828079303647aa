//! English.

use super::Texts;

pub(super) static TEXTS: Texts = Texts {
    disconnect_access: "You can't join from your network. If you think that is a mistake, please tell the server's team.",
    disconnect_banned: "You are banned from this server. {reason}",
    disconnect_banned_until: "You are banned from this server until {until}. {reason}",
    disconnect_kicked: "You were disconnected by the server's team. {reason}",
    disconnect_maintenance: "This server is being worked on. Please try again later.",
    disconnect_rate: "You are joining too often. Please wait a few seconds and try again.",
    disconnect_timeout: "Joining took too long. Please check your connection and try again.",
    disconnect_no_route: "There is no server at {host}. Please check the address for typos.",
    disconnect_version: "This server can't be joined with Minecraft {version}. Please join with {versions}.",
    disconnect_name: "The name {name} can't be used on this server. Please join with another account, or ask the server's team.",
    disconnect_encryption: "The connection couldn't be secured. Please try again; if that doesn't help, restart Minecraft.",
    disconnect_authentication: "Your account couldn't be verified. Please restart the game and its launcher, then try again.",
    disconnect_authentication_unavailable: "The authentication servers can't be reached right now. Please try again in a few minutes.",
    disconnect_cookie: "Your earlier login is no longer valid. Please join again.",
    disconnect_no_target: "No server is configured or available to take you right now. Please try again later.",
    disconnect_discovery: "Looking for a server failed. Please try again in a moment.",
    disconnect_action: "You can't join this server right now. If you think that is a mistake, please tell the server's team.",
    disconnect_action_failed: "Choosing a server for you failed. Please try again in a moment.",
    disconnect_placement_timeout: "Finding a server for you took too long. Please try again in a moment.",
    disconnect_unreachable: "The server that you were on your way to can't be reached right now. Please try again in a moment.",
    disconnect_full: "This server is full right now. Please try again later.",
    disconnect_resource_pack: "This server needs its resource pack. Please allow server resource packs in your server list and join again.",
    disconnect_shutdown: "The server is restarting. Please join again in a moment.",
    disconnect_internal: "Something went wrong on our side. Please try again; if it keeps happening, tell the server's team.",
};
