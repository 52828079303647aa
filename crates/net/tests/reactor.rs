//! What the reactor promises to tasks and to clients, seen from outside.
#![allow(missing_docs, clippy::unwrap_used, reason = "a test")]

mod common;

use std::future::{Future, poll_fn};
use std::io::{ErrorKind, Read, Write};
use std::net::Shutdown;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::time::{Duration, Instant};

use common::{Edge, SOON, assert_echoes, echo};
use drawbridge_net::reactor::LINGER_TIME;
use drawbridge_net::{Continuation, Listener, Socket};
use tokio::sync::oneshot;

/// A channel whose sending end many tasks may have.
fn reports<T>() -> (Arc<Mutex<Sender<T>>>, Receiver<T>) {
    let (sender, receiver) = channel();
    (Arc::new(Mutex::new(sender)), receiver)
}

fn report<T>(to: &Mutex<Sender<T>>, what: T) {
    to.lock().unwrap().send(what).unwrap();
}

#[test]
fn reads_and_writes() {
    let edge = Edge::start_on("127.0.0.1:0", 2, echo);
    let mut clients: Vec<_> = (0..20).map(|_| edge.connect()).collect();
    for _ in 0..3 {
        clients.iter_mut().for_each(assert_echoes);
    }
}

#[test]
fn a_task_may_go_on_as_another_that_has_its_socket() {
    let (told, dropped) = reports();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let bound = Listener::bind(&["127.0.0.1:0".parse().unwrap()], 1).unwrap();
    let address = bound.local_addresses()[0];
    let task = move |mut socket: Socket| {
        let kept = Kept(Arc::clone(&told));
        async move {
            socket.read(&mut [0; 1]).await.unwrap();
            // What the first task has is gone before the second one begins.
            let _kept = kept;
            Some(Continuation::new(echo(socket)))
        }
    };
    let mut serving = bound.serve(task, runtime.handle()).unwrap();
    let mut clients: Vec<_> = (0..20).map(|_| common::connect(address).unwrap()).collect();
    for client in &mut clients {
        client.write_all(b"!").unwrap();
        dropped.recv_timeout(SOON).unwrap();
        assert_echoes(client);
        assert_echoes(client);
    }
    drop(clients);
    serving.stop_accepting();
    let finished = serving.finished();
    runtime.block_on(async { tokio::time::timeout(SOON, finished).await }).expect("all slots are free");
}

/// Says what it is, and again each time it hears something.
async fn answer_as(mut socket: Socket, who: u8, told: Arc<Mutex<Sender<u8>>>) {
    loop {
        report(&told, who);
        let Ok(1) = socket.read(&mut [0; 1]).await else { return };
    }
}

#[test]
fn who_goes_on_is_served_ahead_of_strangers_and_none_of_them_is_forgotten() {
    const STRANGERS: usize = 200;
    let (told, said) = reports();
    let (open, gate) = channel::<()>();
    let gate = Arc::new(Mutex::new(gate));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let bound = Listener::bind(&["127.0.0.1:0".parse().unwrap()], 1).unwrap();
    let address = bound.local_addresses()[0];
    let task = move |mut socket: Socket| {
        let (told, gate) = (Arc::clone(&told), Arc::clone(&gate));
        async move {
            let mut who = [0; 1];
            socket.read(&mut who).await.unwrap();
            match who {
                [b'p'] => return Some(Continuation::new(answer_as(socket, b'p', told))),
                // The thread stands still, while all others are said something.
                [b'h'] => {
                    report(&told, b'h');
                    gate.lock().unwrap().recv_timeout(SOON).unwrap();
                }
                _ => answer_as(socket, who[0], told).await,
            }
            None
        }
    };
    let _serving = bound.serve(task, runtime.handle()).unwrap();
    let begin = |who: u8| {
        let mut client = common::connect(address).unwrap();
        client.write_all(&[who]).unwrap();
        assert_eq!(said.recv_timeout(SOON), Ok(who));
        client
    };
    let mut strangers: Vec<_> = (0..STRANGERS).map(|_| begin(b's')).collect();
    let mut player = begin(b'p');
    let _holder = begin(b'h');
    strangers.iter_mut().for_each(|stranger| stranger.write_all(b"!").unwrap());
    player.write_all(b"!").unwrap();
    open.send(()).unwrap();
    let order: Vec<_> = (0..=STRANGERS).map(|_| said.recv_timeout(SOON).unwrap()).collect();
    let ahead = order.iter().position(|&who| who == b'p').unwrap();
    assert!(ahead < STRANGERS / 10, "{ahead} strangers were served first");
}

