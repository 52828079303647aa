//! Fields of a line for people, with control characters escaped: whoever has a hand in a text that is logged, in an error above all, begins
//! no line of their own with it and tells a terminal nothing.

use std::fmt::{self, Write as _};
use tracing::field::{Field, Visit};
use tracing_subscriber::field::{RecordFields, VisitOutput as _};
use tracing_subscriber::fmt::FormatFields;
use tracing_subscriber::fmt::format::{DefaultVisitor, Writer};

/// Writes fields as is usual, but on one line.
#[derive(Debug)]
pub(crate) struct Plain;

impl<'writer> FormatFields<'writer> for Plain {
    fn format_fields<R: RecordFields>(&self, writer: Writer<'writer>, fields: R) -> fmt::Result {
        let mut visitor = Escaping(DefaultVisitor::new(writer, true));
        fields.record(&mut visitor);
        visitor.0.finish()
    }
}

struct Escaping<'a>(DefaultVisitor<'a>);

impl Visit for Escaping<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.record_debug(field, &Escaped(value));
    }
}

/// A value whose control characters are escaped.
struct Escaped<'a>(&'a dyn fmt::Debug);

impl fmt::Debug for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(OneLine(f), "{:?}", self.0)
    }
}

struct OneLine<'a, 'b>(&'a mut fmt::Formatter<'b>);

impl fmt::Write for OneLine<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let mut controls = text.matches(char::is_control);
        text.split(char::is_control).try_for_each(|part| {
            self.0.write_str(part)?;
            // There is one behind each part but the last.
            controls.next().map_or(Ok(()), |control| write!(self.0, "{}", control.escape_debug()))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io;
    use std::sync::{Arc, Mutex, PoisonError};
    use tracing_subscriber::fmt::MakeWriter;

    /// What was logged.
    #[derive(Debug, Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl<'a> MakeWriter<'a> for Lines {
        type Writer = Self;

        fn make_writer(&'a self) -> Self {
            self.clone()
        }
    }

    #[test]
    fn texts_of_others_stay_on_their_line_and_say_nothing_to_terminals() {
        const TEXT: &str = "hub\n2026 INFO banned\r\u{1b}[2J\u{7}\u{9b}31m\t\u{7f}\u{85}ü\"";
        let lines = Lines::default();
        let logged = tracing_subscriber::fmt().fmt_fields(Plain).with_writer(lines.clone()).with_ansi(false);
        tracing::subscriber::with_default(logged.finish(), || {
            let error = io::Error::other(TEXT);
            tracing::info!(raw = %TEXT, quoted = TEXT, number = 5, %error, "a message of {TEXT}");
        });
        let told = String::from_utf8(std::mem::take(&mut *lines.0.lock().unwrap())).unwrap();
        let line = told.strip_suffix('\n').unwrap();
        assert!(!line.contains(char::is_control), "{line:?}");
        let escaped = r"hub\n2026 INFO banned\r\u{1b}[2J\u{7}\u{9b}31m\t\u{7f}\u{85}ü";
        for part in ["a message of ", "raw=", "quoted=\"", "error="] {
            let whole = format!("{part}{escaped}");
            assert!(line.contains(&whole), "{whole}: {line}");
        }
        assert!(line.contains("number=5"), "{line}");
    }
}
