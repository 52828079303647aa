//! The edge's RSA key and the work that is done with it, away from the threads that wait on sockets.

use crate::ended::Ended;
use drawbridge_model::Refusal;
use drawbridge_protocol::packet::login::EncryptionResponse;
use drawbridge_rsa::KeyPair;
use std::sync::Arc;
use std::thread;
use subtle::ConstantTimeEq as _;
use tokio::sync::{Semaphore, watch};
use zeroize::Zeroizing;

/// Length of the verify token in bytes.
pub(crate) const TOKEN: usize = 16;

/// The key pair, as soon as it is made, and how many may compute with it at once.
#[derive(Debug)]
pub(crate) struct Keys {
    pair: watch::Receiver<Option<Arc<KeyPair>>>,
    cores: Arc<Semaphore>,
}

impl Keys {
    /// Begins to make a key pair (some 60 ms of work) and returns at once.
    pub(crate) fn generate() -> Self {
        let (made, pair) = watch::channel(None);
        // The thread ends by itself as soon as the key is made.
        thread::spawn(move || match KeyPair::generate() {
            Ok(pair) => {
                made.send_replace(Some(Arc::new(pair)));
            }
            Err(error) => tracing::error!(%error, "no RSA key could be made: nobody can log in"),
        });
        let cores = thread::available_parallelism().map_or(1, usize::from);
        Self { pair, cores: Arc::new(Semaphore::new(cores)) }
    }

    /// The key pair.
    pub(crate) async fn pair(&self) -> Result<Arc<KeyPair>, Ended> {
        let mut pair = self.pair.clone();
        // The sender is gone without a key only where none could be made.
        let made = pair.wait_for(Option::is_some).await.map_err(|_| Refusal::Internal)?;
        made.clone().ok_or(Ended::Refused(Refusal::Internal))
    }

    /// The shared secret out of a client's response, which must return `token`.
    ///
    /// Whatever is wrong with it, all is computed and the refusal is the same: nobody learns which part it was.
    pub(crate) async fn exchange(
        &self,
        pair: Arc<KeyPair>,
        response: EncryptionResponse,
        token: [u8; TOKEN],
    ) -> Result<Zeroizing<[u8; 16]>, Ended> {
        // Waiting here, and not in the runtime's own queue, a client that leaves takes its work with it.
        let permit = Arc::clone(&self.cores).acquire_owned().await.map_err(|_| Refusal::Internal)?;
        tokio::task::spawn_blocking(move || {
            let _permit = permit;
            let secret = pair.decrypt_exact::<16>(&response.shared_secret);
            let returned = pair.decrypt_exact::<TOKEN>(&response.verify_token);
            let same = bool::from(returned.bytes.ct_eq(&token)) & returned.sound & secret.sound;
            if same { Ok(Zeroizing::new(secret.bytes)) } else { Err(Ended::Refused(Refusal::Encryption)) }
        })
        .await
        .unwrap_or(Err(Ended::Refused(Refusal::Internal)))
    }
}
