//! What fuzzing asserts of an import: that nothing is lost, and that what is written is TOML, whoever is said to have written the document.

use super::recognise::Found;
use super::source::{Document, Syntax, parse};
use super::{Program, import};
use clap::ValueEnum as _;
use std::path::PathBuf;

/// The program and the syntax are chosen by their places.
pub(crate) fn check(program: u8, syntax: u8, text: &str) {
    let programs = Program::value_variants();
    let program = programs[usize::from(program) % programs.len()];
    let syntax = [Syntax::Toml, Syntax::Yaml, Syntax::Json, Syntax::Words][usize::from(syntax) % 4];
    let Ok(tree) = parse(syntax, text) else { return };
    let document = Document { name: "0.x".to_owned(), folder: PathBuf::from("/nowhere"), syntax, tree };
    let found = Found { program, documents: vec![document] };
    let imported = import(&found);
    let mut wanted: Vec<_> = found.documents[0].root().leaves().into_iter().map(|leaf| leaf.path).collect();
    let told: Vec<_> = imported.report.lines().filter_map(|line| line.strip_prefix("    ")).collect();
    assert_eq!(told.len(), wanted.len(), "{}", imported.report);
    for line in told {
        let is_of =
            |path: &String| line.strip_prefix(path.as_str()).is_some_and(|rest| rest.starts_with(": "));
        let place = wanted.iter().position(is_of);
        wanted.swap_remove(place.unwrap_or_else(|| panic!("{line:?} is of no key")));
    }
    let text: String = imported.files.iter().map(|(_, text)| text.as_str()).collect();
    assert!(toml::from_str::<toml::Table>(&text).is_ok(), "{text}");
}
