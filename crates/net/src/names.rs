//! The addresses of host names, by the system's resolver.
//!
//! A look-up that the resolver hangs in can't be ended, and holds a thread. So there is one at a time for a name, however many ask for it, and
//! only so many in all; what it found is kept for a little while, and longer where the resolver doesn't answer any more.
//!
//! What must stay true: a resolver that hangs or fails keeps nobody from addresses that were known a moment ago, and names that it hangs with
//! keep nobody from the addresses of others, unless there are very many of them; a name that is no more has no addresses (RFC 8767, section 4);
//! whoever asks may leave at any time.

use dns_lookup::{AddrInfoHints, LookupErrorKind, SockType, getaddrinfo};
use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::{Semaphore, watch};
use tokio::task::spawn_blocking;
use tokio::time::timeout_at;

/// The most look-ups at once.
const AT_ONCE: usize = 64;
/// How long addresses are kept, and how long it is believed that there are none.
const FRESH: Duration = Duration::from_secs(5);
const FAILED: Duration = Duration::from_secs(1);
/// How long a look-up may take before what it found the last time is taken, and for how long that is good for want of anything better.
const SLOW: Duration = Duration::from_secs(1);
const STALE: Duration = Duration::from_secs(600);
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
    let found = NAMES.look_up(host).await;
    let found =
        found.ok_or_else(|| io::Error::new(io::ErrorKind::HostUnreachable, "its name isn't resolved"))?;
    Ok(found.iter().map(|address| SocketAddr::new(*address, port)).collect())
}

/// The addresses of one name; at least one.
type Found = Arc<[IpAddr]>;

/// What the resolver says.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Word {
    There(Found),
    /// There is no such name, or it has no address.
    Nowhere,
    /// It can't say.
    Unknown,
}

fn by_system(host: &str) -> Word {
    // Else each address is given once for each kind of socket.
    let hints = AddrInfoHints { socktype: SockType::Stream.into(), ..AddrInfoHints::default() };
    match getaddrinfo(Some(host), None, Some(hints)) {
        Ok(found) => {
            let found: Found = found.flatten().map(|found| found.sockaddr.ip()).collect();
            if found.is_empty() { Word::Nowhere } else { Word::There(found) }
        }
        Err(error) => match error.kind() {
            LookupErrorKind::NoName | LookupErrorKind::NoData => Word::Nowhere,
            _ => Word::Unknown,
        },
    }
}

/// What is known of names.
struct Names {
    entries: Arc<Mutex<HashMap<String, Entry>>>,
    places: Arc<Semaphore>,
    resolve: fn(&str) -> Word,
}

/// What is known of a name.
#[derive(Default)]
struct Entry {
    /// The last addresses, and when they were found.
    found: Option<(Found, Instant)>,
    /// When a look-up after that failed, or found none.
    failed: Option<Instant>,
    under_way: Option<UnderWay>,
}

#[derive(Clone)]
struct UnderWay {
    since: Instant,
    /// Closed where the look-up broke off.
    done: watch::Receiver<Option<Word>>,
}

/// What is known at once, and what has to be waited for otherwise.
enum Known {
    /// Without addresses where there were none a moment ago.
    Fresh(Option<Found>),
    Soon {
        old: Option<Found>,
        look_up: UnderWay,
    },
}

impl Names {
    fn new(resolve: fn(&str) -> Word) -> Self {
        Self { entries: Arc::default(), places: Arc::new(Semaphore::new(AT_ONCE)), resolve }
    }

    /// The addresses, if there are any.
    async fn look_up(&self, host: &str) -> Option<Found> {
        let known = self.known(host, Instant::now());
        let (old, UnderWay { since, mut done }) = match known {
            Known::Fresh(found) => return found,
            Known::Soon { old, look_up } => (old, look_up),
        };
        let word = done.wait_for(Option::is_some);
        let word = match &old {
            None => word.await.ok(),
            Some(_) => timeout_at((since + SLOW).into(), word).await.ok().and_then(Result::ok),
        };
        match word.and_then(|word| word.clone()) {
            Some(Word::There(found)) => Some(found),
            Some(Word::Nowhere) => None,
            Some(Word::Unknown) | None => old,
        }
    }

    /// Begins to look the name up where what is known of it is old.
    fn known(&self, host: &str, now: Instant) -> Known {
        let mut entries = lock(&self.entries);
        if entries.len() >= KEPT && !entries.contains_key(host) {
            entries.retain(|_, entry| entry.is_needed(now));
        }
        let entry = entries.entry(host.to_owned()).or_default();
        if entry.is_fresh(now) {
            return Known::Fresh(entry.usable(now));
        }
        let begin = || UnderWay { since: now, done: self.begin(host) };
        // One that broke off is over.
        let look_up =
            entry.under_way.take().filter(|way| way.done.has_changed().is_ok()).unwrap_or_else(begin);
        entry.under_way = Some(look_up.clone());
        Known::Soon { old: entry.usable(now), look_up }
    }

    /// Looks it up on a thread once there is a place, which is held as long as that takes.
    #[expect(clippy::disallowed_methods, reason = "nobody waits for a look-up that the resolver hangs in")]
    fn begin(&self, host: &str) -> watch::Receiver<Option<Word>> {
        let (told, done) = watch::channel(None);
        let (entries, places, resolve) = (Arc::clone(&self.entries), Arc::clone(&self.places), self.resolve);
        let host = host.to_owned();
        tokio::spawn(async move {
            let place = places.acquire_owned().await;
            let name = host.clone();
            let word = spawn_blocking(move || resolve(&name)).await.unwrap_or(Word::Unknown);
            drop(place);
            if let Some(entry) = lock(&entries).get_mut(&host) {
                entry.learn(&word, Instant::now());
            }
            // Everybody may have left.
            let _ = told.send(Some(word));
        });
        done
    }
}

