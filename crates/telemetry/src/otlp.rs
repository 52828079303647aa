//! Traces and metrics for a collector, over OTLP.
//!
//! What must stay true: a collector that is slow or gone costs a bounded queue and a line of the log now and then, and nothing else.

mod sending;
pub(crate) mod spans;

use crate::otlp::sending::{Sending, TIMEOUT};
use drawbridge_config::{Diagnostic, Fields, Located, Secret, keywords, section};
use hyper::Uri;
use opentelemetry_otlp::{
    ExporterBuildError, MetricExporter, Protocol, SpanExporter, WithExportConfig as _, WithHttpConfig as _,
    WithTonicConfig as _,
};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::metrics::{MeterProviderBuilder, PeriodicReader};
use std::collections::{BTreeMap, HashMap};
use std::time::Duration;
use thiserror::Error;
use tokio::runtime::Handle;
use tonic::metadata::{MetadataKey, MetadataMap, MetadataValue};
use tonic::transport::ClientTlsConfig;

keywords! {
    /// How a collector is spoken to.
    pub enum OtlpProtocol {
        /// gRPC, usually on port 4317.
        "grpc" => Grpc,
        /// Protobuf over HTTP, usually on port 4318; `/v1/traces` and `/v1/metrics` are added to the endpoint.
        "http" => Http,
    }
}

section! {
    /// Traces and metrics for a collector, over OTLP. Read at start.
    #[check(OtlpSection::check)]
    pub struct OtlpSection {
        /// The collector's URL, to which HTTP adds `/v1/traces` and `/v1/metrics`; with `https` the system's certificates are trusted.
        pub endpoint: Located<String>,
        /// How it is spoken to.
        pub protocol: OtlpProtocol = OtlpProtocol::Grpc,
        /// Whether it is sent traces.
        pub traces: bool = true,
        /// Whether it is sent metrics.
        pub metrics: bool = true,
        /// Which part of the connections is traced, 0 to 1. A player whom another edge handed over is traced if they were there.
        pub sample: f64 = 0.1,
        /// How often it is sent metrics.
        pub interval: Duration = Duration::from_secs(60),
        /// Headers, such as a key that the collector wants.
        pub headers: BTreeMap<String, Secret> = BTreeMap::new(),
    }
}

/// Why nothing can be sent to a collector.
#[derive(Debug, Error)]
pub enum OtlpError {
    /// The library refuses the endpoint.
    #[error("telemetry.otlp can't be used")]
    Exporter(#[from] ExporterBuildError),
    /// No client for HTTP can be made, such as because the system has no certificates.
    #[error("telemetry.otlp can't be used")]
    Client(#[from] reqwest::Error),
    /// A header that can't be sent; checked when the section is read.
    #[error("telemetry.otlp.headers.{0} can't be sent")]
    Header(String),
}

impl OtlpSection {
    fn check(&self, fields: &mut Fields<'_, '_, '_>) {
        let scheme = self.endpoint.parse::<Uri>().ok().filter(|uri| uri.host().is_some());
        if !scheme.is_some_and(|uri| matches!(uri.scheme_str(), Some("http" | "https"))) {
            let mistake = Diagnostic::error(self.endpoint.origin(), "expected the URL of a collector");
            fields.report(mistake.help("such as \"http://127.0.0.1:4317\""));
        }
        if self.endpoint.contains("/v1/") {
            let mistake =
                Diagnostic::error(self.endpoint.origin(), "the path of a signal is added by the edge");
            fields.report(mistake.help("name the collector alone, such as \"http://127.0.0.1:4318\""));
        }
        if !(0.0..=1.0).contains(&self.sample) {
            fields.error("sample", "expected a number from 0 to 1");
        }
        if self.interval < Duration::from_secs(1) {
            fields.error("interval", "metrics are sent once a second at most");
        }
        if let Err(OtlpError::Header(name)) = self.metadata() {
            fields.error("headers", format!("the header {name:?} can't be sent"));
        }
    }

    fn metadata(&self) -> Result<MetadataMap, OtlpError> {
        let mut metadata = MetadataMap::new();
        for (name, value) in &self.headers {
            let key = MetadataKey::from_bytes(name.to_ascii_lowercase().as_bytes()).ok();
            let value = MetadataValue::try_from(value.expose()).ok();
            let (key, value) = key.zip(value).ok_or_else(|| OtlpError::Header(name.clone()))?;
            metadata.insert(key, value);
        }
        Ok(metadata)
    }

    fn tls(&self) -> Option<ClientTlsConfig> {
        self.endpoint.starts_with("https").then(|| ClientTlsConfig::new().with_native_roots())
    }

    /// Where a signal goes over HTTP.
    fn path(&self, signal: &str) -> String {
        format!("{}/v1/{signal}", self.endpoint.trim_end_matches('/'))
    }

    fn http_headers(&self) -> HashMap<String, String> {
        let text = |value: &Secret| value.expose_text().unwrap_or_default().to_owned();
        self.headers.iter().map(|(name, value)| (name.clone(), text(value))).collect()
    }

    /// Begins to trace, where that is asked for. Nothing is opened before there is something to send.
    ///
    /// # Errors
    /// When the library can't make use of the section.
    pub(crate) fn trace(&self, resource: &Resource, runtime: &Handle) -> Result<(), OtlpError> {
        if !self.traces {
            return Ok(());
        }
        let _entered = runtime.enter();
        let exporter = match self.protocol {
            OtlpProtocol::Grpc => {
                let builder = SpanExporter::builder().with_tonic().with_endpoint(self.endpoint.as_str());
                let builder = builder.with_timeout(TIMEOUT).with_metadata(self.metadata()?);
                match self.tls() {
                    Some(tls) => builder.with_tls_config(tls).build()?,
                    None => builder.build()?,
                }
            }
            OtlpProtocol::Http => SpanExporter::builder()
                .with_http()
                .with_endpoint(self.path("traces"))
                .with_protocol(Protocol::HttpBinary)
                .with_timeout(TIMEOUT)
                .with_headers(self.http_headers())
                .with_http_client(client()?)
                .build()?,
        };
        spans::start(Sending::new("traces", exporter, runtime), resource, self.sample);
        Ok(())
    }

    /// Has metrics pushed, where that is asked for.
    ///
    /// # Errors
    /// When the library can't make use of the section.
    pub(crate) fn push(
        &self,
        builder: MeterProviderBuilder,
        runtime: &Handle,
    ) -> Result<MeterProviderBuilder, OtlpError> {
        if !self.metrics {
            return Ok(builder);
        }
        let _entered = runtime.enter();
        let exporter = match self.protocol {
            OtlpProtocol::Grpc => {
                let builder = MetricExporter::builder().with_tonic().with_endpoint(self.endpoint.as_str());
                let builder = builder.with_timeout(TIMEOUT).with_metadata(self.metadata()?);
                match self.tls() {
                    Some(tls) => builder.with_tls_config(tls).build()?,
                    None => builder.build()?,
                }
            }
            OtlpProtocol::Http => MetricExporter::builder()
                .with_http()
                .with_endpoint(self.path("metrics"))
                .with_protocol(Protocol::HttpBinary)
                .with_timeout(TIMEOUT)
                .with_headers(self.http_headers())
                .with_http_client(client()?)
                .build()?,
        };
        let sending = Sending::new("metrics", exporter, runtime);
        Ok(builder.with_reader(PeriodicReader::builder(sending).with_interval(self.interval).build()))
    }
}

fn client() -> reqwest::Result<reqwest::Client> {
    reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).timeout(TIMEOUT).build()
}
