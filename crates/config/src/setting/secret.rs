//! Secrets: never written in a document, only named there; never shown.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;

use serde_json::json;
use zeroize::Zeroizing;

use super::Setting;
use crate::words::quoted;
use crate::{Data, Diagnostic, Fields, Json, Reader, Schemas, Table, Value, file_metadata};

const HELP: &str = "write { file = \"secret.key\" } or { env = \"NAME\" }";

/// The longest secret that is read, in bytes.
const LONGEST: u64 = 64 << 10;

/// A secret of at least `MIN` bytes, read while the configuration is loaded from `{ file = "…" }` or `{ env = "…" }`, less
/// one line end at its end. Clones share the bytes, which are overwritten when the last is dropped.
#[derive(Clone)]
pub struct Secret<const MIN: usize = 1> {
    bytes: Arc<Zeroizing<Vec<u8>>>,
}

impl<const MIN: usize> Secret<MIN> {
    /// The bytes of the secret, which belong neither into a log nor into a comparison by `==`.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        &self.bytes
    }

    /// The secret as text, if it is UTF-8.
    #[must_use]
    pub fn expose_text(&self) -> Option<&str> {
        std::str::from_utf8(&self.bytes).ok()
    }
}

impl<const MIN: usize> fmt::Debug for Secret<MIN> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

impl<const MIN: usize> Setting for Secret<MIN> {
    fn read(value: &Value, reader: &mut Reader<'_>) -> Option<Self> {
        if value.as_table().is_none() {
            return literal(value, reader);
        }
        let source = Source::read(value, reader)?;
        let mut bytes = source.fetch(value, reader)?;
        trim_line_end(&mut bytes);
        let least = MIN.max(1);
        let found = match bytes.len() {
            0 => "is empty".to_owned(),
            length if length < least => format!("has {length} bytes, and at least {least} are needed"),
            _ => return Some(Self { bytes: Arc::new(bytes) }),
        };
        reader
            .report(Diagnostic::error(value.origin(), format!("the secret {found}")).label("read from here"));
        None
    }

    fn schema(_: &mut Schemas) -> Json {
        let form = |key: &str| {
            json!({
                "type": "object",
                "properties": { key: { "type": "string", "minLength": 1 } },
                "required": [key],
                "additionalProperties": false,
            })
        };
        json!({ "oneOf": [form("file"), form("env")], "writeOnly": true })
    }
}

/// Something other than a table where a secret is named: most likely the secret itself.
fn literal<T>(value: &Value, reader: &mut Reader<'_>) -> Option<T> {
    reader.conceal(value.origin());
    let message = format!("expected where to find the secret, found {}", value.describe());
    reader.report(Diagnostic::error(value.origin(), message).label("secrets aren't written here").help(HELP));
    None
}

/// Where a secret comes from.
enum Source {
    File(super::DocumentPath),
    Variable(String),
}

impl Source {
    fn read(value: &Value, reader: &mut Reader<'_>) -> Option<Self> {
        conceal_others(value, reader);
        let mut fields = Fields::of(value, &["file", "env"], reader)?;
        let file = fields.take::<Option<super::DocumentPath>>("file");
        let variable = fields.take::<Option<String>>("env");
        let both = file.zip(variable);
        fields.finish(both, |_, _| {}).and_then(|both| match both {
            (Some(file), None) => Some(Self::File(file)),
            (None, Some(variable)) => Some(Self::Variable(variable)),
            _ => {
                let mistake = Diagnostic::error(value.origin(), "a secret comes from a file or a variable");
                reader.report(mistake.label("expected one of both").help(HELP));
                None
            }
        })
    }

    fn fetch(&self, value: &Value, reader: &mut Reader<'_>) -> Option<Zeroizing<Vec<u8>>> {
        match self {
            Self::File(path) => from_file(path, value, reader),
            Self::Variable(name) => from_variable(name, value, reader),
        }
    }
}

/// Covers values that name neither file nor variable: `{ value = "…" }` holds the secret itself.
fn conceal_others(value: &Value, reader: &mut Reader<'_>) {
    for (key, value) in value.as_table().into_iter().flat_map(Table::iter) {
        let names = match key {
            "file" => value.as_str().is_some(),
            "env" => value.as_str().is_some_and(is_variable_name),
            _ => false,
        };
        if !names {
            reader.conceal(value.origin());
        }
    }
}

fn is_variable_name(text: &str) -> bool {
    let mut bytes = text.bytes();
    bytes.next().is_some_and(|first| first == b'_' || first.is_ascii_alphabetic())
        && bytes.all(|byte| byte == b'_' || byte.is_ascii_alphanumeric())
}

fn from_variable(name: &str, value: &Value, reader: &mut Reader<'_>) -> Option<Zeroizing<Vec<u8>>> {
    let place = place_of(value, "env");
    if !is_variable_name(name) {
        // Whatever it is, it may be the secret itself, so it isn't repeated.
        reader.report(Diagnostic::error(place.origin(), "this can't be the name of a variable").help(HELP));
        return None;
    }
    let Some(secret) = reader.variable(name) else {
        let message = format!("the environment variable {} is not set", quoted(name));
        reader.report(Diagnostic::error(place.origin(), message));
        return None;
    };
    Some(Zeroizing::new(secret.as_encoded_bytes().to_vec()))
}

fn from_file(path: &Path, value: &Value, reader: &mut Reader<'_>) -> Option<Zeroizing<Vec<u8>>> {
    let place = place_of(value, "file");
    match read_file(path) {
        Ok((bytes, readable_by_all)) => {
            if readable_by_all {
                let message =
                    format!("every user of this machine can read {}", quoted(&path.to_string_lossy()));
                reader.report(
                    Diagnostic::warning(place.origin(), message).help("take it from them: chmod o-r"),
                );
            }
            Some(bytes)
        }
        Err(error) => {
            let message = format!("the secret file {} can't be read", quoted(&path.to_string_lossy()));
            reader.report(Diagnostic::error(place.origin(), message).label(error.to_string()));
            None
        }
    }
}

fn place_of<'v>(value: &'v Value, key: &str) -> &'v Value {
    match value.data() {
        Data::Table(table) => table.get(key).unwrap_or(value),
        _ => value,
    }
}

/// The bytes of a regular file, and whether everybody may read it.
fn read_file(path: &Path) -> io::Result<(Zeroizing<Vec<u8>>, bool)> {
    let metadata = file_metadata(path)?;
    if metadata.len() > LONGEST {
        return Err(io::Error::other(format!("it is larger than {LONGEST} bytes")));
    }
    // Room for all of it from the start, so that no copy is left behind by growing.
    let mut bytes = Zeroizing::new(Vec::with_capacity(usize::try_from(metadata.len()).unwrap_or_default()));
    File::open(path)?.take(metadata.len()).read_to_end(&mut bytes)?;
    Ok((bytes, readable_by_all(&metadata)))
}

#[cfg(unix)]
fn readable_by_all(metadata: &fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt;
    metadata.permissions().mode() & 0o004 != 0
}

#[cfg(not(unix))]
const fn readable_by_all(_: &fs::Metadata) -> bool {
    false
}

fn trim_line_end(bytes: &mut Vec<u8>) {
    if bytes.last() == Some(&b'\n') {
        bytes.pop();
        if bytes.last() == Some(&b'\r') {
            bytes.pop();
        }
    }
}
