//! Answers as people read them.

use drawbridge_control::{
    Answer, Connection, Maintained, Place, Reloaded, Request, RouteState, Status, TargetHealth, Unknown,
    lasting,
};

/// The answer to what was asked.
pub(super) fn of(asked: &Request, answer: &Answer) -> String {
    match answer {
        Answer::Status(status) => of_status(status),
        Answer::Reloaded(reloaded) => of_reload(reloaded),
        Answer::Draining { already: false } => "the edge stops\n".to_owned(),
        Answer::Draining { already: true } => "the edge was stopping already\n".to_owned(),
        Answer::Connections { connections } if connections.is_empty() => "nobody is there\n".to_owned(),
        Answer::Connections { connections } => of_connections(connections),
        Answer::Kicked { kicked } if kicked.is_empty() => match asked {
            Request::Kick { whom, .. } => {
                format!("nobody was kicked: nobody who is there is {}\n", plain(whom))
            }
            _ => "nobody was kicked\n".to_owned(),
        },
        Answer::Kicked { kicked } => kicked.iter().map(|gone| format!("kicked {}\n", named(gone))).collect(),
        Answer::Switching { switching } if switching.is_empty() => match asked {
            Request::Switch { whom, .. } => {
                format!("nobody goes anywhere: nobody who is carried by a session is {}\n", plain(whom))
            }
            _ => "nobody goes anywhere\n".to_owned(),
        },
        Answer::Switching { switching } => {
            switching.iter().map(|player| format!("{} is on the way\n", named(player))).collect()
        }
        Answer::Routes { routes } => of_routes(routes),
        Answer::Targets { targets, unknown } => of_targets(targets, unknown),
        Answer::Maintenance(maintained) => of_maintenance(maintained),
        // What this command doesn't ask for.
        Answer::Banned(_) | Answer::Unbanned { .. } | Answer::Bans { .. } | Answer::Failed(_) => {
            String::new()
        }
    }
}

/// The most letters of a host that are shown in a table: who knocks chooses them.
const HOST: usize = 40;

/// A text without anything that a terminal obeys, or that turns around or hides what is beside it.
pub(super) fn plain(text: &str) -> String {
    let shown = |letter: char| {
        let hidden = (letter.is_control() || is_unseen(letter)).then(|| letter.escape_default().to_string());
        hidden.unwrap_or_else(|| letter.to_string())
    };
    text.chars().map(shown).collect()
}

/// Letters without width, and marks of lines and of the direction of writing.
const fn is_unseen(letter: char) -> bool {
    matches!(letter,
        '\u{ad}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// The beginning of a text that is long.
fn shortened(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}…", &text[..end]),
    }
}

fn of_status(status: &Status) -> String {
    let Status { program, pid, readiness, uptime_seconds, connections, logins, carried, routes, .. } = status;
    format!(
        "drawbridge {program}, process {pid}: {readiness}, for {}\nlistening on {}\n{connections} connections open, {logins} logins under way, \
         {carried} players carried\n{routes} routes\nbans in {}\n",
        lasting(*uptime_seconds),
        status.addresses.join(", "),
        plain(&status.bans_file),
    )
}

fn of_reload(reloaded: &Reloaded) -> String {
    if !reloaded.taken_over {
        return "not reloaded: what ran goes on running\n".to_owned();
    }
    let routes = reloaded.routes;
    let mut text = format!("reloaded: {routes} {}\n", if routes == 1 { "route" } else { "routes" });
    for file in &reloaded.left_as_they_were {
        text.push_str(&format!("not reloaded: {}, whose routes stay as they were\n", plain(file)));
    }
    if !reloaded.read_at_start.is_empty() {
        let keys = reloaded.read_at_start.join(", ");
        text.push_str(&format!("not changed: {keys}, which takes a restart\n"));
    }
    text
}

fn of_connections(connections: &[Connection]) -> String {
    let head = ["", "player", "address", "host", "version", "route", "stage", "target", "for"];
    let rows = connections.iter().map(|connection| {
        let Connection { connection: number, address, host, route, stage, protocol, .. } = connection;
        let releases = connection.releases.clone().unwrap_or_else(|| protocol.to_string());
        let target = match &connection.target {
            None => "-".to_owned(),
            Some(Place { identifier, limbo: true, .. }) => format!("{identifier} (limbo)"),
            Some(Place { identifier, .. }) => identifier.clone(),
        };
        vec![
            format!("#{number}"),
            player(connection),
            address.clone(),
            shortened(&plain(host), HOST),
            releases,
            route.clone(),
            stage.clone(),
            target,
            lasting(connection.seconds),
        ]
    });
    table(&head, rows)
}