/// Tells when it is dropped.
struct Kept(Arc<Mutex<Sender<()>>>);

impl Drop for Kept {
    fn drop(&mut self) {
        report(&self.0, ());
    }
}

#[test]
fn tells_who_is_at_the_other_end() {
    let (told, addresses) = reports();
    let edge = Edge::start(move |socket: Socket| {
        let told = Arc::clone(&told);
        async move { report(&told, socket.peer()) }
    });
    let client = edge.connect();
    assert_eq!(addresses.recv_timeout(SOON).unwrap(), client.local_addr().unwrap());
}

#[test]
fn a_silent_client_is_waited_for_until_the_deadline() {
    let (told, outcomes) = reports();
    let edge = Edge::start(move |mut socket: Socket| {
        let told = Arc::clone(&told);
        async move {
            let deadline = Instant::now() + Duration::from_millis(300);
            socket.set_deadline(Instant::now() + SOON);
            socket.set_deadline(deadline);
            let error = socket.read(&mut [0; 16]).await.unwrap_err();
            report(&told, (error.kind(), Instant::now().checked_duration_since(deadline)));
            assert_eq!(socket.write_all(b"x").await.unwrap_err().kind(), ErrorKind::TimedOut);
            socket.set_deadline(Instant::now() + SOON);
            socket.write_all(b"too slow").await.unwrap();
        }
    });
    let mut client = edge.connect();
    let (kind, late) = outcomes.recv_timeout(SOON).unwrap();
    assert_eq!(kind, ErrorKind::TimedOut);
    let late = late.expect("not before the deadline");
    assert!(late < Duration::from_secs(2), "{late:?} late");
    let mut last_word = String::new();
    client.read_to_string(&mut last_word).unwrap();
    assert_eq!(last_word, "too slow");
}

#[test]
fn a_client_that_does_not_read_is_waited_for_until_the_deadline() {
    let (told, outcomes) = reports();
    let edge = Edge::start(move |mut socket: Socket| {
        let told = Arc::clone(&told);
        async move {
            socket.set_deadline(Instant::now() + Duration::from_millis(300));
            let error = socket.write_all(&vec![0; 64 << 20]).await.unwrap_err();
            report(&told, error.kind());
        }
    });
    let _client = edge.connect();
    assert_eq!(outcomes.recv_timeout(SOON).unwrap(), ErrorKind::TimedOut);
}

/// Bytes of which none could be lost or change places unseen.
fn pattern(len: usize) -> Arc<Vec<u8>> {
    Arc::new((0..len).map(|at| (at % 251) as u8).collect())
}

#[test]
fn a_slow_client_gets_everything() {
    const LEN: usize = 12 << 20;
    let pattern = pattern(LEN);
    let sent = Arc::clone(&pattern);
    let edge = Edge::start(move |mut socket: Socket| {
        let sent = Arc::clone(&sent);
        async move {
            socket.set_deadline(Instant::now() + SOON);
            let (head, tail) = sent.split_at(LEN / 3);
            for part in [head, &[], tail] {
                socket.write_all(part).await.unwrap();
            }
            socket.close().await;
        }
    });
    let mut client = edge.connect();
    let mut received = Vec::new();
    let mut buffer = vec![0; 40_000];
    while let Ok(read @ 1..) = client.read(&mut buffer) {
        received.extend_from_slice(&buffer[..read]);
    }
    assert!(received == *pattern, "{} of {LEN} bytes, or not the right ones", received.len());
}

#[test]
fn a_client_that_sends_byte_by_byte_is_read_byte_by_byte() {
    let edge = Edge::start(echo);
    let mut client = edge.connect();
    for byte in 0..50u8 {
        client.write_all(&[byte]).unwrap();
        let mut answer = [0];
        client.read_exact(&mut answer).unwrap();
        assert_eq!(answer, [byte]);
    }
}

