//! Who keeps a name or a host that two routes want, where one of them comes from a provider: the earlier, since nobody who writes a label
//! sees what the files say.
//!
//! What must stay true: no pattern of a route of files gives way to the same one; a route that does is told of, with both routes and both documents.

use crate::pattern::HostPattern;
use crate::section::RouteSection;
use drawbridge_config::{Diagnostic, Diagnostics, Origin};
use std::collections::HashMap;

/// Takes from `sections` what gives way: of the routes whose document `yields`, those whose name an earlier route of another document has,
/// and of the others the hosts that such a route has. A route that has lost all of its hosts goes too.
pub fn settle(
    sections: &mut Vec<RouteSection>,
    yields: impl Fn(&Origin) -> bool,
    diagnostics: &mut Diagnostics,
) {
    let lost = lost(sections, yields, diagnostics);
    let mut lost = lost.into_iter().peekable();
    let mut position = 0;
    sections.retain_mut(|section| {
        let losses = lost.next_if(|(of, _)| *of == position);
        position += 1;
        match losses {
            None => true,
            Some((_, Losses::Name)) => false,
            Some((_, Losses::Hosts(hosts))) => {
                let mut host = 0;
                section.hosts.retain(|_| {
                    host += 1;
                    !hosts.contains(&(host - 1))
                });
                !section.hosts.is_empty()
            }
        }
    });
}

/// What a route loses.
enum Losses {
    /// Its name, and all with it.
    Name,
    /// Hosts, by their positions.
    Hosts(Vec<usize>),
}

/// The routes that lose something, by their positions.
fn lost(
    sections: &[RouteSection],
    yields: impl Fn(&Origin) -> bool,
    diagnostics: &mut Diagnostics,
) -> Vec<(usize, Losses)> {
    let mut lost = Vec::new();
    let mut names: HashMap<&str, &RouteSection> = HashMap::new();
    let mut hosts: HashMap<&HostPattern, &RouteSection> = HashMap::new();
    for (position, section) in sections.iter().enumerate() {
        let yields = yields(section.name.origin());
        let holder =
            names.get(section.name.as_str()).filter(|holder| yields && document(holder) != document(section));
        if let Some(holder) = holder {
            diagnostics.push(second_of_name(section, holder));
            lost.push((position, Losses::Name));
            continue;
        }
        let mut losses = Vec::new();
        for (at, host) in section.hosts.iter().enumerate() {
            let holder = hosts.get(&**host).filter(|holder| yields && document(holder) != document(section));
            match holder {
                Some(holder) => {
                    diagnostics.push(contested(host, host.origin(), section, holder));
                    losses.push(at);
                }
                None => {
                    hosts.entry(host).or_insert(section);
                }
            }
        }
        if !losses.is_empty() && losses.len() == section.hosts.len() {
            let warning = Diagnostic::warning(section.name.origin(), left_out(section));
            diagnostics.push(warning.label("other routes have all of its hosts"));
        }
        if !losses.is_empty() {
            lost.push((position, Losses::Hosts(losses)));
        }
        names.entry(&section.name).or_insert(section);
    }
    lost
}

fn document(section: &RouteSection) -> &str {
    section.name.origin().file().unwrap_or_default()
}

fn left_out(section: &RouteSection) -> String {
    format!("route {:?} of {} is left out", section.name.as_str(), document(section))
}

fn second_of_name(section: &RouteSection, holder: &RouteSection) -> Diagnostic {
    let reason = format!("a route of that name is in {}", document(holder));
    let warning = Diagnostic::warning(section.name.origin(), left_out(section)).label(reason);
    warning.related(holder.name.origin(), "it is here").help("give each a name of its own")
}

fn contested(
    host: &HostPattern,
    origin: &Origin,
    section: &RouteSection,
    holder: &RouteSection,
) -> Diagnostic {
    let (name, holders) = (section.name.as_str(), holder.name.as_str());
    let message = format!(
        "routes {holders:?} of {} and {name:?} of {} both have the host {:?}",
        document(holder),
        document(section),
        host.to_string()
    );
    let warning = Diagnostic::warning(origin, message).label(format!("route {holders:?} keeps it"));
    warning.related(holder.name.origin(), "it is here").help("take it from one of them")
}

