//! Settings from the environment: it overrides, it is checked like a document, and its mistakes name the variable.

use crate::settings::{listed, load, mistakes};

fn env_mistakes(environment: &[(&str, &str)]) -> Vec<String> {
    listed(&mistakes("[limits]\nconnections = 5\n[[routes]]\nname = 'a'\nhosts = []\n", environment))
}

#[test]
fn values_and_lists_override_the_document() {
    let environment = [
        ("DRAWBRIDGE__LIMITS__CONNECTIONS", "5000"),
        ("DRAWBRIDGE__LIMITS__HANDSHAKE_TIMEOUT", "\"1s\""),
        ("DRAWBRIDGE__BIND", "[\"127.0.0.1:25566\", \"[::1]:25566\"]"),
        ("DRAWBRIDGE__LIMITS__STATUS__BURST", " 7 "),
        ("DRAWBRIDGE_CONFIG", "other.toml"),
        ("PATH", "/bin"),
    ];
    let text = "bind = ['127.0.0.1:1']\n[limits]\nconnections = 5\nstatus = { burst = 1, per = '2s' }\n";
    let settings = load(text, &environment).unwrap().settings;
    assert_eq!(settings.limits.connections, 5000);
    assert_eq!(settings.limits.handshake_timeout.as_secs(), 1);
    assert_eq!((settings.limits.status.burst, settings.limits.status.per.as_secs()), (7, 2));
    assert_eq!(
        settings.bind.iter().map(ToString::to_string).collect::<Vec<_>>(),
        ["127.0.0.1:25566", "[::1]:25566"]
    );
}

#[test]
fn it_needs_no_document() {
    let mut root = drawbridge_config::Root::new(None, &["routes"]);
    root.environment("DRAWBRIDGE", [("DRAWBRIDGE__THREADS", "3")]);
    assert_eq!(root.read::<crate::settings::Settings>().unwrap().settings.threads, 3);
}

#[test]
fn unknown_keys_name_the_variable_and_the_nearest() {
    let found = env_mistakes(&[
        ("DRAWBRIDGE__LIMITS__CONECTIONS", "5"),
        ("DRAWBRIDGE__LIMTS__CONNECTIONS", "5"),
        ("DRAWBRIDGE__LIMTS__SAMPLE", "0.5"),
        ("DRAWBRIDGE__ZZZZZZ", "5"),
    ]);
    assert_eq!(
        found,
        [
            "DRAWBRIDGE__LIMITS__CONECTIONS unknown key \"conections\" (did you mean DRAWBRIDGE__LIMITS__CONNECTIONS?)",
            "DRAWBRIDGE__LIMTS__CONNECTIONS unknown key \"limts\" (did you mean DRAWBRIDGE__LIMITS__CONNECTIONS?)",
            "DRAWBRIDGE__LIMTS__SAMPLE unknown key \"limts\" (did you mean DRAWBRIDGE__LIMITS__SAMPLE?)",
            "DRAWBRIDGE__ZZZZZZ unknown key \"zzzzzz\" (the keys here are \"bind\", \"routes_dir\", \"threads\", \
             \"limits\", \"access\", \"cookies\", \"routes\")",
        ]
    );
}

#[test]
fn what_is_no_toml_says_how_to_write_it() {
    let found = env_mistakes(&[("DRAWBRIDGE__ROUTES_DIR", "routes"), ("DRAWBRIDGE__BIND", "[127.0.0.1:1]")]);
    assert_eq!(
        found,
        [
            "DRAWBRIDGE__BIND the variable's value is not TOML \
             (values are written as in a document: DRAWBRIDGE__BIND='[\"one\", \"two\"]')",
            "DRAWBRIDGE__ROUTES_DIR the variable's value is not TOML \
             (text needs quotes: DRAWBRIDGE__ROUTES_DIR='\"…\"')",
        ]
    );
}

#[test]
fn lists_of_documents_cannot_be_set() {
    for name in ["DRAWBRIDGE__ROUTES", "DRAWBRIDGE__ROUTES__0__NAME"] {
        let found = env_mistakes(&[(name, "[]")]);
        let expected = format!(
            "{name} \"routes\" can't be set from the environment \
             (write [[routes]] in a document; values and lists can be set here)"
        );
        assert_eq!(found, [expected]);
    }
}

#[test]
fn tables_are_set_key_by_key() {
    assert_eq!(
        env_mistakes(&[("DRAWBRIDGE__LIMITS", "{ connections = 5 }")]),
        ["DRAWBRIDGE__LIMITS a table can't be set from the environment \
          (set its keys one by one: DRAWBRIDGE__LIMITS__KEY)"]
    );
    assert_eq!(
        env_mistakes(&[("DRAWBRIDGE__LIMITS__CONNECTIONS__MOST", "5")]),
        [
            "DRAWBRIDGE__LIMITS__CONNECTIONS__MOST \"connections\" is an integer, and has no keys (set it as a whole)"
        ]
    );
}

#[test]
fn values_are_checked_like_those_of_documents() {
    let found =
        env_mistakes(&[("DRAWBRIDGE__THREADS", "\"four\""), ("DRAWBRIDGE__LIMITS__LOGIN_TIMEOUT", "'1s'")]);
    assert_eq!(
        found,
        [
            "DRAWBRIDGE__LIMITS__LOGIN_TIMEOUT a login can't be shorter than its greeting",
            "DRAWBRIDGE__THREADS expected an integer, found a string",
        ]
    );
}

#[test]
fn names_that_name_no_key_are_mistakes() {
    assert_eq!(
        env_mistakes(&[
            ("DRAWBRIDGE__", "1"),
            ("DRAWBRIDGE__LIMITS____X", "1"),
            ("DRAWBRIDGE__limits__X", "1")
        ]),
        [
            "DRAWBRIDGE__ the variable's name doesn't name a key (write it as DRAWBRIDGE__SECTION__KEY)",
            "DRAWBRIDGE__LIMITS____X the variable's name doesn't name a key (write it as DRAWBRIDGE__SECTION__KEY)",
            "DRAWBRIDGE__limits__X the variable's name isn't in upper case (write it as DRAWBRIDGE__LIMITS__X)",
        ]
    );
}
