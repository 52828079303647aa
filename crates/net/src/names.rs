//! The addresses of host names, by the system's resolver.
//!
//! A look-up that the resolver hangs in can't be ended, and holds a thread. So there is one at a time for a name, however many ask for it, and
//! only so many in all; what it found is kept for a little while.
//!
//! What must stay true: names whose look-ups hang keep nobody from the addresses of others, unless there are very many of them; whoever
//! asks may leave at any time.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs as _};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::spawn_blocking;

/// The most look-ups at once.
const AT_ONCE: usize = 64;
/// How long addresses are kept, and how long it is believed that there are none.
const FRESH: Duration = Duration::from_secs(5);
const FAILED: Duration = Duration::from_secs(1);
/// From how many names on those are forgotten whose addresses are old.
const KEPT: usize = 1000;

/// Those of the process.
static NAMES: LazyLock<Names> = LazyLock::new(|| Names::new(by_system));

/// The addresses of a host, which may be one itself, with this port; at least one.
///
/// # Errors
/// When it has none, or the resolver can't say.
pub async fn look_up(host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
    if let Ok(address) = host.parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(address, port)]);
    }
    let found = NAMES.look_up(host).await.map_err(|()| io::Error::other("its name isn't resolved"))?;
    Ok(found.iter().map(|address| SocketAddr::new(*address, port)).collect())
}

fn by_system(host: &str) -> Vec<IpAddr> {
    let found = (host, 0).to_socket_addrs();
    found.into_iter().flatten().map(|address| address.ip()).collect()
}

/// The addresses of one name; none: nobody can say.
type Found = Arc<[IpAddr]>;

/// What is known of names.
struct Names {
    entries: Arc<Mutex<HashMap<String, Entry>>>,
    places: Arc<Semaphore>,
    resolve: fn(&str) -> Vec<IpAddr>,
}

enum Entry {
    /// It is looked up; closed in the end.
    UnderWay(watch::Receiver<Option<Found>>),
    Known(Found, Instant),
}

/// What whoever asks has to do.
enum Next {
    Take(Found),
    WaitFor(watch::Receiver<Option<Found>>),
    LookUp,
}

impl Names {
    fn new(resolve: fn(&str) -> Vec<IpAddr>) -> Self {
        Self { entries: Arc::default(), places: Arc::new(Semaphore::new(AT_ONCE)), resolve }
    }

    async fn look_up(&self, host: &str) -> Result<Found, ()> {
        let mut place = None;
        loop {
            // Somebody else may have begun while a place was waited for.
            let known = next(&lock(&self.entries), host);
            let next = match (known, place.take()) {
                (Next::LookUp, Some(place)) => Next::WaitFor(self.begin(host, place)),
                (known, _) => known,
            };
            match next {
                Next::Take(found) if found.is_empty() => return Err(()),
                Next::Take(found) => return Ok(found),
                Next::WaitFor(mut done) => {
                    let found = done.wait_for(Option::is_some).await.map_err(|_| ())?.clone();
                    return found.filter(|found| !found.is_empty()).ok_or(());
                }
                Next::LookUp => place = Some(Arc::clone(&self.places).acquire_owned().await.map_err(|_| ())?),
            }
        }
    }

    /// Looks it up on a thread, which holds the place as long as that takes.
    fn begin(&self, host: &str, place: OwnedSemaphorePermit) -> watch::Receiver<Option<Found>> {
        let (told, done) = watch::channel(None);
        let (entries, resolve, host) = (Arc::clone(&self.entries), self.resolve, host.to_owned());
        {
            let mut entries = lock(&self.entries);
            if let Some(Entry::UnderWay(done)) = entries.get(&host) {
                return done.clone();
            }
            if entries.len() >= KEPT {
                entries.retain(|_, entry| !entry.is_old());
            }
            entries.insert(host.clone(), Entry::UnderWay(done.clone()));
        }
        spawn_blocking(move || {
            let found = Found::from(resolve(&host));
            lock(&entries).insert(host, Entry::Known(Arc::clone(&found), Instant::now()));
            drop(place);
            // Everybody may have left.
            let _ = told.send(Some(found));
        });
        done
    }
}

