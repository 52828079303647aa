//! `drawbridge probe HOST[:PORT]`: a client's way in, step by step with timings, and for a failure what it means.
//!
//! What must stay true: whatever comes from the server is hostile. Every wait has a deadline, every buffer a bound, and no
//! text gets out but through `clean`. The access token is shown nowhere.

#![forbid(unsafe_code)]

mod address;
mod clean;
mod configuration;
mod fault;
mod foreign;
mod login;
mod names;
mod peer;
mod render;
mod report;
mod session;
mod settings;
mod status;
mod transfer;
mod way;
mod words;

#[cfg(test)]
mod tests;

use self::address::{Address, Nameserver};
use self::configuration::End;
use self::login::Login;
use self::peer::{Deadline, Peer};
use self::report::{Passed, Report, Step};
use self::settings::{Join, Settings, Token};
use self::way::Way;
use drawbridge_protocol::ProtocolVersion;
use std::io::Write;
use std::process::ExitCode;
use std::time::Duration;
use tokio::time::Instant;
use uuid::Uuid;

/// What `drawbridge probe` is told on the command line.
#[derive(Debug, clap::Args)]
pub struct ProbeArgs {
    /// The server, as a player types it
    #[arg(value_name = "HOST[:PORT]")]
    address: Address,

    /// Log in under this name, as far as it goes
    #[arg(long, value_name = "NAME", value_parser = settings::parse_name)]
    join: Option<String>,

    /// The protocol number or release to speak; default: what the status says, else the newest known
    #[arg(long, value_name = "N|RELEASE", value_parser = settings::parse_version)]
    protocol: Option<ProtocolVersion>,

    /// The player's UUID; default: the offline one of the name
    #[arg(long, value_name = "UUID", requires = "join")]
    uuid: Option<Uuid>,

    /// The account's access token, for servers that authenticate players; better given by the environment, as others can
    /// read command lines
    #[arg(long, value_name = "TOKEN", env = "DRAWBRIDGE_PROBE_TOKEN", hide_env_values = true)]
    token: Option<Token>,

    /// The session server to tell of the join
    #[arg(
        long,
        value_name = "URL",
        default_value = "https://sessionserver.mojang.com",
        value_parser = settings::parse_url
    )]
    session_server: String,

    /// The DNS server to ask; default: the system's
    #[arg(long, value_name = "IP[:PORT]")]
    nameserver: Option<Nameserver>,

    /// How long each step may take
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = settings::parse_timeout)]
    timeout: Duration,

    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

impl ProbeArgs {
    fn settings(self) -> Result<Settings, &'static str> {
        let (uuid, token, session_server) = (self.uuid, self.token, self.session_server);
        let join = self.join.map(|name| Join::new(name, uuid, token, session_server)).transpose()?;
        Ok(Settings {
            address: self.address,
            nameserver: self.nameserver.map(|Nameserver(address)| address),
            timeout: self.timeout,
            version: self.protocol,
            join,
        })
    }
}

/// Probes a server and prints what came of it. The exit code is 0 when every step that was asked for went well, 1 when one
/// failed, 2 when the arguments contradict each other.
#[must_use]
pub fn run(args: ProbeArgs) -> ExitCode {
    match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime.block_on(run_into(args, &mut anstream::stdout(), &mut anstream::stderr())),
        Err(error) => {
            let _ = writeln!(anstream::stderr(), "error: the system gives nothing to wait with: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Who closed a pipe doesn't want to know, so failures to write are none.
async fn run_into(args: ProbeArgs, out: &mut impl Write, complaints: &mut impl Write) -> ExitCode {
    let as_json = args.json;
    let settings = match args.settings() {
        Ok(settings) => settings,
        Err(mistake) => {
            let _ = writeln!(complaints, "error: {mistake}");
            return ExitCode::from(2);
        }
    };
    let report = probe(&settings).await;
    let text = if as_json { format!("{:#}\n", render::json(&report)) } else { render::text(&report) };
    let _ = out.write_all(text.as_bytes());
    if report.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

async fn probe(settings: &Settings) -> Report {
    let mut report = Report::new(settings.address.clone());
    let greeted_as = settings.version.unwrap_or(ProtocolVersion::newest());
    let last = if settings.join.is_some() { Step::Transfer } else { Step::Ping };
    let Some((way, peer)) = way::find(settings, greeted_as, &mut report).await else {
        report.skip_rest(last, "no connection");
        return report;
    };
    let status_says = look(peer, settings, &mut report).await;
    if let Some(join) = &settings.join {
        enter(settings, join, &way, status_says, &mut report).await;
    }
    report.skip_rest(last, "not reached");
    report
}

/// Does what the server list does. Gives the version that the status names.
async fn look(mut peer: Peer, settings: &Settings, report: &mut Report) -> Option<ProtocolVersion> {
    let clock = Instant::now();
    let deadline = Deadline::after(settings.timeout);
    let asked = status::ask(&mut peer, &settings.address, settings.version, deadline).await;
    let (result, version) = match asked {
        Ok((passed, version)) => (Ok(passed), version),
        Err(fault) => (Err(fault), None),
    };
    if report.add(Step::Status, clock.elapsed(), result) {
        let clock = Instant::now();
        let result = status::ping(&mut peer, Deadline::after(settings.timeout)).await;
        report.add(Step::Ping, clock.elapsed(), result);
    }
    version
}

/// Does what a join does, as far as it goes.
async fn enter(
    settings: &Settings,
    join: &Join,
    way: &Way,
    status_says: Option<ProtocolVersion>,
    report: &mut Report,
) {
    let known = status_says.filter(|version| version.is_known());
    let version = settings.version.or(known).unwrap_or(ProtocolVersion::newest());
    let clock = Instant::now();
    let peer = match Peer::connect(way.address, version, Deadline::after(settings.timeout)).await {
        Ok(peer) => peer,
        Err(fault) => {
            report.add(Step::Reconnect, clock.elapsed(), Err(fault));
            return;
        }
    };
    report.add(Step::Reconnect, clock.elapsed(), Ok(Passed::new(way.address.to_string())));
    let Some(peer) = (Login { peer, settings, join, way, status_says, report }).run().await else { return };
    if !version.has_configuration() {
        report
            .skip(Step::Configuration, &format!("{version} has none; the player would be in the world now"));
        report.skip(Step::Transfer, &format!("{version} has none"));
        return;
    }
    configure(peer, way, settings, report).await;
}

/// Stays in configuration until the server is done, and looks at where it sends the player.
async fn configure(peer: Peer, way: &Way, settings: &Settings, report: &mut Report) {
    let clock = Instant::now();
    match configuration::run(peer, settings.timeout).await {
        Err(fault) => {
            report.add(Step::Configuration, clock.elapsed(), Err(fault));
        }
        Ok((passed, end)) => {
            report.add(Step::Configuration, clock.elapsed(), Ok(passed));
            match end {
                End::World => report.skip(Step::Transfer, "the server keeps the player itself"),
                End::Transfer(target) => {
                    let clock = Instant::now();
                    let passed = transfer::examine(&target, way, settings).await;
                    report.add(Step::Transfer, clock.elapsed(), Ok(passed));
                }
            }
        }
    }
}
