//! A setting that remembers where it was written.

use std::fmt;
use std::ops::Deref;

use super::Setting;
use crate::{Json, Origin, Reader, Schemas, Value};

/// A setting with its origin, for mistakes that show only later: a file that isn't there, a name used twice. Two are
/// equal when their values are.
#[derive(Clone)]
pub struct Located<T> {
    value: T,
    origin: Origin,
}

impl<T> Located<T> {
    /// A value that was written at `origin`.
    pub const fn new(value: T, origin: Origin) -> Self {
        Self { value, origin }
    }

    /// A value that was written nowhere, such as a default. When it stands for a key that was left out, it gets the
    /// origin of the table.
    pub const fn built_in(value: T) -> Self {
        Self::new(value, Origin::nowhere())
    }

    /// Where it was written.
    pub const fn origin(&self) -> &Origin {
        &self.origin
    }

    /// The value alone.
    pub fn into_inner(self) -> T {
        self.value
    }
}

impl<T> Deref for Located<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T: PartialEq> PartialEq for Located<T> {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}

impl<T: Eq> Eq for Located<T> {}

impl<T: fmt::Debug> fmt::Debug for Located<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.value.fmt(f)
    }
}

impl<T: Setting> Setting for Located<T> {
    const OPTIONAL: bool = T::OPTIONAL;

    fn read(value: &Value, reader: &mut Reader<'_>) -> Option<Self> {
        T::read(value, reader).map(|read| Self::new(read, value.origin().clone()))
    }

    fn schema(schemas: &mut Schemas) -> Json {
        T::schema(schemas)
    }

    fn write(&self) -> Option<Json> {
        self.value.write()
    }

    fn absent(origin: &Origin, reader: &mut Reader<'_>) -> Option<Self> {
        T::absent(origin, reader).map(|value| Self::new(value, origin.clone()))
    }

    fn defaulted(self, origin: &Origin, reader: &Reader<'_>) -> Self {
        Self::new(self.value.defaulted(origin, reader), origin.clone())
    }
}
