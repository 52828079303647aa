//! What fuzzing gets of labels: the document that is made of them.

use crate::docker;
use crate::draft::Draft;
use crate::kubernetes;
use crate::labels::{Labels, Style};
use drawbridge_model::RouteDocument;

/// Who wears labels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wearer {
    /// A container, by Docker's labels.
    Container,
    /// A Service, by Kubernetes' annotations.
    Service,
}

impl Wearer {
    const fn style(self) -> Style {
        match self {
            Self::Container => docker::STYLE,
            Self::Service => kubernetes::STYLE,
        }
    }

    /// What stands before each label of ours.
    #[must_use]
    pub const fn prefix(self) -> &'static str {
        self.style().prefix
    }

    /// The document of a wearer of this name with these labels; `None` where they mark no route.
    #[must_use]
    pub fn document(self, bearer: &str, labels: &[(&str, &str)]) -> Option<RouteDocument> {
        let style = self.style();
        let labels = Labels::of(style, labels.iter().copied())?;
        let draft = Draft {
            name: format!("{}:{bearer}", style.wearer),
            style,
            labels: &labels,
            bearer,
            targets: vec![(bearer.to_owned(), "172.17.0.2:25565".to_owned())],
            troubles: Vec::new(),
        };
        Some(draft.write())
    }
}
