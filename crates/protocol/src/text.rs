//! Text components: what players read, in kicks, the server list and prompts (Minecraft wiki, "Text component format").
//!
//! Read from JSON, `§` codes, MiniMessage and NBT; written as JSON, NBT, `§` codes or plain text, as each version wants
//! them. What must stay true: reading is bounded in length and depth, and text from a player goes in through
//! [`Component::replace`] alone, as plain text that can't add markup of any kind.

mod color;
mod format;
mod json;
mod legacy;
mod minimessage;
mod placeholder;
mod read;
mod write;

pub use color::{Color, NamedColor};
pub use format::TextFormat;
pub use read::TextError;
pub(crate) use write::Sink;

/// The longest text that is read, in bytes (vanilla's bound for JSON, in characters).
pub const MAX_LENGTH: usize = 262_144;

/// The longest text with `§` codes or MiniMessage that is read, in bytes: a letter of it can become a component.
pub const MAX_MARKUP: usize = 32_768;

/// The most components that a text in JSON or NBT becomes: a long text with a colour for each letter has fewer.
pub const MAX_COMPONENTS: usize = 4_096;

/// How deep components that are read may nest.
pub const MAX_DEPTH: usize = 48;

/// A piece of text with its style, and further pieces that inherit the style.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Component {
    /// What is shown.
    pub content: Content,
    /// How it is shown, as far as that isn't inherited.
    pub style: Style,
    /// Shown behind the content.
    pub extra: Vec<Component>,
}

/// What a component shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// A text as it is.
    Text(String),
    /// A text in the client's own language.
    Translate {
        /// The key, such as `disconnect.genericReason`; shown as it is where the client doesn't know it.
        key: String,
        /// What takes the places of `%s` in it.
        with: Vec<Component>,
    },
}

impl Default for Content {
    fn default() -> Self {
        Self::Text(String::new())
    }
}

/// How a text is shown; what is `None` is inherited.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Style {
    /// The colour.
    pub color: Option<Color>,
    /// Each decoration on or off, by [`Decoration`] as an index.
    pub decorations: [Option<bool>; 5],
    /// What is put into the chat's input on a click with shift held (since 47).
    pub insertion: Option<String>,
    /// What a click does.
    pub click: Option<ClickEvent>,
    /// The text shown while the pointer is over it.
    pub hover: Option<Box<Component>>,
}

/// How letters are drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Decoration {
    /// Bold.
    Bold,
    /// Italic.
    Italic,
    /// Underlined.
    Underlined,
    /// Struck through.
    Strikethrough,
    /// Changing all the time, unreadable.
    Obfuscated,
}

impl Decoration {
    /// All of them, in the order of [`Style::decorations`].
    pub const ALL: [Self; 5] =
        [Self::Bold, Self::Italic, Self::Underlined, Self::Strikethrough, Self::Obfuscated];

    /// The name in JSON, NBT and MiniMessage.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bold => "bold",
            Self::Italic => "italic",
            Self::Underlined => "underlined",
            Self::Strikethrough => "strikethrough",
            Self::Obfuscated => "obfuscated",
        }
    }
}

/// What a click does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClickEvent {
    /// The kind of thing done.
    pub action: ClickAction,
    /// The URL, the command, the page's number or the text.
    pub value: String,
}

/// The kinds of things that a click can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ClickAction {
    /// Opens a URL of http or https.
    OpenUrl,
    /// Runs a command.
    RunCommand,
    /// Writes a command into the chat's input.
    SuggestCommand,
    /// Turns to a page of the open book.
    ChangePage,
    /// Copies a text.
    CopyToClipboard,
}

impl ClickAction {
    const ALL: [Self; 5] =
        [Self::OpenUrl, Self::RunCommand, Self::SuggestCommand, Self::ChangePage, Self::CopyToClipboard];