/// The close may come in the same event as the last bytes, and isn't told again.
#[test]
fn the_end_is_seen_behind_the_last_bytes() {
    let (told, reads) = reports();
    let edge = Edge::start(move |mut socket: Socket| {
        let told = Arc::clone(&told);
        async move {
            socket.set_deadline(Instant::now() + SOON);
            let mut total = 0;
            while let read @ 1.. = socket.read(&mut [0; 64]).await.unwrap() {
                total += read;
            }
            report(&told, total);
        }
    });
    for round in 0..200 {
        let mut client = edge.connect();
        if round % 2 == 0 {
            client.write_all(b"first").unwrap();
        }
        client.write_all(b"last words").unwrap();
        client.shutdown(Shutdown::Write).unwrap();
        assert_eq!(reads.recv_timeout(SOON).unwrap(), if round % 2 == 0 { 15 } else { 10 });
    }
}

#[test]
fn a_task_is_woken_from_other_threads() {
    let (told, questions) = reports();
    let edge = Edge::start(move |mut socket: Socket| {
        let told = Arc::clone(&told);
        async move {
            socket.set_deadline(Instant::now() + SOON);
            let (ask, answer) = oneshot::channel::<u8>();
            report(&told, ask);
            let answer = answer.await.unwrap();
            socket.write_all(&[answer]).await.unwrap();
        }
    });
    for value in 0..100 {
        let mut client = edge.connect();
        questions.recv_timeout(SOON).unwrap().send(value).unwrap();
        let mut answer = [0];
        client.read_exact(&mut answer).unwrap();
        assert_eq!(answer[0], value);
    }
}

#[test]
fn a_task_may_use_the_runtime() {
    let edge = Edge::start(|mut socket: Socket| async move {
        socket.set_deadline(Instant::now() + SOON);
        let tracker = tokio_answer();
        let answer = tokio::time::timeout(SOON, tracker).await.unwrap();
        socket.write_all(&[answer]).await.unwrap();
    });
    let mut answer = [0];
    edge.connect().read_exact(&mut answer).unwrap();
    assert_eq!(answer, [42]);
}

async fn tokio_answer() -> u8 {
    tokio::time::sleep(Duration::from_millis(1)).await;
    tokio::runtime::Handle::current().spawn_blocking(|| 42).await.unwrap()
}

/// Polls what is inside only when its own waker was woken, as `FuturesUnordered` does.
async fn with_a_waker_of_its_own<F: Future>(inside: F) -> F::Output {
    struct Own {
        woken: AtomicBool,
        task: Waker,
    }
    impl Wake for Own {
        fn wake(self: Arc<Self>) {
            self.woken.store(true, Ordering::SeqCst);
            self.task.wake_by_ref();
        }
    }
    let mut inside = pin!(inside);
    let mut own: Option<Arc<Own>> = None;
    poll_fn(|context| {
        let own = own.get_or_insert_with(|| {
            Arc::new(Own { woken: AtomicBool::new(true), task: context.waker().clone() })
        });
        if !own.woken.swap(false, Ordering::SeqCst) {
            return Poll::Pending;
        }
        inside.as_mut().poll(&mut Context::from_waker(&Waker::from(Arc::clone(own))))
    })
    .await
}

#[test]
fn a_socket_wakes_whoever_waits_inside_the_task() {
    let edge = Edge::start(|socket| with_a_waker_of_its_own(echo(socket)));
    let mut client = edge.connect();
    for _ in 0..5 {
        assert_echoes(&mut client);
    }

    let (told, outcomes) = reports();
    let edge = Edge::start(move |mut socket: Socket| {
        let told = Arc::clone(&told);
        with_a_waker_of_its_own(async move {
            socket.set_deadline(Instant::now() + Duration::from_millis(50));
            report(&told, socket.read(&mut [0; 1]).await.unwrap_err().kind());
        })
    });
    let _silent = edge.connect();
    assert_eq!(outcomes.recv_timeout(SOON).unwrap(), ErrorKind::TimedOut);
}

