//! Which route a host belongs to.
//!
//! What must stay true: the order is exact host, wildcard with the longest suffix, patterns with `*` or `?` elsewhere in file
//! order, regular expressions in file order, default route; exact hosts and wildcards cost time by the number of the host's
//! labels alone, however many routes there are, and no allocation.

use crate::host::is_sane;
use crate::pattern::{HostPattern, Matching, compile};
use regex::RegexSet;
use std::collections::HashMap;
use std::collections::hash_map::Entry;

/// How many expressions are looked for in one pass.
const CHUNK: usize = 64;

/// Routes by host.
#[derive(Debug)]
pub struct Table<R> {
    routes: Vec<R>,
    exact: HashMap<Box<str>, u32>,
    /// By suffix, without the `*.`.
    wildcards: HashMap<Box<str>, u32>,
    /// The most labels of a wildcard's suffix; 0 without wildcards.
    deepest: usize,
    /// The most bytes of an exact host, so that longer ones aren't hashed.
    longest: usize,
    globs: Expressions,
    regexes: Expressions,
    default: Option<u32>,
}

impl<R> Default for Table<R> {
    /// Without any route.
    fn default() -> Self {
        Self {
            routes: Vec::new(),
            exact: HashMap::new(),
            wildcards: HashMap::new(),
            deepest: 0,
            longest: 0,
            globs: Expressions::default(),
            regexes: Expressions::default(),
            default: None,
        }
    }
}

/// Regular expressions in file order.
#[derive(Debug, Default)]
struct Expressions {
    chunks: Vec<RegexSet>,
    routes: Vec<u32>,
}

/// Two routes want the same hosts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Conflict {
    /// The route that had it first, by its position among the routes.
    pub route: usize,
}

/// A table in the making.
#[derive(Debug, Default)]
pub struct TableBuilder {
    exact: HashMap<Box<str>, u32>,
    wildcards: HashMap<Box<str>, u32>,
    globs: Vec<(String, u32)>,
    regexes: Vec<(String, u32)>,
    expressions: HashMap<String, u32>,
    default: Option<u32>,
}

impl TableBuilder {
    /// Gives the hosts of `pattern` to the route at position `route` of those that [`build`](Self::build) will get.
    ///
    /// # Errors
    /// When a pattern of the same text was there before, in another route or in this one.
    pub fn insert(&mut self, pattern: &HostPattern, route: usize) -> Result<(), Conflict> {
        // More than 2³² routes don't fit a file.
        let route = u32::try_from(route).unwrap_or(u32::MAX);
        match pattern.matching() {
            Matching::Exact(host) => claim(self.exact.entry(host.into()), route),
            Matching::Wildcard(suffix) => claim(self.wildcards.entry(suffix.into()), route),
            Matching::Glob(program) => {
                claim(self.expressions.entry(pattern.to_string()), route)?;
                self.globs.push((program.to_owned(), route));
                Ok(())
            }
            Matching::Regex(expression) => {
                claim(self.expressions.entry(pattern.to_string()), route)?;
                self.regexes.push((expression.to_owned(), route));
                Ok(())
            }
            Matching::Any => match self.default {
                Some(first) => Err(Conflict { route: first as usize }),
                None => {
                    self.default = Some(route);
                    Ok(())
                }
            },
        }
    }

    /// The table over `routes`.
    ///
    /// # Errors
    /// When the regular expressions are too large together, which those that were read one by one never are.
    ///
    /// # Panics
    /// [`Table::lookup`] does when a position given to [`insert`](Self::insert) is beyond the end of `routes`.
    pub fn build<R>(self, routes: Vec<R>) -> Result<Table<R>, regex::Error> {
        let longest = self.exact.keys().map(|host| host.len()).max().unwrap_or(0);
        let deepest = self.wildcards.keys().map(|suffix| suffix.split('.').count()).max().unwrap_or(0);
        Ok(Table {
            routes,
            exact: self.exact,
            wildcards: self.wildcards,
            deepest,
            longest,
            globs: Expressions::new(self.globs)?,
            regexes: Expressions::new(self.regexes)?,
            default: self.default,
        })
    }
}

fn claim<K>(entry: Entry<'_, K, u32>, route: u32) -> Result<(), Conflict> {
    match entry {
        Entry::Occupied(first) => Err(Conflict { route: *first.get() as usize }),
        Entry::Vacant(free) => {
            free.insert(route);
            Ok(())
        }
    }
}

impl<R> Table<R> {
    /// The route for a host that [`clean_host`](crate::clean_host) has cleaned. Hosts that can't be anybody's name have the
    /// default route alone.
    #[must_use]
    pub fn lookup(&self, host: &str) -> Option<&R> {
        let default = || self.default.map(|index| &self.routes[index as usize]);
        self.lookup_named(host).or_else(default)
    }

    /// As [`Table::lookup`], without the default route.
    #[must_use]
    pub fn lookup_named(&self, host: &str) -> Option<&R> {
        let named = if is_sane(host) { self.named(host) } else { None };
        named.map(|index| &self.routes[index as usize])
    }

    fn named(&self, host: &str) -> Option<u32> {
        let exact = if host.len() <= self.longest { self.exact.get(host).copied() } else { None };
        exact
            .or_else(|| self.wildcard(host))
            .or_else(|| self.globs.first(host))
            .or_else(|| self.regexes.first(host))
    }

    /// Each suffix that begins behind a dot, the longest first. None has more labels than the deepest wildcard's, so that
    /// the front of a host of a hundred labels isn't looked at.
    fn wildcard(&self, host: &str) -> Option<u32> {
        let dots = || host.bytes().enumerate().rev().filter(|(_, byte)| *byte == b'.').map(|(at, _)| at);
        let first = dots().take(self.deepest).last()?;
        host[first..]
            .match_indices('.')
            .find_map(|(dot, _)| self.wildcards.get(&host[first + dot + 1..]))
            .copied()
    }

    /// Every route, in the order in which they were given.
    #[must_use]
    pub fn routes(&self) -> &[R] {
        &self.routes
    }
}

impl Expressions {
    fn new(expressions: Vec<(String, u32)>) -> Result<Self, regex::Error> {
        let chunks = expressions.chunks(CHUNK).map(|chunk| {
            let chunk: Vec<&str> = chunk.iter().map(|(expression, _)| expression.as_str()).collect();
            compile(&chunk)
        });
        let chunks = chunks.collect::<Result<_, _>>()?;
        Ok(Self { chunks, routes: expressions.into_iter().map(|(_, route)| route).collect() })
    }

    /// The first in file order that matches.
    fn first(&self, host: &str) -> Option<u32> {
        let position = self.chunks.iter().enumerate().find_map(|(chunk, set)| {
            set.matches(host).iter().next().map(|position| chunk * CHUNK + position)
        })?;
        self.routes.get(position).copied()
    }
}

#[cfg(test)]
mod tests;
