use super::*;
use crate::testing::{Event, PATIENCE, Reply, Server, encrypted};
use tokio::time::timeout;

const TRACE: TraceContext = TraceContext { trace_id: 1, span_id: 2, flags: 0 };

fn server(at: &Server, calls: usize) -> SessionServer {
    SessionServer::with_bound(at.url.parse().unwrap(), Arc::new(Tls::default()), calls)
}

#[tokio::test(flavor = "multi_thread")]
async fn no_more_calls_than_allowed_are_under_way() {
    let at = Server::start(|_| Reply::Silence);
    let server = Arc::new(server(&at, 2));
    let mut calls = tokio::task::JoinSet::new();
    for _ in 0..2 {
        let server = Arc::clone(&server);
        calls.spawn(async move { server.has_joined("", &TRACE, PATIENCE).await.is_ok() });
        assert!(matches!(at.event(), Event::Request(_)));
    }
    // The third waits for its turn, and that counts.
    let waited = Duration::from_millis(100);
    assert_eq!(server.has_joined("", &TRACE, waited).await.unwrap_err(), AdapterError::TimedOut(waited));
    assert!(at.requests().is_empty());
    // A call that is dropped makes room, and closes its connection.
    calls.shutdown().await;
    assert_eq!((at.event(), at.event()), (Event::Closed, Event::Closed));
    assert_eq!(server.calls.available_permits(), 2);
}

#[tokio::test]
async fn a_dropped_call_says_nothing_about_the_server() {
    let at = Server::start(|_| Reply::Silence);
    let server = server(&at, 1);
    for _ in 0..5 {
        let call = server.has_joined("", &TRACE, PATIENCE);
        assert!(timeout(Duration::from_millis(20), call).await.is_err());
    }
    assert_eq!(server.breaker.waiting(), None);
}

/// Whoever has waited for others most of the time would ask in vain, and blame the server for it.
#[tokio::test]
async fn who_waited_too_long_for_others_does_not_ask_any_more() {
    let at = Server::start(|_| Reply::Silence);
    let server = server(&at, 1);
    for _ in 0..4 {
        let first = timeout(Duration::from_millis(150), server.has_joined("first", &TRACE, PATIENCE));
        let waited = Duration::from_millis(200);
        let (first, second) = tokio::join!(first, server.has_joined("second", &TRACE, waited));
        assert!(first.is_err());
        assert_eq!(second.unwrap_err(), AdapterError::TimedOut(waited));
    }
    assert!(at.requests().iter().all(|request| request.contains("first")));
    assert_eq!(server.breaker.waiting(), None);
}

#[tokio::test]
async fn encrypted_servers_are_asked_when_they_are_trusted() {
    let (url, client) = encrypted("{}");
    let ask = |tls| {
        let url = url.clone();
        async move {
            let server = SessionServer::new(url.parse().unwrap(), Arc::new(tls));
            let first = server.has_joined("", &TRACE, PATIENCE).await?;
            assert_eq!(server.has_joined("", &TRACE, PATIENCE).await?.body, first.body);
            Ok::<_, AdapterError>(first.body)
        }
    };
    assert_eq!(ask(Tls::of(client)).await.unwrap(), "{}");
    // One that trusts another server of that name.
    let (_, stranger) = encrypted("{}");
    let error = ask(Tls::of(stranger)).await.unwrap_err().to_string();
    assert!(error.contains("certificate"), "{error}");
}
