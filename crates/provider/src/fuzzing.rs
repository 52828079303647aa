//! What fuzzing gets of labels: the document that is made of them.

use crate::draft::Draft;
use crate::labels::{Labels, NETWORK, PORT, Style};
use drawbridge_model::RouteDocument;

/// What stands before each label of ours.
pub const PREFIX: &str = "drawbridge.";

const STYLE: Style = Style { prefix: PREFIX, noun: "label", wearer: "container", own: &[PORT, NETWORK] };

/// The document of a container of this name with these labels; `None` where they mark no route.
#[must_use]
pub fn document(bearer: &str, labels: &[(&str, &str)]) -> Option<RouteDocument> {
    let labels = Labels::of(STYLE, labels.iter().copied())?;
    let draft = Draft {
        name: format!("docker:{bearer}"),
        style: STYLE,
        labels: &labels,
        bearer,
        targets: vec![(bearer.to_owned(), "172.17.0.2:25565".to_owned())],
        troubles: Vec::new(),
    };
    Some(draft.write())
}
