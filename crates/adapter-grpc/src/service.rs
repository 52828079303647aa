//! Asks a service.
//!
//! What must stay true: a call ends at its deadline, and at once when nobody waits for it any more; a call is made twice
//! only where it never left the edge.

use crate::endpoint::Endpoint;
use crate::error::GrpcError;
use crate::line::Line;
use crate::peers::Peers;
use drawbridge_model::{AdapterError, TraceContext};
use drawbridge_telemetry::Seldom;
use hyper::http::uri::PathAndQuery;
use prost::Message;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};
use tonic::Request;
use tonic::client::Grpc;
use tonic::metadata::MetadataMap;
use tonic_prost::ProstCodec;

/// How often a call is begun at most.
const ATTEMPTS: usize = 3;

/// A service, asked as its endpoint says.
#[derive(Debug)]
pub struct Service {
    complaints: Complaints,
    timeout: Duration,
    metadata: MetadataMap,
    peers: Arc<Peers>,
}

/// What is wrong with a service's answers, which is said in the log once in a while: it may be so with each of them.
#[derive(Debug)]
pub(crate) struct Complaints {
    service: String,
    seldom: Seldom,
}

impl Complaints {
    /// About the service at this place.
    pub(crate) fn of(service: String) -> Self {
        Self { service, seldom: Seldom::default() }
    }

    /// The service, where it is time to complain again.
    pub(crate) fn due(&self) -> Option<&str> {
        self.seldom.permits_now().then_some(&*self.service)
    }
}

/// One of the service's calls.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Method {
    pub(crate) path: &'static str,
    /// The most bytes of an answer.
    pub(crate) largest: usize,
}

impl Service {
    pub(crate) fn new(endpoint: &Endpoint, peers: Arc<Peers>) -> Self {
        let metadata = endpoint.metadata.map().clone();
        let complaints = Complaints::of(endpoint.name());
        Self { complaints, timeout: endpoint.timeout, metadata, peers }
    }

    /// Where to say what is wrong with its answers.
    pub(crate) const fn complaints(&self) -> &Complaints {
        &self.complaints
    }

    /// Asks; `trace` says in which trace.
    pub(crate) async fn ask<Q, A>(
        &self,
        method: Method,
        question: Q,
        trace: Option<TraceContext>,
    ) -> Result<A, AdapterError>
    where
        Q: Message + Clone + 'static,
        A: Message + Default + 'static,
    {
        let deadline = Instant::now() + self.timeout;
        let mut attempt = 1;
        loop {
            let line = timeout_at(deadline, self.peers.line()).await;
            let line = line.map_err(|_| GrpcError::TimedOut(self.timeout))??;
            let mut request = Request::new(question.clone());
            *request.metadata_mut() = self.metadata.clone();
            if let Some(trace) = trace.and_then(|trace| trace.to_string().parse().ok()) {
                request.metadata_mut().insert("traceparent", trace);
            }
            match self.call(&line, method, request, deadline).await {
                Err(GrpcError::Unsent(_)) if attempt < ATTEMPTS => attempt += 1,
                answer => return Ok(answer?),
            }
        }
    }

    async fn call<Q, A>(
        &self,
        line: &Line,
        method: Method,
        mut request: Request<Q>,
        deadline: Instant,
    ) -> Result<A, GrpcError>
    where
        Q: Message + 'static,
        A: Message + Default + 'static,
    {
        request.set_timeout(deadline.saturating_duration_since(Instant::now()));
        let mut grpc = Grpc::with_origin(line.clone(), line.origin.clone());
        grpc = grpc.max_decoding_message_size(method.largest);
        let codec = ProstCodec::<Q, A>::default();
        let call = line.call();
        let path = PathAndQuery::from_static(method.path);
        match timeout_at(deadline, grpc.unary(request, path, codec)).await {
            Ok(Ok(answer)) => {
                call.answered();
                Ok(answer.into_inner())
            }
            Ok(Err(status)) => {
                let error = GrpcError::of(&status, &line.peer, self.timeout);
                match error {
                    GrpcError::Unsent(_) => call.retired(),
                    GrpcError::TimedOut(_) => call.unanswered(),
                    GrpcError::Broken(..) => drop(call),
                    _ => call.answered(),
                }
                Err(error)
            }
            Err(_) => {
                call.unanswered();
                Err(GrpcError::TimedOut(self.timeout))
            }
        }
    }
}
