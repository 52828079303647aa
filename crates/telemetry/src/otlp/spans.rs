//! Spans on their way to a collector.

use crate::span::{Role, Span, Value};
use opentelemetry::trace::{SpanContext, SpanKind, Status, TraceFlags, TraceState};
use opentelemetry::{InstrumentationScope, KeyValue};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{
    BatchConfigBuilder, BatchSpanProcessor, SpanData, SpanEvents, SpanExporter, SpanLinks, SpanProcessor as _,
};
use std::sync::OnceLock;
use std::time::Duration;

/// The most spans that wait to be sent; further ones are lost.
const QUEUE: usize = 8_192;
/// The most that are sent at once.
const BATCH: usize = 512;
/// How long they are gathered.
const DELAY: Duration = Duration::from_secs(1);

static SPANS: OnceLock<Spans> = OnceLock::new();

#[derive(Debug)]
struct Spans {
    processor: BatchSpanProcessor,
    scope: InstrumentationScope,
    /// Traces whose ids, as far as they are random, are lower are traced.
    below: u64,
}

/// Begins to take spans. Once in a process.
pub(super) fn start(exporter: impl SpanExporter + 'static, resource: &Resource, sample: f64) {
    let config = BatchConfigBuilder::default()
        .with_max_queue_size(QUEUE)
        .with_max_export_batch_size(BATCH)
        .with_scheduled_delay(DELAY)
        .build();
    let mut processor = BatchSpanProcessor::builder(exporter).with_batch_config(config).build();
    processor.set_resource(resource);
    let scope = InstrumentationScope::builder("drawbridge").with_version(env!("CARGO_PKG_VERSION")).build();
    let _ = SPANS.set(Spans { processor, scope, below: below(sample) });
}

/// 2^63 times `sample`.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "0 to 2^63, checked when it was read"
)]
fn below(sample: f64) -> u64 {
    (sample * 9_223_372_036_854_775_808.0) as u64
}

pub(crate) fn is_on() -> bool {
    SPANS.get().is_some()
}

/// Whether a trace that begins here is written down: all edges with the same `sample` decide the same of the same id.
pub(crate) fn samples(trace_id: u128) -> bool {
    // The lowest bit isn't random: an id is never zero.
    #[expect(clippy::cast_possible_truncation, reason = "its lower half is as random as the whole")]
    SPANS.get().is_some_and(|spans| (trace_id as u64) >> 1 < spans.below)
}

pub(crate) fn finish(span: Span) {
    let Some(spans) = SPANS.get() else { return };
    let context = SpanContext::new(
        span.context.trace_id.into(),
        span.context.span_id.into(),
        TraceFlags::SAMPLED,
        false,
        TraceState::default(),
    );
    let value = |value| match value {
        Value::Text(text) => opentelemetry::Value::from(text),
        Value::Number(number) => opentelemetry::Value::from(number),
    };
    spans.processor.on_end(SpanData {
        span_context: context,
        parent_span_id: span.parent.into(),
        parent_span_is_remote: span.remote,
        span_kind: match span.role {
            Role::Server => SpanKind::Server,
            Role::Client => SpanKind::Client,
            Role::Internal => SpanKind::Internal,
        },
        name: span.name.into(),
        start_time: span.start,
        end_time: span.end,
        attributes: span.attributes.into_iter().map(|(key, text)| KeyValue::new(key, value(text))).collect(),
        dropped_attributes_count: 0,
        events: SpanEvents::default(),
        links: SpanLinks::default(),
        status: span.error.map_or(Status::Unset, Status::error),
        instrumentation_scope: spans.scope.clone(),
    });
}

/// Sends what waits, for the last time.
pub(crate) fn shutdown(patience: Duration) {
    if let Some(spans) = SPANS.get() {
        // Whoever sends tells of its failures itself.
        let _ = spans.processor.shutdown_with_timeout(patience);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_share_of_ids_is_the_one_that_was_asked_for() {
        assert_eq!((below(0.0), below(1.0)), (0, 1 << 63));
        let share = |sample| (0..10_000_u64).filter(|number| (number << 50) >> 1 < below(sample)).count();
        assert_eq!(share(0.0), 0);
        assert_eq!(share(1.0), 10_000);
    }
}
