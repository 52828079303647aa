//! Reading components from JSON and NBT. Both become a JSON value first, since their fields are the same.
//!
//! Accepted is every spelling that any version had. Operators' texts are read strictly, so that a typo is told; texts
//! of other servers leniently: what a [`Component`] doesn't hold is left out.

use serde_json::{Map, Value};

use super::{
    ClickAction, ClickEvent, Color, Component, Content, Decoration, MAX_COMPONENTS, MAX_DEPTH, MAX_LENGTH,
    Style,
};
use crate::nbt::{self, NbtError, Tag};

/// Why something is no text.
#[derive(Debug, thiserror::Error)]
pub enum TextError {
    /// Longer than is read.
    #[error("a text of {length} bytes, at most {bound} are allowed")]
    TooLong {
        /// Its length in bytes.
        length: usize,
        /// The bound in bytes.
        bound: usize,
    },
    /// More than [`MAX_COMPONENTS`] components.
    #[error("a text of more than {MAX_COMPONENTS} components")]
    TooMany,
    /// More than [`MAX_DEPTH`] components or tags inside each other.
    #[error("a text nested more than {MAX_DEPTH} deep")]
    TooDeep,
    /// No JSON.
    #[error("a text that looks like JSON but is none: {0}")]
    Json(#[from] serde_json::Error),
    /// No NBT.
    #[error(transparent)]
    Nbt(#[from] NbtError),
    /// JSON or NBT, but no component.
    #[error("{found} where a text component was expected")]
    NotText {
        /// What stood there, in words.
        found: &'static str,
    },
    /// A field that there isn't.
    #[error("a text component has no {0:?}, or it isn't supported here")]
    UnknownField(String),
    /// A field with a value that it can't have.
    #[error("{found} where {expected} was expected in a text component's {field:?}")]
    Field {
        /// The field's name.
        field: &'static str,
        /// What it may hold.
        expected: &'static str,
        /// What it held.
        found: String,
    },
}

/// The most memory that a text in NBT may take while it is read, in bytes.
const NBT_BUDGET: usize = 4 * MAX_LENGTH;

impl Component {
    /// Reads a component as an operator writes it in JSON. Strings, numbers, booleans, and arrays (whose first element
    /// is the parent of the others) are components too, as in vanilla.
    ///
    /// # Errors
    /// When it is too long or too deep, no JSON, no component, or has a field that isn't known.
    pub fn from_json(json: &str) -> Result<Self, TextError> {
        parse_json(json, true)
    }

    /// Reads a component that another server wrote in JSON. Fields that aren't known are left out, and so is what stands behind
    /// [`MAX_COMPONENTS`] components.
    ///
    /// # Errors
    /// When it is too long or too deep, no JSON or no component.
    pub fn from_json_lenient(json: &str) -> Result<Self, TextError> {
        parse_json(json, false)
    }

    /// Reads a component from the front of `bytes`, NBT of the network as another server wrote it, and says how many
    /// bytes it took. What is left out is as with [`Component::from_json_lenient`].
    ///
    /// # Errors
    /// When it is too large or too deep, no NBT or no component.
    pub fn from_nbt(bytes: &[u8]) -> Result<(Self, usize), TextError> {
        let (tag, length) = nbt::read(bytes, NBT_BUDGET)?;
        let component = Reading::new(false).component(&to_value(tag, 0)?, 0)?;
        Ok((component, length))
    }
}

fn parse_json(json: &str, strict: bool) -> Result<Component, TextError> {
    check_length(json, MAX_LENGTH)?;
    let value = serde_json::from_str(json)?;
    Reading::new(strict).component(&value, 0)
}

pub(super) const fn check_length(text: &str, bound: usize) -> Result<(), TextError> {
    match text.len() {
        length if length > bound => Err(TextError::TooLong { length, bound }),
        _ => Ok(()),
    }
}

/// A component nests twice in NBT: the list and the compound. What is deeper is no component that is read.
fn to_value(tag: Tag, depth: usize) -> Result<Value, TextError> {
    if depth > 2 * MAX_DEPTH {
        return Err(TextError::TooDeep);
    }
    Ok(match tag {
        Tag::Byte(number) => number.into(),
        Tag::Short(number) => number.into(),
        Tag::Int(number) => number.into(),
        Tag::Long(number) => number.into(),
        Tag::Float(number) => number.into(),
        Tag::Double(number) => number.into(),
        Tag::String(text) => text.into(),
        Tag::List(items) => {
            items.into_iter().map(|item| to_value(item, depth + 1)).collect::<Result<Vec<_>, _>>()?.into()
        }
        Tag::Compound(fields) => {
            let fields = fields.into_iter().map(|(name, tag)| Ok((name, to_value(tag, depth + 1)?)));
            let mut fields = fields.collect::<Result<Map<_, _>, TextError>>()?;
            match fields.remove("") {
                // How vanilla writes lists of mixed types.
                Some(wrapped) if fields.is_empty() => wrapped,
                _ => fields.into(),
            }
        }
        Tag::ByteArray(_) | Tag::IntArray(_) | Tag::LongArray(_) => Value::Null,
    })
}

/// How a component is read.
struct Reading {
    /// Whether what isn't known is an error.
    strict: bool,
    /// How many further components may be made: a character of JSON can become one, which takes a hundred times its room.
    left: usize,
}

impl Reading {
    const fn new(strict: bool) -> Self {
        Self { strict, left: MAX_COMPONENTS }
    }

    /// Whether what is left is left out.
    const fn is_full(&self) -> bool {
        self.left == 0 && !self.strict
    }

    fn component(&mut self, value: &Value, depth: usize) -> Result<Component, TextError> {
        if depth >= MAX_DEPTH {
            return Err(TextError::TooDeep);
        }
        // A list becomes its first element.
        if !value.is_array() {
            self.left = self.left.checked_sub(1).ok_or(TextError::TooMany)?;
        }
        match value {
            Value::String(text) => Ok(Component::text(text)),
            Value::Number(number) => Ok(Component::text(number.to_string())),
            Value::Bool(value) => Ok(Component::text(value.to_string())),
            Value::Null => Err(TextError::NotText { found: "nothing" }),
            Value::Array(items) => {
                let (first, rest) =
                    items.split_first().ok_or(TextError::NotText { found: "an empty list" })?;
                let mut first = self.component(first, depth + 1)?;
                first.extra.extend(self.components(rest, depth)?);
                Ok(first)
            }
            Value::Object(fields) => self.object(fields, depth),
        }
    }

    /// Those that there is room for.
    fn components(&mut self, values: &[Value], depth: usize) -> Result<Vec<Component>, TextError> {
        let mut components = Vec::new();
        for value in values {
            if self.is_full() {
                break;
            }
            components.push(self.component(value, depth + 1)?);
        }
        Ok(components)
    }

    fn object(&mut self, fields: &Map<String, Value>, depth: usize) -> Result<Component, TextError> {
        let mut component = Component { content: self.content(fields, depth)?, ..Component::default() };
        for (name, value) in fields {
            match name.as_str() {
                "text" | "translate" | "with" | "type" => {}
                "extra" => component.extra = self.components(array("extra", value)?, depth)?,
                _ => self.style_field(&mut component.style, name, value, depth)?,
            }
        }
        Ok(component)
    }

    fn content(&mut self, fields: &Map<String, Value>, depth: usize) -> Result<Content, TextError> {
        if let Some(text) = fields.get("text") {
            return scalar("text", text).map(Content::Text);
        }
        if let Some(key) = fields.get("translate") {
            let with = match fields.get("with") {
                Some(with) => self.components(array("with", with)?, depth)?,
                None => Vec::new(),
            };
            return Ok(Content::Translate { key: scalar("translate", key)?, with });
        }
        if self.strict {
            return Err(TextError::NotText { found: "an object without \"text\" or \"translate\"" });
        }
        // The other kinds of content depend on the world; the key's name is as good as it gets.
        let keybind = fields.get("keybind").and_then(Value::as_str).unwrap_or_default();
        Ok(Content::Text(keybind.to_owned()))
    }

    fn style_field(
        &mut self,
        style: &mut Style,
        name: &str,
        value: &Value,
        depth: usize,
    ) -> Result<(), TextError> {
        match name {
            "color" => style.color = self.unless_lenient(color(value))?,
            "insertion" => style.insertion = Some(scalar("insertion", value)?),
            "clickEvent" | "click_event" => style.click = self.unless_lenient(click(value))?,
            "hoverEvent" | "hover_event" => style.hover = self.hover(value, depth)?.map(Box::new),
            _ => match Decoration::ALL.into_iter().find(|decoration| decoration.name() == name) {
                Some(decoration) => {
                    if let Some(on) = self.unless_lenient(flag(decoration.name(), value))? {
                        style.decorate(decoration, on);
                    }
                }
                None if self.strict => return Err(TextError::UnknownField(name.to_owned())),
                None => {}
            },
        }
        Ok(())
    }

    fn hover(&mut self, value: &Value, depth: usize) -> Result<Option<Component>, TextError> {
        let action = value.get("action").and_then(Value::as_str).unwrap_or_default();
        let shown = value.get("contents").or_else(|| value.get("value"));
        match shown {
            Some(_) if self.is_full() => Ok(None),
            Some(shown) if action == "show_text" => self.component(shown, depth + 1).map(Some),
            _ => self.unless_lenient(Err(TextError::Field {
                field: "hover_event",
                expected: "the action show_text with a value",
                found: value.to_string(),
            })),
        }
    }

    /// The value, or nothing instead of an error that is to be overlooked.
    fn unless_lenient<T>(&self, result: Result<T, TextError>) -> Result<Option<T>, TextError> {
        match result {
            Err(_) if !self.strict => Ok(None),
            result => result.map(Some),
        }
    }
}

fn array<'a>(field: &'static str, value: &'a Value) -> Result<&'a [Value], TextError> {
    match value {
        Value::Array(items) => Ok(items),
        _ => Err(TextError::Field { field, expected: "a list", found: value.to_string() }),
    }
}

/// A string, or a number or boolean as one.
fn scalar(field: &'static str, value: &Value) -> Result<String, TextError> {
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Number(_) | Value::Bool(_) => Ok(value.to_string()),
        _ => Err(TextError::Field { field, expected: "a string", found: value.to_string() }),
    }
}

/// A boolean; NBT has numbers for it, and vanilla takes it as a string too.
fn flag(field: &'static str, value: &Value) -> Result<bool, TextError> {
    match value {
        Value::Bool(on) => Ok(*on),
        Value::Number(number) => Ok(number.as_f64() != Some(0.0)),
        Value::String(text) if text == "true" => Ok(true),
        Value::String(text) if text == "false" => Ok(false),
        _ => Err(TextError::Field { field, expected: "true or false", found: value.to_string() }),
    }
}

fn color(value: &Value) -> Result<Color, TextError> {
    value.as_str().and_then(Color::parse).ok_or_else(|| TextError::Field {
        field: "color",
        expected: "a colour's name or #rrggbb",
        found: value.to_string(),
    })
}

fn click(value: &Value) -> Result<ClickEvent, TextError> {
    let action = value.get("action").and_then(Value::as_str).and_then(ClickAction::from_name);
    let text = ["value", "url", "command", "page"].into_iter().find_map(|key| value.get(key));
    match (action, text) {
        (Some(action), Some(text)) => Ok(ClickEvent { action, value: scalar("click_event", text)? }),
        _ => Err(TextError::Field {
            field: "click_event",
            expected: "an action such as open_url, with its value",
            found: value.to_string(),
        }),
    }
}
