//! The file of permissions, where the main file names one.

use super::{Source, Texts, root};
use drawbridge_config::{Diagnostic, Diagnostics, Document, Error, Root};
use drawbridge_edge::{CommandsSection, PermissionsFile};
use drawbridge_telemetry::in_full;
use std::path::PathBuf;

impl Source {
    /// Where it is, as the main file and the environment stand now.
    #[must_use]
    pub(crate) fn permissions_file(&self) -> Option<PathBuf> {
        let section = root(self.open_main().unwrap_or_default()).peek("commands", CommandsSection::default);
        section.permissions_file.map(|file| file.as_path().to_path_buf())
    }
}

/// What it says; what is wrong with it is told with all else.
pub(super) fn read(
    section: &CommandsSection,
    texts: &mut Texts,
    diagnostics: &mut Diagnostics,
) -> PermissionsFile {
    let Some(file) = &section.permissions_file else { return PermissionsFile::default() };
    let read = Document::open(file).and_then(|document| {
        texts.add([&document]);
        Root::new(Some(document), &[]).read::<PermissionsFile>()
    });
    match read {
        Ok(loaded) => {
            diagnostics.include(loaded.diagnostics);
            return loaded.settings;
        }
        Err(Error::Invalid(mistakes)) => diagnostics.include(mistakes),
        Err(error) => {
            let mistake = Diagnostic::error(file.origin(), in_full(&error));
            diagnostics.push(mistake.help("make the file, empty for now, or leave the key out"));
        }
    }
    PermissionsFile::default()
}
