//! What values are read as, and that they are written as they are read.

use std::path::Path;
use std::time::Duration;

use drawbridge_config::{ByteSize, Document, DocumentPath, Error, Json, Root, Setting, read_text};
use ipnet::IpNet;
use proptest::prelude::*;

use crate::settings::{Settings, Status, load, mistake};

/// Reads a value through a table with free keys, which takes any type.
fn read<T: Setting>(toml: &str) -> Result<T, String> {
    let text = format!("value = {toml}");
    match read_text::<std::collections::BTreeMap<String, T>>("value.toml", &text) {
        Ok(mut table) => Ok(table.remove("value").unwrap()),
        Err(Error::Invalid(diagnostics)) => Err(crate::settings::listed(&diagnostics).join("\n")),
        Err(error) => panic!("{error}"),
    }
}

/// A value as TOML, where JSON and TOML are written alike.
fn toml(json: &Json) -> String {
    json.to_string()
}

#[test]
fn everything_has_a_default() {
    let settings = load("", &[]).unwrap().settings;
    assert_eq!(settings.bind, ["[::]:25565".parse().unwrap()]);
    assert_eq!(settings.limits.max_packet.as_usize(), 8192);
    assert_eq!(settings.limits.status.burst, 30);
    assert!(settings.routes.is_empty() && settings.cookies.bind_address);
    assert_eq!(settings.write(), Settings::default().write());
}

#[test]
fn kinds_have_a_default_and_their_own_keys() {
    let text = |status: &str| format!("[[routes]]\nname = 'a'\nhosts = ['a.b']\n{status}");
    let status = |written: &str| load(&text(written), &[]).unwrap().settings.routes.remove(0).status;
    assert!(matches!(status(""), Status::Fixed(fixed) if fixed.description == "A Minecraft server"));
    assert!(matches!(status("status.description = 'x'"), Status::Fixed(fixed) if fixed.description == "x"));
    assert!(matches!(status("status.type = 'silent'"), Status::Silent));
    let http = status("[routes.status]\ntype = 'http'\nurl = 'u'\nrefresh = '1s'");
    assert!(matches!(http, Status::Http(http) if http.url == "u" && http.refresh.as_secs() == 1));
}

#[test]
fn durations_have_units() {
    for (text, millis) in [
        ("'0s'", 0),
        ("'250ms'", 250),
        ("'5s'", 5_000),
        ("'10m'", 600_000),
        ("'6h'", 21_600_000),
        ("'1d'", 86_400_000),
    ] {
        assert_eq!(read::<Duration>(text), Ok(Duration::from_millis(millis)));
    }
    for text in
        ["''", "'5'", "'s'", "'5 s'", "'-5s'", "'5.5s'", "'5S'", "'36501d'", "'99999999999999999999d'", "5"]
    {
        assert!(read::<Duration>(text).is_err(), "{text}");
    }
}

#[test]
fn sizes_are_powers_of_1024() {
    for (text, bytes) in
        [("0", 0), ("4096", 4096), ("'7B'", 7), ("'8KiB'", 8192), ("'2MiB'", 2 << 20), ("'1GiB'", 1 << 30)]
    {
        assert_eq!(read::<ByteSize>(text), Ok(ByteSize(bytes)));
    }
    for text in ["''", "'8'", "'8KB'", "'8k'", "-1", "'KiB'", "'18446744073709551615KiB'", "1.5"] {
        assert!(read::<ByteSize>(text).is_err(), "{text}");
    }
}

#[test]
fn networks_are_normalised() {
    for (text, network) in [
        ("'10.0.0.0/8'", "10.0.0.0/8"),
        ("'192.0.2.1'", "192.0.2.1/32"),
        ("'2001:db8::1'", "2001:db8::1/128"),
        ("'::ffff:10.0.0.0/104'", "10.0.0.0/8"),
        ("'::ffff:192.0.2.1'", "192.0.2.1/32"),
        ("'::ffff:0:0/96'", "0.0.0.0/0"),
        ("'::/0'", "::/0"),
        ("'10.1.2.3/8'", "10.0.0.0/8"),
    ] {
        assert_eq!(read::<IpNet>(text).unwrap().to_string(), network, "{text}");
    }
    for text in ["'10.0.0.0/33'", "'10.0.0/8'", "'example.com'", "''", "'10.0.0.0/-1'"] {
        assert!(read::<IpNet>(text).is_err(), "{text}");
    }
}

