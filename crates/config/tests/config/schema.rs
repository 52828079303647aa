//! The schema says what the reader does: it takes what is read, refuses what isn't, and knows every key.

use drawbridge_config::{Json, json, schema, schema_keys};
use regex::Regex;

use crate::settings::{Settings, load};

/// Documents that hold.
const HOLDING: &[&str] = &[
    "",
    "bind = ['127.0.0.1:1', '[::1]:2']\nroutes_dir = 'r'\nthreads = 65535",
    "[limits]\nconnections = 5\nhandshake_timeout = '250ms'\nmax_packet = 4096\nstatus = { burst = 1, per = '1d' }\nsample = 1",
    "[limits]\nmax_packet = '2MiB'\nsample = 0.25",
    "[access]\nallow = ['10.0.0.0/8', '::1']\ndeny = []",
    "[cookies]\nsecrets = [{ env = 'KEY' }]\nkey = { env = 'KEY' }\nbind_address = false",
    "[[routes]]\nname = 'a'\nhosts = ['b', 'c']\nmode = 'passthrough'\nnames = '^a$'\nmax_players = -1",
    "[[routes]]\nname = 'a'\nhosts = []\n[routes.status]\ndescription = 'x'\nfavicon = 'i.png'",
    "[[routes]]\nname = 'a'\nhosts = []\n[routes.status]\ntype = 'fixed'",
    "[[routes]]\nname = 'a'\nhosts = []\n[routes.status]\ntype = 'http'\nurl = 'u'\nrefresh = '1s'",
    "[[routes]]\nname = 'a'\nhosts = []\nstatus = { type = 'silent' }\nmessages = { de_de = { key = 'Text' } }",
];

/// Documents with one mistake each, of those that a schema can see.
const FAILING: &[&str] = &[
    "thread = 1",
    "threads = 65536",
    "threads = -1",
    "threads = 1.5",
    "bind = '127.0.0.1:1'",
    "limits = []",
    "routes_dir = ''",
    "[limits]\nhandshake_timeout = 5",
    "[limits]\nhandshake_timeout = '5'",
    "[limits]\nmax_packet = '8KB'",
    "[limits]\nmax_packet = -1",
    "[limits]\nstatus = { burst = 1 }",
    "[limits]\nsample = 'much'",
    "[cookies]\nkey = 'secret'",
    "[cookies]\nkey = { file = 'a', env = 'KEY' }",
    "[cookies]\nkey = {}",
    "[cookies]\nbind_address = 0",
    "[[routes]]\nname = 'a'",
    "[[routes]]\nname = 'a'\nhosts = ['b', 1]",
    "[[routes]]\nname = 'a'\nhosts = []\nmode = 'tranfser'",
    "[[routes]]\nname = 'a'\nhosts = []\nstatus = { type = 'fxed' }",
    "[[routes]]\nname = 'a'\nhosts = []\nstatus = { url = 'u' }",
    "[[routes]]\nname = 'a'\nhosts = []\nstatus = { type = 'http' }",
    "[[routes]]\nname = 'a'\nhosts = []\nstatus = { type = 'silent', url = 'u' }",
    "[[routes]]\nname = 'a'\nhosts = []\nmessages = { de_de = 'Text' }",
];

fn document(text: &str) -> Json {
    json!(text.parse::<toml::Table>().unwrap())
}

#[test]
fn it_takes_what_the_reader_takes() {
    let schema = schema::<Settings>();
    for text in HOLDING {
        assert!(load(text, &[("KEY", &"k".repeat(32))]).is_ok(), "{text}");
        assert!(holds(&schema, &schema, &document(text)), "{text}");
    }
}

#[test]
fn it_refuses_what_the_reader_refuses() {
    let schema = schema::<Settings>();
    for text in FAILING {
        assert!(load(text, &[("KEY", &"k".repeat(32))]).is_err(), "{text}");
        assert!(!holds(&schema, &schema, &document(text)), "{text}");
    }
}

#[test]
fn defaults_are_in_it_and_hold() {
    let schema = schema::<Settings>();
    let limits = &schema["$defs"]["Limits"]["properties"];
    assert_eq!(limits["handshake_timeout"]["default"], "5s");
    assert_eq!(limits["max_packet"]["default"], "8KiB");
    assert_eq!(limits["status"]["default"], json!({ "burst": 30, "per": "10s" }));
    assert_eq!(schema["properties"]["bind"]["default"], json!(["[::]:25565"]));
    assert_eq!(schema["properties"]["routes_dir"]["default"], "routes");
    for definition in schema["$defs"].as_object().unwrap().values() {
        for property in definition["properties"].as_object().into_iter().flat_map(serde_json::Map::values) {
            if let Some(default) = property.get("default") {
                assert!(holds(&schema, property, default), "{property}");
            }
        }
    }
}

