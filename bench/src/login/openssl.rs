//! `openssl speed`, asked for the CPU time of one RSA-1024 private operation.

use anyhow::{Context as _, Result};
use std::process::Command;

/// Whether there is one to ask.
///
/// # Errors
/// When there isn't; says how to come by it.
pub(crate) fn check() -> Result<()> {
    let found = Command::new("openssl").arg("version").output();
    found
        .map(drop)
        .context("the reference for logins is the openssl program: install it (Debian: apt install openssl)")
}

/// Seconds of CPU time that one private operation takes, measured for a second.
///
/// # Errors
/// When `openssl` fails or says something else than expected.
pub(super) fn private_operation() -> Result<f64> {
    let output = Command::new("openssl")
        .args(["speed", "-mr", "-seconds", "1", "rsa1024"])
        .output()
        .context("openssl speed can't be started")?;
    let text = String::from_utf8_lossy(&output.stdout);
    parse(&text).with_context(|| format!("openssl speed said something unknown: {text}"))
}

/// The machine-readable line is `+F2:<index>:<bits>:<private operations a second>:<public operations a second>`.
fn parse(text: &str) -> Option<f64> {
    let mut fields = text.lines().find_map(|line| line.strip_prefix("+F2:"))?.split(':').skip(1);
    let (bits, operations) = (fields.next()?, fields.next()?);
    let operations: f64 = operations.parse().ok()?;
    (bits == "1024" && operations > 0.0).then(|| operations.recip())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_private_operation_is_found() {
        let text = "+DTP:1024:private:rsa:1\n+R1:8000:1024:1.00\n+F2:1:1024:8000.000000:153107.000000\n";
        assert_eq!(parse(text), Some(1.0 / 8000.0));
        assert_eq!(parse("+F2:3:4096:80.0:90.0"), None);
        assert_eq!(parse("+F2:1:1024:0.0:90.0"), None);
    }
}
