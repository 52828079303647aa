use super::*;
use crate::fixtures::client;
use crate::guard::Post;
use crate::setting::Text;
use drawbridge_model::status::ShownProtocol;
use drawbridge_model::{AdapterError, Status};
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tokio_util::task::TaskTracker;

/// Answers each question when it is let, with the number of the question; fails while it is told to.
#[derive(Debug)]
struct Numbered {
    asked: Arc<AtomicUsize>,
    answers: Arc<Semaphore>,
    fails: Arc<AtomicUsize>,
}

#[async_trait]
impl StatusAdapter for Numbered {
    async fn status(&self, _: &Client) -> Result<Answer, AdapterError> {
        let number = self.asked.fetch_add(1, Ordering::SeqCst) + 1;
        self.answers.acquire().await.unwrap().forget();
        if self.fails.load(Ordering::SeqCst) > 0 {
            return Err(AdapterError::Answer("no".into()));
        }
        let section = StateSection { name: number.to_string(), description: Text::plain("") };
        let shown = Status {
            protocol: ShownProtocol { min: 0, max: 0, preferred: 0 },
            ..section.document().status().clone()
        };
        Ok(Some(Arc::new(StatusDocument::new(shown))))
    }
}

struct Scene {
    cached: Arc<Cached>,
    asked: Arc<AtomicUsize>,
    answers: Arc<Semaphore>,
    fails: Arc<AtomicUsize>,
}

fn scene(cache: Duration, on_error: OnStatusError) -> Scene {
    let (asked, answers, fails) = (Arc::default(), Arc::new(Semaphore::new(0)), Arc::default());
    let adapter =
        Numbered { asked: Arc::clone(&asked), answers: Arc::clone(&answers), fails: Arc::clone(&fails) };
    let background = Arc::new(Background::default());
    background.start(&Handle::current(), &TaskTracker::new());
    let patience = Duration::from_millis(50);
    let guard = Guard::new(
        Post::default(),
        "status",
        "test",
        if cache.is_zero() { patience } else { Duration::from_secs(60) },
    );
    let caching = Caching { cache, patience, on_error, unreachable: StateSection::default() };
    Scene { cached: Arc::new(Cached::new(adapter, guard, caching, background)), asked, answers, fails }
}

impl Scene {
    async fn shown(&self, host: &str) -> String {
        let client = Client { host: host.to_owned(), ..client() };
        self.cached.status(&client).await.unwrap().unwrap().status().version_name.clone()
    }

    /// Lets one question end, and waits until its outcome is put down.
    async fn answer(&self, asked: usize) {
        self.answers.add_permits(1);
        while self.under_way() || self.asked.load(Ordering::SeqCst) < asked {
            tokio::task::yield_now().await;
        }
    }

    fn under_way(&self) -> bool {
        lock(&self.cached.entries).of.values().any(|entry| entry.question.is_some())
    }
}

#[tokio::test(start_paused = true)]
async fn many_pings_are_one_question() {
    let scene = scene(Duration::from_secs(3600), OnStatusError::Stale);
    for _ in 0..10 {
        assert_eq!(scene.shown("a").await, "unreachable");
    }
    assert_eq!(scene.asked.load(Ordering::SeqCst), 1);
    scene.answer(1).await;
    for _ in 0..10 {
        assert_eq!(scene.shown("a").await, "1");
    }
    assert_eq!(scene.asked.load(Ordering::SeqCst), 1);
}

#[tokio::test(start_paused = true)]
async fn an_old_answer_is_shown_until_the_next_is_there() {
    let scene = scene(Duration::from_secs(60), OnStatusError::Stale);
    assert_eq!(scene.shown("a").await, "unreachable");
    scene.answer(1).await;
    tokio::time::advance(Duration::from_secs(61)).await;
    assert_eq!(scene.shown("a").await, "1");
    assert_eq!(scene.shown("a").await, "1");
    scene.answer(2).await;
    assert_eq!(scene.shown("a").await, "2");
}

#[tokio::test(start_paused = true)]
async fn a_failure_leaves_what_the_route_says() {
    for (on_error, expected) in [(OnStatusError::Stale, "1"), (OnStatusError::States, "unreachable")] {
        let scene = scene(Duration::from_secs(60), on_error);
        scene.shown("a").await;
        scene.answer(1).await;
        tokio::time::advance(Duration::from_secs(61)).await;
        scene.fails.store(1, Ordering::SeqCst);
        assert_eq!(scene.shown("a").await, "1");
        scene.answer(2).await;
        for _ in 0..10 {
            assert_eq!(scene.shown("a").await, expected);
        }
        // A failure is believed for a while.
        assert_eq!(scene.asked.load(Ordering::SeqCst), 2);
    }
}

#[tokio::test(start_paused = true)]
async fn neither_keys_nor_questions_grow_with_what_clients_say() {
    let scene = scene(Duration::from_secs(3600), OnStatusError::Stale);
    for number in 0..2 * KEYS {
        scene.shown(&number.to_string()).await;
        tokio::time::advance(SECOND / NEW_KEYS).await;
    }
    assert_eq!(scene.asked.load(Ordering::SeqCst), QUESTIONS);
    assert!(lock(&scene.cached.entries).of.len() <= KEYS);
}

/// Somebody who comes with a new host each time makes few questions, and takes nothing from others.
#[tokio::test(start_paused = true)]
async fn new_hosts_cost_few_questions_and_nobody_their_answer() {
    let scene = scene(Duration::from_secs(10), OnStatusError::Stale);
    scene.answers.add_permits(100_000);
    for number in 0..2 {
        assert_eq!(scene.shown("lobby").await, "1", "{number}");
        tokio::time::advance(SECOND).await;
    }
    for second in 1..=60 {
        for number in 0..100 {
            scene.shown(&format!("{second} {number}")).await;
        }
        let asked = scene.asked.load(Ordering::SeqCst);
        assert!(asked <= 1 + second * NEW_KEYS as usize + second, "{asked} questions in {second} s");
        tokio::time::advance(SECOND).await;
    }
    assert_ne!(scene.shown("lobby").await, "unreachable", "nobody takes its place");
}

#[tokio::test(start_paused = true)]
async fn unknown_versions_are_alike() {
    let scene = scene(Duration::from_secs(3600), OnStatusError::Stale);
    for number in 1_000_000..1_000_010 {
        let client = Client { version: ProtocolVersion(number), ..client() };
        scene.cached.status(&client).await.unwrap();
    }
    assert_eq!(scene.asked.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn without_a_cache_every_ping_asks() {
    let scene = scene(Duration::ZERO, OnStatusError::Stale);
    scene.answers.add_permits(3);
    for expected in ["1", "2", "3", "unreachable", "unreachable", "unreachable"] {
        assert_eq!(scene.shown("a").await, expected);
    }
    // Who hangs is not asked any more.
    assert_eq!(scene.shown("a").await, "unreachable");
    assert_eq!(scene.asked.load(Ordering::SeqCst), 6);
}

#[tokio::test(start_paused = true)]
async fn questions_end_with_the_adapter() {
    let Scene { cached, asked, answers, .. } = scene(Duration::from_secs(3600), OnStatusError::Stale);
    cached.status(&client()).await.unwrap();
    assert_eq!((asked.load(Ordering::SeqCst), Arc::strong_count(&answers)), (1, 2));
    drop(cached);
    while Arc::strong_count(&answers) > 1 {
        tokio::task::yield_now().await;
    }
}
