//! A clock on the wall that jumps, and one for deadlines that runs ahead: for one process, through a library that stands before the system's own.
//!
//! The library is a few lines of C, made by the C compiler that Rust links with. What must stay true: where the clock on the wall jumps the
//! one that deadlines go by doesn't, as where an administrator or NTP sets it, nor the other way about.

use std::os::unix::fs::FileExt as _;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;
use tempfile::TempDir;

const SOURCE: &str = include_str!("clock/preload.c");

/// A clock that processes go by which are started with it.
#[derive(Debug)]
pub struct Clock {
    folder: TempDir,
}

impl Clock {
    /// Right at first.
    ///
    /// # Panics
    /// When there is no C compiler.
    #[must_use]
    pub fn right() -> Self {
        let folder = TempDir::new().unwrap_or_else(|error| panic!("no temporary folder: {error}"));
        let clock = Self { folder };
        let source = clock.file("clock.c");
        std::fs::write(&source, SOURCE).unwrap_or_else(|error| panic!("{}: {error}", source.display()));
        let mut compiler = Command::new("cc");
        compiler.args(["-shared", "-fPIC", "-O1", "-o"]).arg(clock.file("clock.so")).arg(&source);
        let made = compiler.output();
        let made = made.unwrap_or_else(|error| panic!("cc, which Rust links with, can't be run: {error}"));
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        clock.is_off_by(0);
        clock.runs_ahead(Duration::ZERO);
        clock
    }

    /// From now on it is off by so many seconds, ahead or, where negative, behind.
    ///
    /// # Panics
    /// When it can't be set.
    pub fn is_off_by(&self, seconds: i64) {
        self.set(0, seconds);
    }

    /// From now on deadlines are so much nearer than they were at first, in whole seconds. Whoever sleeps already isn't woken for it, and is to
    /// be given something to do.
    ///
    /// # Panics
    /// When it can't be set.
    pub fn runs_ahead(&self, by: Duration) {
        self.set(1, by.as_secs().cast_signed());
    }

    fn set(&self, which: u64, seconds: i64) {
        // In place: those who look at it have it in their memory.
        let file =
            std::fs::OpenOptions::new().create(true).truncate(false).write(true).open(self.file("off"));
        let set = file.and_then(|file| file.write_all_at(&seconds.to_ne_bytes(), 8 * which));
        set.unwrap_or_else(|error| panic!("the clock can't be set: {error}"));
    }

    /// The variables of the environment by which a process goes by it.
    pub(crate) fn environment(&self) -> [(&'static str, PathBuf); 2] {
        [("LD_PRELOAD", self.file("clock.so")), ("TESTKIT_CLOCK", self.file("off"))]
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{SystemTime, UNIX_EPOCH};

    #[test]
    fn a_process_goes_by_it() {
        let clock = Clock::right();
        let told = || {
            let mut date = Command::new("date");
            let output = date.arg("+%s").envs(clock.environment()).output().unwrap();
            String::from_utf8(output.stdout).unwrap().trim().parse::<i64>().unwrap()
        };
        for off in [0, 86_400, -86_400] {
            clock.is_off_by(off);
            let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs().cast_signed();
            assert!((0..20).contains(&(told() - off - now)), "{off}");
        }
    }
}