impl Entry {
    fn learn(&mut self, word: &Word, now: Instant) {
        self.under_way = None;
        match word {
            Word::There(found) => (self.found, self.failed) = (Some((Arc::clone(found), now)), None),
            Word::Nowhere => (self.found, self.failed) = (None, Some(now)),
            Word::Unknown => self.failed = Some(now),
        }
    }

    /// Whether it needn't be looked up.
    fn is_fresh(&self, now: Instant) -> bool {
        let found = self.found.as_ref().is_some_and(|(_, at)| now < *at + FRESH);
        found || self.failed.is_some_and(|at| now < at + FAILED)
    }

    /// The addresses, if they aren't too old.
    fn usable(&self, now: Instant) -> Option<Found> {
        self.found.as_ref().filter(|(_, at)| now < *at + STALE).map(|(found, _)| Arc::clone(found))
    }

    /// Whether forgetting it would lose something.
    fn is_needed(&self, now: Instant) -> bool {
        self.under_way.is_some() || self.is_fresh(now) || self.usable(now).is_some()
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

    fn there() -> Word {
        Word::There([IpAddr::from([192, 0, 2, 1])].into())
    }

    fn slow(_: &str) -> Word {
        ASKED.fetch_add(1, Ordering::Relaxed);
        thread::park_timeout(Duration::from_millis(100));
        there()
    }

    fn hangs_for_some(host: &str) -> Word {
        while host.starts_with("hangs") && !*LET_GO.lock().unwrap() {
            thread::park_timeout(Duration::from_millis(5));
        }
        if host.starts_with("nobody") { Word::Nowhere } else { there() }
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
                asking.spawn(async move { names.look_up(&format!("hangs{}", number % 8)).await.is_some() });
            if number % 2 == 1 {
                asks.abort();
            }
        }
        let other = timeout(LONG, names.look_up("other.example.com")).await.expect("it is looked up");
        assert_eq!(other.unwrap().len(), 1);
        assert!(timeout(LONG, names.look_up("nobody.example.com")).await.expect("it is looked up").is_none());
        *LET_GO.lock().unwrap() = true;
        assert!(timeout(LONG, names.look_up("hangs0")).await.expect("it goes on").is_some());
    }

    /// Answers once; from then on hangs, fails or knows the name no more.
    fn answers_once(host: &str) -> Word {
        static ANSWERED: Mutex<Vec<String>> = Mutex::new(Vec::new());
        let mut answered = ANSWERED.lock().unwrap();
        if !answered.iter().any(|known| known == host) {
            answered.push(host.to_owned());
            return there();
        }
        drop(answered);
        while host.starts_with("hangs") && !*LET_GO_ONCE.lock().unwrap() {
            thread::park_timeout(Duration::from_millis(5));
        }
        if host.starts_with("gone") { Word::Nowhere } else { Word::Unknown }
    }

    static LET_GO_ONCE: Mutex<bool> = Mutex::new(false);

    /// Makes all that is known look as if it were so long ago.
    fn age(names: &Names, by: Duration) {
        for entry in lock(&names.entries).values_mut() {
            entry.found = entry.found.take().map(|(found, at)| (found, at.checked_sub(by).unwrap()));
            entry.failed = entry.failed.map(|at| at.checked_sub(by).unwrap());
            entry.under_way.iter_mut().for_each(|way| way.since = way.since.checked_sub(by).unwrap());
        }
    }

    #[tokio::test]
    async fn a_resolver_that_hangs_or_fails_keeps_nobody_from_what_was_known() {
        let names = Names::new(answers_once);
        for host in ["hangs.example.com", "fails.example.com", "gone.example.com"] {
            assert_eq!(names.look_up(host).await.unwrap().len(), 1);
        }
        age(&names, FRESH);
        let since = Instant::now();
        assert!(timeout(LONG, names.look_up("hangs.example.com")).await.expect("it is known").is_some());
        assert!(since.elapsed() >= SLOW, "the resolver has its chance");
        assert!(names.look_up("fails.example.com").await.is_some());
        assert!(names.look_up("fails.example.com").await.is_some(), "and is left alone for a while");
        assert!(names.look_up("gone.example.com").await.is_none(), "its address may be another's by now");
        age(&names, SLOW);
        let again = timeout(SLOW / 2, names.look_up("hangs.example.com")).await;
        assert!(again.expect("nobody waits twice").is_some());
        age(&names, STALE);
        assert!(names.look_up("fails.example.com").await.is_none(), "addresses of yesterday are none");
        *LET_GO_ONCE.lock().unwrap() = true;
        assert!(timeout(LONG, names.look_up("hangs.example.com")).await.expect("it goes on").is_none());
    }

    #[tokio::test]
    async fn an_address_is_its_own() {
        assert_eq!(look_up("192.0.2.1", 7).await.unwrap(), ["192.0.2.1:7".parse().unwrap()]);
        assert_eq!(look_up("::1", 7).await.unwrap(), ["[::1]:7".parse().unwrap()]);
        assert!(!look_up("localhost", 7).await.unwrap().is_empty());
        assert!(look_up("nobody.invalid", 7).await.is_err());
    }
}
