//! Paths relative to the document that names them.

use std::ops::Deref;
use std::path::{Path, PathBuf};

use serde_json::json;

use super::Setting;
use crate::{Json, Origin, Reader, Schemas, Value};

/// A path, relative to the folder of the document that it is written in. From the environment, and as a default, it is
/// relative to the main document's folder; without documents to the working directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocumentPath {
    written: String,
    path: PathBuf,
}

impl DocumentPath {
    /// A path for a default.
    #[must_use]
    pub fn new(written: &str) -> Self {
        Self { written: written.to_owned(), path: PathBuf::from(written) }
    }

    /// The path with the document's folder before it.
    #[must_use]
    pub fn as_path(&self) -> &Path {
        &self.path
    }

    fn within(written: &str, folder: &Path) -> Self {
        Self { written: written.to_owned(), path: folder.join(written) }
    }
}

impl Deref for DocumentPath {
    type Target = Path;

    fn deref(&self) -> &Path {
        &self.path
    }
}

impl AsRef<Path> for DocumentPath {
    fn as_ref(&self) -> &Path {
        &self.path
    }
}

impl Setting for DocumentPath {
    fn read(value: &Value, reader: &mut Reader<'_>) -> Option<Self> {
        let text = reader.text(value, "a path")?;
        if text.is_empty() || text.contains('\0') {
            return reader.unfit(value, "a path", "expected the name of a file or folder");
        }
        Some(Self::within(text, &reader.folder(value.origin())))
    }

    fn schema(_: &mut Schemas) -> Json {
        json!({ "type": "string", "minLength": 1 })
    }

    fn write(&self) -> Option<Json> {
        Some(json!(self.written))
    }

    fn defaulted(self, origin: &Origin, reader: &Reader<'_>) -> Self {
        Self::within(&self.written, &reader.folder(origin))
    }
}
