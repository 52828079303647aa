//! How a cluster is reached: by kube's reading of kubeconfigs and service accounts, and a client of our own settings.

use super::{ClusterName, is_namespace};
use crate::error::ApiError;
use drawbridge_telemetry::in_full;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::{Client as HttpClient, Error as HttpError};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use kube::client::{AuthError, ConfigExt as _};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};
use std::error::Error;
use std::time::Duration;
use tower::{BoxError, ServiceBuilder};

/// How long a connection may take to be made.
const CONNECT: Duration = Duration::from_secs(5);
/// How soon the system asks a silent connection whether it is still there, how often, and how many times in vain.
const KEEP_ALIVE: (Duration, Duration, u32) = (Duration::from_secs(30), Duration::from_secs(10), 3);
/// The most connections kept for further calls, and how long.
const IDLE: (usize, Duration) = (32, Duration::from_secs(60));

/// A client for the cluster there.
pub(super) async fn client(name: &ClusterName) -> Result<Client, ApiError> {
    let mut config = config(name).await?;
    // Kube takes the environment's proxy for the kubeconfig's, even for clusters that NO_PROXY excepts.
    config.proxy_url = None;
    config.default_namespace = config.default_namespace.trim().to_owned();
    if !is_namespace(&config.default_namespace) {
        return Err(ApiError::Access(format!("there is no namespace {:?}", config.default_namespace)));
    }
    // Reading certificates, or running a program that knows the credentials, is no work for a thread that moves bytes.
    let runtime = tokio::runtime::Handle::current();
    let built = tokio::task::spawn_blocking(move || {
        let _runtime = runtime.enter();
        build(&config)
    });
    built.await.map_err(|error| ApiError::Access(error.to_string()))?
}

/// By a kubeconfig, or, where none is named and the usual ones are of no use, by the pod's service account.
async fn config(name: &ClusterName) -> Result<Config, ApiError> {
    let options = KubeConfigOptions { context: name.context.clone(), ..KubeConfigOptions::default() };
    let path = name.kubeconfig.clone();
    let read = tokio::task::spawn_blocking(|| path.map_or_else(Kubeconfig::read, Kubeconfig::read_from));
    let mut proxy = false;
    let config = match read.await.map_err(access)? {
        Ok(kubeconfig) => {
            proxy = names_proxy(&kubeconfig, name.context.as_deref());
            Config::from_custom_kubeconfig(kubeconfig, &options).await
        }
        Err(error) => Err(error),
    };
    match config {
        Ok(_) if proxy => {
            Err(ApiError::Access("its kubeconfig names a proxy, and none can be used here".to_owned()))
        }
        Err(kubeconfig) if name.kubeconfig.is_none() && name.context.is_none() => Config::incluster()
            .map_err(|pod| {
                let (kubeconfig, pod) = (in_full(&kubeconfig), in_full(&pod));
                ApiError::Access(format!("by a kubeconfig: {kubeconfig}; as a pod: {pod}"))
            }),
        config => config.map_err(access),
    }
}

/// Whether the kubeconfig itself has a proxy for the cluster of the context.
fn names_proxy(kubeconfig: &Kubeconfig, context: Option<&str>) -> bool {
    let Some(context) = context.or(kubeconfig.current_context.as_deref()) else { return false };
    let context = kubeconfig.contexts.iter().find(|named| named.name == context);
    let Some(context) = context.and_then(|named| named.context.as_ref()) else { return false };
    let cluster = kubeconfig.clusters.iter().find(|named| named.name == context.cluster);
    let cluster = cluster.and_then(|named| named.cluster.as_ref());
    cluster.and_then(|cluster| cluster.proxy_url.as_deref()).is_some_and(|proxy| !proxy.is_empty())
}

/// Kube's layers around a client that doesn't try again by itself: whoever calls knows until when it is worth it.
fn build(config: &Config) -> Result<Client, ApiError> {
    // Where another part of the program was first, its choice is the same.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let mut connector = HttpConnector::new();
    connector.enforce_http(false);
    connector.set_nodelay(true);
    connector.set_connect_timeout(Some(CONNECT));
    connector.set_keepalive(Some(KEEP_ALIVE.0));
    connector.set_keepalive_interval(Some(KEEP_ALIVE.1));
    connector.set_keepalive_retries(Some(KEEP_ALIVE.2));
    let connector = config.rustls_https_connector_with_connector(connector).map_err(access)?;
    let client = HttpClient::builder(TokioExecutor::new())
        .pool_timer(TokioTimer::new())
        .pool_max_idle_per_host(IDLE.0)
        .pool_idle_timeout(IDLE.1)
        .build(connector);
    let service = ServiceBuilder::new()
        .layer(config.base_uri_layer())
        .option_layer(config.auth_layer().map_err(access)?)
        .layer(config.extra_headers_layer().map_err(access)?)
        .map_err(BoxError::from)
        .service(client);
    Ok(Client::new(service, config.default_namespace.clone()))
}

fn access(error: impl Error + 'static) -> ApiError {
    ApiError::Access(in_full(&error))
}

/// What became of a call that has no answer.
pub(super) fn failed(error: &kube::Error) -> ApiError {
    let mut cause: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(this) = cause {
        if this.downcast_ref::<HttpError>().is_some_and(HttpError::is_connect) {
            return ApiError::Connect(in_full(error));
        }
        if this.downcast_ref::<AuthError>().is_some() {
            return ApiError::Access(in_full(error));
        }
        cause = this.source();
    }
    ApiError::Broken(in_full(error))
}
