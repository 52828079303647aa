//! The configuration of the program, whole: what `drawbridge check` reads.
//!
//! What must hold: what isn't read has at least one mistake, and each is shown in a text and as JSON; what is read is read again to the same mistakes, that is
//! none, and its routes have a table.

use crate::house::program::settings::Settings;
use drawbridge_config::{Document, Error, Root, Style};

/// See the module.
pub fn check(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let (first, second) = text.split_once('\u{1}').unwrap_or((&text, ""));
    let mut root = Root::new(Some(Document::parse("drawbridge.toml", first)), &["routes"]);
    root.append(vec![Document::parse("routes/b.toml", second)]);
    match root.read::<Settings>() {
        Err(Error::Invalid(diagnostics)) => {
            assert!(diagnostics.errors() > 0, "an error without a mistake");
            assert!(!diagnostics.render(Style::Plain).is_empty());
            let told = diagnostics.to_json();
            let told = told["diagnostics"].as_array().expect("a list");
            assert!(told.iter().any(|mistake| mistake["severity"] == "error"));
        }
        Ok(loaded) => assert_eq!(loaded.diagnostics.errors(), 0, "mistakes in what is read"),
        Err(_) => {}
    }
}

/// The blocks of TOML in the manual, and what the examples of other programs come to.
#[must_use]
pub fn seeds() -> Vec<Vec<u8>> {
    macro_rules! pages {
        ($($page:literal)*) => {
            [$(include_str!(concat!("../../", $page))),*]
        };
    }
    let pages = pages! {
        "README.md" "docs/adapters.md" "docs/bans.md" "docs/commands.md" "docs/configuration.md" "docs/control.md" "docs/getting-started.md"
        "docs/import.md" "docs/limbo.md" "docs/metrics.md" "docs/providers.md" "docs/relays.md" "docs/sessions.md" "docs/tickets.md"
    };
    let blocks = pages
        .iter()
        .flat_map(|page| page.split("```toml\n").skip(1).filter_map(|block| block.split("```").next()));
    let mut seeds: Vec<_> = blocks.map(|block| block.as_bytes().to_vec()).collect();
    seeds.push(include_bytes!("../../crates/drawbridge/src/demo.toml").to_vec());
    seeds
}
