//! What providers have, as documents beside those of files.

use drawbridge_config::{Diagnostic, Document, Origin};
use drawbridge_model::RouteDocument;
use drawbridge_provider::Providers;
use std::collections::BTreeSet;
use std::sync::Arc;

/// The documents of all providers, in the order in which their routes count.
#[derive(Debug, Default)]
pub(crate) struct Provided(Vec<Arc<[RouteDocument]>>);

impl Provided {
    /// What they have now, which is no news from then on.
    pub(crate) fn of(providers: &mut Providers) -> Self {
        providers.seen();
        Self(providers.documents())
    }

    /// The documents of each.
    pub(crate) fn documents(&self) -> impl Iterator<Item = Vec<Document>> {
        self.0.iter().map(|documents| documents.iter().map(parsed).collect())
    }

    /// The names of all documents.
    pub(crate) fn names(&self) -> BTreeSet<String> {
        self.0.iter().flat_map(|documents| documents.iter()).map(|document| document.name.clone()).collect()
    }
}

fn parsed(provided: &RouteDocument) -> Document {
    let mut document = Document::parse(provided.name.as_str(), provided.text.as_str());
    for remark in &provided.remarks {
        let kind: fn(&Origin, String) -> Diagnostic =
            if remark.fatal { Diagnostic::error } else { Diagnostic::warning };
        document.remark(remark.line, |origin| kind(origin, remark.message.clone()).help(&remark.help));
    }
    document
}