#[test]
fn integers_know_their_ranges() {
    assert_eq!(read::<u8>("255"), Ok(255));
    assert_eq!(read::<u16>("0xffff"), Ok(65_535));
    assert_eq!(read::<u64>("18446744073709551615"), Ok(u64::MAX));
    assert_eq!(read::<i64>("-9223372036854775808"), Ok(i64::MIN));
    assert_eq!(read::<i32>("1_000"), Ok(1000));
    assert!(read::<u8>("256").is_err() && read::<i32>("2147483648").is_err());
    assert_eq!(read::<f64>("1"), Ok(1.0));
    assert_eq!(read::<f64>("-0.5"), Ok(-0.5));
}

#[test]
fn expressions_are_bounded() {
    let text = |names: &str| format!("[[routes]]\nname = 'a'\nhosts = []\nnames = '{names}'");
    assert!(load(&text(r"^\.?[A-Za-z0-9_]{1,16}$"), &[]).is_ok());
    assert_eq!(mistake(&text("(a{1000}){1000}")), "4:9 \"(a{1000}){1000}\" is not a regular expression");
    assert!(mistake(&text(&"(".repeat(1000))).starts_with("4:9"));
}

#[test]
fn paths_are_relative_to_their_document() {
    let folder = Path::new("etc").join("edge");
    let main = folder.join("drawbridge.toml").to_string_lossy().into_owned();
    let routes_dir = |text: &str, environment: &[(&str, &str)]| {
        let mut root = Root::new(Some(Document::parse(main.clone(), text)), &["routes"]);
        root.environment("DRAWBRIDGE", environment.iter().copied());
        let peeked = root.peek("routes_dir", || DocumentPath::new("routes"));
        let read = root.read::<Settings>().unwrap().settings.routes_dir;
        assert_eq!(peeked, read);
        read.as_path().to_path_buf()
    };
    assert_eq!(routes_dir("", &[]), folder.join("routes"));
    assert_eq!(routes_dir("routes_dir = 'r'", &[]), folder.join("r"));
    assert_eq!(routes_dir("", &[("DRAWBRIDGE__ROUTES_DIR", "'r'")]), folder.join("r"));
    let absolute = std::env::temp_dir();
    assert_eq!(routes_dir(&format!("routes_dir = '{}'", absolute.display()), &[]), absolute);

    let mut root = Root::new(Some(Document::parse(main, "")), &["routes"]);
    let text = "[[routes]]\nname = 'a'\nhosts = []\nstatus.favicon = 'icon.png'";
    root.append(vec![Document::parse("other/a.toml", text)]);
    let Status::Fixed(fixed) = root.read::<Settings>().unwrap().settings.routes.remove(0).status else {
        panic!("expected a fixed status")
    };
    assert_eq!(fixed.favicon.unwrap().as_path(), Path::new("other").join("icon.png"));
}

#[test]
fn folders_are_read_in_the_order_of_names() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["b.toml", "a.toml", ".hidden.toml", "c.txt"] {
        std::fs::write(folder.path().join(name), "").unwrap();
    }
    let documents = Document::open_folder(folder.path()).unwrap();
    let names: Vec<_> =
        documents.iter().map(|document| Path::new(document.name()).file_name().unwrap()).collect();
    assert_eq!(names, ["a.toml", "b.toml"]);
}

#[test]
fn files_that_cannot_be_read_are_errors() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.toml");
    assert!(matches!(Document::open(&path), Err(Error::Unreadable { .. })));
    std::fs::write(&path, b"\xff").unwrap();
    assert!(matches!(Document::open(&path), Err(Error::NotText { .. })));
    std::fs::write(&path, "\u{feff}a = 1").unwrap();
    assert_eq!(Document::open(&path).unwrap().text(), "a = 1");
    std::fs::File::create(&path).unwrap().set_len(Document::MAX_SIZE + 1).unwrap();
    assert!(matches!(Document::open(&path), Err(Error::TooLarge { .. })));
}

proptest! {
    #[test]
    fn durations_are_written_as_they_are_read(millis in 0_u64..=36_500 * 86_400_000) {
        let duration = Duration::from_millis(millis);
        prop_assert_eq!(read::<Duration>(&toml(&duration.write().unwrap())), Ok(duration));
    }

    #[test]
    fn sizes_are_written_as_they_are_read(bytes: u64) {
        let size = ByteSize(bytes);
        prop_assert_eq!(read::<ByteSize>(&toml(&size.write().unwrap())), Ok(size));
    }

    #[test]
    fn networks_are_written_as_they_are_read(address: std::net::IpAddr, prefix in 0_u8..=32) {
        let network = IpNet::new(address, prefix).unwrap().trunc();
        prop_assert_eq!(read::<IpNet>(&toml(&network.write().unwrap())), Ok(network));
    }
}