impl Entry {
    fn is_old(&self) -> bool {
        match self {
            Self::UnderWay(_) => false,
            Self::Known(found, since) => since.elapsed() >= if found.is_empty() { FAILED } else { FRESH },
        }
    }
}

fn next(entries: &HashMap<String, Entry>, host: &str) -> Next {
    match entries.get(host) {
        Some(Entry::UnderWay(done)) => Next::WaitFor(done.clone()),
        Some(entry @ Entry::Known(found, _)) if !entry.is_old() => Next::Take(Arc::clone(found)),
        _ => Next::LookUp,
    }
}

fn lock(entries: &Mutex<HashMap<String, Entry>>) -> MutexGuard<'_, HashMap<String, Entry>> {
    // Each change is whole, so that what a panic elsewhere left behind is sound.
    entries.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::thread;
    use tokio::task::JoinSet;
    use tokio::time::timeout;

    const LONG: Duration = Duration::from_secs(20);

    static ASKED: AtomicUsize = AtomicUsize::new(0);
    /// Whether those look-ups may end that hang.
    static LET_GO: Mutex<bool> = Mutex::new(false);

    fn slow(_: &str) -> Vec<IpAddr> {
        ASKED.fetch_add(1, Ordering::Relaxed);
        thread::park_timeout(Duration::from_millis(100));
        vec![[192, 0, 2, 1].into()]
    }

    fn hangs_for_some(host: &str) -> Vec<IpAddr> {
        while host.starts_with("hangs") && !*LET_GO.lock().unwrap() {
            thread::park_timeout(Duration::from_millis(5));
        }
        if host.starts_with("nobody") { Vec::new() } else { vec![[192, 0, 2, 1].into()] }
    }

    #[tokio::test]
    async fn a_name_is_looked_up_once_for_all_who_ask() {
        let names = Arc::new(Names::new(slow));
        let mut asking = JoinSet::new();
        for _ in 0..1_000 {
            let names = Arc::clone(&names);
            asking.spawn(async move { names.look_up("hub.example.com").await.unwrap().len() });
        }
        assert_eq!(asking.join_all().await.into_iter().sum::<usize>(), 1_000);
        names.look_up("hub.example.com").await.unwrap();
        assert_eq!(ASKED.load(Ordering::Relaxed), 1, "and is kept");
    }

    #[tokio::test]
    async fn names_that_hang_keep_nobody_from_others() {
        let names = Arc::new(Names::new(hangs_for_some));
        let mut asking = JoinSet::new();
        for number in 0..500 {
            let names = Arc::clone(&names);
            // Few names, asked for by many, of whom half leave.
            let asks =
                asking.spawn(async move { names.look_up(&format!("hangs{}", number % 8)).await.is_ok() });
            if number % 2 == 1 {
                asks.abort();
            }
        }
        let other = timeout(LONG, names.look_up("other.example.com")).await.expect("it is looked up");
        assert_eq!(other.unwrap().len(), 1);
        assert!(timeout(LONG, names.look_up("nobody.example.com")).await.expect("it is looked up").is_err());
        *LET_GO.lock().unwrap() = true;
        assert!(timeout(LONG, names.look_up("hangs0")).await.expect("it goes on").is_ok());
    }

    #[tokio::test]
    async fn an_address_is_its_own() {
        assert_eq!(look_up("192.0.2.1", 7).await.unwrap(), ["192.0.2.1:7".parse().unwrap()]);
        assert_eq!(look_up("::1", 7).await.unwrap(), ["[::1]:7".parse().unwrap()]);
        assert!(!look_up("localhost", 7).await.unwrap().is_empty());
        assert!(look_up("nobody.invalid", 7).await.is_err());
    }
}
