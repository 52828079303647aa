//! The configuration of the program, whole: what `drawbridge check` reads.
//!
//! What must hold: what isn't read has at least one mistake, and each is shown in a text and as JSON; what is read is read again as the same, and its routes
//! have a table, unless there is a mistake between them, in which each host finds the route that has it; memory is bounded.

use crate::house::program::settings::Settings;
use crate::memory;
use drawbridge_config::{Diagnostics, Document, Error, Loaded, Root, Style};
use drawbridge_routing::{RouteSection, Services, Snapshot};
use tokio::runtime::Builder;

/// See the module.
pub fn check(data: &[u8]) {
    memory::within(memory::of_documents(data), || {
        let text = String::from_utf8_lossy(data);
        let (first, second) = text.split_once('\u{1}').unwrap_or((&text, ""));
        match read(first, second) {
            Err(Error::Invalid(diagnostics)) => mistaken(&diagnostics),
            Ok(Loaded { settings, diagnostics }) => {
                assert_eq!(diagnostics.errors(), 0, "mistakes in what is read");
                let again = read(first, second).expect("it has been read");
                assert_eq!(format!("{settings:?}"), format!("{:?}", again.settings));
                table(&settings.routes, diagnostics);
            }
            Err(_) => {}
        }
    });
}

fn read(first: &str, second: &str) -> Result<Loaded<Settings>, Error> {
    let mut root = Root::new(Some(Document::parse("drawbridge.toml", first)), &["routes"]);
    root.append(vec![Document::parse("routes/b.toml", second)]);
    root.read::<Settings>()
}

fn mistaken(diagnostics: &Diagnostics) {
    assert!(diagnostics.errors() > 0, "an error without a mistake");
    assert!(!diagnostics.render(Style::Plain).is_empty());
    let told = diagnostics.to_json();
    let told = told["diagnostics"].as_array().expect("a list");
    assert!(told.iter().any(|mistake| mistake["severity"] == "error"));
}

fn table(routes: &[RouteSection], mut diagnostics: Diagnostics) {
    // What adapters are to do in the background is dropped before any of it is done.
    let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
    let _entered = runtime.enter();
    let Some(snapshot) = Snapshot::build(routes, &Services::default(), &mut diagnostics) else {
        return mistaken(&diagnostics);
    };
    assert_eq!(diagnostics.errors(), 0, "mistakes in what is built");
    assert_eq!(snapshot.routes().len(), routes.len().max(1));
    for route in routes {
        let named = snapshot.named(&route.name).expect("a route of this name");
        assert_eq!(named.name, **route.name);
        for host in route.hosts.iter().map(|host| (**host).to_string()) {
            // One that is written whole is nobody else's; of several, the table has tests of its own.
            let is_whole = !host.starts_with('~') && !host.contains(['*', '?']);
            let found = snapshot.lookup(&host).map(|route| route.name.as_str());
            assert!(!is_whole || found == Some(&named.name), "{host} finds {found:?}");
            assert!(host != "*" || snapshot.lookup("nobody.example.com").is_some());
        }
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
