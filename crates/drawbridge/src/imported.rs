//! That the edge takes what is imported, whatever an operator has made of the other program's configuration.

use crate::settings::Settings;
use drawbridge_config::{Error, Loaded, Root};
use drawbridge_import::{Document, Found, Imported, Program, Syntax, import, parse};
use drawbridge_testkit::mistaken;
use proptest::prelude::*;
use serde_json::Value as Json;
use std::path::PathBuf;

/// Examples, as they are looked at from outside in `tests/import.rs`.
const EXAMPLES: [(Program, Syntax, &str); 11] = [
    (Program::Infrarust, Syntax::Toml, include_str!("../tests/import/infrarust/source/infrarust.toml")),
    (
        Program::Infrarust,
        Syntax::Toml,
        include_str!("../tests/import/infrarust/source/servers/survival.toml"),
    ),
    (
        Program::Infrarust,
        Syntax::Toml,
        include_str!("../tests/import/infrarust-sessions/source/servers/arena.toml"),
    ),
    (
        Program::Infrarust,
        Syntax::Toml,
        include_str!("../tests/import/infrarust-sessions/source/servers/mines.toml"),
    ),
    (Program::Velocity, Syntax::Toml, include_str!("../tests/import/velocity-1/source/velocity.toml")),
    (Program::Passage, Syntax::Yaml, include_str!("../tests/import/passage/source/config.yaml")),
    (Program::McRouter, Syntax::Yaml, include_str!("../tests/import/mc-router-compose/source/compose.yml")),
    (Program::Gate, Syntax::Yaml, include_str!("../tests/import/gate/source/config.yml")),
    (Program::GateLite, Syntax::Yaml, include_str!("../tests/import/gate-lite/source/config.yml")),
    (Program::Velocity, Syntax::Toml, include_str!("../tests/import/velocity/source/velocity.toml")),
    (Program::Bungeecord, Syntax::Yaml, include_str!("../tests/import/bungeecord/source/config.yml")),
];

/// Puts `value` in the place of the scalar that has this number among all of them, or takes it away.
fn replace(tree: &mut Json, number: &mut usize, value: &Option<Json>) {
    let hits = |inner: &Json, number: &mut usize| {
        let is_scalar = !inner.is_object() && !inner.is_array();
        let is_it = is_scalar && *number == 0;
        *number = number.wrapping_sub(usize::from(is_scalar));
        is_it
    };
    match tree {
        Json::Object(fields) => {
            let keys: Vec<_> = fields.keys().cloned().collect();
            for key in keys {
                if hits(&fields[&key], number) {
                    match value {
                        Some(value) => fields[&key] = value.clone(),
                        None => drop(fields.remove(&key)),
                    }
                    return;
                }
                replace(&mut fields[&key], number, value);
            }
        }
        Json::Array(items) => {
            for item in items {
                if hits(item, number) {
                    *item = value.clone().unwrap_or_default();
                    return;
                }
                replace(item, number, value);
            }
        }
        _ => {}
    }
}

/// What the edge would say of an imported configuration.
fn mistakes(imported: &Imported) -> Vec<String> {
    let mut documents =
        imported.files.iter().map(|(name, text)| drawbridge_config::Document::parse(name, text.as_str()));
    let mut root = Root::new(documents.next(), &["routes"]);
    root.append(documents.collect());
    let diagnostics = match root.read::<Settings>() {
        Ok(Loaded { diagnostics, .. }) | Err(Error::Invalid(diagnostics)) => diagnostics,
        Err(error) => return vec![error.to_string()],
    };
    let told = diagnostics.to_json();
    let told = told["diagnostics"].as_array().unwrap().iter();
    told.filter(|told| told["severity"] == "error").map(Json::to_string).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    /// Whatever an operator made of a sound document: the edge takes what is written.
    #[test]
    fn the_edge_takes_what_is_written_of_spoilt_examples(
        changes in prop::collection::vec((any::<prop::sample::Index>(), prop::option::weighted(0.8, mistaken())), 0..6),
    ) {
        for (program, syntax, text) in EXAMPLES {
            let mut tree = parse(syntax, text).unwrap();
            for (place, value) in &changes {
                replace(&mut tree, &mut place.index(90), value);
            }
            let document = Document { name: "0.x".to_owned(), folder: PathBuf::new(), syntax, tree };
            let found = Found { program, documents: vec![document] };
            let imported = import(&found);
            prop_assert_eq!(imported.accounts_for(&found.documents), Ok(()));
            let mistakes = mistakes(&imported);
            let texts: String = imported.files.iter().map(|(_, text)| text.as_str()).collect();
            prop_assert!(mistakes.is_empty(), "{:?}: {:#?}\n{}", program, mistakes, texts);
        }
    }
}
