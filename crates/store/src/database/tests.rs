use super::*;
use proptest::prelude::*;
use std::time::Duration;
use tempfile::TempDir;

struct House(TempDir);

impl House {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn file(&self) -> PathBuf {
        self.0.path().join("bans.db")
    }

    fn database(&self) -> Database {
        Database::create(&self.file()).unwrap()
    }
}

fn bans(database: &Database) -> Vec<Ban> {
    database.bans().unwrap()
}

fn ban(of: &str) -> Ban {
    let since = UNIX_EPOCH + Duration::from_millis(1_790_000_000_123);
    Ban { of: of.parse().unwrap(), reason: "why".into(), source: "test".into(), since, until: None }
}

#[test]
fn what_was_written_is_read() {
    let house = House::new();
    assert!(Database::open(&house.file()).unwrap().is_none());
    let mut database = house.database();
    let until = UNIX_EPOCH + Duration::from_millis(32_503_680_000_000);
    let banned: Vec<_> =
        ["Notch", "10.0.0.0/8", "203.0.113.7", "2001:db8::/64", "069a79f4-44e9-4726-a5be-fca90e38aaf5"]
            .iter()
            .map(|of| Ban { until: Some(until), ..ban(of) })
            .collect();
    assert_eq!(database.ban_all(&banned).unwrap(), []);
    let again = Ban { reason: "".into(), ..ban("nOTCH") };
    assert_eq!(database.ban(&again).unwrap(), Some(banned[0].clone()));
    drop(database);
    let mut database = Database::open(&house.file()).unwrap().unwrap();
    let mut read = bans(&database);
    read.sort_by(|one, other| one.of.cmp(&other.of));
    let mut expected: Vec<_> = banned[1..].iter().cloned().chain([again.clone()]).collect();
    expected.sort_by(|one, other| one.of.cmp(&other.of));
    assert_eq!(read, expected);
    let now = SystemTime::now();
    assert_eq!(database.unban(&again.of, "me", now).unwrap(), again);
    assert!(matches!(database.unban(&again.of, "me", now), Err(StoreError::NotBanned(_))));
    let history = database.history().unwrap();
    let done: Vec<_> = history.iter().map(|event| event.action).collect();
    assert_eq!(done, [[Action::Ban; 6].as_slice(), &[Action::Unban]].concat());
    assert_eq!((&*history[6].ban.source, &history[6].ban.of), ("me", &again.of));
    assert_eq!(history[5].ban, again);
}

#[test]
fn one_that_cant_be_written_leaves_all_unwritten() {
    let house = House::new();
    let mut database = house.database();
    let long = Ban { reason: "x".repeat(LONGEST_REASON + 1).into(), ..ban("Bob") };
    assert!(matches!(database.ban_all(&[ban("Alice"), long]), Err(StoreError::Text { .. })));
    assert_eq!(bans(&database), []);
    assert_eq!(database.history().unwrap(), []);
}

/// As on a disk that fills up.
#[test]
fn a_full_file_is_told_and_loses_nothing() {
    let house = House::new();
    let mut database = house.database();
    database.connection.pragma_update(None, "max_page_count", 16).unwrap();
    let mut banned = 0;
    let error = loop {
        match database.ban(&ban(&format!("player_{banned}"))) {
            Ok(_) => banned += 1,
            Err(error) => break error,
        }
    };
    assert!(matches!(error, StoreError::Full { .. }), "{error:?}");
    assert!(banned > 10);
    assert_eq!(bans(&database).len(), banned);
    assert_eq!(database.history().unwrap().len(), banned);
    database.connection.pragma_update(None, "max_page_count", 1000).unwrap();
    database.ban(&ban("player_after")).unwrap();
}

#[test]
fn what_ended_long_ago_stays_in_the_history_alone() {
    let house = House::new();
    let mut database = house.database();
    let now = SystemTime::now();
    let ended = |days: u64| Some(now - Duration::from_secs(days * 24 * 60 * 60));
    database.ban(&Ban { until: ended(8), ..ban("long") }).unwrap();
    database.ban(&Ban { until: ended(6), ..ban("late") }).unwrap();
    let left: Vec<_> = bans(&database).into_iter().map(|ban| ban.of.to_string()).collect();
    assert_eq!(left, ["late"]);
    assert_eq!(database.history().unwrap().len(), 2);
}

#[test]
fn a_newer_format_is_left_alone() {
    let house = House::new();
    let database = house.database();
    database.connection.pragma_update(None, "user_version", schema::NEWEST + 1).unwrap();
    drop(database);
    for opened in [Database::open(&house.file()).map(drop), Database::create(&house.file()).map(drop)] {
        let Err(StoreError::Newer { found, known, .. }) = opened else { panic!("{opened:?}") };
        assert_eq!((found, known), (schema::NEWEST + 1, schema::NEWEST));
    }
}

#[test]
fn somebody_elses_database_is_left_alone() {
    let house = House::new();
    let foreign = Connection::open(house.file()).unwrap();
    foreign.execute_batch("CREATE TABLE bans (x); INSERT INTO bans VALUES (1)").unwrap();
    drop(foreign);
    let before = std::fs::read(house.file()).unwrap();
    for opened in [Database::open(&house.file()).map(drop), Database::create(&house.file()).map(drop)] {
        assert!(matches!(opened, Err(StoreError::Foreign { .. })), "{opened:?}");
    }
    assert_eq!(std::fs::read(house.file()).unwrap(), before);
}

#[test]
fn an_empty_file_is_as_good_as_none() {
    let house = House::new();
    std::fs::write(house.file(), "").unwrap();
    assert!(Database::open(&house.file()).unwrap().is_none());
    house.database().ban(&ban("Notch")).unwrap();
    assert_eq!(bans(&Database::open(&house.file()).unwrap().unwrap()).len(), 1);
}

#[test]
fn a_row_that_nobody_could_have_written_is_told() {
    let house = House::new();
    let database = house.database();
    let insert = "INSERT INTO bans VALUES ('uuid', 'Notch', '', '', 0, NULL)";
    database.connection.execute_batch(insert).unwrap();
    let Err(StoreError::Damaged { what, .. }) = database.bans::<Vec<_>>() else { panic!("it was read") };
    assert!(what.contains("\"Notch\""), "{what}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever bytes a file has, opening it neither panics nor changes them where it isn't one of bans.
    #[test]
    fn any_file_is_opened_or_refused(bytes in proptest::collection::vec(any::<u8>(), 1..4096), ours: bool) {
        let house = House::new();
        if ours {
            house.database().ban(&ban("Notch")).unwrap();
            let mut file = std::fs::read(house.file()).unwrap();
            let end = file.len().min(100 + bytes.len());
            file[100..end].copy_from_slice(&bytes[..end - 100]);
            std::fs::write(house.file(), &file).unwrap();
        } else {
            std::fs::write(house.file(), &bytes).unwrap();
        }
        let read = Database::open(&house.file()).and_then(|database| database.map_or(Ok(Vec::new()), |open| open.bans()));
        prop_assert!(ours || read.is_err(), "{:?}", read);
    }
}
