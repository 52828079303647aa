//! What players in play notice of a flood: how long their packets are under way and back, alone; while a flood goes to a [`Sink`], which takes the
//! machine's cores as much; and while the same flood goes to the edge. What the edge costs them is the difference of the last two.

use crate::figures::{median, milliseconds, quantile, table};
use crate::flood::{Errand, Flood};
use crate::players::{Players, TICK, Way, all_sound};
use crate::scene::{Scene, TRANSFER};
use crate::sink::Sink;
use anyhow::Result;
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

/// How much longer 99 of 100 packets may take while the edge is flooded than while a sink is, in milliseconds.
pub const GOAL: f64 = 5.0;

/// Players of each way.
const PLAYERS: usize = 50;
/// What floods come for.
const ERRANDS: [Errand; 3] = [Errand::Ping, Errand::BadLogin, Errand::Garbage];

/// How long players are watched at a time, and how long the flood has begun by then. Many short looks, so that whoever else takes the cores for a
/// moment spoils few of them, and as many of the sink's as of the edge's.
const LOOK: Duration = Duration::from_millis(500);
const BEGIN: Duration = Duration::from_millis(200);

/// How much is measured.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// Rounds, in each of which every flood goes to the sink and to the edge.
    pub rounds: usize,
    /// Strangers at any time.
    pub strangers: usize,
}

/// What a round told of players of each way, in milliseconds: half within, 99 of 100 within, the longest.
type Noticed = [[f64; 3]; 2];

/// What was seen while a flood went somewhere, round by round.
#[derive(Debug, Default)]
struct Seen {
    noticed: Vec<Noticed>,
    /// Strangers served a second.
    served: Vec<f64>,
}

impl Seen {
    fn column(&self, way: Way, which: usize) -> Vec<f64> {
        self.noticed.iter().map(|noticed| noticed[way as usize][which]).collect()
    }

    fn cells(&self, label: String, way: Way) -> Vec<String> {
        let shown = |which| format!("{:.2}", median(&self.column(way, which)));
        let served =
            if self.served.is_empty() { String::new() } else { format!("{:.0}", median(&self.served)) };
        vec![label, shown(0), shown(1), shown(2), served]
    }
}

/// Measures all of it; what came of it, as text, and whether the goal was reached everywhere.
///
/// # Errors
/// When something can't be started, or a player loses a packet.
pub fn measure(program: &Path, plan: Plan) -> Result<(String, bool)> {
    let scene = Scene::start(program)?;
    let edge = scene.edge.address();
    let sinks = ERRANDS.map(|errand| Sink::like(edge, errand, TRANSFER));
    let players = Players::join(edge, [PLAYERS; 2], TICK)?;
    let mut alone = Seen::default();
    let mut flooded: [[Seen; 2]; ERRANDS.len()] = Default::default();
    for round in 0..plan.rounds {
        watch(&players, plan, None, &mut alone)?;
        for ((errand, sink), seen) in ERRANDS.into_iter().zip(&sinks).zip(&mut flooded) {
            let sink = sink.as_ref().map_err(|error| anyhow::anyhow!("{error:#}"))?.address();
            // Each round begins with another, so that none always follows the same one.
            for turn in [round % 2, 1 - round % 2] {
                let to = [sink, edge][turn];
                watch(&players, plan, Some((errand, to)), &mut seen[turn])?;
            }
        }
    }
    Ok(told(&alone, &flooded, plan))
}

/// Looks at players for a while, and notes what they noticed.
fn watch(players: &Players, plan: Plan, flood: Option<(Errand, SocketAddr)>, seen: &mut Seen) -> Result<()> {
    let flood =
        flood.map(|(errand, to)| Flood::of(errand).host(TRANSFER).at_once(plan.strangers, to)).transpose()?;
    // What has begun isn't judged.
    std::thread::park_timeout(BEGIN);
    let begun = flood.as_ref().map(Flood::take);
    drop(players.take());
    std::thread::park_timeout(LOOK);
    let mut noticed = players.take();
    all_sound(&noticed)?;
    if let Some(flood) = flood {
        seen.served.push(flood.stop().served as f64 / LOOK.as_secs_f64());
    }
    drop(begun);
    for took in &mut noticed.took {
        took.sort();
    }
    seen.noticed.push(noticed.took.each_ref().map(|took| {
        [quantile(took, 0.5), quantile(took, 0.99), took.last().copied().unwrap_or_default()]
            .map(milliseconds)
    }));
    Ok(())
}

fn told(alone: &Seen, flooded: &[[Seen; 2]], plan: Plan) -> (String, bool) {
    let mut text = format!(
        "Players in play, {PLAYERS} in sessions and {PLAYERS} in relays, each with a packet there and back every {} ms; floods of {} strangers at any time;\nmedians of {} looks of {} ms each, in ms\n",
        TICK.as_millis(),
        plan.strangers,
        plan.rounds,
        LOOK.as_millis(),
    );
    let mut all_hit = true;
    for way in Way::ALL {
        let mut rows = vec![alone.cells("alone".to_owned(), way)];
        let mut verdicts = Vec::new();
        for (errand, [sink, edge]) in ERRANDS.into_iter().zip(flooded) {
            rows.push(sink.cells(format!("{} to a sink", errand.name()), way));
            rows.push(edge.cells(format!("{} to the edge", errand.name()), way));
            let differences: Vec<f64> =
                edge.column(way, 1).iter().zip(sink.column(way, 1)).map(|(edge, sink)| edge - sink).collect();
            let difference = median(&differences);
            all_hit &= difference <= GOAL;
            let verdict = if difference <= GOAL { "hit" } else { "MISSED" };
            verdicts.push(format!("{}: {difference:+.2} ms ({verdict})", errand.name()));
        }
        let heads = [way.name(), "half within", "99 of 100", "longest", "strangers served a second"];
        let _ = writeln!(
            text,
            "{}  the edge's part of 99 of 100, ≤ {GOAL} ms: {}\n",
            table(&heads, &rows),
            verdicts.join(", ")
        );
    }
    (text, all_hit)
}
