//! What stands between the library's threads and a collector.
//!
//! The library exports on threads of its own, which know nothing of a runtime, while connections need one: each export is waited for on
//! the program's. A collector that fails is told of once in a while.

use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::{OTelSdkError, OTelSdkResult};
use opentelemetry_sdk::metrics::Temporality;
use opentelemetry_sdk::metrics::data::ResourceMetrics;
use opentelemetry_sdk::metrics::exporter::PushMetricExporter;
use opentelemetry_sdk::trace::{SpanData, SpanExporter};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::runtime::Handle;
use tokio::time::timeout;

/// How long a collector may take over what it is sent, further attempts included.
pub(super) const TIMEOUT: Duration = Duration::from_secs(10);
/// How often the log tells that it fails.
const TOLD: Duration = Duration::from_secs(60);

/// An exporter, and how it is doing.
#[derive(Debug)]
pub(super) struct Sending<E> {
    what: &'static str,
    exporter: E,
    runtime: Handle,
    /// When the log told last that it fails; `None`: it doesn't.
    failing: Mutex<Option<Instant>>,
}

impl<E> Sending<E> {
    pub(super) fn new(what: &'static str, exporter: E, runtime: &Handle) -> Self {
        Self { what, exporter, runtime: runtime.clone(), failing: Mutex::default() }
    }

    /// Waits for an export, on a thread that has nothing else to do.
    fn wait(&self, export: impl Future<Output = OTelSdkResult>) -> OTelSdkResult {
        let done = self.runtime.block_on(async { timeout(TIMEOUT, export).await });
        let outcome = done.unwrap_or(Err(OTelSdkError::Timeout(TIMEOUT)));
        self.tell(&outcome);
        outcome
    }

    fn tell(&self, outcome: &OTelSdkResult) {
        let mut failing = self.failing.lock().unwrap_or_else(PoisonError::into_inner);
        let (what, now) = (self.what, Instant::now());
        match (outcome, *failing) {
            (Ok(()), None) => {}
            (Ok(()), Some(_)) => {
                *failing = None;
                tracing::info!(what, "the collector takes what it is sent again");
            }
            (Err(_), Some(told)) if now.duration_since(told) < TOLD => {}
            (Err(error), _) => {
                *failing = Some(now);
                tracing::warn!(what, %error, "the collector doesn't take what it is sent");
            }
        }
    }
}

impl<E: SpanExporter> SpanExporter for Sending<E> {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        self.wait(self.exporter.export(batch))
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.exporter.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.exporter.set_resource(resource);
    }
}

impl<E: PushMetricExporter> PushMetricExporter for Sending<E> {
    async fn export(&self, metrics: &ResourceMetrics) -> OTelSdkResult {
        self.wait(self.exporter.export(metrics))
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.exporter.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.exporter.shutdown_with_timeout(timeout)
    }

    fn temporality(&self) -> Temporality {
        self.exporter.temporality()
    }
}
