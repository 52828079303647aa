//! An answer in lines, as a watch gives it.

use crate::error::ApiError;
use drawbridge_telemetry::in_full;
use http_body_util::BodyExt as _;
use kube::client::Body;

/// The lines of a body, each within a bound.
#[derive(Debug)]
pub(crate) struct Lines {
    body: Body,
    most: usize,
    /// What has come and hasn't been given.
    buffer: Vec<u8>,
    /// So much of it holds no end of a line.
    searched: usize,
}

impl Lines {
    pub(crate) const fn new(body: Body, most: usize) -> Self {
        Self { body, most, buffer: Vec::new(), searched: 0 }
    }

    /// The next line without its end; `None` when the body has ended. What stands behind the last end is dropped: it isn't whole.
    pub(crate) async fn next(&mut self) -> Result<Option<Vec<u8>>, ApiError> {
        loop {
            let unsearched = self.buffer.get(self.searched..).unwrap_or_default();
            if let Some(at) = unsearched.iter().position(|byte| *byte == b'\n') {
                let rest = self.buffer.split_off(self.searched + at + 1);
                let mut line = std::mem::replace(&mut self.buffer, rest);
                line.pop();
                self.searched = 0;
                return Ok(Some(line));
            }
            self.searched = self.buffer.len();
            if self.buffer.len() > self.most {
                return Err(ApiError::TooLong(self.most));
            }
            match self.body.frame().await {
                Some(Ok(frame)) => self.buffer.extend_from_slice(frame.data_ref().map_or(&[], |data| data)),
                Some(Err(error)) => return Err(ApiError::Broken(in_full(&error))),
                None => return Ok(None),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn lines(text: &str, most: usize) -> Result<Vec<String>, ApiError> {
        let mut lines = Lines::new(Body::from(text.as_bytes().to_vec()), most);
        let mut found = Vec::new();
        while let Some(line) = lines.next().await? {
            found.push(String::from_utf8(line).unwrap());
        }
        Ok(found)
    }

    #[tokio::test]
    async fn whole_lines_come_and_no_others() {
        assert_eq!(lines("a\n\nbc\nnot whole", 100).await.unwrap(), ["a", "", "bc"]);
        assert_eq!(lines("abcdef", 5).await, Err(ApiError::TooLong(5)));
    }
}
