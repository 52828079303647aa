//! What fuzzing asserts of an import: that nothing is lost, and that what is written is TOML, whoever is said to have written the document.

use super::{Document, Found, Program, Syntax, import, parse};
use clap::ValueEnum as _;
use std::path::PathBuf;

/// The program and the syntax are chosen by their places.
pub fn check(program: u8, syntax: u8, text: &str) {
    let programs = Program::value_variants();
    let program = programs[usize::from(program) % programs.len()];
    let syntax = [Syntax::Toml, Syntax::Yaml, Syntax::Json, Syntax::Words][usize::from(syntax) % 4];
    let Ok(tree) = parse(syntax, text) else { return };
    let document = Document { name: "0.x".to_owned(), folder: PathBuf::from("/nowhere"), syntax, tree };
    let found = Found { program, documents: vec![document] };
    let imported = import(&found);
    imported.accounts_for(&found.documents).unwrap_or_else(|lost| panic!("{lost}"));
    let text: String = imported.files.iter().map(|(_, text)| text.as_str()).collect();
    assert!(toml::from_str::<toml::Table>(&text).is_ok(), "{text}");
}
