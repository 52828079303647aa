//! Favicons from a URL: asked for until they are there. A reload asks anew, and shows the last picture meanwhile.

use crate::client::Client;
use crate::error::HttpError;
use crate::http::Http;
use crate::location::Location;
use crate::tls::Tls;
use bytes::Bytes;
use drawbridge_adapter::status::favicon::{FaviconError, FaviconLoader, FaviconSlot, LARGEST, Loading};
use drawbridge_adapter::waits::Waits;
use hyper::StatusCode;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use thiserror::Error;
use tokio::time::{sleep, timeout};

/// How long one attempt may take.
const TIMEOUT: Duration = Duration::from_secs(10);

/// How long to wait between attempts: at first, and at most.
const FIRST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(600);

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

/// The picture that was at a URL last, as long as some status wants it.
#[derive(Debug, Default)]
pub(crate) struct LastPicture(Mutex<Option<Bytes>>);

impl LastPicture {
    fn get(&self) -> Option<Bytes> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set(&self, picture: Bytes) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(picture);
    }
}

impl FaviconLoader for Http {
    fn load(&self, url: &str, slot: FaviconSlot) -> Loading {
        let last = self.last_picture(url);
        if let Some(picture) = last.get() {
            // It was a favicon; beside another description it may be too long, which the answer to come says too.
            let _ = slot.put(&picture);
        }
        let waits = Waits::new(FIRST, LONGEST);
        let loading = self.background().run(load(self.tls(), url.to_owned(), slot, Arc::clone(&last), waits));
        Loading::new((loading, last))
    }
}

async fn load(tls: Arc<Tls>, url: String, slot: FaviconSlot, last: Arc<LastPicture>, mut waits: Waits) {
    loop {
        match attempt(&tls, &url, &slot).await {
            Ok(picture) => {
                last.set(picture);
                tracing::info!(url, "favicon loaded");
                return;
            }
            Err(error) => {
                let again_in = waits.next(None);
                tracing::warn!(url, %error, ?again_in, "the favicon can't be loaded");
                sleep(again_in).await;
            }
        }
    }
}

async fn attempt(tls: &Arc<Tls>, url: &str, slot: &FaviconSlot) -> Result<Bytes, Missing> {
    let location: Location = url.parse().map_err(HttpError::from)?;
    // Asked once and not again for long: no connection is kept.
    let client = Client::new(&location, LARGEST, Arc::clone(tls));
    let answer =
        timeout(TIMEOUT, client.get(&location.path, None)).await.map_err(|_| Missing::TimedOut)??;
    if answer.status != StatusCode::OK {
        return Err(Missing::Status(answer.status));
    }
    slot.put(&answer.body)?;
    Ok(answer.body)
}

#[cfg(test)]
mod tests;
