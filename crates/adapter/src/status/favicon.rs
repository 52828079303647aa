//! The picture beside a server in the list: a 64×64 PNG, shown to clients as a `data:` URI.
//!
//! What must stay true: whatever is shown has been checked here, wherever it came from.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use drawbridge_config::{Json, Reader, Schemas, Setting, Value, file_metadata, json};
use drawbridge_model::status::TooLong;
use drawbridge_model::{Status, StatusDocument};
use std::any::Any;
use std::fmt;
use std::fs::File;
use std::io::{self, Cursor, Read};
use std::path::Path;
use std::sync::Arc;
use thiserror::Error;

use arc_swap::ArcSwap;

/// The largest picture, in bytes; a larger one would not fit the status document in Base64.
pub const LARGEST: usize = 24 * 1024;
/// Width and height, in pixels.
const SIDE: u32 = 64;
/// What a favicon's URI begins with; clients take no other type.
const PREFIX: &str = "data:image/png;base64,";

/// Why a picture can't be a favicon.
#[derive(Debug, Error)]
pub enum FaviconError {
    /// The file can't be read.
    #[error("the file can't be read: {0}")]
    Unreadable(#[from] io::Error),
    /// More bytes than fit a status document.
    #[error("it has more than {LARGEST} bytes")]
    TooLarge,
    /// Not a PNG.
    #[error("it is not a PNG")]
    NotPng,
    /// A PNG that begins well and then doesn't go on.
    #[error("the PNG is damaged: {0}")]
    Damaged(String),
    /// A PNG of the wrong size.
    #[error("it is {width}×{height} pixels large, and clients show {SIDE}×{SIDE} alone")]
    Size {
        /// Its width in pixels.
        width: u32,
        /// Its height in pixels.
        height: u32,
    },
    /// Another `data:` URI than those that clients take.
    #[error("a data: URI begins with {PREFIX} and goes on in Base64")]
    Uri,
    /// The whole status document would be too long.
    #[error("with it {0}")]
    Document(#[from] TooLong),
}

/// Where a favicon comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Favicon {
    /// A picture that has been checked, as a `data:` URI.
    Picture(String),
    /// An `http` or `https` URL that is yet to be asked.
    Url(String),
}

impl Favicon {
    /// The favicon of a PNG.
    ///
    /// # Errors
    /// When it is too large, no PNG, or not of 64×64 pixels.
    pub fn of_png(png: &[u8]) -> Result<Self, FaviconError> {
        check(png)?;
        Ok(Self::Picture(format!("{PREFIX}{}", STANDARD.encode(png))))
    }

    /// The favicon of a `data:` URI.
    ///
    /// # Errors
    /// When it is another kind of URI, or its picture can't be one.
    pub fn of_uri(uri: &str) -> Result<Self, FaviconError> {
        let encoded = uri.strip_prefix(PREFIX).ok_or(FaviconError::Uri)?;
        Self::of_png(&STANDARD.decode(encoded).map_err(|_| FaviconError::Uri)?)
    }

    fn of_file(path: &Path) -> Result<Self, FaviconError> {
        file_metadata(path)?;
        let mut png = Vec::new();
        // One byte more than allowed tells that there are too many; a file may be endless.
        File::open(path)?.take(LARGEST as u64 + 1).read_to_end(&mut png)?;
        Self::of_png(&png)
    }
}

fn check(png: &[u8]) -> Result<(), FaviconError> {
    if png.len() > LARGEST {
        return Err(FaviconError::TooLarge);
    }
    if !png.starts_with(b"\x89PNG\r\n\x1a\n") {
        return Err(FaviconError::NotPng);
    }
    let reader = png::Decoder::new(Cursor::new(png)).read_info();
    let reader = reader.map_err(|error| FaviconError::Damaged(error.to_string()))?;
    match reader.info().size() {
        (SIDE, SIDE) => Ok(()),
        (width, height) => Err(FaviconError::Size { width, height }),
    }
}

impl Setting for Favicon {
    fn read(value: &Value, reader: &mut Reader<'_>) -> Option<Self> {
        const WHAT: &str = "a favicon";
        let text = reader.text(value, "a path, a data: URI or an http(s) URL")?;
        let favicon = if text.starts_with("data:") {
            Self::of_uri(text)
        } else if text.starts_with("http://") || text.starts_with("https://") {
            Ok(Self::Url(text.to_owned()))
        } else {
            Self::of_file(&reader.folder(value.origin()).join(text))
        };
        match favicon {
            Ok(favicon) => Some(favicon),
            Err(error) => reader.unfit(value, WHAT, error.to_string()),
        }
    }

    fn schema(_: &mut Schemas) -> Json {
        json!({ "type": "string", "examples": ["icon.png", "https://example.com/icon.png", PREFIX] })
    }

    fn write(&self) -> Option<Json> {
        match self {
            Self::Picture(text) | Self::Url(text) => Some(json!(text)),
        }
    }
}

/// Loads favicons from URLs, while the status is served without.
pub trait FaviconLoader: fmt::Debug + Send + Sync {
    /// Begins to load the picture at `url` into `slot`, and tries again while that fails. Dropping the result ends it.
    fn load(&self, url: &str, slot: FaviconSlot) -> Loading;
}

/// What keeps a favicon being loaded; dropping it ends the work.
pub struct Loading(#[expect(dead_code, reason = "kept for being dropped")] Box<dyn Any + Send + Sync>);

impl Loading {
    /// What ends the work when it is dropped.
    pub fn new(work: impl Any + Send + Sync) -> Self {
        Self(Box::new(work))
    }
}

impl fmt::Debug for Loading {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Loading")
    }
}

/// The place of a loaded favicon in a status that is being served.
#[derive(Debug, Clone)]
pub struct FaviconSlot(pub(super) Arc<ArcSwap<StatusDocument>>);

impl FaviconSlot {
    /// Puts in a PNG: from now on the status shows it.
    ///
    /// # Errors
    /// When it can't be a favicon, or the status would become too long; then the status stays as it is.
    pub fn put(&self, png: &[u8]) -> Result<(), FaviconError> {
        let Favicon::Picture(uri) = Favicon::of_png(png)? else { return Ok(()) };
        let status = Status { favicon: Some(uri), ..self.0.load().status().clone() };
        self.0.store(Arc::new(StatusDocument::fitting(status)?));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::png;

    #[test]
    fn a_png_of_the_right_size_is_one() {
        let Favicon::Picture(uri) = Favicon::of_png(&png(64, 64)).unwrap() else { panic!("no picture") };
        assert_eq!(Favicon::of_uri(&uri).unwrap(), Favicon::Picture(uri));
    }

    #[test]
    fn anything_else_is_none() {
        let damaged = &png(64, 64)[..40];
        let mut large = png(64, 64);
        large.resize(LARGEST + 1, 0);
        for (picture, words) in [
            (&png(32, 64)[..], "32×64 pixels"),
            (b"GIF89a", "not a PNG"),
            (b"", "not a PNG"),
            (b"\x89PNG\r\n\x1a\n", "damaged"),
            (damaged, "damaged"),
            (&large, "more than 24576 bytes"),
        ] {
            let error = Favicon::of_png(picture).unwrap_err().to_string();
            assert!(error.contains(words), "{error}");
        }
        for uri in ["data:image/gif;base64,R0lGODlh", "data:image/png;base64,§"] {
            assert!(matches!(Favicon::of_uri(uri), Err(FaviconError::Uri)), "{uri}");
        }
    }
}
