//! The edge's RSA key and the work that is done with it, on threads of its own, away from those that wait on sockets.

use crate::ended::Ended;
use drawbridge_model::Refusal;
use drawbridge_protocol::packet::login::EncryptionResponse;
use drawbridge_rsa::KeyPair;
use std::collections::VecDeque;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use subtle::ConstantTimeEq as _;
use tokio::sync::{oneshot, watch};
use zeroize::Zeroizing;

/// Length of the verify token in bytes.
pub(crate) const TOKEN: usize = 16;

/// The key pair, as soon as it is made, and the threads that compute with it. Dropping this ends them.
#[derive(Debug)]
pub(crate) struct Keys {
    pair: watch::Receiver<Option<Arc<KeyPair>>>,
    queue: Arc<Queue>,
    threads: Vec<JoinHandle<()>>,
}

/// A secret that client and edge share from now on.
pub(crate) type SharedSecret = Zeroizing<[u8; 16]>;

/// Where exchanges lie until a thread is free for them. A general pool costs a login half as much again as the arithmetic in
/// waking threads that have grown cold; here one that has finished takes what lies next.
#[derive(Debug, Default)]
struct Queue {
    work: Mutex<Work>,
    wake: Condvar,
}

#[derive(Debug, Default)]
struct Work {
    /// One for each client that waits, so about as many as connections at most: those of clients that have left are passed over in no
    /// time.
    exchanges: VecDeque<Exchange>,
    idle: usize,
    closing: bool,
}

struct Exchange {
    pair: Arc<KeyPair>,
    response: EncryptionResponse,
    token: [u8; TOKEN],
    outcome: oneshot::Sender<Result<SharedSecret, Ended>>,
}

impl Keys {
    /// Begins to make a key pair, on the first of `threads`, and returns at once.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub(crate) fn generate(threads: usize) -> io::Result<Self> {
        let (made, pair) = watch::channel(None);
        let mut keys = Self { pair, queue: Arc::default(), threads: Vec::new() };
        let mut made = Some(made);
        for number in 0..threads.max(1) {
            let (queue, made) = (Arc::clone(&keys.queue), made.take());
            let work = move || {
                if let Some(made) = made {
                    make_pair(&made);
                }
                queue.work_off();
            };
            keys.threads.push(thread::Builder::new().name(format!("keys-{number}")).spawn(work)?);
        }
        Ok(keys)
    }

    /// The key pair.
    pub(crate) async fn pair(&self) -> Result<Arc<KeyPair>, Ended> {
        let mut pair = self.pair.clone();
        // The sender is gone without a key only where none could be made.
        let made = pair.wait_for(Option::is_some).await.map_err(|_| Refusal::Internal)?;
        made.clone().ok_or(Ended::Refused(Refusal::Internal))
    }

    /// The shared secret out of a client's response, which must return `token`. A client that leaves takes its work with it.
    pub(crate) async fn exchange(
        &self,
        pair: Arc<KeyPair>,
        response: EncryptionResponse,
        token: [u8; TOKEN],
    ) -> Result<SharedSecret, Ended> {
        let (outcome, told) = oneshot::channel();
        self.queue.put(Exchange { pair, response, token, outcome });
        told.await.unwrap_or(Err(Ended::Refused(Refusal::Internal)))
    }
}

impl Drop for Keys {
    fn drop(&mut self) {
        self.queue.work().closing = true;
        self.queue.wake.notify_all();
        for thread in self.threads.drain(..) {
            if thread.join().is_err() {
                tracing::error!("a thread for key exchanges panicked");
            }
        }
    }
}

fn make_pair(made: &watch::Sender<Option<Arc<KeyPair>>>) {
    match KeyPair::generate() {
        Ok(pair) => {
            made.send_replace(Some(Arc::new(pair)));
        }
        Err(error) => tracing::error!(%error, "no RSA key could be made: nobody can log in"),
    }
}

impl Queue {
    fn put(&self, exchange: Exchange) {
        let mut work = self.work();
        work.exchanges.push_back(exchange);
        if work.idle > 0 {
            drop(work);
            self.wake.notify_one();
        }
    }

    /// Does what lies there until the end.
    fn work_off(&self) {
        let mut work = self.work();
        while !work.closing {
            let Some(exchange) = work.exchanges.pop_front() else {
                work.idle += 1;
                work = self.wake.wait(work).unwrap_or_else(PoisonError::into_inner);
                work.idle -= 1;
                continue;
            };
            drop(work);
            // The thread outlives whatever happens; the client is told when its outcome is dropped.
            if catch_unwind(AssertUnwindSafe(|| exchange.carry_out())).is_err() {
                tracing::error!("a key exchange panicked");
            }
            work = self.work();
        }
    }

    fn work(&self) -> MutexGuard<'_, Work> {
        // Each change is whole, so that what a panic elsewhere left behind is sound.
        self.work.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Exchange {
    /// Whatever is wrong with a response, all is computed and the refusal is the same: nobody learns which part it was.
    fn carry_out(self) {
        if self.outcome.is_closed() {
            return;
        }
        let secret = self.pair.decrypt_exact::<16>(&self.response.shared_secret);
        let returned = self.pair.decrypt_exact::<TOKEN>(&self.response.verify_token);
        let same = bool::from(returned.bytes.ct_eq(&self.token)) & returned.sound & secret.sound;
        let outcome =
            if same { Ok(Zeroizing::new(secret.bytes)) } else { Err(Ended::Refused(Refusal::Encryption)) };
        // The client may have left meanwhile.
        let _ = self.outcome.send(outcome);
    }
}

impl std::fmt::Debug for Exchange {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Exchange").finish_non_exhaustive()
    }
}
