//! What only the program itself can do: read its configuration anew, and stop.

use crate::answer::Reloaded;
use tokio::sync::{mpsc, oneshot};

/// How many orders may wait.
const WAITING: usize = 16;

/// Something that the program is to do.
#[derive(Debug)]
pub enum Order {
    /// Read the configuration anew, and say what came of it where somebody waits for that.
    Reload(Option<oneshot::Sender<Reloaded>>),
    /// Stop.
    Drain {
        /// Who says so, as the log names it.
        by: &'static str,
        /// Wait for nobody.
        now: bool,
    },
}

/// The orders as they come.
#[derive(Debug)]
pub struct Orders(mpsc::Receiver<Order>);

impl Orders {
    pub(crate) fn new() -> (mpsc::Sender<Order>, Self) {
        let (sender, receiver) = mpsc::channel(WAITING);
        (sender, Self(receiver))
    }

    /// The next one. Where nobody can give any more, it is waited for in vain.
    pub async fn next(&mut self) -> Order {
        match self.0.recv().await {
            Some(order) => order,
            None => std::future::pending().await,
        }
    }
}
