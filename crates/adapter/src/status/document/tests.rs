use super::*;
use drawbridge_config::{json, read_text};
use proptest::prelude::*;

fn read(fields: &str, document: &Json) -> Result<Reading, DocumentError> {
    let fields: FieldsSection = read_text("fields.toml", fields).unwrap();
    fields.read(document.to_string().as_bytes())
}

fn status(fields: &str, document: &Json) -> Status {
    read(fields, document).unwrap().document.status().clone()
}

fn vanilla() -> Json {
    json!({
        "version": { "name": "1.21.4", "protocol": 769 },
        "enforcesSecureChat": true,
        "description": { "text": "Hello ", "extra": [{ "text": "there", "color": "red", "unheard_of": 1 }] },
        "players": {
            "max": 100, "online": 5,
            "sample": [{ "name": "thinkofdeath", "id": "4566e69f-c907-48ee-8d71-d7ba5aa00d20" }],
        },
    })
}

#[test]
fn what_a_server_says_is_read_without_a_word() {
    let status = status("", &vanilla());
    assert_eq!((status.version_name.as_str(), status.protocol.number(ProtocolVersion(47))), ("1.21.4", 769));
    assert_eq!(status.description.to_plain(), "Hello there");
    assert!(status.enforces_secure_chat);
    let players = status.players.unwrap();
    assert_eq!((players.online, players.max), (5, 100));
    assert_eq!(players.sample[0].id.to_string(), "4566e69f-c907-48ee-8d71-d7ba5aa00d20");
}

#[test]
fn a_foreign_document_is_pointed_into() {
    let document = json!({
        "servers": [{ "now": 7, "slots": 50, "motd": "§6Gold <b>", "who": ["Notch", "jeb_"] }],
        "software": { "title": "Paper" }, "players": { "online": "not looked at" }, "number": 0,
    });
    let status = status(
        "online = '/servers/0/now'\nmax = '/servers/0/slots'\ndescription = '/servers/0/motd'\n\
         version_name = '/software/title'\nsample = '/servers/0/who'\nprotocol = '/number'",
        &document,
    );
    assert_eq!(status.version_name, "Paper");
    assert_eq!(status.description.to_plain(), "Gold <b>");
    assert_eq!(status.protocol.number(ProtocolVersion(47)), 47);
    let players = status.players.unwrap();
    assert_eq!((players.online, players.max, players.sample[1].name.as_str()), (7, 50, "jeb_"));
}

#[test]
fn what_is_left_out_is_no_mistake() {
    let bare = status("", &json!({ "description": "", "players": null }));
    assert_eq!((bare.players, bare.protocol.number(ProtocolVersion(47))), (None, 47));
    let alone = status("online = ''", &json!(3));
    assert_eq!(alone.players.map(|players| (players.online, players.max)), Some((3, 3)));
}

#[test]
fn a_mistake_names_the_field() {
    let at = |pointer: &str, value: Json| {
        let mut document = vanilla();
        *document.pointer_mut(pointer).unwrap() = value;
        document
    };
    for (fields, document, words) in [
        ("", at("/players/online", json!(-1)), "online at /players/online: expected a whole number"),
        ("", at("/players/max", json!(4_294_967_296_u64)), "max at /players/max"),
        ("", at("/players/max", json!("20")), "found \"20\""),
        ("", at("/players/online", json!(1.5)), "found 1.5"),
        ("", at("/version/protocol", json!(2_147_483_648_u64)), "protocol at /version/protocol"),
        (
            "",
            at("/version/name", json!(["x".repeat(1000)])),
            "version_name at /version/name: expected a text",
        ),
        ("", at("/description", json!(1)), "description at /description: expected a text component"),
        ("", at("/players/sample", json!([{ "name": "x", "id": "y" }])), "sample at /players/sample"),
        ("", at("/enforcesSecureChat", json!("yes")), "enforces_secure_chat"),
        ("", at("/players/online", Json::Null), "online: there is nothing at /players/online"),
        ("max = '/slots'", vanilla(), "max: there is nothing at /slots"),
        ("", json!({}), "none of a status's parts"),
        ("", json!([1]), "none of a status's parts"),
        ("", at("/description", json!("x".repeat(33_000))), "description"),
    ] {
        let error = read(fields, &document).unwrap_err().to_string();
        assert!(error.contains(words) && error.len() < 300, "{error}");
    }
    let error = FieldsSection::default().read(b"<html>").unwrap_err();
    assert!(error.to_string().contains("no JSON"), "{error}");
    let many: Vec<_> = (0..3000).map(|number| json!(format!("player {number}"))).collect();
    let error = read("", &at("/players/sample", json!(many))).unwrap_err();
    assert!(matches!(error, DocumentError::TooLong(_)), "{error}");
}

#[test]
fn a_favicon_that_is_none_is_left_out() {
    let mut document = vanilla();
    document["favicon"] = json!("https://example.com/icon.png");
    let reading = read("", &document).unwrap();
    assert!(matches!(reading.no_favicon, Some(FaviconError::Uri)));
    assert_eq!(reading.document.status().favicon, None);
    assert_eq!(reading.document.status().version_name, "1.21.4");
}

proptest! {
    #[test]
    fn no_answer_panics(body in "\\PC{0,40}|\\{\"(players|description|version)\":[\\[\\]{}\",:a-z0-9-]{0,40}\\}") {
        let _ = FieldsSection::default().read(body.as_bytes());
    }
}