#[cfg(test)]
mod tests {
    use super::*;
    use drawbridge_config::{Document, Root, section};

    section! {
        /// Routes of several documents.
        struct Whole {
            /// The routes.
            routes: Vec<RouteSection>,
        }
    }

    /// What is left of routes, as `name: hosts`, and what is said; a route is written as document, name and hosts.
    fn settled(routes: &[(&str, &str, &str)]) -> (Vec<String>, Vec<String>) {
        let mut root = Root::new(None, &["routes"]);
        for (document, name, hosts) in routes {
            let text = format!(
                "[[routes]]\nname = '{name}'\nhosts = [{hosts}]\nmode = 'transfer'\ntargets = ['a:1']\n"
            );
            root.append(vec![Document::parse(*document, text)]);
        }
        let mut loaded = root.read::<Whole>().unwrap();
        let yields = |origin: &Origin| origin.file().is_some_and(|file| file.contains(':'));
        settle(&mut loaded.settings.routes, yields, &mut loaded.diagnostics);
        let left = loaded.settings.routes.iter().map(|route| {
            let hosts: Vec<_> = route.hosts.iter().map(|host| host.to_string()).collect();
            format!("{}: {}", &*route.name, hosts.join(" "))
        });
        let said = loaded.diagnostics.iter().map(|warning| {
            assert_eq!(warning.severity(), drawbridge_config::Severity::Warning);
            format!("{}; {}", warning.message(), warning.reason().unwrap_or_default())
        });
        (left.collect(), said.collect())
    }

    #[test]
    fn the_earlier_keeps_a_host_and_the_later_its_others() {
        let (left, said) = settled(&[
            ("routes/a.toml", "a", "'a.example.com', '*.example.com'"),
            ("docker:b", "b", "'A.example.com', 'b.example.com'"),
            ("kubernetes:x/c", "c", "'b.example.com', 'c.example.com', '*'"),
        ]);
        assert_eq!(left, ["a: a.example.com *.example.com", "b: b.example.com", "c: c.example.com *"]);
        assert_eq!(
            said,
            [
                "routes \"a\" of routes/a.toml and \"b\" of docker:b both have the host \"a.example.com\"; route \"a\" keeps it",
                "routes \"b\" of docker:b and \"c\" of kubernetes:x/c both have the host \"b.example.com\"; route \"b\" keeps it",
            ]
        );
    }

    #[test]
    fn a_name_is_kept_with_all_hosts_and_who_has_none_left_goes() {
        let (left, said) = settled(&[
            ("routes/a.toml", "lobby", "'a.example.com'"),
            ("docker:a", "lobby", "'b.example.com'"),
            ("docker:b", "other", "'b.example.com'"),
            ("docker:c", "third", "'b.example.com', 'a.example.com'"),
        ]);
        assert_eq!(left, ["lobby: a.example.com", "other: b.example.com"]);
        assert_eq!(said.len(), 4, "{said:#?}");
        assert_eq!(
            said[0],
            "route \"lobby\" of docker:a is left out; a route of that name is in routes/a.toml"
        );
        assert!(said[1..].contains(
            &"route \"third\" of docker:c is left out; other routes have all of its hosts".to_owned()
        ));
    }

    #[test]
    fn files_give_way_to_nobody_and_nobody_to_themselves() {
        let routes = [
            ("routes/a.toml", "a", "'a.example.com'"),
            ("routes/b.toml", "a", "'a.example.com'"),
            ("docker:c", "c", "'c.example.com', 'c.example.com'"),
        ];
        let (left, said) = settled(&routes);
        assert_eq!(left, ["a: a.example.com", "a: a.example.com", "c: c.example.com c.example.com"]);
        assert!(said.is_empty(), "these are errors, which are told elsewhere: {said:?}");
    }
}
