//! Favicons from a URL: asked for until they are there.

use crate::client::Client;
use crate::error::HttpError;
use crate::http::Http;
use crate::location::Location;
use crate::tls::Tls;
use drawbridge_adapter::status::favicon::{FaviconError, FaviconLoader, FaviconSlot, LARGEST, Loading};
use hyper::StatusCode;
use std::sync::Arc;
use std::time::Duration;
use thiserror::Error;
use tokio::time::{sleep, timeout};

/// How long one attempt may take.
const TIMEOUT: Duration = Duration::from_secs(10);

/// How long to wait between attempts; twice as long after each.
#[derive(Debug, Clone, Copy)]
struct Waits {
    next: Duration,
    longest: Duration,
}

const WAITS: Waits = Waits { next: Duration::from_secs(1), longest: Duration::from_secs(600) };

/// Why a picture isn't there yet.
#[derive(Debug, Error)]
enum Missing {
    #[error(transparent)]
    Http(#[from] HttpError),
    #[error("no answer within {TIMEOUT:?}")]
    TimedOut,
    #[error("it answers {0} (redirects aren't followed)")]
    Status(StatusCode),
    #[error("it can't be a favicon: {0}")]
    Picture(#[from] FaviconError),
}

impl FaviconLoader for Http {
    fn load(&self, url: &str, slot: FaviconSlot) -> Loading {
        self.background().run(load(self.tls(), url.to_owned(), slot, WAITS))
    }
}

async fn load(tls: Arc<Tls>, url: String, slot: FaviconSlot, mut waits: Waits) {
    loop {
        match attempt(&tls, &url, &slot).await {
            Ok(()) => {
                tracing::info!(url, "favicon loaded");
                return;
            }
            Err(error) => {
                tracing::warn!(url, %error, again_in = ?waits.next, "no favicon; the status is served without");
            }
        }
        sleep(waits.next).await;
        waits.next = waits.next.saturating_mul(2).min(waits.longest);
    }
}

async fn attempt(tls: &Arc<Tls>, url: &str, slot: &FaviconSlot) -> Result<(), Missing> {
    let location: Location = url.parse().map_err(HttpError::from)?;
    // Asked once and not again for long: no connection is kept.
    let client = Client::new(&location, LARGEST, Arc::clone(tls));
    let answer = timeout(TIMEOUT, client.get(&location.path)).await.map_err(|_| Missing::TimedOut)??;
    if answer.status != StatusCode::OK {
        return Err(Missing::Status(answer.status));
    }
    Ok(slot.put(&answer.body)?)
}

#[cfg(test)]
mod tests;
