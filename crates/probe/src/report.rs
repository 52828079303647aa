//! What a probe found: its steps in order.
//!
//! What must stay true: all text in a step has been [cleaned](super::clean), so that whoever shows it need not think of it.

use super::address::Address;
use super::clean::{clean, clean_value};
use super::fault::Fault;
use serde_json::{Map, Value};
use std::time::Duration;

macro_rules! steps {
    ($($(#[doc = $doc:literal])* $step:ident = $name:literal,)+) => {
        /// The steps of a client's way in, in their order.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub(super) enum Step {
            $($(#[doc = $doc])* $step,)+
        }

        impl Step {
            pub(super) const ALL: &[Self] = &[$(Self::$step),+];

            pub(super) const fn name(self) -> &'static str {
                match self {
                    $(Self::$step => $name,)+
                }
            }
        }
    };
}

steps! {
    /// The SRV record of the host.
    Srv = "srv",
    /// Its addresses.
    Dns = "dns",
    /// A TCP connection.
    Connect = "connect",
    /// The server list's question.
    Status = "status",
    /// The server list's ping.
    Ping = "ping",
    /// A second TCP connection, for the login.
    Reconnect = "reconnect",
    /// Login Start to the first answer that decides anything.
    Login = "login",
    /// The server's key, and the cipher.
    Encryption = "encryption",
    /// Telling the session server of the join.
    Session = "session",
    /// Login Success.
    Success = "success",
    /// The configuration state to its end.
    Configuration = "configuration",
    /// The Transfer packet.
    Transfer = "transfer",
}

/// How a step went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    Ok,
    Failed,
    Skipped,
}

impl Outcome {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
        }
    }
}

/// What a step that went well has to tell.
#[derive(Debug, Default)]
pub(super) struct Passed {
    /// For people.
    pub detail: String,
    /// For programs.
    pub facts: Map<String, Value>,
    /// What went well but may not go well for everybody.
    pub warnings: Vec<String>,
}

impl Passed {
    pub(super) fn new(detail: impl Into<String>) -> Self {
        Self { detail: detail.into(), ..Self::default() }
    }

    pub(super) fn with(mut self, fact: &str, value: impl Into<Value>) -> Self {
        self.facts.insert(fact.into(), value.into());
        self
    }

    pub(super) fn warn(mut self, warning: impl Into<String>) -> Self {
        self.warnings.push(warning.into());
        self
    }
}

/// A step that was taken, or not.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub step: Step,
    pub outcome: Outcome,
    /// None for what was skipped.
    pub elapsed: Option<Duration>,
    pub detail: String,
    /// What a failure means and how to mend it; empty where nothing failed.
    pub meaning: String,
    pub warnings: Vec<String>,
    pub facts: Value,
}

/// The steps of one probe.
#[derive(Debug)]
pub(super) struct Report {
    pub address: Address,
    pub entries: Vec<Entry>,
}

impl Report {
    pub(super) const fn new(address: Address) -> Self {
        Self { address, entries: Vec::new() }
    }

    /// Notes how a step went. True when it went well.
    pub(super) fn add(&mut self, step: Step, elapsed: Duration, result: Result<Passed, Fault>) -> bool {
        let outcome = if result.is_ok() { Outcome::Ok } else { Outcome::Failed };
        let (passed, meaning) = match result {
            Ok(passed) => (passed, String::new()),
            Err(fault) => (Passed::new(fault.to_string()), fault.meaning(step)),
        };
        let mut facts = Value::Object(passed.facts);
        clean_value(&mut facts);
        self.entries.push(Entry {
            step,
            outcome,
            elapsed: Some(elapsed),
            detail: clean(&passed.detail),
            meaning: clean(&meaning),
            warnings: passed.warnings.iter().map(|warning| clean(warning)).collect(),
            facts,
        });
        outcome == Outcome::Ok
    }

    /// Notes that a step was left out.
    pub(super) fn skip(&mut self, step: Step, reason: &str) {
        self.entries.push(Entry {
            step,
            outcome: Outcome::Skipped,
            elapsed: None,
            detail: clean(reason),
            meaning: String::new(),
            warnings: Vec::new(),
            facts: Value::Object(Map::new()),
        });
    }

    /// Notes that all steps up to `last` that stand neither among the taken nor among the skipped were left out, and
    /// puts the steps in order.
    pub(super) fn skip_rest(&mut self, last: Step, reason: &str) {
        for &step in Step::ALL.iter().filter(|&&step| step <= last) {
            if !self.entries.iter().any(|entry| entry.step == step) {
                self.skip(step, reason);
            }
        }
        self.entries.sort_by_key(|entry| entry.step);
    }

    /// Whether nothing failed.
    pub(super) fn is_ok(&self) -> bool {
        self.entries.iter().all(|entry| entry.outcome != Outcome::Failed)
    }
}
