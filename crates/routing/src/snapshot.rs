//! All routes as one value, built from their sections.

mod places;

use crate::adapters::Services;
use crate::pattern::HostPattern;
use crate::route::Route;
use crate::section::{Delivery, RouteSection, built_in_route};
use crate::table::{Table, TableBuilder};
use drawbridge_adapter::localization::FixedLocalizationSection;
use drawbridge_adapter::status::FixedStatusSection;
use drawbridge_adapter::{localization, status};
use drawbridge_config::{Diagnostic, Diagnostics, Located, Origin};
use drawbridge_model::{LocalizationAdapter, StatusDocument};
use std::collections::HashMap;
use std::sync::Arc;

/// Routes as they are at one time.
#[derive(Debug)]
pub struct Snapshot {
    table: Table<Arc<Route>>,
    /// The places of routes among all, by name.
    names: HashMap<String, usize>,
    /// The words that players read where there is no route.
    pub localization: Arc<dyn LocalizationAdapter>,
    /// What the server list shows where there is no route.
    pub default_status: Arc<StatusDocument>,
}

impl Snapshot {
    /// Builds the routes of all documents; without any, one for every host that has no target. What is wrong between them is
    /// added to `diagnostics`; `None` when that is an error. What adapters do in the background begins with the snapshot
    /// and ends with it.
    pub fn build(
        sections: &[RouteSection],
        services: &Services,
        diagnostics: &mut Diagnostics,
    ) -> Option<Self> {
        let built_in;
        let sections = match sections {
            [] => {
                built_in = [built_in_route()];
                &built_in
            }
            written => written,
        };
        let errors = diagnostics.errors();
        check_routes(sections, diagnostics);
        let table = claim_hosts(sections, diagnostics);
        if diagnostics.errors() > errors {
            return None;
        }
        let routes = sections.iter().map(|section| Arc::new(Route::new(section, services)));
        let table = match table.build(routes.collect()) {
            Ok(table) => table,
            Err(error) => {
                let message = format!("the hosts' regular expressions can't be used together: {error}");
                diagnostics.push(Diagnostic::error(&Origin::nowhere(), message));
                return None;
            }
        };
        let names = table.routes().iter().enumerate();
        let names = names.map(|(position, route)| (route.name.clone(), position)).collect();
        Some(Self { table, names, ..Self::without_routes() })
    }

    /// No route at all, not even the built-in one; nothing is done in the background for it.
    #[must_use]
    pub fn without_routes() -> Self {
        Self {
            table: Table::default(),
            names: HashMap::new(),
            localization: Arc::new(localization::Fixed::new(&FixedLocalizationSection::default())),
            default_status: status::Fixed::new(&FixedStatusSection::default(), None).document(),
        }
    }

    /// The route for a host that [`clean_host`](crate::clean_host) has cleaned.
    #[must_use]
    pub fn lookup(&self, host: &str) -> Option<&Arc<Route>> {
        self.table.lookup(host)
    }

    /// As [`Snapshot::lookup`], without the default route.
    #[must_use]
    pub fn lookup_named(&self, host: &str) -> Option<&Arc<Route>> {
        self.table.lookup_named(host)
    }

    /// The route that relays those clients of `route` whose version the edge doesn't speak.
    #[must_use]
    pub fn beside(&self, route: &Route) -> Option<&Arc<Route>> {
        self.named(route.session.unknown_versions.as_ref()?)
    }

    /// The route of this name.
    #[must_use]
    pub fn named(&self, name: &str) -> Option<&Arc<Route>> {
        self.routes().get(*self.names.get(name)?)
    }

    /// Every route, in the order in which they were written.
    #[must_use]
    pub fn routes(&self) -> &[Arc<Route>] {
        self.table.routes()
    }
}

/// Reports names that two routes have or none has, and what the adapters' own sections couldn't see.
fn check_routes(sections: &[RouteSection], diagnostics: &mut Diagnostics) {
    let mut first: HashMap<&str, &Origin> = HashMap::new();
    for section in sections {
        if let Some(other) = first.insert(&section.name, section.name.origin()) {
            let message = format!("a second route named {:?}", section.name.as_str());
            let mistake = Diagnostic::error(section.name.origin(), message);
            diagnostics.push(mistake.related(other, "the first is here").help("give each a name of its own"));
        }
        if let Some(mistake) = section.status().mistake() {
            diagnostics.push(mistake);
        }
        no_relay(section, sections).into_iter().for_each(|mistake| diagnostics.push(mistake));
        places::check(section, sections, diagnostics);
    }
}

/// A name of a route that should relay and doesn't.
fn no_relay(section: &RouteSection, sections: &[RouteSection]) -> Option<Diagnostic> {
    let name = section.session.unknown_versions.as_ref()?;
    let message = match sections.iter().find(|other| *other.name == **name) {
        None => format!("there is no route named {:?}", name.as_str()),
        Some(other) => match other.mode.delivery() {
            Delivery::Relay(_) | Delivery::ByVersion(_) => return None,
            Delivery::Transfer | Delivery::Session { .. } => {
                format!("the route {:?} doesn't relay clients of every version", name.as_str())
            }
        },
    };
    Some(Diagnostic::error(name.origin(), message).help("name a route of the mode \"passthrough\""))
}

/// Gives each host to its route, and reports those that two want.
fn claim_hosts(sections: &[RouteSection], diagnostics: &mut Diagnostics) -> TableBuilder {
    let mut table = TableBuilder::default();
    // Where each pattern stood first, since the table knows only the route.
    let mut first: HashMap<&HostPattern, &Origin> = HashMap::new();
    for (position, section) in sections.iter().enumerate() {
        for host in &section.hosts {
            if let Err(conflict) = table.insert(host, position) {
                let mistake = contested(host, section, sections.get(conflict.route));
                diagnostics.push(match first.get(&**host) {
                    Some(origin) => mistake.related(origin, "the first is here"),
                    None => mistake,
                });
            } else {
                first.insert(host, host.origin());
            }
        }
    }
    table
}

fn contested(
    host: &Located<HostPattern>,
    section: &RouteSection,
    holder: Option<&RouteSection>,
) -> Diagnostic {
    let (name, pattern) = (section.name.as_str(), host.to_string());
    let message = match holder {
        Some(holder) if holder.name != section.name => {
            format!("routes {:?} and {name:?} both have the host {pattern:?}", holder.name.as_str())
        }
        _ => format!("route {name:?} has the host {pattern:?} twice"),
    };
    Diagnostic::error(host.origin(), message)
}

#[cfg(test)]
mod tests;