/// The name, marked where somebody vouches for it.
fn player(connection: &Connection) -> String {
    match &connection.name {
        Some(name) if connection.verified => format!("{name} (verified)"),
        Some(name) => name.clone(),
        None => "-".to_owned(),
    }
}

fn named(connection: &Connection) -> String {
    let Connection { connection: number, address, route, .. } = connection;
    let name = connection.name.as_deref().unwrap_or("somebody");
    format!("{} (#{number}) from {address} on {}", plain(name), plain(route))
}

fn of_routes(routes: &[RouteState]) -> String {
    let head = ["route", "mode", "players", "maintenance", "hosts"];
    let rows = routes.iter().map(|route| {
        let players = match route.max_players {
            Some(most) => format!("{} of {most}", route.players),
            None => route.players.to_string(),
        };
        let maintenance = on_or_off(route.maintenance, route.switched);
        vec![route.name.clone(), route.mode.clone(), players, maintenance.to_owned(), route.hosts.join(", ")]
    });
    table(&head, rows)
}

fn of_targets(targets: &[TargetHealth], unknown: &[Unknown]) -> String {
    let head = ["route", "target", "address", "players", "health"];
    let rows = targets.iter().map(|target| {
        let TargetHealth { route, identifier, address, players, health } = target;
        vec![route.clone(), identifier.clone(), address.clone(), players.to_string(), health.clone()]
    });
    let shown = if targets.is_empty() { "no target is known\n".to_owned() } else { table(&head, rows) };
    let silent = unknown.iter().map(|silent| {
        let Unknown { route, message } = silent;
        format!("not known: the targets of {}: {}\n", plain(route), plain(message))
    });
    [shown].into_iter().chain(silent).collect()
}

const fn on_or_off(maintenance: bool, switched: bool) -> &'static str {
    match (maintenance, switched) {
        (true, true) => "on (switched)",
        (true, false) => "on",
        (false, true) => "off (switched)",
        (false, false) => "-",
    }
}

fn of_maintenance(maintained: &Maintained) -> String {
    let Maintained { route, maintenance, switched, players } = maintained;
    let by = if *switched { "switched" } else { "as configured" };
    let state = if *maintenance { "under maintenance" } else { "not under maintenance" };
    let stay = match players {
        0 => String::new(),
        players => format!(", {players} players are carried and stay"),
    };
    format!("{} is {state}, {by}{}\n", plain(route), if *maintenance { stay } else { String::new() })
}

/// Rows below each other, each column as wide as it has to be.
fn table<const COLUMNS: usize>(head: &[&str; COLUMNS], rows: impl Iterator<Item = Vec<String>>) -> String {
    let head = head.iter().map(|&title| title.to_owned()).collect();
    let rows: Vec<Vec<String>> = [head]
        .into_iter()
        .chain(rows)
        .map(|row: Vec<String>| row.iter().map(|cell| plain(cell)).collect())
        .collect();
    let width = |column: usize| {
        rows.iter()
            .filter_map(|row| row.get(column))
            .map(|cell| cell.chars().count())
            .max()
            .unwrap_or_default()
    };
    let widths: Vec<usize> = (0..COLUMNS).map(width).collect();
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
        format!("{}\n", cells.collect::<Vec<_>>().join("  ").trim_end())
    };
    rows.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_would_obey_is_shown_instead() {
        assert_eq!(plain("a\u{1b}[2J\nü"), "a\\u{1b}[2J\\nü");
        assert_eq!(plain("gnp\u{202e}exe\u{200b}"), "gnp\\u{202e}exe\\u{200b}");
        assert_eq!((shortened("äöü", 3), shortened("äöü", 2)), ("äöü".to_owned(), "äö…".to_owned()));
        let rows = [["1", "\u{7}"], ["22", "b"]].map(|row| row.map(str::to_owned).to_vec());
        assert_eq!(table(&["", "name"], rows.into_iter()), "    name\n1   \\u{7}\n22  b\n");
    }
}
