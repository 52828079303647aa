//! Documents: TOML texts with their names. Parsing never fails; a document carries the mistakes of its syntax, so that
//! they are shown together with all the others.

mod syntax;

use std::fs;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use toml::de::DeTable;

use crate::origin::Source;
use crate::value::Conversion;
use crate::{Data, Diagnostic, Error, Origin, Value, file_metadata};

/// A parsed document, with the mistakes of its syntax.
#[derive(Debug, Clone)]
pub struct Document {
    pub(crate) root: Value,
    pub(crate) mistakes: Vec<Diagnostic>,
    /// Texts that nobody can tell to be no secrets.
    pub(crate) concealed: Vec<Origin>,
}

impl Document {
    /// The largest file that is read, in bytes.
    pub const MAX_SIZE: u64 = 64 << 20;

    /// Parses `text`; `name` is shown in diagnostics, and paths inside are relative to its folder.
    #[must_use]
    pub fn parse(name: impl Into<String>, text: impl Into<Arc<str>>) -> Self {
        let text = text.into();
        // Editors on Windows put a byte order mark before the text, which would shift the first line's columns.
        let text = text.strip_prefix('\u{feff}').map_or_else(|| Arc::clone(&text), Arc::from);
        let mended;
        let mut parsed = DeTable::parse_recoverable(&text);
        if let Some((blanked, stops)) = syntax::without_stops(&text, &parsed.1) {
            mended = blanked;
            parsed = DeTable::parse_recoverable(&mended);
            parsed.1.extend(stops);
        }
        let (table, errors) = parsed;
        let source = Arc::new(Source {
            name: name.into(),
            text: Arc::clone(&text),
            broken: syntax::broken_lines(&text, &errors),
            incomplete: syntax::loses_keys(&errors),
        });
        let origin = |span: Range<usize>| Origin::document(&source, span);
        let mut conversion = Conversion { origin: &origin, mistakes: Vec::new() };
        let root = conversion.table(table.get_ref());
        let mut mistakes = conversion.mistakes;
        mistakes.extend(syntax::mistakes(&errors, &root, &source));
        let concealed = syntax::unread_texts(&errors, &source);
        Self { root: Value::new(Data::Table(root), origin(0..0)), mistakes, concealed }
    }

    /// Reads and parses a file under its path as given.
    ///
    /// # Errors
    /// When it can't be read, is larger than [`MAX_SIZE`](Self::MAX_SIZE) or isn't UTF-8.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let unreadable = |source| Error::Unreadable { path: path.to_path_buf(), source };
        let size = file_metadata(path).map_err(unreadable)?.len();
        if size > Self::MAX_SIZE {
            return Err(Error::TooLarge { path: path.to_path_buf(), size, most: Self::MAX_SIZE });
        }
        let text = String::from_utf8(fs::read(path).map_err(unreadable)?)
            .map_err(|_| Error::NotText { path: path.to_path_buf() })?;
        Ok(Self::parse(path.to_string_lossy(), text))
    }

    /// Reads every `*.toml` of a folder, in the order of their names; hidden files are passed over.
    ///
    /// # Errors
    /// When the folder or one of the files can't be read.
    pub fn open_folder(path: &Path) -> Result<Vec<Self>, Error> {
        let unreadable = |source| Error::Unreadable { path: path.to_path_buf(), source };
        let mut paths = Vec::new();
        for entry in fs::read_dir(path).map_err(unreadable)? {
            let path = entry.map_err(unreadable)?.path();
            let hidden = path.file_name().is_none_or(|name| name.as_encoded_bytes().starts_with(b"."));
            if !hidden && path.extension().is_some_and(|extension| extension == "toml") {
                paths.push(path);
            }
        }
        paths.sort();
        paths.iter().map(|path| Self::open(path)).collect()
    }

    /// Adds what is wrong with a line, counted from 1, that whoever made the document knows beyond its text.
    pub fn remark(&mut self, line: usize, diagnostic: impl FnOnce(&Origin) -> Diagnostic) {
        let place =
            self.root.origin().span().map(|(source, _)| Origin::document(source, source.line_of(line)));
        self.mistakes.push(diagnostic(&place.unwrap_or_else(Origin::nowhere)));
    }

    /// The text it was parsed from.
    #[must_use]
    pub fn text(&self) -> &str {
        self.root.origin().span().map_or("", |(source, _)| &source.text)
    }

    /// The name it was parsed under.
    #[must_use]
    pub fn name(&self) -> &str {
        self.root.origin().file().unwrap_or_default()
    }
}
