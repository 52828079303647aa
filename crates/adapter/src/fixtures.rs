//! What tests of several adapters have in common.

use drawbridge_model::{
    Authentication, AuthenticationAdapter, AuthenticationError, Claim, Client, Identity, TraceContext,
};
use drawbridge_protocol::ProtocolVersion;
use uuid::Uuid;

/// Somebody who has come.
pub(crate) fn client() -> Client {
    Client {
        address: ([127, 0, 0, 1], 4711).into(),
        version: ProtocolVersion::newest(),
        host: "play.example.com".into(),
        port: 25565,
        trace: TraceContext { trace_id: 1, span_id: 1, flags: 0 },
    }
}

/// Whom an adapter takes somebody for who says that they have this name.
pub(crate) async fn ask(
    adapter: &dyn AuthenticationAdapter,
    name: &str,
) -> Result<Identity, AuthenticationError> {
    let client = client();
    let claim = Claim { name: name.to_owned(), id: Uuid::nil() };
    let request = Authentication { client: &client, claim: &claim, shared_secret: &[7; 16], public_key: &[] };
    adapter.authenticate(request).await
}

/// A PNG of so many pixels, all of them transparent.
pub(crate) fn png(width: u32, height: u32) -> Vec<u8> {
    let mut png = Vec::new();
    let mut encoder = png::Encoder::new(&mut png, width, height);
    encoder.set_color(png::ColorType::Rgba);
    let mut writer = encoder.write_header().unwrap();
    writer.write_image_data(&vec![0; (width * height * 4) as usize]).unwrap();
    writer.finish().unwrap();
    png
}
