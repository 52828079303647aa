use super::*;
use crate::fixtures::{client, png};
use drawbridge_config::{Document, Error, Root, Style, read_text};
use std::sync::Mutex;

async fn served(fixed: &Fixed) -> Status {
    fixed.status(&client()).await.unwrap().unwrap().status().clone()
}

fn mistakes(text: &str) -> String {
    match read_text::<FixedStatusSection>("status.toml", text) {
        Err(Error::Invalid(diagnostics)) => diagnostics.render(Style::Plain),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn every_key_reaches_the_document() {
    let section: FixedStatusSection = read_text(
        "status.toml",
        "name = 'Hub'
        protocol = { min = 766, max = 775, preferred = 770 }
        description = '<gold>Gold'
        players = { online = 3, max = 9, sample = [
            'a line', { name = 'Notch', id = '069a79f444e94726a5befca90e38aaf5' }] }
        enforces_secure_chat = true",
    )
    .unwrap();
    let status = served(&Fixed::new(&section, None)).await;
    assert_eq!(status.version_name, "Hub");
    assert_eq!(status.protocol, ShownProtocol { min: 766, max: 775, preferred: 770 });
    assert_eq!(status.description.to_plain(), "Gold");
    let players = status.players.unwrap();
    assert_eq!((players.online, players.max), (3, 9));
    assert_eq!(players.sample[0], Sample { name: "a line".into(), id: Uuid::nil() });
    assert_eq!(players.sample[1].id.to_string(), "069a79f4-44e9-4726-a5be-fca90e38aaf5");
    assert!(status.enforces_secure_chat && status.favicon.is_none());
}

#[tokio::test]
async fn the_defaults_are_those_of_the_example() {
    let status = served(&Fixed::new(&FixedStatusSection::default(), None)).await;
    assert_eq!(status.version_name, "Drawbridge");
    assert_eq!(status.protocol, ShownProtocol { min: 0, max: 0, preferred: 777 });
    assert_eq!(status.description.to_plain(), "A Minecraft server");
    assert_eq!(status.players.unwrap().max, 100);
}

/// Nothing is serialised for a ping: everybody is given the same document until there is another adapter.
#[tokio::test]
async fn the_document_is_made_once() {
    let section = FixedStatusSection::default();
    let (one, next) = (Fixed::new(&section, None), Fixed::new(&section, None));
    let (first, second) = (one.document(), one.status(&client()).await.unwrap().unwrap());
    assert!(Arc::ptr_eq(&first, &second));
    assert!(!Arc::ptr_eq(&first, &next.status(&client()).await.unwrap().unwrap()));
}

#[tokio::test]
async fn a_favicon_file_lies_beside_its_document() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("icon.png"), png(64, 64)).unwrap();
    let name = folder.path().join("drawbridge.toml").to_str().unwrap().to_owned();
    let document = Document::parse(name, "favicon = 'icon.png'");
    let section: FixedStatusSection = Root::new(Some(document), &[]).read().unwrap().settings;
    let status = served(&Fixed::new(&section, None)).await;
    assert!(status.favicon.unwrap().starts_with("data:image/png;base64,iVBORw0KGgo"));
}

#[test]
fn mistakes_stand_at_their_keys() {
    let folder = tempfile::tempdir().unwrap();
    let small = folder.path().join("small.png");
    std::fs::write(&small, png(16, 16)).unwrap();
    for (text, words) in [
        ("favicon = 'nowhere.png'".to_owned(), "can't be read"),
        (format!("favicon = '{}'", small.to_str().unwrap()), "16×16 pixels"),
        ("favicon = 'data:image/png;base64,R0lGODlh'".to_owned(), "not a PNG"),
        ("protocol = { min = 5, max = 4 }".to_owned(), "the range is empty"),
        ("protocol.preferred = -1".to_owned(), "never negative"),
        ("players.online = 3000000000".to_owned(), "clients count to"),
        ("players.sample = [1]".to_owned(), "a line of text, or a table"),
        ("players.sample = [{ nam = 'x' }]".to_owned(), "did you mean \"name\""),
        (format!("name = '{}'", "x".repeat(40_000)), "clients take 32767"),
    ] {
        let shown = mistakes(&text);
        assert!(shown.contains(words), "{words}: {shown}");
    }
}

/// Keeps what it was asked.
#[derive(Debug, Default)]
struct Asked(Mutex<Vec<(String, FaviconSlot)>>);

impl FaviconLoader for Asked {
    fn load(&self, url: &str, slot: FaviconSlot) -> Loading {
        self.0.lock().unwrap().push((url.to_owned(), slot.clone()));
        Loading::new(slot)
    }
}

#[tokio::test]
async fn a_favicon_from_a_url_appears_when_it_is_there() {
    let section: FixedStatusSection =
        read_text("status.toml", "name = 'Hub'\nfavicon = 'https://example.com/icon.png'").unwrap();
    let loader = Asked::default();
    let fixed = Fixed::new(&section, Some(&loader));
    let (url, slot) = loader.0.lock().unwrap().remove(0);
    assert_eq!(url, "https://example.com/icon.png");
    assert_eq!(served(&fixed).await.favicon, None);
    assert!(slot.put(b"<html>").is_err());
    assert_eq!(served(&fixed).await.favicon, None);
    slot.put(&png(64, 64)).unwrap();
    let status = served(&fixed).await;
    assert!(status.favicon.is_some() && status.version_name == "Hub");
    let kept = Arc::downgrade(&slot.0);
    drop(slot);
    drop(fixed);
    assert!(kept.upgrade().is_none(), "the work outlives the adapter");
}
