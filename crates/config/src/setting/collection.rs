//! Settings that hold settings: lists, tables with free keys, and what may be left out.

use std::collections::BTreeMap;

use serde_json::json;

use super::{Omittable, Setting};
use crate::{Json, Origin, Reader, Schemas, Value};

/// Every item is read, so that the mistakes of all are found.
impl<T: Setting> Setting for Vec<T> {
    fn read(value: &Value, reader: &mut Reader<'_>) -> Option<Self> {
        let Some(items) = value.as_array() else {
            return reader.expected(value, "a list");
        };
        let read: Vec<Option<T>> = items.iter().map(|item| T::read(item, reader)).collect();
        read.into_iter().collect()
    }

    fn schema(schemas: &mut Schemas) -> Json {
        json!({ "type": "array", "items": T::schema(schemas) })
    }

    fn write(&self) -> Option<Json> {
        self.iter().map(Setting::write).collect::<Option<Vec<_>>>().map(Json::Array)
    }

    fn defaulted(self, origin: &Origin, reader: &Reader<'_>) -> Self {
        self.into_iter().map(|item| item.defaulted(origin, reader)).collect()
    }
}

impl<T: Setting> Setting for BTreeMap<String, T> {
    fn read(value: &Value, reader: &mut Reader<'_>) -> Option<Self> {
        let Some(table) = value.as_table() else {
            return reader.expected(value, "a table");
        };
        let read: Vec<_> = table.iter().map(|(key, value)| (key, T::read(value, reader))).collect();
        read.into_iter().map(|(key, value)| Some((key.to_owned(), value?))).collect()
    }

    fn schema(schemas: &mut Schemas) -> Json {
        json!({ "type": "object", "additionalProperties": T::schema(schemas) })
    }

    fn write(&self) -> Option<Json> {
        let entries = self.iter().map(|(key, value)| Some((key.clone(), value.write()?)));
        entries.collect::<Option<serde_json::Map<_, _>>>().map(Json::Object)
    }

    fn defaulted(self, origin: &Origin, reader: &Reader<'_>) -> Self {
        self.into_iter().map(|(key, value)| (key, value.defaulted(origin, reader))).collect()
    }
}

impl<T: Setting> Setting for Option<T> {
    const OPTIONAL: bool = true;

    fn read(value: &Value, reader: &mut Reader<'_>) -> Option<Self> {
        T::read(value, reader).map(Some)
    }

    fn schema(schemas: &mut Schemas) -> Json {
        T::schema(schemas)
    }

    fn write(&self) -> Option<Json> {
        self.as_ref().and_then(Setting::write)
    }

    fn absent(_: &Origin, _: &mut Reader<'_>) -> Option<Self> {
        Some(None)
    }

    fn defaulted(self, origin: &Origin, reader: &Reader<'_>) -> Self {
        self.map(|value| value.defaulted(origin, reader))
    }
}

impl<T> Omittable for Option<T> {
    fn omitted() -> Self {
        None
    }
}

impl<T: Setting> Setting for Box<T> {
    const OPTIONAL: bool = T::OPTIONAL;

    fn read(value: &Value, reader: &mut Reader<'_>) -> Option<Self> {
        T::read(value, reader).map(Self::new)
    }

    fn schema(schemas: &mut Schemas) -> Json {
        T::schema(schemas)
    }

    fn write(&self) -> Option<Json> {
        T::write(self)
    }

    fn absent(origin: &Origin, reader: &mut Reader<'_>) -> Option<Self> {
        T::absent(origin, reader).map(Self::new)
    }

    fn defaulted(self, origin: &Origin, reader: &Reader<'_>) -> Self {
        Self::new((*self).defaulted(origin, reader))
    }
}
