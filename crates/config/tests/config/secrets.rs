//! Secrets come from files and variables, and are shown nowhere.

use std::fs;
use std::path::Path;

use drawbridge_config::{Diagnostics, Document, Error, Loaded, Root, Severity};

use crate::settings::{Settings, drawn, listed, mistakes};

const KEY: &str = "0123456789abcdef0123456789abcdef";

/// Reads a document in a folder that holds the files.
fn in_folder(text: &str, files: &[(&str, &[u8])]) -> Result<Loaded<Settings>, Error> {
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes) in files {
        let path = folder.path().join(name);
        fs::write(&path, bytes).unwrap();
        keep_from_others(&path);
    }
    let name = folder.path().join("drawbridge.toml");
    Root::new(Some(Document::parse(name.to_str().unwrap(), text)), &[]).read()
}

#[cfg(unix)]
fn keep_from_others(path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}

#[cfg(not(unix))]
fn keep_from_others(_: &Path) {}

fn invalid(result: Result<Loaded<Settings>, Error>) -> Diagnostics {
    match result {
        Err(Error::Invalid(diagnostics)) => diagnostics,
        other => panic!("expected mistakes, found {other:?}"),
    }
}

fn key_of(content: &[u8]) -> Result<Vec<u8>, String> {
    match in_folder("[cookies]\nkey = { file = 'a.key' }", &[("a.key", content)]) {
        Ok(loaded) => Ok(loaded.settings.cookies.key.unwrap().expose().to_vec()),
        Err(Error::Invalid(diagnostics)) => Err(listed(&diagnostics).join("\n")),
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn one_line_end_is_trimmed() {
    assert_eq!(key_of(b"secret").unwrap(), b"secret");
    assert_eq!(key_of(b"secret\n").unwrap(), b"secret");
    assert_eq!(key_of(b"secret\r\n").unwrap(), b"secret");
    assert_eq!(key_of(b"secret\n\n").unwrap(), b"secret\n");
    assert_eq!(key_of(b"secret\r").unwrap(), b"secret\r");
    assert_eq!(key_of(b" \xff ").unwrap(), b" \xff ");
}

#[test]
fn empty_secrets_are_refused() {
    for empty in [&b""[..], b"\n", b"\r\n"] {
        assert_eq!(key_of(empty).unwrap_err(), "2:7 the secret is empty");
    }
    let found = mistakes("[cookies]\nkey = { env = 'EMPTY' }", &[("EMPTY", "")]);
    assert_eq!(listed(&found), ["2:7 the secret is empty"]);
}

#[test]
fn short_secrets_are_refused() {
    let short = in_folder("[cookies]\nsecrets = [{ file = 'a.key' }]", &[("a.key", &KEY.as_bytes()[1..])]);
    assert_eq!(listed(&invalid(short)), ["2:12 the secret has 31 bytes, and at least 32 are needed"]);
}

#[test]
fn files_and_variables_stand_side_by_side() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("new.key"), KEY).unwrap();
    keep_from_others(&folder.path().join("new.key"));
    let name = folder.path().join("drawbridge.toml");
    let text = "[cookies]\nsecrets = [{ file = 'new.key' }, { env = 'OLD_KEY' }]";
    let mut root = Root::new(Some(Document::parse(name.to_str().unwrap(), text)), &[]);
    let old = KEY.to_uppercase();
    root.environment("DRAWBRIDGE", [("OLD_KEY", &old)]);
    let loaded = root.read::<Settings>().unwrap();
    let secrets: Vec<_> =
        loaded.settings.cookies.secrets.iter().map(|secret| secret.expose_text().unwrap()).collect();
    assert_eq!(secrets, [KEY, &old]);
    assert!(loaded.diagnostics.is_empty());
    assert_eq!(format!("{:?}", loaded.settings.cookies.secrets), "[[secret], [secret]]");
}

