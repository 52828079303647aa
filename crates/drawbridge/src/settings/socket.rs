//! Where the control socket is, and what it means that it can't be made.

use super::{Source, root};
use drawbridge_config::{Diagnostic, Error};
use drawbridge_control::{ControlSection, Socket, SocketError};
use drawbridge_telemetry::in_full;
use std::path::PathBuf;

impl Source {
    /// The socket of the edge that runs with this configuration; `None`: it has none. What is wrong elsewhere doesn't count.
    ///
    /// # Errors
    /// With what is wrong in `[control]`, or the main file if it can't be read.
    pub(crate) fn control(&self) -> Result<Option<PathBuf>, Error> {
        let section: ControlSection = root(self.open_main()?).read_key("control")?;
        Ok(section.enabled.then(|| self.socket(&section)))
    }

    fn socket(&self, section: &ControlSection) -> PathBuf {
        match &section.socket {
            Some(socket) => socket.as_path().to_path_buf(),
            // Named as the main file is: of two in one folder each has its own.
            None => self.main().with_extension(drawbridge_control::EXTENSION),
        }
    }

    /// Makes the socket, unless there is to be none. Where no other is named, an edge can do without.
    ///
    /// # Errors
    /// With a mistake at the key, when the socket that it names can't be made.
    pub(crate) fn open_socket(&self, section: &ControlSection) -> Result<Option<Socket>, Error> {
        if !section.enabled {
            return Ok(None);
        }
        let path = self.socket(section);
        let error = match Socket::open(&path) {
            Ok(socket) => return Ok(Some(socket)),
            Err(error) => error,
        };
        let (told, help) = (in_full(&error), error.advice());
        let Some(socket) = &section.socket else {
            match error {
                SocketError::Unbuilt => {}
                _ => tracing::warn!(
                    error = told,
                    help,
                    "there is no control.socket: `drawbridge ctl` can't be used"
                ),
            }
            return Ok(None);
        };
        let mut mistake = Diagnostic::error(socket.origin(), told);
        if let Some(help) = help {
            mistake = mistake.help(help);
        }
        Err(mistake.into())
    }
}