#[test]
fn comments_are_its_descriptions() {
    let schema = schema::<Settings>();
    assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
    assert_eq!(schema["description"], "The whole configuration.");
    assert_eq!(
        schema["properties"]["limits"],
        json!({ "$ref": "#/$defs/Limits", "description": "Bounds on what peers may use." })
    );
    assert_eq!(schema["$defs"]["Limits"]["properties"]["connections"]["description"], "Open sockets.");
    let mode = "How a player gets there.\n- `transfer`: Handed over.";
    assert_eq!(schema["$defs"]["Mode"]["description"], mode);
    assert_eq!(schema["$defs"]["Status"]["oneOf"][2]["description"], "Nobody.");
}

#[test]
fn nothing_is_defined_that_nothing_uses() {
    let schema = schema::<Settings>();
    let names: Vec<_> = schema["$defs"].as_object().unwrap().keys().collect();
    assert_eq!(names, ["Access", "Cookies", "Limits", "Mode", "Rate", "Route", "Status"]);
}

#[test]
fn every_key_is_listed() {
    assert_eq!(
        schema_keys(&schema::<Settings>()),
        [
            "access.allow",
            "access.deny",
            "bind",
            "cookies.bind_address",
            "cookies.key",
            "cookies.secrets",
            "limits.connections",
            "limits.handshake_timeout",
            "limits.login_timeout",
            "limits.max_packet",
            "limits.sample",
            "limits.status.burst",
            "limits.status.per",
            "routes[].hosts",
            "routes[].max_players",
            "routes[].messages.*.*",
            "routes[].mode",
            "routes[].name",
            "routes[].names",
            "routes[].status(fixed).description",
            "routes[].status(fixed).favicon",
            "routes[].status(http).refresh",
            "routes[].status(http).url",
            "routes[].status.type",
            "routes_dir",
            "threads",
        ]
    );
}

/// Whether a value holds against a schema: the keywords that sections use, written after the specification of JSON
/// Schema. A keyword that isn't known here fails the test.
fn holds(root: &Json, schema: &Json, value: &Json) -> bool {
    let keywords = schema.as_object().unwrap();
    keywords.iter().all(|(keyword, says)| match keyword.as_str() {
        "$schema" | "$defs" | "description" | "default" | "examples" | "format" | "writeOnly" => true,
        "$ref" => holds(root, root.pointer(&says.as_str().unwrap()[1..]).unwrap(), value),
        "type" => match says {
            Json::Array(kinds) => kinds.iter().any(|kind| is_kind(kind, value)),
            kind => is_kind(kind, value),
        },
        "const" => says == value,
        "enum" => says.as_array().unwrap().contains(value),
        "oneOf" => says.as_array().unwrap().iter().filter(|form| holds(root, form, value)).count() == 1,
        "pattern" => {
            value.as_str().is_none_or(|text| Regex::new(says.as_str().unwrap()).unwrap().is_match(text))
        }
        "minLength" => {
            value.as_str().is_none_or(|text| text.chars().count() as u64 >= says.as_u64().unwrap())
        }
        "minimum" => value.as_f64().is_none_or(|number| number >= says.as_f64().unwrap()),
        "maximum" => value.as_f64().is_none_or(|number| number <= says.as_f64().unwrap()),
        "items" => value.as_array().is_none_or(|items| items.iter().all(|item| holds(root, says, item))),
        "required" => {
            let has = |key: &Json| value.get(key.as_str().unwrap()).is_some();
            !value.is_object() || says.as_array().unwrap().iter().all(has)
        }
        "properties" => says
            .as_object()
            .unwrap()
            .iter()
            .all(|(key, property)| value.get(key).is_none_or(|value| holds(root, property, value))),
        "additionalProperties" => value.as_object().is_none_or(|object| {
            let known = |key: &String| schema["properties"].get(key).is_some();
            object
                .iter()
                .filter(|(key, _)| !known(key))
                .all(|(_, value)| says.is_object() && holds(root, says, value))
        }),
        unknown => panic!("the keyword {unknown} isn't known here"),
    })
}

fn is_kind(kind: &Json, value: &Json) -> bool {
    match kind.as_str().unwrap() {
        "string" => value.is_string(),
        "integer" => {
            value.is_i64() || value.is_u64() || value.as_f64().is_some_and(|number| number.fract() == 0.0)
        }
        "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        unknown => panic!("the type {unknown} isn't known here"),
    }
}
