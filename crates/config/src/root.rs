//! Putting a configuration together: the main document, the environment over it, and the documents of a folder that may
//! only add to lists such as `[[routes]]`.

use std::ffi::OsString;
use std::path::PathBuf;

use crate::environment::Environment;
use crate::value::Entry;
use crate::words::quoted;
use crate::{Data, Diagnostic, Diagnostics, Document, Error, Origin, Reader, Setting, Value};

/// A configuration while it is put together.
#[derive(Debug)]
pub struct Root {
    value: Value,
    folder: PathBuf,
    lists: &'static [&'static str],
    environment: Environment,
    diagnostics: Diagnostics,
}

/// Settings that hold, with what is unwise about them.
#[derive(Debug, Clone)]
pub struct Loaded<T> {
    /// The settings.
    pub settings: T,
    /// Warnings; mistakes found later are added here, so that secrets stay covered.
    pub diagnostics: Diagnostics,
}

impl<T> Loaded<T> {
    /// The same, unless errors were added.
    ///
    /// # Errors
    /// [`Error::Invalid`] with all diagnostics.
    pub fn verified(self) -> Result<Self, Error> {
        if self.diagnostics.errors() > 0 { Err(Error::Invalid(self.diagnostics)) } else { Ok(self) }
    }
}

impl Root {
    /// Begins with the main document, if there is one. `lists` are the keys at the top that other documents may add to,
    /// and that the environment can't set.
    #[must_use]
    pub fn new(main: Option<Document>, lists: &'static [&'static str]) -> Self {
        let mut diagnostics = Diagnostics::default();
        let value = match main {
            Some(document) => {
                diagnostics.adopt(document.mistakes, &document.concealed);
                document.root
            }
            None => Value::empty(Origin::nowhere()),
        };
        let folder = value.origin().folder().unwrap_or_default();
        Self { value, folder, lists, environment: Environment::default(), diagnostics }
    }

    /// Lets the environment have its say: variables that begin with `<prefix>__` override the main document's keys, and
    /// secrets may name any variable. Takes what [`std::env::vars_os`] gives.
    pub fn environment<K, V>(&mut self, prefix: &str, variables: impl IntoIterator<Item = (K, V)>)
    where
        K: Into<OsString>,
        V: Into<OsString>,
    {
        self.environment = Environment::new(variables);
        if let Data::Table(table) = &mut self.value.data {
            let mistakes = self.environment.apply(prefix, self.lists, table);
            self.diagnostics.adopt(mistakes, &[]);
        }
    }

    /// Reads one key at the top before everything is there, such as the folder that holds further documents. What is
    /// wrong with it is reported by [`read`](Self::read); here the default is given instead.
    pub fn peek<T: Setting>(&self, key: &str, default: impl FnOnce() -> T) -> T {
        let mut reader = Reader::new(&self.environment, &self.folder, Diagnostics::default());
        let value = self.value.as_table().and_then(|table| table.get(key));
        match value.and_then(|value| T::read(value, &mut reader)) {
            Some(setting) => setting,
            None => default().defaulted(self.value.origin(), &reader),
        }
    }

    /// Reads one key at the top that may be left out, and nothing else.
    ///
    /// # Errors
    /// [`Error::Invalid`] with what is wrong with it, and with every mistake of the syntax.
    pub fn read_key<T: Setting>(&self, key: &str) -> Result<T, Error> {
        let mut reader = Reader::new(&self.environment, &self.folder, self.diagnostics.clone());
        let setting = match self.value.as_table().and_then(|table| table.get(key)) {
            Some(value) => T::read(value, &mut reader),
            None => T::absent(self.value.origin(), &mut reader),
        };
        let diagnostics = reader.finish();
        match setting {
            Some(setting) if diagnostics.errors() == 0 => Ok(setting),
            _ => Err(Error::Invalid(diagnostics)),
        }
    }

    /// Adds further documents in the order of their names. They may hold the lists only.
    pub fn append(&mut self, mut documents: Vec<Document>) {
        documents.sort_by(|one, other| one.name().cmp(other.name()));
        for document in documents {
            self.diagnostics.adopt(document.mistakes, &document.concealed);
            if let Data::Table(table) = document.root.data {
                table.entries.into_iter().for_each(|(key, entry)| self.append_key(key, entry));
            }
        }
    }

    fn append_key(&mut self, key: String, entry: Entry) {
        if !self.lists.contains(&key.as_str()) {
            self.report(misplaced(&key, &entry.key, self.lists));
            return;
        }
        let found = entry.value.describe();
        let origin = entry.value.origin().clone();
        let Data::Array(mut items) = entry.value.data else {
            self.report(Diagnostics::wrong_kind(&origin, &format!("[[{key}]]"), found));
            return;
        };
        let Data::Table(root) = &mut self.value.data else { return };
        let list = root
            .entries
            .entry(key)
            .or_insert_with(|| Entry { key: entry.key, value: Value::new(Data::Array(Vec::new()), origin) });
        // Something else in the main document is reported when it is read.
        if let Data::Array(all) = &mut list.value.data {
            all.append(&mut items);
        }
    }

    fn report(&mut self, mistake: Diagnostic) {
        if !mistake.origin().is_broken() {
            self.diagnostics.push(mistake);
        }
    }

    /// Reads the settings.
    ///
    /// # Errors
    /// [`Error::Invalid`] with every mistake of every document and of the environment.
    pub fn read<T: Setting>(&self) -> Result<Loaded<T>, Error> {
        let mut reader = Reader::new(&self.environment, &self.folder, self.diagnostics.clone());
        let settings = T::read(&self.value, &mut reader);
        let diagnostics = reader.finish();
        match settings {
            Some(settings) if diagnostics.errors() == 0 => Ok(Loaded { settings, diagnostics }),
            _ => Err(Error::Invalid(diagnostics)),
        }
    }
}

/// A key in a document that may hold lists only.
fn misplaced(key: &str, origin: &Origin, lists: &[&str]) -> Diagnostic {
    let mistake = Diagnostic::error(origin, format!("{} can't stand in this document", quoted(key)));
    match crate::words::nearest(key, lists.iter().copied()) {
        Some(nearest) => mistake.help(format!("did you mean \"{nearest}\"?")),
        None => {
            mistake.help(format!("here only {} may stand; move it into the main document", lists.join(", ")))
        }
    }
}

/// Reads settings from one text, without an environment.
///
/// # Errors
/// [`Error::Invalid`] with every mistake.
pub fn read_text<T: Setting>(name: &str, text: &str) -> Result<T, Error> {
    Root::new(Some(Document::parse(name, text)), &[]).read().map(|loaded| loaded.settings)
}
