//! The edge's own commands beside those of a backend: which a client is shown, which of what it types is the edge's, and what completes a
//! half-typed one.
//!
//! What must stay true: what a player may not use isn't there for them, and goes to the backend as whatever else does; a name that the
//! backend has too is the backend's, and the edge's own by its full name; nothing that is the edge's gets to a backend.

use drawbridge_protocol::ProtocolVersion;
use drawbridge_protocol::carry::FrameWriter;
use drawbridge_protocol::packet::play::{
    self, Argument, Command, Completion, CompletionRequest, extend_completion,
};
use drawbridge_protocol::wire::Decoder;

use crate::packets;

/// What stands before the name of a command to say that it is the edge's.
const OWN: &str = "drawbridge:";

/// The most matches of a backend that are looked through for names of the edge's.
const MATCHES: usize = 10_000;

/// The most characters of a match.
const MATCH: usize = 32_767;

/// Something half-typed that the edge completes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HalfTyped {
    /// Names the request, since 1.13.
    id: i32,
    /// All that stands left of the cursor.
    text: String,
    /// Where in it the command begins, without slash and full name.
    begin: usize,
}

impl HalfTyped {
    /// The command, up to the cursor, without the slash.
    #[must_use]
    pub fn command(&self) -> &str {
        &self.text[self.begin..]
    }
}

/// What is to become of a request to complete something.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// The edge completes it.
    Own(HalfTyped),
    /// The backend does.
    Passes,
    /// It has been answered.
    Answered,
}

/// The edge's own commands, as the client has been told of them.
#[derive(Debug)]
pub(super) struct Commands {
    /// The names of all that there are.
    all: &'static [&'static str],
    /// Those that the player may use.
    permitted: Vec<&'static str>,
    /// Those that the backend has too.
    taken: Vec<&'static str>,
    /// Before 1.13: what is beside the backend's answer to the one request that is open.
    beside: Vec<String>,
}

impl Commands {
    pub(super) const fn new(all: &'static [&'static str]) -> Self {
        Self { all, permitted: Vec::new(), taken: Vec::new(), beside: Vec::new() }
    }

    /// The player may use these from now on, and no others; whether that is another choice.
    pub(super) fn permit(&mut self, commands: &[&'static str]) -> bool {
        let before = std::mem::replace(&mut self.permitted, commands.to_vec());
        before != self.permitted
    }

    /// There is no backend any more whose commands could be named alike.
    pub(super) fn leave_backend(&mut self) {
        self.taken.clear();
        self.beside.clear();
    }

    /// Where in a command, which stands without its slash, what the edge goes by begins, if it is the edge's. Without a backend all are.
    pub(super) fn own(&self, command: &str, alone: bool) -> Option<usize> {
        let name = command.split(' ').next().unwrap_or_default();
        if let Some(own) = name.strip_prefix(OWN)
            && self.all.contains(&own)
        {
            return Some(OWN.len());
        }
        let is_ours = self.permitted.contains(&name) && !self.taken.contains(&name);
        (alone || is_ours).then_some(0)
    }

    /// The backend's commands and the edge's own beside them, of which those that the backend has too go by their full names. `None`: they
    /// can't stand beside them.
    pub(super) fn beside(&mut self, version: ProtocolVersion, fields: &[u8]) -> Option<Vec<u8>> {
        let of_backend = play::root_commands(fields).map(|commands| commands.names).unwrap_or_default();
        self.taken = self.all.iter().copied().filter(|name| of_backend.contains(name)).collect();
        let names = self
            .permitted
            .iter()
            .map(|name| if self.taken.contains(name) { format!("{OWN}{name}") } else { (*name).to_owned() });
        let names: Vec<_> = names.collect();
        let argument = Some(Argument { name: "arguments", greedy: true });
        let commands: Vec<_> = names.iter().map(|name| Command { name, argument }).collect();
        if commands.is_empty() { None } else { play::extend_commands(version, fields, &commands) }
    }

    /// Tells a client that no backend has of the edge's commands.
    pub(super) fn declare(&mut self, version: ProtocolVersion, client: &mut FrameWriter) {
        self.leave_backend();
        let tree = self.beside(version, play::NO_COMMANDS);
        // That there are none has to be said too, where there were some before.
        let tree = tree.or_else(|| play::extend_commands(version, play::NO_COMMANDS, &[]));
        if let Some(tree) = tree {
            packets::body(&tree, client);
        }
    }

    /// What becomes of what a client wants completed; `alone`: no backend is there to do it.
    pub(super) fn asked(
        &mut self,
        version: ProtocolVersion,
        fields: &[u8],
        alone: bool,
        client: &mut FrameWriter,
    ) -> Fate {
        self.beside.clear();
        let Ok(request) = CompletionRequest::read(version, fields) else { return Fate::Passes };
        let id = request.id.unwrap_or_default();
        let command = request.text.strip_prefix('/').filter(|_| !request.assumes_command);
        match command {
            Some(command) if command.contains(' ') => {
                if let Some(begin) = self.own(command, alone) {
                    let begin = begin + '/'.len_utf8();
                    return Fate::Own(HalfTyped { id, text: request.text.to_owned(), begin });
                }
            }
            // Since 1.13 clients know the names from the tree.
            Some(begun) if request.id.is_none() => self.beside = self.names(begun),
            _ => {}
        }
        if !alone {
            return Fate::Passes;
        }
        let names = std::mem::take(&mut self.beside);
        let request = HalfTyped { id, text: request.text.to_owned(), begin: 0 };
        complete(version, &request, &names, client);
        Fate::Answered
    }

    /// The commands, with their slash, that begin like this.
    fn names(&self, begun: &str) -> Vec<String> {
        let full = self.permitted.iter().map(|name| format!("{OWN}{name}")).filter(|_| begun.contains(':'));
        let names = self.permitted.iter().map(|name| (*name).to_owned()).chain(full);
        names.filter(|name| name.starts_with(begun)).map(|name| format!("/{name}")).collect()
    }

    /// Whether something stands beside the next answer of the backend.
    #[inline]
    pub(super) const fn awaits_answer(&self) -> bool {
        !self.beside.is_empty()
    }

    /// The backend's answer with the edge's own names beside it; `None` where none are to be, or it can't be read.
    pub(super) fn answered(&mut self, version: ProtocolVersion, fields: &[u8]) -> Option<Vec<u8>> {
        let mut own = std::mem::take(&mut self.beside);
        let mut matches = Decoder::new(fields);
        for _ in 0..matches.length("matches", MATCHES).ok()? {
            let known = matches.string("match", MATCH).ok()?;
            own.retain(|name| name != known);
        }
        let own: Vec<_> = own.iter().map(String::as_str).collect();
        let mut answer = Vec::new();
        let has = extend_completion(version, fields, &own, &mut answer).ok()?;
        has.then_some(answer)
    }
}

/// Offers a client these for the word that it has begun.
pub(super) fn complete(
    version: ProtocolVersion,
    request: &HalfTyped,
    matches: &[String],
    client: &mut FrameWriter,
) {
    let HalfTyped { id, text, .. } = request;
    let word = text.rsplit(' ').next().unwrap_or_default();
    let units = |text: &str| i32::try_from(text.encode_utf16().count()).unwrap_or(i32::MAX);
    let matches: Vec<_> = matches.iter().map(String::as_str).collect();
    let (start, length) = (units(&text[..text.len() - word.len()]), units(word));
    let completion = Completion { id: *id, start, length, matches: &matches };
    packets::say(client, |out| completion.write(version, out));
}

#[cfg(test)]
mod tests;
