//! Whether a peer serves, as it says itself: <https://github.com/grpc/grpc/blob/master/doc/health-checking.md>.

use crate::line::Line;
use crate::proto::health::health_check_response::ServingStatus;
use crate::proto::health::{HealthCheckRequest, HealthCheckResponse};
use crate::proto::path;
use hyper::http::uri::PathAndQuery;
use std::convert::Infallible;
use std::error::Error as _;
use std::future::pending;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::time::sleep;
use tonic::client::Grpc;
use tonic::{Code, Request, Status};
use tonic_prost::ProstCodec;

/// How long a peer is given to say something, before it is taken to serve.
const PATIENCE: Duration = Duration::from_millis(500);
/// When it is asked again after it stopped telling.
const AGAIN: Duration = Duration::from_secs(5);
/// The most bytes of what it says.
const LARGEST: usize = 1024;

/// Tells `serves` whether the peer serves, whenever that changes. One that doesn't say is taken to serve.
pub(crate) async fn follow(line: &Line, serves: impl Fn(bool) + Send + Sync) -> Infallible {
    let told = AtomicBool::new(false);
    let tell = |serving| {
        told.store(true, Ordering::Relaxed);
        serves(serving);
    };
    let watch = async {
        loop {
            let Err(status) = watch(line, &tell).await;
            // An error with a source is the connection's, whose end is seen elsewhere.
            if !told.load(Ordering::Relaxed) && status.source().is_none() {
                tell(true);
            }
            if status.code() == Code::Unimplemented {
                return pending::<Infallible>().await;
            }
            sleep(AGAIN).await;
        }
    };
    let silence = async {
        sleep(PATIENCE).await;
        if !told.load(Ordering::Relaxed) {
            tell(true);
        }
        pending::<Infallible>().await
    };
    tokio::select! {
        never = watch => never,
        never = silence => never,
    }
}

/// The shortest time between two changes.
const CHANGE: Duration = Duration::from_secs(1);

async fn watch(line: &Line, tell: &(impl Fn(bool) + Send + Sync)) -> Result<Infallible, Status> {
    let mut grpc = Grpc::with_origin(line.clone(), line.origin.clone()).max_decoding_message_size(LARGEST);
    let codec = ProstCodec::<HealthCheckRequest, HealthCheckResponse>::default();
    // Empty: the server as a whole.
    let request = Request::new(HealthCheckRequest { service: String::new() });
    let answers = grpc.server_streaming(request, PathAndQuery::from_static(path::HEALTH), codec).await?;
    let mut answers = answers.into_inner();
    while let Some(answer) = answers.message().await? {
        tell(answer.status() != ServingStatus::NotServing);
        // Who can't make up its mind is heard once a second.
        sleep(CHANGE).await;
    }
    Err(Status::unknown("it stopped telling"))
}
