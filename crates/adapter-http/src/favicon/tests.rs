use super::*;
use crate::testing::{Event, PATIENCE, Reply, Server, answer};
use drawbridge_adapter::status::{Fixed, FixedStatusSection};
use drawbridge_config::read_text;
use drawbridge_model::{Client as Visitor, StatusAdapter, TraceContext};
use drawbridge_protocol::ProtocolVersion;
use std::sync::Mutex;
use tokio::runtime::Handle;
use tokio_util::task::TaskTracker;

/// Hands the slot of a status to a test.
#[derive(Debug, Default)]
struct Slot(Mutex<Option<FaviconSlot>>);

impl FaviconLoader for Slot {
    fn load(&self, _: &str, slot: FaviconSlot) -> Loading {
        *self.0.lock().unwrap() = Some(slot);
        Loading::new(())
    }
}

fn png(side: u32) -> Vec<u8> {
    let mut png = Vec::new();
    let mut writer = png::Encoder::new(&mut png, side, side).write_header().unwrap();
    writer.write_image_data(&vec![0; (side * side) as usize]).unwrap();
    writer.finish().unwrap();
    png
}

fn section(server: &Server) -> FixedStatusSection {
    read_text("status.toml", &format!("favicon = '{}/icon.png?v=1'", server.url)).unwrap()
}

async fn has_favicon(status: &Fixed) -> bool {
    let visitor = Visitor {
        address: ([127, 0, 0, 1], 1).into(),
        version: ProtocolVersion::newest(),
        host: String::new(),
        port: 1,
        trace: TraceContext { trace_id: 1, span_id: 1, flags: 0 },
    };
    status.status(&visitor).await.unwrap().unwrap().status().favicon.is_some()
}

#[tokio::test]
async fn it_is_asked_for_until_it_is_there() {
    let server = Server::start(|number| {
        Reply::Bytes(match number {
            0 => answer("404 Not Found", "", png(64)),
            1 => answer("302 Found", "Location: /other.png\r\n", ""),
            2 => answer("200 OK", "", "<html>"),
            3 => answer("200 OK", "", png(32)),
            4 => answer("200 OK", "", vec![0; LARGEST + 1]),
            _ => answer("200 OK", "", png(64)),
        })
    });
    let slot = Slot::default();
    let status = Fixed::new(&section(&server), Some(&slot));
    assert!(!has_favicon(&status).await);
    let slot = slot.0.lock().unwrap().take().unwrap();
    let waits = Waits::new(Duration::from_millis(1), Duration::from_millis(2));
    let url = format!("{}/icon.png?v=1", server.url);
    timeout(PATIENCE, load(Arc::default(), url, slot, Arc::default(), waits)).await.unwrap();
    assert!(has_favicon(&status).await);
    let requests = server.requests();
    assert_eq!(requests.len(), 6);
    assert_eq!(requests[0], "GET /icon.png?v=1 HTTP/1.1");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reload_shows_the_last_picture_until_there_is_another() {
    let server = Server::start(|number| match number {
        0 => Reply::Bytes(answer("200 OK", "", png(64))),
        _ => Reply::Silence,
    });
    let (http, tasks) = (Http::default(), TaskTracker::new());
    http.background().start(&Handle::current(), &tasks);
    let before = Fixed::new(&section(&server), Some(&http));
    let loaded = async {
        while http.last_picture(&format!("{}/icon.png?v=1", server.url)).get().is_none() {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, loaded).await.unwrap();
    assert!(has_favicon(&before).await);
    let after = Fixed::new(&section(&server), Some(&http));
    assert!(has_favicon(&after).await);
    drop((before, after));
    // What asked for it ends a moment after who wanted it.
    let forgotten = async {
        while http.last_picture(&format!("{}/icon.png?v=1", server.url)).get().is_some() {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, forgotten).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn dropping_the_adapter_ends_the_loading() {
    let server = Server::start(|_| Reply::Silence);
    let (http, tasks) = (Http::default(), TaskTracker::new());
    let before = Fixed::new(&section(&server), Some(&http));
    drop(Fixed::new(&section(&server), Some(&http)));
    // There is nothing to do it on yet.
    assert!(server.requests().is_empty());
    http.background().start(&Handle::current(), &tasks);
    assert!(matches!(server.event(), Event::Request(_)));
    let after = Fixed::new(&section(&server), Some(&http));
    assert!(matches!(server.event(), Event::Request(_)));
    drop((before, after));
    assert_eq!((server.event(), server.event()), (Event::Closed, Event::Closed));
    assert!(server.requests().is_empty());
    tasks.close();
    timeout(PATIENCE, tasks.wait()).await.unwrap();
}
