//! What stands in where there are no Unix sockets.

use crate::answer::Answer;
use crate::control::Control;
use crate::error::{AskError, SocketError};
use crate::request::Request;
use std::convert::Infallible;
use std::io;
use std::path::Path;
use tokio::runtime::Handle;

/// A socket, of which there is none here.
#[derive(Debug)]
pub struct Socket(Infallible);

impl Socket {
    /// Says that there is none.
    ///
    /// # Errors
    /// Always.
    pub fn open(_: &Path) -> Result<Self, SocketError> {
        Err(SocketError::Unbuilt)
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        match self.0 {}
    }

    /// Does what whoever comes asks for.
    ///
    /// # Errors
    /// Never: there is no socket.
    pub fn serve(self, _: Control, _: &Handle) -> io::Result<Serving> {
        match self.0 {}
    }
}

/// A socket that is served, of which there is none here.
#[derive(Debug)]
pub struct Serving(Infallible);

impl Serving {
    /// Takes no more requests.
    pub async fn end(self) {
        match self.0 {}
    }
}

/// A connection to a running edge, of which there is none here.
#[derive(Debug)]
pub struct Line(Infallible);

impl Line {
    /// Says that there is none.
    ///
    /// # Errors
    /// Always.
    pub fn connect(_: &Path) -> Result<Self, AskError> {
        Err(AskError::Unbuilt)
    }

    /// Asks.
    ///
    /// # Errors
    /// Never: there is no connection.
    pub fn ask(&mut self, _: &Request) -> Result<Answer, AskError> {
        match self.0 {}
    }
}
