//! `drawbridge ban`, `unban` and `bans`: on the file that the configuration names. Where an edge runs on it that can be asked, it writes
//! the ban itself and has it count at once; where none can, this process does.
//!
//! What must stay true: whoever is said to be banned is, on disk; nobody is banned before every word on the command line makes sense;
//! nothing about an edge keeps anybody from banning.

use crate::settings::Source;
use crate::{Configuration, check, print};
use drawbridge_config::Error;
use drawbridge_control::{Answer, Kept, Line, Request, exactly};
use drawbridge_model::ban::utc;
use drawbridge_model::{Ban, Subject};
use drawbridge_store::{Database, Event, Index, StoreError};
use drawbridge_telemetry::in_full;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};
use serde_json::{Value, json};
use std::io::{self, BufRead as _, Read as _, Write as _};
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::SystemTime;
use thiserror::Error as ThisError;

/// The longest line that is read from standard input, in bytes.
const LONGEST_LINE: u64 = 1024;

/// Whom a command is about.
#[derive(Debug, Clone, clap::Args)]
struct Whom {
    /// A player's name or UUID, an address, or a network such as 203.0.113.0/24; - reads them from standard input, one a line
    #[arg(value_name = "WHOM", required = true)]
    whom: Vec<String>,

    /// Who does it, for the history
    #[arg(long, value_name = "WHO", default_value = "console")]
    by: String,
}

/// What `drawbridge ban` is told.
#[derive(Debug, clap::Args)]
pub(crate) struct BanArgs {
    #[command(flatten)]
    configuration: Configuration,

    #[command(flatten)]
    whom: Whom,

    /// What the player reads
    #[arg(long, value_name = "TEXT", default_value = "")]
    reason: String,

    /// How long, such as 7d, 12h or "1mo 2d"; for ever otherwise
    #[arg(long = "for", value_name = "TIME", conflicts_with = "until", value_parser = parse_span)]
    span: Option<SystemTime>,

    /// Until when, such as 2026-12-24 or 2026-12-24T18:00+01:00; UTC where nothing else is said
    #[arg(long, value_name = "WHEN", value_parser = parse_time)]
    until: Option<SystemTime>,
}

/// What `drawbridge unban` is told.
#[derive(Debug, clap::Args)]
pub(crate) struct UnbanArgs {
    #[command(flatten)]
    configuration: Configuration,

    #[command(flatten)]
    whom: Whom,
}

/// What `drawbridge bans` is told.
#[derive(Debug, clap::Args)]
pub(crate) struct BansArgs {
    #[command(flatten)]
    configuration: Configuration,

