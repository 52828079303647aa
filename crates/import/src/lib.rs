//! `drawbridge import PATH`: the configuration of another program as one of Drawbridge's.
//!
//! A file is parsed without knowing what its keys mean (`source`). The program's own part takes keys out, sets Drawbridge's
//! (`draft`, `text`) and notes what became of each (`report`); what nobody took has no equivalent.
//!
//! What must stay true: nothing is dropped silently, since each key of each file stands in exactly one list of the report. No file
//! is written over. No value of a key is shown but hosts and the names of servers: it may be a secret.

#![forbid(unsafe_code)]

mod address;
mod bungeecord;
mod draft;
#[cfg(fuzzing)]
pub mod fuzzing;
mod gate;
mod infrared;
mod infrarust;
mod mc_router;
mod motd;
mod network;
mod passage;
mod recognise;
mod report;
mod route;
mod session;
mod source;
mod text;
mod time;
mod velocity;
mod words;

#[cfg(test)]
mod tests;

pub use recognise::Found;
pub use source::{Document, Syntax, parse};

use clap::ValueEnum;
use draft::Draft;
use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

/// What `drawbridge import` is told on the command line.
#[derive(Debug, clap::Args)]
pub struct ImportArgs {
    /// The other program's configuration: its file, or the folder that it is in
    #[arg(value_name = "FILE|FOLDER")]
    path: PathBuf,

    /// Whose it is; default: what its keys tell
    #[arg(long, value_name = "PROGRAM")]
    from: Option<Program>,

    /// The folder to write drawbridge.toml and routes/*.toml into; default: standard output
    #[arg(long, short, value_name = "FOLDER")]
    output: Option<PathBuf>,
}

/// A program whose configuration can be imported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[allow(missing_docs, reason = "the command line shows what is said of a variant")]
pub enum Program {
    Infrarust,
    Passage,
    McRouter,
    Gate,
    GateLite,
    Velocity,
    Bungeecord,
    Infrared,
}

impl Program {
    /// Its name as it writes it itself.
    const fn name(self) -> &'static str {
        match self {
            Self::Infrarust => "Infrarust",
            Self::Passage => "Passage",
            Self::McRouter => "mc-router",
            Self::Gate => "Gate",
            Self::GateLite => "Gate Lite",
            Self::Velocity => "Velocity",
            Self::Bungeecord => "BungeeCord",
            Self::Infrared => "Infrared",
        }
    }

    /// Whether a document of `other` may be read as this program's: Gate and Gate Lite share a file.
    fn is_read_as(self, other: Self) -> bool {
        let is_gate = |program| matches!(program, Self::Gate | Self::GateLite);
        self == other || (is_gate(self) && is_gate(other))
    }
}

/// Why nothing was imported.
#[derive(Debug, thiserror::Error)]
enum ImportError {
    /// It can't be read.
    #[error("{} can't be read: {source}", path.display())]
    Unreadable { path: PathBuf, source: io::Error },
    /// A device, a pipe, or a folder in a file's place.
    #[error("{} is no file", path.display())]
    NoFile { path: PathBuf },
    /// More than a configuration has.
    #[error("{} has more than {} MiB: that is no configuration", path.display(), source::LARGEST >> 20)]
    TooLarge { path: PathBuf },
    /// Not UTF-8.
    #[error("{} isn't UTF-8", path.display())]
    NotText { path: PathBuf },
    /// Not what its name says.
    #[error("{} can't be read: {reason}", path.display())]
    Syntax { path: PathBuf, reason: String },
    /// No program is known by these keys.
    #[error("{} has no keys that tell whose it is\n  help: name the program: --from velocity, or another", path.display())]
    Unknown { path: PathBuf },
    /// No file of a folder is a configuration.
    #[error(
        "{} has no configuration that is known by its name and keys\n  help: name the file itself, and the program with --from",
        path.display()
    )]
    Nothing { path: PathBuf },
    /// Two programs in one folder.
    #[error(
        "{} has configurations of {} and of {}\n  help: name the file itself, or one of the programs with --from",
        path.display(), first.name(), second.name()
    )]
    Several { path: PathBuf, first: Program, second: Program },
    /// A file would be written over.
    #[error("{} exists, and nothing is written over\n  help: write into another folder, or move it away", path.display())]
    Exists { path: PathBuf },
    /// The output can't be written.
    #[error("{} can't be written: {source}", path.display())]
    Unwritable { path: PathBuf, source: io::Error },
}

/// What an import comes to.
#[derive(Debug)]
pub struct Imported {
    /// Names, relative to the folder of the configuration, and texts.
    pub files: Vec<(String, String)>,
    /// What became of the keys.
    pub report: String,
}

