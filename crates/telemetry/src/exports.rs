//! What leaves the process besides the log: metrics for whoever asks, metrics and traces for a collector.

use crate::Telemetry;
use crate::listener::{Listener, MetricsSection};
use crate::metrics::Metrics;
use opentelemetry::KeyValue;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::metrics::SdkMeterProvider;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;
use thiserror::Error;
use tokio::runtime::Handle;
use tokio::task::JoinHandle;

/// How long the end of the process waits for what is left to be sent.
const LAST_WORD: Duration = Duration::from_secs(2);

/// Why nothing can be exported.
#[derive(Debug, Error)]
pub enum ExportError {
    /// `metrics.bind` can't be listened on.
    #[error("metrics can't be served on {address}")]
    Bind {
        /// The address.
        address: SocketAddr,
        /// What the system said, such as that another program listens there.
        #[source]
        source: io::Error,
    },
    /// Nothing can be sent to the collector.
    #[cfg(feature = "otlp")]
    #[error(transparent)]
    Otlp(#[from] crate::OtlpError),
}

/// What is exported, until this is dropped.
#[derive(Debug)]
pub struct Exports {
    metrics: Option<Arc<Metrics>>,
    serving: Option<JoinHandle<()>>,
    address: Option<SocketAddr>,
}

impl Exports {
    /// Begins to count, to trace and to serve, each where it is asked for.
    ///
    /// # Errors
    /// When an address can't be listened on, or the collector's section can't be made use of.
    pub async fn start(
        telemetry: &Telemetry,
        metrics: &MetricsSection,
        runtime: &Handle,
    ) -> Result<Self, ExportError> {
        let mut exports = Self { metrics: None, serving: None, address: None };
        let listener = match metrics.bind {
            Some(address) => {
                Some(Listener::bind(address).await.map_err(|source| ExportError::Bind { address, source })?)
            }
            None => None,
        };
        exports.address = listener.as_ref().and_then(|listener| listener.address().ok());
        exports.metrics = export(telemetry, listener.is_some(), runtime)?.map(Arc::new);
        if let (Some(listener), Some(metrics)) = (listener, &exports.metrics) {
            exports.serving = Some(runtime.spawn(listener.serve(Arc::clone(metrics))));
        }
        Ok(exports)
    }

    /// Where metrics are served.
    #[must_use]
    pub const fn address(&self) -> Option<SocketAddr> {
        self.address
    }

    /// Sends what is left, and waits for that, though not for long. The runtime has to be there still, and not to be waited on.
    pub fn finish(self) {
        let metrics = self.metrics.clone();
        if metrics.is_none() && !crate::span::is_on() {
            return;
        }
        let (told, done) = mpsc::channel();
        let last_word = move || {
            #[cfg(feature = "otlp")]
            crate::otlp::spans::shutdown(LAST_WORD);
            if let Some(metrics) = metrics {
                metrics.shutdown();
            }
            // Nobody may wait any more.
            let _ = told.send(());
        };
        if thread::Builder::new().name("last-word".into()).spawn(last_word).is_ok() {
            let _ = done.recv_timeout(LAST_WORD);
        }
    }
}

impl Drop for Exports {
    fn drop(&mut self) {
        if let Some(serving) = &self.serving {
            serving.abort();
        }
    }
}

/// Begins to trace and to count, where somebody wants to know. What nobody looks at isn't counted.
#[cfg(feature = "otlp")]
fn export(telemetry: &Telemetry, served: bool, runtime: &Handle) -> Result<Option<Metrics>, ExportError> {
    let resource = resource();
    let mut builder = SdkMeterProvider::builder();
    if let Some(otlp) = &telemetry.otlp {
        otlp.trace(&resource, runtime)?;
        builder = otlp.push(builder, runtime)?;
    }
    let wanted = served || telemetry.otlp.as_ref().is_some_and(|otlp| otlp.metrics);
    Ok(wanted.then(|| Metrics::start(builder, resource, runtime)))
}

#[cfg(not(feature = "otlp"))]
fn export(telemetry: &Telemetry, served: bool, runtime: &Handle) -> Result<Option<Metrics>, ExportError> {
    let _ = telemetry;
    Ok(served.then(|| Metrics::start(SdkMeterProvider::builder(), resource(), runtime)))
}

/// Who exports. `OTEL_SERVICE_NAME` and `OTEL_RESOURCE_ATTRIBUTES` are heeded, as everywhere.
fn resource() -> Resource {
    let named = std::env::var_os("OTEL_SERVICE_NAME").is_some();
    let builder = Resource::builder();
    let builder = if named { builder } else { builder.with_service_name("drawbridge") };
    builder.with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION"))).build()
}
