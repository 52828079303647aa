use super::*;
use crate::{Action, Event};
use std::time::UNIX_EPOCH;
use tempfile::TempDir;
use tokio::time::timeout;

/// How soon what another process writes has to count.
const SOON: Duration = Duration::from_secs(2);

fn ban(of: &str) -> Ban {
    Ban { of: of.parse().unwrap(), reason: "".into(), source: "test".into(), since: UNIX_EPOCH, until: None }
}

struct House {
    folder: TempDir,
}

impl House {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("bans.db")
    }

    fn store(&self) -> Store {
        Store::open(&self.file()).unwrap()
    }

    /// Another process' hand on the file.
    fn other(&self) -> Database {
        Database::create(&self.file()).unwrap()
    }
}

#[tokio::test]
async fn what_is_banned_counts_as_soon_as_that_is_said() {
    let house = House::new();
    let store = house.store();
    assert!(!house.file().exists(), "nothing is opened before there is a ban");
    let mut changes = store.changes();
    assert_eq!(store.ban(ban("Notch")).await.unwrap(), None);
    assert!(changes.has_changed().unwrap());
    changes.mark_unchanged();
    assert!(store.name("nOTCH").is_some());
    assert!(store.name("jeb").is_none());
    store.ban(ban("10.0.0.0/8")).await.unwrap();
    assert!(store.address("10.1.2.3".parse().unwrap()).is_some());
    let id = Uuid::from_u128(7);
    store.ban(ban(&id.to_string())).await.unwrap();
    assert!(store.id(id).is_some());
    assert!(changes.has_changed().unwrap());
    drop(store);
    let store = house.store();
    assert!(store.name("Notch").is_some() && store.id(id).is_some());
    assert_eq!(store.unban("Notch".parse().unwrap(), "test").await.unwrap(), ban("Notch"));
    assert!(store.name("Notch").is_none());
    let again = store.unban("Notch".parse().unwrap(), "test").await;
    assert!(matches!(again, Err(StoreError::NotBanned(_))), "{again:?}");
    let history = house.other().history().unwrap();
    let done: Vec<_> = history.iter().map(|Event { action, .. }| *action).collect();
    assert_eq!(done, [Action::Ban, Action::Ban, Action::Ban, Action::Unban]);
}

/// Waits until somebody is banned by name. Only when there are other bans than before it is worth looking again.
async fn soon_banned(store: &Store, name: &str) {
    let mut changes = store.changes();
    let noticed = timeout(SOON, async {
        while store.name(name).is_none() {
            changes.changed().await.unwrap();
        }
    });
    assert!(noticed.await.is_ok(), "{name} isn't banned after {SOON:?}");
}

#[tokio::test]
async fn what_others_write_is_noticed() {
    let house = House::new();
    let store = house.store();
    let mut other = house.other();
    for name in ["first", "second", "third"] {
        other.ban(&ban(name)).unwrap();
        soon_banned(&store, name).await;
    }
    // Its own writing doesn't hide that of others.
    other.ban(&ban("other")).unwrap();
    store.ban(ban("own")).await.unwrap();
    assert!(store.name("other").is_some() && store.name("own").is_some());
    // Another file takes the name, as when a copy is put back.
    drop(other);
    let copy = house.folder.path().join("copy.db");
    Database::create(&copy).unwrap().ban(&ban("restored")).unwrap();
    std::fs::rename(&copy, house.file()).unwrap();
    soon_banned(&store, "restored").await;
    assert!(store.name("own").is_none());
}

#[tokio::test]
async fn many_who_ban_at_once_all_do() {
    let house = House::new();
    let store = Arc::new(house.store());
    let mut banning = tokio::task::JoinSet::new();
    for number in 0..100 {
        let store = Arc::clone(&store);
        banning.spawn(async move { store.ban(ban(&format!("p{number}"))).await.unwrap() });
    }
    assert_eq!(banning.join_all().await.len(), 100);
    assert!((0..100).all(|number| store.name(&format!("p{number}")).is_some()));
}

/// Where it can't be written, nobody is banned, in memory as little as on disk.
#[tokio::test]
async fn a_ban_that_isnt_written_doesnt_count() {
    let house = House::new();
    let store = house.store();
    store.ban(ban("before")).await.unwrap();
    let away = house.folder.path().join("away.db");
    std::fs::rename(house.file(), &away).unwrap();
    let refused = store.ban(ban("meanwhile")).await;
    assert!(matches!(refused, Err(StoreError::Gone { .. })), "{refused:?}");
    assert!(store.name("meanwhile").is_none() && store.name("before").is_some());
    let long = Ban { reason: "x".repeat(2000).into(), ..ban("wordy") };
    std::fs::rename(&away, house.file()).unwrap();
    assert!(matches!(store.ban(long).await, Err(StoreError::Text { .. })));
    assert!(store.name("wordy").is_none());
    store.ban(ban("after")).await.unwrap();
    assert!(store.name("after").is_some());
}