    /// The name in JSON, NBT and MiniMessage.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::OpenUrl => "open_url",
            Self::RunCommand => "run_command",
            Self::SuggestCommand => "suggest_command",
            Self::ChangePage => "change_page",
            Self::CopyToClipboard => "copy_to_clipboard",
        }
    }

    fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|action| action.name() == name)
    }
}

impl Style {
    /// Whether everything is inherited.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Whether a decoration is on, off or inherited.
    #[must_use]
    pub const fn decoration(&self, decoration: Decoration) -> Option<bool> {
        self.decorations[decoration as usize]
    }

    /// Turns a decoration on or off.
    pub const fn decorate(&mut self, decoration: Decoration, on: bool) {
        self.decorations[decoration as usize] = Some(on);
    }

    /// Colour and decorations where they aren't set, from the component around.
    fn look_in(&self, around: &Self) -> Self {
        let mut look = Self { color: self.color.or(around.color), ..Self::default() };
        for (index, decoration) in look.decorations.iter_mut().enumerate() {
            *decoration = self.decorations[index].or(around.decorations[index]);
        }
        look
    }
}

impl Component {
    /// A text without style; `text` is taken as it is.
    #[must_use]
    pub fn text(text: impl Into<String>) -> Self {
        Self { content: Content::Text(text.into()), ..Self::default() }
    }

    /// A text in the client's own language.
    #[must_use]
    pub fn translate(key: impl Into<String>, with: Vec<Component>) -> Self {
        Self { content: Content::Translate { key: key.into(), with }, ..Self::default() }
    }

    /// The same with a colour.
    #[must_use]
    pub fn colored(mut self, color: impl Into<Color>) -> Self {
        self.style.color = Some(color.into());
        self
    }

    /// The same with another component behind.
    #[must_use]
    pub fn with(mut self, behind: Self) -> Self {
        self.extra.push(behind);
        self
    }

    /// Reads a text as operators write it in a configuration, in one of three forms:
    ///
    /// - JSON, if it starts like JSON: with `"`, with `{` and then `"` or `}`, or with `[` and then `{`, `[`, `"` or `]`;
    /// - `§` codes, if there is a `§` in it;
    /// - else MiniMessage, of which a text without tags is a part.
    ///
    /// So `{player} left` and `[Lobby] Welcome` are MiniMessage. Both other forms take any text; what they don't know
    /// shows as it is written.
    ///
    /// # Errors
    /// When the text is too long or nests too deep, or is JSON but no component.
    pub fn parse_config(text: &str) -> Result<Self, TextError> {
        if looks_like_json(text) {
            Self::from_json(text)
        } else if text.contains(legacy::SIGN) {
            Self::from_legacy(text)
        } else {
            Self::from_minimessage(text)
        }
    }

    /// The text alone, without style; a translation shows as its key.
    #[must_use]
    pub fn to_plain(&self) -> String {
        let mut out = String::new();
        self.walk(&Style::default(), &mut |text, _| legacy::push_without_codes(text, &mut out));
        out
    }

    /// Visits all texts in the order in which they are shown, with colour and decorations resolved.
    fn walk(&self, around: &Style, visit: &mut dyn FnMut(&str, &Style)) {
        let style = self.style.look_in(around);
        match &self.content {
            Content::Text(text) => visit(text, &style),
            Content::Translate { key, .. } => visit(key, &style),
        }
        for extra in &self.extra {
            extra.walk(&style, visit);
        }
    }
}

impl From<&str> for Component {
    /// As [`Component::text`]: no markup is looked for.
    fn from(text: &str) -> Self {
        Self::text(text)
    }
}

fn looks_like_json(text: &str) -> bool {
    let mut characters = text.chars().filter(|character| !character.is_ascii_whitespace());
    match characters.next() {
        Some('"') => true,
        Some('{') => matches!(characters.next(), Some('"' | '}')),
        Some('[') => matches!(characters.next(), Some('{' | '[' | '"' | ']')),
        _ => false,
    }
}

#[cfg(test)]
mod tests;