#[test]
fn a_panic_ends_its_own_connection_only() {
    let edge = Edge::start(|mut socket: Socket| {
        let port = socket.peer().port();
        assert!(!port.is_multiple_of(7), "some connections' tasks can't even be made");
        async move {
            socket.set_deadline(Instant::now() + SOON);
            let mut first = [0; 5];
            socket.read(&mut first).await.unwrap();
            assert_ne!(&first, b"panic");
            socket.write_all(&first).await.unwrap();
            echo(socket).await;
        }
    });
    let mut bystander = loop {
        let mut client = edge.connect();
        if !client.local_addr().unwrap().port().is_multiple_of(7) {
            break client;
        }
        assert!(matches!(client.read(&mut [0; 1]), Ok(0) | Err(_)));
    };
    assert_echoes(&mut bystander);
    for _ in 0..20 {
        let mut client = edge.connect();
        let _ = client.write_all(b"panic");
        assert!(matches!(client.read(&mut [0; 1]), Ok(0) | Err(_)), "the connection is closed");
    }
    assert_echoes(&mut bystander);
}

#[test]
fn a_task_that_always_has_input_leaves_room_for_others() {
    let edge = Edge::start(|mut socket: Socket| async move {
        socket.set_deadline(Instant::now() + 2 * SOON);
        let mut buffer = [0; 5];
        while socket.read(&mut buffer).await.is_ok_and(|read| read > 0) {
            if &buffer == b"knock" {
                socket.write_all(&buffer).await.unwrap();
            }
        }
    });
    let mut flood = edge.connect();
    let stop = Arc::new(AtomicBool::new(false));
    let stopped = Arc::clone(&stop);
    let flooding = std::thread::spawn(move || {
        while !stopped.load(Ordering::Relaxed) && flood.write_all(&[0; 65_536]).is_ok() {}
    });
    for _ in 0..50 {
        assert_echoes(&mut edge.connect());
    }
    stop.store(true, Ordering::Relaxed);
    flooding.join().unwrap();
}

/// A client that has sent more than was read must not lose the last packet to a reset.
#[test]
fn the_last_bytes_are_read_though_input_was_left_unread() {
    let edge = Edge::start(|mut socket: Socket| async move {
        socket.set_deadline(Instant::now() + SOON);
        socket.read(&mut [0; 1]).await.unwrap();
        socket.write_all(b"transfer").await.unwrap();
        socket.close().await;
    });
    for _ in 0..20 {
        let mut client = edge.connect();
        client.write_all(&[7; 50_000]).unwrap();
        // Everything has arrived by now, and most of it stays unread.
        let mut first = [0; 1];
        client.read_exact(&mut first).unwrap();
        let _ = client.write_all(&[7; 50_000]);
        let mut rest = String::new();
        client.read_to_string(&mut rest).expect("no reset");
        assert_eq!(rest, "ransfer");
    }
}

/// However many they are, and though the system may hold them back until the end is known.
#[test]
fn the_last_bytes_arrive_whole() {
    const LEN: usize = 6 << 20;
    let pattern = pattern(LEN);
    let sent = Arc::clone(&pattern);
    let edge = Edge::start(move |mut socket: Socket| {
        let sent = Arc::clone(&sent);
        async move {
            socket.set_deadline(Instant::now() + SOON);
            socket.read(&mut [0; 1]).await.unwrap();
            let mut rest = &sent[..];
            while !rest.is_empty() {
                let written = socket.write_last(rest).await.unwrap();
                rest = &rest[written..];
            }
            socket.close().await;
        }
    });
    let mut client = edge.connect();
    client.write_all(&[7; 50_000]).unwrap();
    let mut received = Vec::new();
    client.read_to_end(&mut received).expect("no reset");
    assert!(received == *pattern, "{} of {LEN} bytes, or not the right ones", received.len());
}

#[test]
fn closing_ends_though_the_client_neither_closes_nor_falls_silent() {
    let (told, outcomes) = reports();
    let edge = Edge::start(move |socket: Socket| {
        let told = Arc::clone(&told);
        async move {
            let before = Instant::now();
            socket.close().await;
            report(&told, before.elapsed());
        }
    });
    let _silent = edge.connect();
    let took = outcomes.recv_timeout(SOON).unwrap();
    assert!((LINGER_TIME - Duration::from_millis(50)..SOON).contains(&took), "{took:?}");

    let mut flood = edge.connect();
    while flood.write_all(&[0; 65_536]).is_ok() {}
    let took = outcomes.recv_timeout(SOON).unwrap();
    assert!(took < SOON, "{took:?}");
}

