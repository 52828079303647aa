//! What a setting is, and the settings that are made here: numbers, text, lists, durations, sizes, networks, secrets.

mod collection;
mod duration;
mod located;
mod named;
mod network;
mod path;
mod pattern;
mod rate;
mod scalar;
mod secret;
mod size;

pub use located::Located;
pub use named::Named;
pub use path::DocumentPath;
pub use rate::Rate;
pub use secret::Secret;
pub use size::ByteSize;

use crate::{Json, Origin, Reader, Schemas, Value};

/// Something that is read from a configuration. Sections get it from [`section!`](crate::section),
/// [`tagged!`](crate::tagged) and [`keywords!`](crate::keywords); types with a `FromStr` use [`parsed`](crate::parsed).
pub trait Setting: Sized {
    /// Whether a key of this type may be left out although it has no default; then [`absent`](Self::absent) stands in.
    const OPTIONAL: bool = false;

    /// Reads it. `None` when something was wrong, which then has been reported to `reader`.
    fn read(value: &Value, reader: &mut Reader<'_>) -> Option<Self>;

    /// Its JSON schema.
    fn schema(schemas: &mut Schemas) -> Json;

    /// As it would be written, for the defaults in the schema. `None` when it can't be shown, like a secret.
    fn write(&self) -> Option<Json> {
        None
    }

    /// What stands for a key left out of the table at `origin`. Asked only where [`OPTIONAL`](Self::OPTIONAL) holds.
    fn absent(_origin: &Origin, _reader: &mut Reader<'_>) -> Option<Self> {
        None
    }

    /// The same as a default in the table at `origin`: paths become relative to its document.
    #[must_use]
    fn defaulted(self, _origin: &Origin, _reader: &Reader<'_>) -> Self {
        self
    }
}

/// What may be left out wherever it stands: an `Option`, or a section in which every key may be left out.
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be left out, so a section with `#[defaults]` needs a default for this key",
    label = "write `= …` behind it, make it an `Option`, or take `#[defaults]` from the section"
)]
pub trait Omittable {
    /// What stands for it.
    fn omitted() -> Self;
}