    /// Show what was done instead, the oldest first
    #[arg(long)]
    history: bool,

    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// Why a command wasn't carried out.
#[derive(Debug, ThisError)]
enum Failure {
    #[error(transparent)]
    Configuration(#[from] Error),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("{0}")]
    Whom(#[from] drawbridge_model::SubjectError),
    #[error("standard input can't be read")]
    Input(#[source] io::Error),
    #[error("standard output can't be written")]
    Output(#[source] io::Error),
    #[error("nobody is banned: there is no {}", .0.display())]
    NoFile(PathBuf),
    #[error("{0}")]
    Edge(String, Option<String>),
    #[error("{of} isn't banned alone, but with all of {network}: unban that, or nobody")]
    WithinNetwork { of: Subject, network: Subject },
}

impl Failure {
    fn tell(&self) -> ExitCode {
        if let Self::Configuration(error) = self {
            check::show(error);
            return ExitCode::FAILURE;
        }
        let source = match self {
            Self::Store(error) => in_full(error),
            failure => in_full(failure),
        };
        eprintln!("error: {source}");
        let advice = match self {
            Self::Store(error) => error.advice(),
            Self::Edge(_, advice) => advice.as_deref(),
            _ => None,
        };
        if let Some(advice) = advice {
            eprintln!("  = help: {advice}");
        }
        ExitCode::FAILURE
    }
}

fn ended(result: Result<(), Failure>) -> ExitCode {
    result.map_or_else(|failure| failure.tell(), |()| ExitCode::SUCCESS)
}

fn file(configuration: &Configuration) -> Result<PathBuf, Failure> {
    Ok(Source::new(configuration.config.clone()).bans()?)
}

/// The edge that runs on the file, where there is one that can be asked.
struct Running(Option<Line>);

impl Running {
    fn find(configuration: &Configuration, file: &Path) -> Self {
        let socket = Source::new(configuration.config.clone()).control().ok().flatten();
        let line = socket.and_then(|socket| {
            let mut line = Line::connect(&socket).ok()?;
            match line.ask(&Request::Status {}) {
                Ok(Answer::Status(status)) => is_same(file, Path::new(&status.bans_file)).then_some(line),
                _ => None,
            }
        });
        Self(line)
    }

    /// What the edge answers; `None` where that is nothing to go by, now and from then on.
    fn ask(&mut self, request: &Request) -> Option<Answer> {
        let answer = self.0.as_mut()?.ask(request);
        if answer.is_err() {
            self.0 = None;
        }
        answer.ok()
    }
}

/// Whether two paths are of one file, which need not be there yet.
fn is_same(one: &Path, other: &Path) -> bool {
    let real = |path: &Path| {
        let path = std::path::absolute(path).ok()?;
        path.canonicalize().ok().or_else(|| Some(path.parent()?.canonicalize().ok()?.join(path.file_name()?)))
    };
    real(one).is_some_and(|one| real(other) == Some(one))
}

/// How far from now: months and days as a calendar in UTC has them.
fn parse_span(text: &str) -> Result<SystemTime, String> {
    let span: Span = text.parse().map_err(|error: jiff::Error| error.to_string())?;
    if !span.is_positive() {
        return Err("that is no time at all".to_owned());
    }
    let end = Timestamp::now().to_zoned(TimeZone::UTC).checked_add(span);
    end.map(|end| end.timestamp().into()).map_err(|error| error.to_string())
}

fn parse_time(text: &str) -> Result<SystemTime, String> {
    let civil = || text.parse::<DateTime>()?.to_zoned(TimeZone::UTC).map(|time| time.timestamp());
    let time = text.parse::<Timestamp>().or_else(|_| civil()).map_err(|error| error.to_string())?;
    if time <= Timestamp::now() {
        return Err("that is over already".to_owned());
    }
    Ok(time.into())
}

impl Whom {
    /// Does it to each in turn: those on the command line, and where one of them is `-` those of standard input.
    fn each(&self, mut act: impl FnMut(Subject) -> Result<(), Failure>) -> Result<(), Failure> {
        let named = self.whom.iter().filter(|word| *word != "-").map(|word| word.parse());
        for subject in named.collect::<Result<Vec<_>, _>>()? {
            act(subject)?;
        }
        if !self.whom.iter().any(|word| word == "-") {
            return Ok(());
        }
        let mut input = io::stdin().lock();
        loop {
            let mut line = Vec::new();
            let read = (&mut input).take(LONGEST_LINE).read_until(b'\n', &mut line);
            if read.map_err(Failure::Input)? == 0 {
                return Ok(());
            }
            let line = String::from_utf8_lossy(&line);
            if !line.trim().is_empty() {
                act(line.trim().parse()?)?;
            }
        }
    }
}

/// Says what was done as soon as it was.
fn say(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    writeln!(out, "{text}").and_then(|()| out.flush()).map_err(Failure::Output)
}

/// Bans.
pub(crate) fn ban(args: &BanArgs) -> ExitCode {
    ended(ban_each(args))
}

fn ban_each(args: &BanArgs) -> Result<(), Failure> {
    let path = file(&args.configuration)?;
    let mut edge = Running::find(&args.configuration, &path);
    let until = args.span.or(args.until);
    let mut database = None;
    args.whom.each(|of| {
        let request = Request::Ban {
            whom: of.to_string(),
            reason: args.reason.clone(),
            by: args.whom.by.clone(),
            until: until.map(exactly),
        };
        match edge.ask(&request) {
            Some(Answer::Banned(banned)) => {
                return say(&banned_line(&of, banned.again, until, banned.disconnected));
            }
            Some(Answer::Failed(failure)) if failure.error == "bans" => {
                return Err(Failure::Edge(failure.message, failure.help));
            }
            _ => {}
        }
        let database = match &mut database {
            Some(database) => database,
            none => none.insert(Database::create(&path)?),
        };
        let (reason, source) = (args.reason.as_str().into(), args.whom.by.as_str().into());
        let ban = Ban { of, reason, source, since: SystemTime::now(), until };
        let again = database.ban(&ban)?.is_some();
        say(&banned_line(&ban.of, again, until, 0))
    })
}

fn banned_line(of: &Subject, again: bool, until: Option<SystemTime>, disconnected: usize) -> String {
    let again = if again { " again" } else { "" };
    let gone = match disconnected {
        0 => String::new(),
        1 => ", and disconnected".to_owned(),
        many => format!(", and disconnected {many} times"),
    };
    format!("banned {of}{again} {}{gone}", length(until))
}

/// Lifts bans.
pub(crate) fn unban(args: &UnbanArgs) -> ExitCode {
    ended(unban_each(args))
}

fn unban_each(args: &UnbanArgs) -> Result<(), Failure> {
    let path = file(&args.configuration)?;
    let mut edge = Running::find(&args.configuration, &path);
    let mut database = Database::open(&path)?.ok_or(Failure::NoFile(path))?;
    args.whom.each(|of| {
        let request = Request::Unban { whom: of.to_string(), by: args.whom.by.clone() };
        match edge.ask(&request) {
            Some(Answer::Unbanned { of }) => return say(&format!("unbanned {of}")),
            Some(Answer::Failed(failure)) if failure.error == "bans" => {
                return Err(Failure::Edge(failure.message, failure.help));
            }
            // Of whom isn't banned, the file knows more.
            _ => {}
        }
        unban_in(&mut database, of, &args.whom.by)
    })
}

/// Lifts a ban in the file.
fn unban_in(database: &mut Database, of: Subject, by: &str) -> Result<(), Failure> {
    match database.unban(&of, by, SystemTime::now()) {
        Ok(lifted) => say(&format!("unbanned {}", lifted.of)),
        Err(error @ StoreError::NotBanned(_)) => Err(match around(database, &of)? {
            Some(network) => Failure::WithinNetwork { of, network },
            None => error.into(),
        }),
        Err(error) => Err(error.into()),
    }
}

/// The banned network around an address that isn't banned itself.
fn around(database: &Database, of: &Subject) -> Result<Option<Subject>, StoreError> {
    let address: Option<IpAddr> = of.to_string().parse().ok();
    let Some(address) = address else { return Ok(None) };
    let index: Index = database.bans()?;
    Ok(index.address(address, SystemTime::now).map(|ban| ban.of.clone()))
}

/// Shows bans, or what was done.
pub(crate) fn list(args: &BansArgs) -> ExitCode {
    match listed(args) {
        Ok(text) => print(text.as_bytes()),
        Err(failure) => failure.tell(),
    }
}

fn listed(args: &BansArgs) -> Result<String, Failure> {
    let database = Database::open(&file(&args.configuration)?)?;
    if args.history {
        let events = database.map_or_else(|| Ok(Vec::new()), |database| database.history())?;
        return Ok(if args.json {
            let events: Vec<_> = events.iter().map(event_json).collect();
            format!("{:#}\n", json!({ "history": events }))
        } else {
            lines(events.iter().map(|event| (event.ban.of.to_string(), event_line(event))))
        });
    }
    let mut bans: Vec<Ban> = database.map_or_else(|| Ok(Vec::new()), |database| database.bans())?;
    let now = SystemTime::now();
    bans.retain(|ban| ban.holds(now));
    Ok(if args.json {
        let bans: Vec<_> = bans.iter().map(Kept::from).collect();
        format!("{:#}\n", json!({ "bans": bans }))
    } else {
        lines(bans.iter().map(|ban| (ban.of.to_string(), ban_line(ban))))
    })
}

/// What is said of each, behind whom it is said of.
fn lines(of: impl Iterator<Item = (String, String)>) -> String {
    let lines: Vec<_> = of.collect();
    let width = lines.iter().map(|(of, _)| of.chars().count()).max().unwrap_or_default();
    lines.iter().map(|(of, line)| format!("{of:width$}  {line}\n")).collect()
}

fn length(until: Option<SystemTime>) -> String {
    until.map_or_else(|| "for ever".to_owned(), |until| format!("until {}", utc(until)))
}

fn because(reason: &str) -> String {
    if reason.is_empty() { String::new() } else { format!(": {reason}") }
}

fn ban_line(ban: &Ban) -> String {
    format!("{}, by {}, {}{}", length(ban.until), ban.source, utc(ban.since), because(&ban.reason))
}

fn event_line(Event { action, ban }: &Event) -> String {
    let (action, at, by) = (action.label(), utc(ban.since), &ban.source);
    match action {
        "ban" => format!("{at}  {action} {}, by {by}{}", length(ban.until), because(&ban.reason)),
        _ => format!("{at}  {action}, by {by}"),
    }
}

fn event_json(Event { action, ban }: &Event) -> Value {
    json!({
        "at": exactly(ban.since),
        "action": action.label(),
        "kind": ban.of.kind(),
        "of": ban.of.to_string(),
        "reason": &*ban.reason,
        "by": &*ban.source,
        "until": ban.until.map(exactly),
    })
}
