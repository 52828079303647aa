//! The client's own call to the session server: "I am joining the server with this hash".

use super::fault::Fault;
use super::settings::Account;
use serde_json::{Value, json};
use std::error::Error as _;
use std::time::Duration;

/// The most bytes of an error's body that are read.
const MOST_BODY: usize = 4 << 10;

/// Tells the session server at `base` that `account` joins (`POST …/session/minecraft/join`). It answers 204.
pub(super) async fn join(base: &str, account: &Account, hash: &str, timeout: Duration) -> Result<(), Fault> {
    let client = reqwest::Client::builder()
        .timeout(timeout)
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .user_agent(concat!("drawbridge-probe/", env!("CARGO_PKG_VERSION")))
        .build()
        .map_err(|error| unreachable(&error, timeout))?;
    let body = json!({
        "accessToken": account.token.expose(),
        "selectedProfile": account.uuid.simple().to_string(),
        "serverId": hash,
    });
    let url = format!("{}/session/minecraft/join", base.trim_end_matches('/'));
    let response = client.post(url).json(&body).send().await.map_err(|error| unreachable(&error, timeout))?;
    match response.status().as_u16() {
        204 => Ok(()),
        status => Err(Fault::SessionServer { status, message: message(response).await }),
    }
}

/// The innermost reason is what helps; what stands around it only names the URL.
fn unreachable(error: &reqwest::Error, timeout: Duration) -> Fault {
    if error.is_timeout() {
        return Fault::TimedOut(timeout);
    }
    let mut reason = error.source();
    while let Some(inner) = reason.and_then(std::error::Error::source) {
        reason = Some(inner);
    }
    Fault::SessionUnreachable(reason.map_or_else(|| error.to_string(), ToString::to_string))
}

/// What the session server says is wrong (`errorMessage`), if it says so within [`MOST_BODY`].
async fn message(mut response: reqwest::Response) -> String {
    let mut body = Vec::new();
    while let Ok(Some(chunk)) = response.chunk().await {
        if body.len() + chunk.len() > MOST_BODY {
            return String::new();
        }
        body.extend_from_slice(&chunk);
    }
    let document: Value = serde_json::from_slice(&body).unwrap_or_default();
    let message = document.get("errorMessage").or_else(|| document.get("error")).and_then(Value::as_str);
    message.unwrap_or_default().to_owned()
}
