//! `drawbridge ctl`: asks the edge that runs with this configuration, over its control socket.
//!
//! What must stay true: what players supply is shown without what a terminal would obey; whoever reads the exit code knows whether it was done.

mod words;

use crate::settings::Source;
use crate::{check, print};
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use drawbridge_config::Error;
use drawbridge_control::{Answer, AskError, Failure, Line, Request};
use drawbridge_model::MaintenanceOrder;
use drawbridge_telemetry::in_full;
use std::path::PathBuf;
use std::process::ExitCode;

/// The exit code where no edge answers.
const NOBODY: u8 = 3;

/// What `drawbridge ctl` is told.
#[derive(Debug, clap::Args)]
pub(crate) struct CtlArgs {
    /// The main file of the edge's configuration, which names the socket
    #[arg(long, short, value_name = "FILE", env = "DRAWBRIDGE_CONFIG", global = true)]
    config: Option<PathBuf>,

    /// The socket, in place of the one that the configuration names
    #[arg(long, value_name = "PATH", global = true)]
    socket: Option<PathBuf>,

    /// Print the edge's answer as one JSON object
    #[arg(long, global = true)]
    json: bool,

    #[command(subcommand)]
    order: Ctl,
}

/// What an edge can be asked and told.
#[derive(Debug, clap::Subcommand)]
enum Ctl {
    /// Show how the edge is
    Status,
    /// Have it read its configuration anew, and show what is wrong with it
    Reload,
    /// Have it stop as at SIGTERM: logins finish, players who are carried have their time
    Drain {
        /// Wait for nobody
        #[arg(long)]
        now: bool,
    },
    /// Show who is there: logins under way and players who are carried
    Connections {
        /// On this route alone
        #[arg(long, value_name = "NAME")]
        route: Option<String>,
    },
    /// End connections
    Kick {
        /// A player's name or UUID, an address or a network, or '#' and the number of a connection
        #[arg(value_name = "WHOM")]
        whom: String,

        /// What players read who are still in login; who is relayed is cut off without a word
        #[arg(long, value_name = "TEXT", default_value = "")]
        reason: String,
    },
    /// Have players who are carried by sessions go elsewhere; who can't stays, and is told
    Switch {
        /// A player's name or UUID, an address or a network, or '#' and the number of a connection
        #[arg(value_name = "WHOM")]
        whom: String,

        /// The identifier of a target of their route, or the name of another route
        #[arg(value_name = "SERVER")]
        to: String,
    },
    /// Show the routes
    Routes,
    /// Show targets, with the players who are carried to each, and whether it failed of late
    Targets {
        /// Of this route alone
        #[arg(long, value_name = "NAME")]
        route: Option<String>,
    },
    /// Put a route under maintenance or out of it, until the edge ends; who is carried stays
    Maintenance {
        /// The route's name
        #[arg(value_name = "ROUTE")]
        route: String,

        /// What it is to be
        #[arg(value_parser = orders())]
        switch: MaintenanceOrder,
    },
}

/// The words for a route's maintenance.
fn orders() -> impl TypedValueParser<Value = MaintenanceOrder> {
    let words = MaintenanceOrder::ALL.map(|order| {
        PossibleValue::new(order.label()).help(match order {
            MaintenanceOrder::On => "Under way: players are told, and the server list shows it",
            MaintenanceOrder::Off => "Over, whatever the configuration says",
            MaintenanceOrder::Configured => "As the configuration says",
        })
    });
    PossibleValuesParser::new(words).try_map(|word| word.parse())
}

impl From<Ctl> for Request {
    fn from(order: Ctl) -> Self {
        match order {
            Ctl::Status => Self::Status {},
            Ctl::Reload => Self::Reload {},
            Ctl::Drain { now } => Self::Drain { now },
            Ctl::Connections { route } => Self::Connections { route },
            Ctl::Kick { whom, reason } => Self::Kick { whom, reason },
            Ctl::Switch { whom, to } => Self::Switch { whom, to },
            Ctl::Routes => Self::Routes {},
            Ctl::Targets { route } => Self::Targets { route },
            Ctl::Maintenance { route, switch } => Self::Maintenance { route, switch },
        }
    }
}

/// Why there is nothing to show.
#[derive(Debug, thiserror::Error)]
enum Trouble {
    #[error(transparent)]
    Configuration(#[from] Error),
    #[error("the configuration has no control socket: control.enabled is false")]
    SwitchedOff,
    #[error(transparent)]
    Ask(#[from] AskError),
}

/// Asks the edge.
pub(crate) fn run(args: CtlArgs) -> ExitCode {
    let CtlArgs { config, socket, json, order } = args;
    let asked = Request::from(order);
    match ask(config, socket, &asked) {
        Ok(answer) => show(&asked, &answer, json),
        Err(Trouble::Configuration(error)) => {
            check::show(&error);
            ExitCode::FAILURE
        }
        Err(trouble) => {
            eprintln!("error: {}", in_full(&trouble));
            if let Trouble::Ask(error) = &trouble
                && error.is_nobody()
            {
                eprintln!(
                    "  = help: is the edge running, and with this configuration? --config or --socket name another"
                );
                return ExitCode::from(NOBODY);
            }
            ExitCode::FAILURE
        }
    }
}

fn ask(config: Option<PathBuf>, socket: Option<PathBuf>, request: &Request) -> Result<Answer, Trouble> {
    let path = match socket {
        Some(path) => path,
        None => Source::new(config).control()?.ok_or(Trouble::SwitchedOff)?,
    };
    Ok(Line::connect(&path)?.ask(request)?)
}

fn show(asked: &Request, answer: &Answer, json: bool) -> ExitCode {
    let nobody = match answer {
        Answer::Kicked { kicked: meant } | Answer::Switching { switching: meant } => meant.is_empty(),
        _ => false,
    };
    let mistaken = matches!(answer, Answer::Reloaded(reloaded) if !reloaded.left_as_they_were.is_empty());
    let code = if answer.is_done() && !nobody && !mistaken { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    let printed = if json {
        print(format!("{:#}\n", serde_json::json!(answer)).as_bytes())
    } else if let Answer::Failed(failure) = answer {
        tell(failure);
        ExitCode::SUCCESS
    } else {
        if let Answer::Reloaded(reloaded) = answer {
            eprint!("{}", reloaded.rendered);
        }
        print(words::of(asked, answer).as_bytes())
    };
    if printed == ExitCode::SUCCESS { code } else { printed }
}

/// Says why something wasn't done.
pub(crate) fn tell(failure: &Failure) {
    eprintln!("error: {}", words::plain(&failure.message));
    if let Some(help) = &failure.help {
        eprintln!("  = help: {help}");
    }
}
