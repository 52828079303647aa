//! The machinery of configuration: documents, source positions, environment, secrets, diagnostics, schema.
//!
//! Each crate owns its section as a typed struct beside the code that reads it, defined once by [`section!`]: the struct,
//! its defaults, how it is read and its JSON schema come from that one place. This crate knows no section.
//!
//! What must stay true:
//! - Every mistake of every document is found in one pass, with its place; nothing stops at the first.
//! - A key that no section knows is a mistake.
//! - No secret is shown, not even one that was written where it doesn't belong.
//! - No text makes reading panic.
//!
//! ```
//! use drawbridge_config::{Document, Root, Style};
//!
//! drawbridge_config::section! {
//!     /// The whole.
//!     #[defaults]
//!     pub struct Settings {
//!         /// One for each core when `0`.
//!         pub threads: u16 = 0,
//!         /// Rules, also from other documents.
//!         pub routes: Vec<String> = Vec::new(),
//!     }
//! }
//!
//! let mut root = Root::new(Some(Document::parse("drawbridge.toml", "thraeds = 4")), &["routes"]);
//! root.environment("DRAWBRIDGE", [("DRAWBRIDGE__THREADS", "2")]);
//! let error = root.read::<Settings>().unwrap_err();
//! let drawbridge_config::Error::Invalid(diagnostics) = error else { unreachable!() };
//! assert!(diagnostics.render(Style::Plain).contains("did you mean \"threads\"?"));
//! ```
#![forbid(unsafe_code)]

mod diagnostic;
mod document;
mod environment;
mod error;
mod file;
mod origin;
mod reader;
mod root;
mod schema;
mod section;
mod setting;
mod value;
mod words;

pub use diagnostic::{Diagnostic, Diagnostics, Severity, Style};
pub use document::Document;
pub use error::Error;
pub use file::file_metadata;
pub use origin::{Origin, Position};
pub use reader::{Fields, Reader, parsed};
pub use root::{Loaded, Root, read_text};
pub use schema::{KindsSchema, ObjectSchema, Schemas, schema, schema_keys, words_schema};
#[doc(hidden)]
pub use section::{chosen, key, keyword, same, tagged, written};
pub use serde_json::{Map as JsonMap, Value as Json, json};
pub use setting::{ByteSize, DocumentPath, Located, Named, Omittable, Rate, Secret, Setting};
pub use value::{Data, Table, Value};
pub use words::{nearest, quoted, suggestion};
