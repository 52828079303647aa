use super::*;
use std::sync::mpsc::{self, Receiver, Sender};
use std::time::Instant;

const SOON: Duration = Duration::from_secs(20);

/// Hands on what is written, and writes only as long as `leave` isn't locked.
struct Output {
    written: Sender<Vec<u8>>,
    leave: Arc<Mutex<()>>,
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        drop(self.leave.lock().unwrap());
        self.written.send(bytes.to_vec()).unwrap();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

struct Log {
    lines: Lines,
    writing: Writing,
    written: Receiver<Vec<u8>>,
    lost: Receiver<u64>,
    leave: Arc<Mutex<()>>,
}

fn log() -> Log {
    let ((told, written), (losing, lost)) = (mpsc::channel(), mpsc::channel());
    let leave = Arc::new(Mutex::new(()));
    let output = Output { written: told, leave: Arc::clone(&leave) };
    let (lines, writing) = write_to(output, move |count| losing.send(count).unwrap()).unwrap();
    Log { lines, writing, written, lost, leave }
}

fn put(lines: &Lines, line: &str) {
    assert_eq!((&mut &*lines).write(line.as_bytes()).unwrap(), line.len());
}

#[test]
fn lines_are_written_in_their_order_and_none_twice() {
    let log = log();
    let text: Vec<_> = (0..10_000).map(|number| format!("line {number}\n")).collect();
    for line in &text {
        put(&log.lines, line);
    }
    drop(log.writing);
    assert_eq!(log.written.iter().flatten().collect::<Vec<_>>(), text.concat().into_bytes());
}

#[test]
fn a_line_after_a_long_silence_is_written_at_once() {
    let log = log();
    for line in ["first\n", "second\n"] {
        while !log.lines.0.waiting().asleep {
            thread::yield_now();
        }
        put(&log.lines, line);
        assert_eq!(log.written.recv_timeout(SOON).unwrap(), line.as_bytes());
    }
}

#[test]
fn whoever_reads_too_slowly_loses_whole_lines_and_is_told_how_many() {
    let log = log();
    let stuck = log.leave.lock().unwrap();
    let line = format!("{}\n", "x".repeat(99));
    let start = Instant::now();
    let count = 3 * MOST / line.len();
    for _ in 0..count {
        put(&log.lines, &line);
    }
    assert!(start.elapsed() < SOON, "whoever logs was held up");
    drop(stuck);
    drop(log.writing);
    let written = log.written.iter().flatten().collect::<Vec<_>>();
    // Told once, or twice where the thread that writes began when there was no room any more.
    let lost: u64 = log.lost.iter().sum();
    assert!(written.len() <= 2 * MOST, "{}", written.len());
    assert_eq!(written.len() / line.len() + lost as usize, count);
    assert!(written.chunks(line.len()).all(|written| written == line.as_bytes()));
}

#[test]
fn the_end_waits_for_what_is_left_but_not_for_ever() {
    let log = log();
    let stuck = log.leave.lock().unwrap();
    put(&log.lines, "never read\n");
    let start = Instant::now();
    drop(log.writing);
    assert!((LAST_WORD..SOON).contains(&start.elapsed()), "{:?}", start.elapsed());
    drop(stuck);
}
