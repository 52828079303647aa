//! The edge's RSA key and the work that is done with it, on threads of its own, away from those that wait on sockets.

use crate::ended::Ended;
use drawbridge_model::Refusal;
use drawbridge_protocol::packet::login::{EncryptionResponse, TokenProof};
use drawbridge_rsa::KeyPair;
use drawbridge_telemetry::metrics::KeyExchange;
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
    queue: Arc<Queue<Exchange>>,
    threads: Vec<JoinHandle<()>>,
}

/// A secret that client and edge share from now on.
pub(crate) type SharedSecret = Zeroizing<[u8; 16]>;

/// Where exchanges lie until a thread is free for them. A general pool costs a login half as much again as the arithmetic in
/// waking threads that have grown cold; here one that has finished takes what lies next.
#[derive(Debug)]
struct Queue<T> {
    work: Mutex<Work<T>>,
    wake: Condvar,
}

#[derive(Debug)]
struct Work<T> {
    /// One for each client that waits, so about as many as connections at most: those of clients that have left are passed over in no
    /// time.
    exchanges: VecDeque<T>,
    idle: usize,
    closing: bool,
}

struct Exchange {
    pair: Arc<KeyPair>,
    response: EncryptionResponse,
    token: [u8; TOKEN],
    outcome: oneshot::Sender<Result<SharedSecret, Ended>>,
    waiting: KeyExchange,
}

impl Keys {
    /// Begins to make a key pair, on the first of `threads`, and returns at once.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub(crate) fn generate(threads: usize) -> io::Result<Self> {
        let (made, pair) = watch::channel(None);
        let mut keys = Self { pair, queue: Arc::new(Queue::new()), threads: Vec::new() };
        let mut made = Some(made);
        for number in 0..threads.max(1) {
            let (queue, made) = (Arc::clone(&keys.queue), made.take());
            let work = move || {
                if let Some(made) = made {
                    make_pair(&made);
                }
                step_back();
                queue.work_off(Exchange::carry_out);
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
        self.queue.put(Exchange { pair, response, token, outcome, waiting: KeyExchange::waits() });
        told.await.unwrap_or(Err(Ended::Refused(Refusal::Internal)))
    }
}

/// Leaves cores that are asked for by everybody to the others first: key exchanges can be had by the thousand by whoever wants to keep the edge busy,
/// and players in play are not to wait for them.
#[cfg(target_os = "linux")]
fn step_back() {
    /// A third of what others get of a core.
    const NICE: i32 = 5;
    // On Linux it is the thread's own. Where it is refused, exchanges are as good as all else.
    if let Err(error) = rustix::process::nice(NICE) {
        tracing::debug!(%error, "the threads for key exchanges stay as important as all others");
    }
}

#[cfg(not(target_os = "linux"))]
fn step_back() {}

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

impl<T> Queue<T> {
    fn new() -> Self {
        let work = Work { exchanges: VecDeque::new(), idle: 0, closing: false };
        Self { work: Mutex::new(work), wake: Condvar::new() }
    }

    fn put(&self, exchange: T) {
        let mut work = self.work();
        work.exchanges.push_back(exchange);
        if work.idle > 0 {
            drop(work);
            self.wake.notify_one();
        }
    }

    /// Does what lies there until the end.
    fn work_off(&self, carry_out: impl Fn(T)) {
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
            if catch_unwind(AssertUnwindSafe(|| carry_out(exchange))).is_err() {
                tracing::error!("a key exchange panicked");
            }
            work = self.work();
        }
    }

