//! Routes as they are written, for the tests.

use crate::section::RouteSection;
use drawbridge_config::{Diagnostics, Document, Error, Root, Style, section};

section! {
    /// A document as the program reads it.
    #[defaults]
    pub(crate) struct Whole {
        /// The routes.
        pub(crate) routes: Vec<RouteSection> = Vec::new(),
    }
}

/// A document, and a variable beside it.
pub(crate) fn root(text: &str) -> Root {
    let mut root = Root::new(Some(Document::parse("drawbridge.toml", text)), &["routes"]);
    root.environment("DRAWBRIDGE", [("SECRET", "open sesame")]);
    root
}

/// What a document without mistakes says.
pub(crate) fn read(text: &str) -> (Whole, Diagnostics) {
    match root(text).read::<Whole>() {
        Ok(loaded) => (loaded.settings, loaded.diagnostics),
        Err(Error::Invalid(diagnostics)) => panic!("{}", diagnostics.render(Style::Plain)),
        Err(other) => panic!("{other}"),
    }
}