#[test]
fn missing_files_and_variables_are_named() {
    let found = mistakes("[cookies]\nkey = { file = 'no/such.key' }\nsecrets = [{ env = 'NOT_SET' }]", &[]);
    assert_eq!(
        listed(&found),
        [
            "2:16 the secret file \"no/such.key\" can't be read",
            "3:20 the environment variable \"NOT_SET\" is not set",
        ]
    );
}

#[test]
fn folders_and_large_files_are_no_secrets() {
    let folder = in_folder("[cookies]\nkey = { file = '.' }", &[]);
    assert!(drawn(&invalid(folder)).contains("it is not a file"));
    let large = in_folder("[cookies]\nkey = { file = 'a.key' }", &[("a.key", &[b'x'; 65_537])]);
    assert!(drawn(&invalid(large)).contains("it is larger than 65536 bytes"));
}

#[cfg(unix)]
#[test]
fn files_that_everybody_reads_are_warned_of() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.key");
    fs::write(&path, KEY).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    let name = folder.path().join("drawbridge.toml");
    let document = Document::parse(name.to_str().unwrap(), "[cookies]\nkey = { file = 'a.key' }");
    let loaded = Root::new(Some(document), &[]).read::<Settings>().unwrap();
    let warning = loaded.diagnostics.iter().next().unwrap();
    assert_eq!(warning.severity(), Severity::Warning);
    assert!(warning.message().starts_with("every user of this machine can read"));
}

#[test]
fn a_secret_in_a_document_is_refused_and_covered() {
    for written in [
        "key = 'hunter2é'",
        "key = '''hunter2\nhunter2'''",
        "key = [ 'hunter2' ]",
        "key = { value = 'hunter2' }",
        "key = { env = 'hunter2!' }",
        "key = { file = ['hunter2'] }",
        "secrets = ['hunter2'], namspace = 5",
        "secrets = ['hunter2'] # and more\nnamspace = 5",
        "nothing = 1, key = 'hunter2'",
        "key = 'hunter2\n",
    ] {
        let inline = format!("cookies = {{ {written} }}\n");
        let table = format!("[cookies]\n{written}\n");
        for text in [inline, table] {
            let found = mistakes(&text, &[]);
            let drawn = drawn(&found);
            assert!(found.errors() > 0, "{text}");
            let shown = drawn + &found.to_json().to_string() + &listed(&found).join("\n");
            assert!(!shown.contains("hunter2"), "{text}\n{shown}");
        }
    }
}

#[test]
fn a_literal_secret_says_how_to_write_it() {
    let found = mistakes("[cookies]\nkey = 'hunter2'", &[]);
    assert_eq!(
        drawn(&found),
        "error: expected where to find the secret, found a string
 --> drawbridge.toml:2:7
  |
2 | key = *********
  |       ^^^^^^^^^ secrets aren't written here
  |
  = help: write { file = \"secret.key\" } or { env = \"NAME\" }

the configuration has 1 error
"
    );
}

#[test]
fn a_secret_in_the_wrong_variable_is_not_repeated() {
    for value in ["hunter2", "'hunter2'", "['hunter2']", "[{ value = 'hunter2' }]"] {
        for name in ["DRAWBRIDGE__COOKIES__SECRETS", "DRAWBRIDGE__COOKIES__KEY"] {
            let found = mistakes("", &[(name, value)]);
            assert!(found.errors() > 0);
            let shown = drawn(&found) + &found.to_json().to_string();
            assert!(!shown.contains("hunter2"), "{name}={value}\n{shown}");
        }
    }
}

#[test]
fn both_or_neither_are_mistakes() {
    for written in ["{}", "{ file = 'a', env = 'B' }"] {
        let found = listed(&mistakes(&format!("[cookies]\nkey = {written}"), &[("B", "b")]));
        assert_eq!(
            found,
            [
                "2:7 a secret comes from a file or a variable (write { file = \"secret.key\" } or { env = \"NAME\" })"
            ]
        );
    }
}