    fn work(&self) -> MutexGuard<'_, Work<T>> {
        // Each change is whole, so that what a panic elsewhere left behind is sound.
        self.work.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Exchange {
    /// Whatever is wrong with a response, all is computed and the refusal is the same: nobody learns which part it was.
    fn carry_out(self) {
        let Self { pair, response, token, outcome, waiting } = self;
        drop(waiting);
        tell(outcome, || {
            let secret = pair.decrypt_exact::<16>(&response.shared_secret);
            let same = match &response.token {
                TokenProof::Encrypted(returned) => {
                    let returned = pair.decrypt_exact::<TOKEN>(returned);
                    bool::from(returned.bytes.ct_eq(&token)) & returned.sound
                }
                // By a key that nobody here vouches for, it would show no more than that the client can sign. Who doesn't know the secret
                // is noticed by the cipher, and by whoever authenticates.
                TokenProof::Signed { .. } => true,
            } & secret.sound;
            if same { Ok(Zeroizing::new(secret.bytes)) } else { Err(Ended::Refused(Refusal::Encryption)) }
        });
    }
}

/// Computes for whoever waits, if they still do.
fn tell<T>(outcome: oneshot::Sender<T>, compute: impl FnOnce() -> T) {
    if !outcome.is_closed() {
        // The client may leave meanwhile.
        let _ = outcome.send(compute());
    }
}

impl std::fmt::Debug for Exchange {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Exchange").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::poll_fn;
    use std::pin::pin;
    use std::sync::mpsc;
    use std::task::Poll;
    use std::time::Duration;

    /// How long a test waits for another thread.
    const SOON: Duration = Duration::from_secs(20);

    fn response(pair: &KeyPair, token: &[u8]) -> EncryptionResponse {
        let encrypted = |plain: &[u8]| drawbridge_rsa::encrypt(pair.public_der(), plain).unwrap();
        EncryptionResponse {
            shared_secret: encrypted(&[7; 16]),
            token: TokenProof::Encrypted(encrypted(token)),
        }
    }

    #[tokio::test]
    async fn a_secret_is_shared_with_who_returns_the_token() {
        let keys = Keys::generate(2).unwrap();
        let pair = keys.pair().await.unwrap();
        let exchange =
            |token: [u8; TOKEN]| keys.exchange(Arc::clone(&pair), response(&pair, &[1; TOKEN]), token);
        assert_eq!(*exchange([1; TOKEN]).await.unwrap(), [7; 16]);
        assert_eq!(exchange([2; TOKEN]).await, Err(Ended::Refused(Refusal::Encryption)));
    }

    #[tokio::test]
    async fn the_pair_is_waited_for_until_it_is_made() {
        let (made, pair) = watch::channel(None);
        let keys = Keys { pair, queue: Arc::new(Queue::new()), threads: Vec::new() };
        let mut waiting = pin!(keys.pair());
        let first = poll_fn(|context| Poll::Ready(waiting.as_mut().poll(context).is_pending())).await;
        assert!(first, "there is none yet");
        make_pair(&made);
        waiting.await.unwrap();
        keys.pair().await.unwrap();

        let (made, pair) = watch::channel(None);
        let keys = Keys { pair, queue: Arc::new(Queue::new()), threads: Vec::new() };
        drop(made);
        assert!(keys.pair().await.is_err(), "none will ever be made");
    }

    /// A client that leaves takes its work with it.
    #[tokio::test]
    async fn nothing_is_computed_for_who_has_left() {
        let (outcome, told) = oneshot::channel();
        drop(told);
        tell(outcome, || panic!("computed for nobody"));
        let (outcome, told) = oneshot::channel();
        tell(outcome, || 7);
        assert_eq!(told.await, Ok(7));
    }

    #[test]
    fn a_thread_outlives_a_panic() {
        let queue = Arc::new(Queue::new());
        let (done, outcomes) = mpsc::channel();
        let of_thread = Arc::clone(&queue);
        let thread = thread::spawn(move || {
            of_thread.work_off(|number: u32| {
                assert_ne!(number, 1, "this one panics");
                done.send(number).unwrap();
            });
        });
        (0..4).for_each(|number| queue.put(number));
        let told: Vec<_> = (0..3).map(|_| outcomes.recv_timeout(SOON).unwrap()).collect();
        assert_eq!(told, [0, 2, 3]);
        queue.work().closing = true;
        queue.wake.notify_all();
        thread.join().unwrap();
    }

    #[tokio::test]
    async fn its_threads_end_with_it() {
        let keys = Keys::generate(3).unwrap();
        keys.pair().await.unwrap();
        let queue = Arc::downgrade(&keys.queue);
        assert_eq!(queue.strong_count(), 4, "one for each thread");
        drop(keys);
        assert_eq!(queue.strong_count(), 0);
    }
}
