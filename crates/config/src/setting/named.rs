//! Tables of which each may have a name.

use serde_json::json;

use super::{Located, Setting};
use crate::value::Data;
use crate::{Json, Origin, Reader, Schemas, Value};

/// A table that may have a key `name` beside those of `T`.
#[derive(Debug, Clone)]
pub struct Named<T> {
    /// The name.
    pub name: Option<Located<String>>,
    /// What the other keys say.
    pub value: T,
}

const KEY: &str = "name";

impl<T: Setting> Setting for Named<T> {
    const OPTIONAL: bool = T::OPTIONAL;

    fn read(value: &Value, reader: &mut Reader<'_>) -> Option<Self> {
        let Data::Table(table) = value.data() else {
            return T::read(value, reader).map(|value| Self { name: None, value });
        };
        let mut rest = table.clone();
        let name = match rest.entries.remove(KEY) {
            Some(entry) => Some(Located::<String>::read(&entry.value, reader)),
            None => None,
        };
        let value = T::read(&Value::new(Data::Table(rest), value.origin().clone()), reader);
        match name {
            Some(name) => Some(Self { name: Some(name?), value: value? }),
            None => Some(Self { name: None, value: value? }),
        }
    }

    /// That of `T`, with the key in each of its kinds.
    fn schema(schemas: &mut Schemas) -> Json {
        let schema = T::schema(schemas);
        let mut schema = schemas.resolved(schema);
        let mut name = String::schema(schemas);
        name["description"] = json!("Names it in logs.");
        let tables = match schema.get_mut("oneOf") {
            Some(Json::Array(kinds)) => kinds.iter_mut().collect(),
            _ => vec![&mut schema],
        };
        for table in tables {
            if let Some(Json::Object(properties)) = table.get_mut("properties") {
                properties.insert(KEY.to_owned(), name.clone());
            }
        }
        schema
    }

    fn write(&self) -> Option<Json> {
        let Some(Json::Object(mut table)) = self.value.write() else { return None };
        if let Some(name) = &self.name {
            table.insert(KEY.to_owned(), json!(name.as_str()));
        }
        Some(Json::Object(table))
    }

    fn defaulted(self, origin: &Origin, reader: &Reader<'_>) -> Self {
        Self { name: self.name, value: self.value.defaulted(origin, reader) }
    }
}
