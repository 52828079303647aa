//! The names of places, as players type them and routes fall back to them: which of them lead nowhere, and which nobody can say.

use crate::adapters::DiscoverySection;
use crate::section::RouteSection;
use drawbridge_config::{Diagnostic, Diagnostics, Located, Origin};
use drawbridge_model::PlaceName;
use std::collections::HashMap;

/// Reports what is unwise among the names of a route with sessions.
pub(super) fn check(section: &RouteSection, sections: &[RouteSection], diagnostics: &mut Diagnostics) {
    if !section.mode.is_session() {
        return;
    }
    let targets = targets(section);
    for warning in targets.iter().flat_map(|targets| unsaid(targets)) {
        diagnostics.push(warning);
    }
    let targets = targets.as_deref();
    for place in &section.session.fallback {
        nowhere(place, targets, sections).into_iter().for_each(|warning| diagnostics.push(warning));
    }
}

/// The identifiers of a route's targets; `None` where only its discovery knows them.
fn targets(section: &RouteSection) -> Option<Vec<Located<String>>> {
    match section.discovery().as_ref() {
        DiscoverySection::Fixed(fixed) => {
            let named = fixed.targets.iter().map(|target| (target.target().identifier, target.origin()));
            Some(named.map(|(identifier, origin)| Located::new(identifier, origin.clone())).collect())
        }
        _ => None,
    }
}

/// Identifiers that players can't type, or by which they get to another target.
fn unsaid(targets: &[Located<String>]) -> Vec<Diagnostic> {
    let mut warnings = Vec::new();
    let mut first: HashMap<String, (&str, &Origin)> = HashMap::new();
    for target in targets {
        let identifier = target.as_str();
        if identifier.contains(char::is_whitespace) {
            let warning = Diagnostic::warning(target.origin(), format!("nobody can type {identifier:?}"));
            warnings.push(warning.help("/server takes names without blanks: call it \"old_lobby\", say"));
        }
        match first.get(&identifier.to_ascii_lowercase()) {
            // The very same is an error elsewhere.
            Some((other, _)) if *other == identifier => {}
            Some((other, origin)) => {
                let message = format!("{other:?} and {identifier:?} differ in case alone");
                let warning =
                    Diagnostic::warning(target.origin(), message).related(origin, "the first is here");
                warnings.push(
                    warning.help("/server takes a name in whatever case, and one of them is always meant"),
                );
            }
            None => drop(first.insert(identifier.to_ascii_lowercase(), (identifier, target.origin()))),
        }
    }
    warnings
}

/// A place of `fallback` that there isn't, as far as that can be known: `targets` are those of the route.
fn nowhere(
    place: &Located<String>,
    targets: Option<&[Located<String>]>,
    sections: &[RouteSection],
) -> Option<Diagnostic> {
    if place.trim().is_empty() {
        return Some(Diagnostic::warning(place.origin(), "an empty name is no place").help(HELP));
    }
    // Discovery may know it.
    let targets = targets?;
    let is_among =
        |targets: &[Located<String>], name: PlaceName<'_>| targets.iter().any(|target| name.is(target));
    let name = PlaceName(place);
    let leads_to = |section: &RouteSection| {
        let is_there = |name| self::targets(section).is_none_or(|targets| is_among(&targets, name));
        name.is(&section.name) || name.at(&section.name).is_some_and(is_there)
    };
    if is_among(targets, name) || sections.iter().filter(|section| section.mode.is_session()).any(leads_to) {
        return None;
    }
    let message = format!("there is no place named {:?}", place.as_str());
    Some(Diagnostic::warning(place.origin(), message).help(HELP))
}

const HELP: &str =
    "a place is a target of this route, by its identifier, a route with sessions, or \"route/target\"";
