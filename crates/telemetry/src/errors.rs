//! Errors and panics, told to Sentry.
//!
//! What must stay true: nothing that a player supplied goes there, nor their address: of an event's fields only those go that are listed
//! here, and there is no trail of what was logged before it.

use drawbridge_config::{Fields, Secret, section};
use sentry::integrations::tracing::ErrorLayer;
use sentry::protocol::{Context, Event};
use sentry::types::Dsn;
use sentry::{ClientInitGuard, ClientOptions};
use std::mem::ManuallyDrop;
use std::time::Duration;
use tracing::Subscriber;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::registry::LookupSpan;

section! {
    /// Errors of the edge and panics, told to Sentry. Read at start.
    #[check(SentrySection::check)]
    pub struct SentrySection {
        /// Where they are told, as Sentry shows it for a project.
        pub dsn: Secret,
        /// What Sentry files them under.
        pub environment: String = String::from("production"),
    }
}

/// The fields of an event that nobody but the edge and its operator have a hand in.
const FIELDS: [&str; 9] = ["at", "reason", "help", "by", "route", "asked", "kind", "action", "milliseconds"];
/// What the library calls the fields of an event.
const FIELDS_OF_EVENT: &str = "Rust Tracing Fields";
/// How long the end of the process waits for what is left to be told.
const LAST_WORD: Duration = Duration::from_secs(2);

impl SentrySection {
    fn check(&self, fields: &mut Fields<'_, '_, '_>) {
        if self.address().is_none() {
            // The text itself holds a key.
            fields.error("dsn", "what is there is no DSN of Sentry");
        }
    }

    fn address(&self) -> Option<Dsn> {
        self.dsn.expose_text()?.trim().parse().ok()
    }

    /// Tells from now on, until the result is dropped, which waits until all is told, though not for long.
    pub(crate) fn start(&self) -> Telling {
        let mut options = ClientOptions::new()
            .release(concat!("drawbridge@", env!("CARGO_PKG_VERSION")))
            .environment(self.environment.clone())
            .send_default_pii(false)
            .max_breadcrumbs(0)
            .before_send(|event| Some(scrubbed(event)));
        options.dsn = self.address();
        Telling(ManuallyDrop::new(sentry::init(options)))
    }
}

/// What is left of an event when everything is taken away that may be a player's.
fn scrubbed(mut event: Event<'static>) -> Event<'static> {
    event.user = None;
    event.request = None;
    event.breadcrumbs.values.clear();
    event.extra.clear();
    if let Some(Context::Other(fields)) = event.contexts.get_mut(FIELDS_OF_EVENT) {
        fields.retain(|name, _| FIELDS.contains(&name.as_str()));
    }
    event
}

/// Takes errors out of what is logged.
pub(crate) fn layer<S: Subscriber + for<'a> LookupSpan<'a>>() -> impl Layer<S> {
    ErrorLayer::new().with_filter(LevelFilter::ERROR)
}

/// Stands for the connection to Sentry. The library's own guard would wait for the answer to what is under way, however long that takes.
pub(crate) struct Telling(ManuallyDrop<ClientInitGuard>);

impl Drop for Telling {
    fn drop(&mut self) {
        // What isn't told by then isn't waited for.
        self.0.flush(Some(LAST_WORD));
    }
}

impl std::fmt::Debug for Telling {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Telling")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sentry::protocol::{Map, User};
    use std::io::Read as _;
    use std::net::TcpListener;

    #[test]
    fn only_the_listed_fields_are_told() {
        let fields = ["client", "player", "host", "trace", "error", "route"];
        let fields: Map<_, _> = fields.into_iter().map(|name| (name.to_owned(), "x".into())).collect();
        let mut event = Event { user: Some(User::default()), ..Event::default() };
        event.contexts.insert(FIELDS_OF_EVENT.into(), Context::Other(fields));
        let event = scrubbed(event);
        assert_eq!(event.user, None);
        let Some(Context::Other(left)) = event.contexts.get(FIELDS_OF_EVENT) else { panic!("no fields") };
        assert_eq!(left.keys().collect::<Vec<_>>(), ["route"]);
    }

    #[test]
    fn a_panic_is_told() {
        let sentry = TcpListener::bind("127.0.0.1:0").unwrap();
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("dsn");
        std::fs::write(&file, format!("http://key@{}/42", sentry.local_addr().unwrap())).unwrap();
        let section = format!("dsn = {{ file = {file:?} }}");
        let section: SentrySection = drawbridge_config::read_text("drawbridge.toml", &section).unwrap();
        let telling = section.start();
        std::thread::spawn(|| panic!("on purpose")).join().unwrap_err();
        let (mut asked, _) = sentry.accept().unwrap();
        asked.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        let (mut told, mut buffer) = (Vec::new(), [0; 4_096]);
        while !told.windows(10).any(|bytes| bytes == b"on purpose") {
            let read = asked.read(&mut buffer).unwrap();
            assert!(read > 0, "{}", String::from_utf8_lossy(&told));
            told.extend_from_slice(&buffer[..read]);
        }
        drop((asked, telling));
    }
}
