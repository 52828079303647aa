//! A session server that knows everybody. It runs in this process, so it isn't counted; answers at once, with a profile of
//! the size that real ones have, and keeps connections open.

use anyhow::Result;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};

/// Real ones: a skin and a cape in base64, and an RSA-4096 signature.
const TEXTURES: usize = 480;
const SIGNATURE: usize = 684;

/// A running session server. Its threads end with the process.
#[derive(Debug)]
pub(super) struct SessionServer {
    address: SocketAddr,
}

impl SessionServer {
    /// Listens on a free port.
    ///
    /// # Errors
    /// When it can't.
    pub(super) fn start() -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                std::thread::spawn(move || serve(stream));
            }
        });
        Ok(Self { address })
    }

    /// What to configure as its URL.
    pub(super) fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

/// Answers request after request, until the connection ends in whatever way.
fn serve(stream: TcpStream) -> Option<()> {
    stream.set_nodelay(true).ok()?;
    let mut writer = stream.try_clone().ok()?;
    let mut lines = BufReader::new(stream).lines();
    loop {
        let request = lines.next()?.ok()?;
        while !lines.next()?.ok()?.is_empty() {}
        let name = request.split_once("username=")?.1;
        let name = name.split(['&', ' ']).next()?;
        let body = profile(name);
        let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length:";
        writer.write_all(format!("{head} {}\r\n\r\n{body}", body.len()).as_bytes()).ok()?;
    }
}

fn profile(name: &str) -> String {
    let (value, signature) = ("A".repeat(TEXTURES), "B".repeat(SIGNATURE));
    format!(
        r#"{{"id":"069a79f444e94726a5befca90e38aaf5","name":"{name}","properties":[{{"name":"textures","value":"{value}","signature":"{signature}"}}],"profileActions":[]}}"#
    )
}