impl Imported {
    /// Whether each key of the documents that it was made of stands in exactly one list of the report.
    ///
    /// # Errors
    /// What is told of no key, or of how many keys nothing or too much is told.
    pub fn accounts_for(&self, documents: &[Document]) -> Result<(), String> {
        let leaves = documents.iter().flat_map(|document| document.root().leaves());
        let mut wanted: Vec<_> = leaves.map(|leaf| leaf.path).collect();
        let told: Vec<_> = self.report.lines().filter_map(|line| line.strip_prefix("    ")).collect();
        if told.len() != wanted.len() {
            return Err(format!("{} keys, and {} are told of:\n{}", wanted.len(), told.len(), self.report));
        }
        for line in told {
            let is_of =
                |path: &String| line.strip_prefix(path.as_str()).is_some_and(|rest| rest.starts_with(": "));
            let place = wanted.iter().position(is_of).ok_or_else(|| format!("{line:?} is of no key"))?;
            wanted.swap_remove(place);
        }
        Ok(())
    }
}

/// Imports, and gives what belongs on standard output: what became of each key, or where the configuration itself is written there, that. Then
/// the former stands on standard error.
///
/// # Errors
/// When there is nothing to import at the path, or it can't be written.
pub fn run(args: &ImportArgs) -> Result<String, impl Error + use<>> {
    carry_out(args)
}

fn carry_out(args: &ImportArgs) -> Result<String, ImportError> {
    let imported = import(&recognise::find(&args.path, args.from)?);
    match &args.output {
        Some(folder) => write(folder, &imported.files).map(|()| imported.report),
        None => {
            eprint!("{}", imported.report);
            Ok(imported.files.iter().map(|(_, text)| text.as_str()).collect::<Vec<_>>().join("\n"))
        }
    }
}

/// Makes a configuration of another program's.
#[must_use]
pub fn import(found: &Found) -> Imported {
    let documents = &found.documents;
    let mut draft = Draft::default();
    draft.folder = documents.first().map(|document| document.folder.clone()).unwrap_or_default();
    let first = documents.first().map(Document::root);
    match (found.program, first) {
        (Program::Infrarust, _) => infrarust::read(documents, &mut draft),
        (Program::Infrared, _) => infrared::read(documents, &mut draft),
        (Program::McRouter, _) => mc_router::read(documents, &mut draft),
        (Program::Passage, Some(root)) => passage::read(&root, &mut draft),
        (Program::Gate, Some(root)) => gate::read(&root, &mut draft),
        (Program::GateLite, Some(root)) => gate::read_lite(&root, &mut draft),
        (Program::Velocity, Some(root)) => velocity::read(&root, &mut draft),
        (Program::Bungeecord, Some(root)) => bungeecord::read(&root, &mut draft),
        (_, None) => {}
    }
    let names: Vec<_> = documents.iter().map(|document| document.name.as_str()).collect();
    let sources = format!("{}: {}", found.program.name(), names.join(", "));
    Imported {
        files: files(&draft, &sources),
        report: format!("{sources}\n\n{}", draft.report.render(documents)),
    }
}

/// The main file, and the files of routes in the order in which the edge reads them. One behind the other they are a
/// configuration as well.
fn files(draft: &Draft, sources: &str) -> Vec<(String, String)> {
    let mut head = String::new();
    text::write_remark(&format!("Imported from {sources}"), &mut head);
    let mut main = head;
    if !draft.main.is_empty() {
        main.push('\n');
        main.push_str(&draft.main.to_text());
    }
    let mut routes: BTreeMap<String, String> = BTreeMap::new();
    for (file, route) in draft.routes.iter().filter(|(_, route)| route.has_hosts()) {
        let text = routes.entry(format!("routes/{}", sound_name(file))).or_default();
        let route = route.to_text();
        text.push_str(if text.is_empty() { route.trim_start() } else { &route });
    }
    std::iter::once(("drawbridge.toml".to_owned(), main)).chain(routes).collect()
}

/// A file's name without what leads elsewhere.
fn sound_name(name: &str) -> String {
    let sound = |character: char| {
        if character.is_alphanumeric() || "._-".contains(character) { character } else { '-' }
    };
    let name: String = name.chars().map(sound).collect();
    if name.starts_with('.') { format!("route{name}") } else { name }
}

/// Writes new files into a folder, or none where one of them exists.
fn write(folder: &Path, files: &[(String, String)]) -> Result<(), ImportError> {
    let paths: Vec<_> = files.iter().map(|(name, _)| folder.join(name)).collect();
    if let Some(path) = paths.iter().find(|path| path.symlink_metadata().is_ok()) {
        return Err(ImportError::Exists { path: path.clone() });
    }
    for (path, (_, text)) in paths.iter().zip(files) {
        let unwritable = |source| ImportError::Unwritable { path: path.clone(), source };
        fs::create_dir_all(path.parent().unwrap_or(folder)).map_err(unwritable)?;
        let file = fs::File::create_new(path);
        file.and_then(|mut file| file.write_all(text.as_bytes())).map_err(unwritable)?;
    }
    Ok(())
}
