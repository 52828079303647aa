//! Spans: what a connection and the questions to adapters look like in traces.
//!
//! Whether a connection is traced is decided once, where it begins, and stands in its [`TraceContext`], which also travels to adapters
//! and in the session cookie. A span is written down whole when it ends.
//!
//! What must stay true: a connection that isn't traced pays for a look at one flag; nothing here waits for a collector.

use crate::metrics::Answer;
use drawbridge_model::{Client, TraceContext};
use std::fmt::Display;
use std::time::{Instant, SystemTime};

#[cfg(feature = "otlp")]
use crate::otlp::spans;

/// The flag of a context that is traced.
const SAMPLED: u8 = 1;

/// Whether anybody asked for traces.
#[must_use]
pub fn is_on() -> bool {
    #[cfg(feature = "otlp")]
    return spans::is_on();
    #[cfg(not(feature = "otlp"))]
    return false;
}

/// The flags for a trace that begins here.
#[must_use]
pub fn flags(trace_id: u128) -> u8 {
    #[cfg(feature = "otlp")]
    return if spans::samples(trace_id) { SAMPLED } else { 0 };
    #[cfg(not(feature = "otlp"))]
    {
        let _ = trace_id;
        0
    }
}

/// Whether spans of this context are written down.
#[must_use]
pub fn is_traced(context: &TraceContext) -> bool {
    context.flags & SAMPLED != 0 && is_on()
}

/// A value that a span tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// A text.
    Text(String),
    /// A number.
    Number(i64),
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Number(number)
    }
}

/// What a span says it stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Somebody was served.
    Server,
    /// Somebody was asked.
    Client,
    /// Neither.
    Internal,
}

/// A piece of a trace that has ended.
#[derive(Debug)]
pub struct Span {
    /// Its own ids.
    pub context: TraceContext,
    /// The span that it is part of; zero: none.
    pub parent: u64,
    /// Whether that is another process'.
    pub remote: bool,
    /// What it is called.
    pub name: &'static str,
    /// What it stands for.
    pub role: Role,
    /// When it began.
    pub start: SystemTime,
    /// When it ended.
    pub end: SystemTime,
    /// What is known of it.
    pub attributes: Vec<(&'static str, Value)>,
    /// What went wrong, if anything did.
    pub error: Option<String>,
}

impl Span {
    /// Writes it down, unless there is nobody to write for or too much waits to be sent.
    pub fn finish(self) {
        #[cfg(feature = "otlp")]
        spans::finish(self);
    }
}

/// When something was, by the clock on the wall.
#[must_use]
pub fn wall_clock(instant: Instant) -> SystemTime {
    let now = SystemTime::now();
    now.checked_sub(instant.elapsed()).unwrap_or(now)
}

/// A span in `context`, which is its parent, with ids of its own.
#[must_use]
pub fn child(context: &TraceContext) -> TraceContext {
    TraceContext { span_id: mixed(context.span_id ^ fresh()), ..*context }
}

/// The span of the part `number` of what `context` stands for: always the same.
#[must_use]
pub fn part(context: &TraceContext, number: u8) -> TraceContext {
    TraceContext { span_id: mixed(context.span_id.wrapping_add(1 + u64::from(number))), ..*context }
}

/// A number that was never returned before.
fn fresh() -> u64 {
    use std::sync::atomic::{AtomicU64, Ordering};
    static COUNT: AtomicU64 = AtomicU64::new(1);
    mixed(COUNT.fetch_add(1, Ordering::Relaxed))
}

/// The finaliser of SplitMix64, which has no two inputs with the same output; never zero, which would be no id.
const fn mixed(number: u64) -> u64 {
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    let number = number ^ (number >> 31);
    if number == 0 { 1 } else { number }
}

/// Asks an adapter about a client: as a span of its own, which is the adapter's parent, where the client is traced. It is about `what`
/// (`discovery`) and, where it has one, goes to the adapter of this `name`.
///
/// # Errors
/// Those of the adapter.
pub async fn asked<T, E: Display>(
    what: &'static str,
    name: Option<&str>,
    client: &Client,
    ask: impl AsyncFnOnce(&Client) -> Result<T, E>,
) -> Result<T, E>
where
    for<'a> Answer: From<&'a E>,
{
    let Some(question) = Question::begin(&client.trace, what, name) else { return ask(client).await };
    let mut client = client.clone();
    client.trace = question.context;
    let outcome = ask(&client).await;
    question.end(&outcome);
    outcome
}

/// A question to an adapter, as a span that ends when this is dropped.
#[derive(Debug)]
struct Question {
    context: TraceContext,
    parent: u64,
    asked: &'static str,
    name: Option<String>,
    start: SystemTime,
    answer: Answer,
    error: Option<String>,
}

impl Question {
    /// The question begins; `None` where `context`, which it is part of, isn't traced.
    fn begin(context: &TraceContext, asked: &'static str, name: Option<&str>) -> Option<Self> {
        is_traced(context).then(|| Self {
            context: child(context),
            parent: context.span_id,
            asked,
            name: name.map(str::to_owned),
            start: SystemTime::now(),
            answer: Answer::Abandoned,
            error: None,
        })
    }

    /// It ended so.
    fn end<T, E: Display>(mut self, outcome: &Result<T, E>)
    where
        for<'a> Answer: From<&'a E>,
    {
        match outcome {
            Ok(_) => self.answer = Answer::Ok,
            Err(error) => {
                self.answer = Answer::from(error);
                self.error = (self.answer != Answer::Refused).then(|| error.to_string());
            }
        }
    }
}

impl Drop for Question {
    fn drop(&mut self) {
        let mut attributes = vec![("drawbridge.outcome", Value::from(self.answer.label()))];
        attributes.extend(self.name.take().map(|name| ("drawbridge.adapter", Value::Text(name))));
        let span = Span {
            context: self.context,
            parent: self.parent,
            remote: false,
            name: self.asked,
            role: Role::Client,
            start: self.start,
            end: SystemTime::now(),
            attributes,
            error: self.error.take(),
        };
        span.finish();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn parts_and_children_have_ids_of_their_own() {
        let context = TraceContext { trace_id: 1, span_id: 7, flags: 1 };
        let mut seen = HashSet::from([context.span_id]);
        let parts = (0..7).map(|number| part(&context, number));
        let children = (0..1000).map(|_| child(&context));
        for other in parts.chain(children) {
            assert_eq!((other.trace_id, other.flags), (1, 1));
            assert!(other.span_id != 0 && seen.insert(other.span_id), "{other}");
        }
        assert_eq!(part(&context, 3), part(&context, 3));
    }
}