#[test]
fn stopping_closes_the_listeners_and_lets_tasks_finish() {
    let mut edge = Edge::start_on("127.0.0.1:0", 3, echo);
    let mut clients: Vec<_> = (0..10).map(|_| edge.connect()).collect();
    clients.iter_mut().for_each(assert_echoes);
    edge.serving.stop_accepting();
    common::wait_refused(edge.address);
    clients.iter_mut().for_each(assert_echoes);
    drop(clients);
    edge.finish();
}

#[test]
fn a_connection_that_waits_to_be_accepted_is_not_lost_to_stopping() {
    let (busy, hold) = (Arc::new(Mutex::new(())), Arc::new(Mutex::new(())));
    let (occupied, held) = (Arc::clone(&busy), Arc::clone(&hold));
    let mut edge = Edge::start(move |socket: Socket| {
        let (occupied, held) = (Arc::clone(&occupied), Arc::clone(&held));
        async move {
            // The first task blocks the only thread, so that what comes meanwhile waits in the listener's queue.
            drop(occupied.lock().unwrap());
            drop(held.lock().unwrap());
            echo(socket).await;
        }
    });
    let gate = hold.lock().unwrap();
    let mut first = edge.connect();
    let mut waiting = edge.connect();
    edge.serving.stop_accepting();
    drop(gate);
    assert_echoes(&mut first);
    assert_echoes(&mut waiting);
    drop((first, waiting));
    edge.finish();
}

/// Tells on which thread it is dropped.
struct Witness(Arc<Mutex<Sender<Option<String>>>>);

impl Drop for Witness {
    fn drop(&mut self) {
        report(&self.0, std::thread::current().name().map(str::to_owned));
    }
}

#[test]
fn aborting_drops_every_task_on_its_own_thread() {
    let (told, drops) = reports();
    let mut edge = Edge::start_on("127.0.0.1:0", 2, move |socket: Socket| {
        let witness = Witness(Arc::clone(&told));
        async move {
            echo(socket).await;
            drop(witness);
        }
    });
    let mut clients: Vec<_> = (0..10).map(|_| edge.connect()).collect();
    clients.iter_mut().for_each(assert_echoes);
    edge.serving.abort();
    edge.finish();
    for client in &mut clients {
        assert!(matches!(client.read(&mut [0; 1]), Ok(0) | Err(_)));
    }
    let names: Vec<_> = drops.try_iter().collect();
    assert_eq!(names.len(), 10);
    assert!(names.iter().flatten().all(|name| name.starts_with("reactor-")), "{names:?}");
}

#[test]
fn dropping_it_all_waits_for_the_threads() {
    let (told, drops) = reports();
    let edge = Edge::start(move |socket: Socket| {
        let witness = Witness(Arc::clone(&told));
        async move {
            echo(socket).await;
            drop(witness);
        }
    });
    let mut client = edge.connect();
    assert_echoes(&mut client);
    drop(edge);
    assert_eq!(drops.try_iter().count(), 1);
}

#[test]
fn a_sign_of_life_comes_from_all_or_not_at_all() {
    let (free, held) = channel::<()>();
    let held = Arc::new(Mutex::new(held));
    let (told, begun) = reports();
    let mut edge = Edge::start(move |_| {
        let (held, told) = (Arc::clone(&held), Arc::clone(&told));
        async move {
            report(&told, ());
            // The thread hangs, as a fault might have it do.
            let _ = held.lock().unwrap().recv();
        }
    });
    let pulse = edge.serving.pulse();
    let beats = |patience| {
        edge.runtime.block_on(async { tokio::time::timeout(patience, pulse.beat()).await.is_ok() })
    };
    assert!(beats(SOON));
    let client = edge.connect();
    begun.recv_timeout(SOON).unwrap();
    assert!(!beats(Duration::from_millis(300)), "the thread hangs");
    free.send(()).unwrap();
    assert!(beats(SOON));
    drop(client);
    edge.serving.stop_accepting();
    edge.finish();
    assert!(
        edge.runtime.block_on(async { tokio::time::timeout(SOON, pulse.beat()).await.is_ok() }),
        "it has ended as it should"
    );
}
