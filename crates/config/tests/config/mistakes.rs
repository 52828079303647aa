//! Mistakes are all found, each at its place, with what puts it right.

use drawbridge_config::{Diagnostic, Document, Error, Root, Severity, Style};

use crate::settings::{Settings, drawn, listed, load, mistake, mistakes};

const TEN: &str = "\
threads = 70000
bind = [\"127.0.0.1\"]
routes_dir: \"here\"

[limits]
conections = 5
handshake_timeout = 5
max_packet = \"8KB\"
status = { burst = 0, per = \"10s\" }

[access]
allow = [\"10.0.0.0/33\"]

[[routes]]
hosts = [\"a b\"]
mode = \"tranfser\"
names = \"[a-\"
status = { type = \"fxed\" }

[[routes]]
name = \"b\"
hosts = []
hosts = [\"x\"]
status = { url = \"http://127.0.0.1\" }
";

#[test]
fn all_mistakes_are_found_each_with_its_line() {
    assert_eq!(
        listed(&mistakes(TEN, &[])),
        [
            "1:11 70000 is out of range",
            "2:9 \"127.0.0.1\" is not an address with a port such as \"[::]:25565\"",
            "3:13 this is not TOML",
            "6:1 unknown key \"conections\" (did you mean \"connections\"?)",
            "7:21 expected a duration such as \"5s\", found an integer (a duration is text with a unit: ms, s, m, h or d)",
            "8:14 \"8KB\" is not a size such as \"64KiB\"",
            "9:20 a burst of 0 lets nobody in",
            "12:10 \"10.0.0.0/33\" is not a network such as \"10.0.0.0/8\"",
            "15:10 \"a b\" is not a host pattern",
            "16:8 \"tranfser\" is not one of the words here (did you mean \"transfer\"?)",
            "17:9 \"[a-\" is not a regular expression",
            "18:19 unknown type \"fxed\" (did you mean \"fixed\"?)",
            "23:1 the key \"hosts\" is given twice",
            "24:12 unknown key \"url\" of the type \"fixed\" (the keys here are \"description\", \"favicon\", \"type\")",
        ]
    );
}

#[test]
fn missing_keys_are_shown_at_the_header() {
    assert_eq!(mistake("[[routes]]\nname = 'a'\n"), "1:1 missing key \"hosts\"");
    assert_eq!(mistake("routes = [{ hosts = [] }]"), "1:11 missing key \"name\"");
    let http = "[[routes]]\nname = 'a'\nhosts = []\n[routes.status]\ntype = 'http'";
    assert_eq!(mistake(http), "4:1 missing key \"url\"");
}

#[test]
fn missing_keys_are_not_blamed_on_broken_documents() {
    assert_eq!(mistake("[[routes]]\nname = 'a'\nhosts ['b']\n"), "3:7 this is not TOML");
    assert_eq!(
        mistake("[[routes]]\nname = 'a'\nhosts = b\n"),
        "3:9 this is not TOML (text is written in quotes)"
    );
}

#[test]
fn reading_goes_on_behind_broken_lines() {
    let text = "a\n[limits]\nb c\nconections = 1\nd é\n[access]\nalow = []\n";
    assert_eq!(
        listed(&mistakes(text, &[])),
        [
            "1:2 this is not TOML",
            "3:3 this is not TOML",
            "4:1 unknown key \"conections\" (did you mean \"connections\"?)",
            "5:3 this is not TOML",
            "7:1 unknown key \"alow\" (did you mean \"allow\"?)",
        ]
    );
}

#[test]
fn an_open_bracket_is_one_mistake() {
    let lines = "x = 1\n".repeat(50);
    let found = listed(&mistakes(&format!("bind = ['127.0.0.1:1'\n{lines}"), &[]));
    assert_eq!(found[0], "2:1 this is not TOML (is a bracket or brace before it left open?)");
    assert!(found.len() <= 2, "{found:#?}");
}

#[test]
fn wrong_kinds_say_what_came() {
    for (text, expected) in [
        ("threads = '1'", "1:11 expected an integer, found a string"),
        ("threads = -1", "1:11 -1 is out of range"),
        ("limits = 1", "1:10 expected a table, found an integer"),
        ("limits = [1]", "1:10 expected a table, found a list"),
        ("bind = true", "1:8 expected a list, found a boolean"),
        ("limits.sample = nan", "1:17 expected a number, found a float"),
        ("limits.sample = 1979-05-27", "1:17 expected a number, found a date"),
        ("cookies.bind_address = 0", "1:24 expected true or false, found an integer"),
        ("routes_dir = 1.5", "1:14 expected a path, found a float"),
        ("routes_dir = ''", "1:14 \"\" is not a path"),
        ("threads = 999999999999999999999999999999999999999999", "1:11 this number is out of every range"),
    ] {
        assert_eq!(mistake(text), expected, "{text}");
    }
}

#[test]
fn far_keys_list_what_there_is() {
    assert_eq!(
        mistake("[access]\nzzzzz = 1"),
        "2:1 unknown key \"zzzzz\" (the keys here are \"allow\", \"deny\")"
    );
    assert_eq!(
        mistake("[[routes]]\nname = 'a'\nhosts = []\nstatus = { type = 'silent', url = '' }"),
        "4:29 unknown key \"url\" of the type \"silent\" (the keys here are \"type\")"
    );
    assert_eq!(
        mistake("[[routes]]\nname = 'a'\nhosts = []\nstatus.typ = 'silent'"),
        "4:8 unknown key \"typ\" of the type \"fixed\" (did you mean \"type\"?)"
    );
}

#[test]
fn checks_point_at_keys() {
    let text = "[limits]\nlogin_timeout = '1s'\n";
    assert_eq!(mistake(text), "2:17 a login can't be shorter than its greeting");
    let text = "[limits]\nhandshake_timeout = '1m'\n";
    assert_eq!(mistake(text), "1:1 a login can't be shorter than its greeting");
}

#[test]
fn later_mistakes_point_at_located_settings() {
    let text =
        "[[routes]]\nname = 'a'\nhosts = []\n[[routes]]\nname = 'a'\nhosts = []\nstatus.favicon = 'x.gif'\n";
    let mut loaded = load(text, &[]).unwrap();
    let [first, second] = loaded.settings.routes.as_slice() else { panic!("expected two routes") };
    let twice = Diagnostic::error(second.name.origin(), "two routes are called \"a\"")
        .label("the second")
        .related(first.name.origin(), "the first");
    let crate::settings::Status::Fixed(fixed) = &second.status else { panic!("expected a fixed status") };
    let favicon = fixed.favicon.as_ref().unwrap();
    let picture = Diagnostic::error(favicon.origin(), "this favicon is not a PNG").help("convert it");
    loaded.diagnostics.push(picture);
    loaded.diagnostics.push(twice);
    let Err(Error::Invalid(diagnostics)) = loaded.verified() else { panic!("expected mistakes") };
    assert_eq!(
        drawn(&diagnostics),
        "error: two routes are called \"a\"
 --> drawbridge.toml:5:8
  |
5 | name = 'a'
  |        ^^^ the second
  |
 ::: drawbridge.toml:2:8
  |
2 | name = 'a'
  |        --- the first

error: this favicon is not a PNG
 --> drawbridge.toml:7:18
  |
7 | status.favicon = 'x.gif'
  |                  ^^^^^^^
  |
  = help: convert it

the configuration has 2 errors
"
    );
}

#[test]
fn they_are_drawn_as_a_compiler_draws_them() {
    let environment = [("DRAWBRIDGE__LIMITS__CONECTIONS", "5")];
    let text = "[access]\nalow = ['10.0.0.1/8']\ndeny = ['10.0.0.1/8']\n";
    assert_eq!(
        drawn(&mistakes(text, &environment)),
        "error: unknown key \"alow\"
 --> drawbridge.toml:2:1
  |
2 | alow = ['10.0.0.1/8']
  | ^^^^ nothing reads this
  |
  = help: did you mean \"allow\"?

warning: 10.0.0.1/8 has bits behind its prefix
 --> drawbridge.toml:3:9
  |
3 | deny = ['10.0.0.1/8']
  |         ^^^^^^^^^^^^ this is read as 10.0.0.0/8

error: unknown key \"conections\"
 |
 = note: environment variable DRAWBRIDGE__LIMITS__CONECTIONS: nothing reads this
 = help: did you mean DRAWBRIDGE__LIMITS__CONNECTIONS?

the configuration has 2 errors and 1 warning
"
    );
}

#[test]
fn colours_are_left_out_when_plain() {
    let found = mistakes("a = 1", &[]);
    assert!(found.render(Style::Colour).contains("\x1b["));
    assert!(!found.render(Style::Plain).contains('\x1b'));
    assert_eq!(mistakes("", &[]).render(Style::Colour), "");
}

#[test]
fn control_characters_reach_no_terminal() {
    for text in ["\"\\u001b[2J\" = 1", "routes_dir = \"\"\nbind = [\"\\u001b[2J\u{202e}\"] # \u{202e}"] {
        let drawn = drawn(&mistakes(text, &[]));
        assert!(!drawn.contains(['\x1b', '\u{202e}']), "{drawn:?}");
    }
}

#[test]
fn machines_get_places_and_words() {
    let json =
        mistakes("é = 1\n[access]\nallow = []\nallow = []\n", &[("DRAWBRIDGE__THREADS", "x")]).to_json();
    let expected = drawbridge_config::json!({
        "errors": 3,
        "warnings": 0,
        "diagnostics": [
            { "severity": "error", "message": "this is not TOML", "file": "drawbridge.toml", "line": 1, "column": 1,
              "end_line": 1, "end_column": 2 },
            { "severity": "error", "message": "the key \"allow\" is given twice", "file": "drawbridge.toml", "line": 4,
              "column": 1, "end_line": 4, "end_column": 6, "label": "a key is given once",
              "related": [{ "file": "drawbridge.toml", "line": 3, "column": 1, "end_line": 3, "end_column": 6,
                            "label": "first given here" }] },
            { "severity": "error", "message": "the variable's value is not TOML", "variable": "DRAWBRIDGE__THREADS",
              "help": "text needs quotes: DRAWBRIDGE__THREADS='\"…\"'" },
        ],
    });
    let mut found = json.clone();
    let label = found["diagnostics"][0].as_object_mut().unwrap().shift_remove("label");
    assert!(label.is_some());
    assert_eq!(found, expected);
}

#[test]
fn a_flood_of_mistakes_is_bounded() {
    let text: String = (0..500).map(|number| format!("k{number} = 1\n")).collect();
    let found = mistakes(&format!("{text}access.deny = ['10.0.0.1/8']"), &[]);
    assert_eq!((found.errors(), found.warnings(), found.iter().count()), (500, 1, 200));
    assert!(found.iter().all(|diagnostic| diagnostic.severity() == Severity::Error));
    assert!(
        drawn(&found).ends_with("\n301 more are not shown\nthe configuration has 500 errors and 1 warning\n")
    );
}

#[test]
fn further_documents_add_to_lists_in_the_order_of_their_names() {
    let route = |name: &str| format!("[[routes]]\nname = '{name}'\nhosts = []\n");
    let mut root = Root::new(Some(Document::parse("main.toml", route("main"))), &["routes"]);
    let documents = ["c", "a", "b"].map(|name| Document::parse(format!("routes/{name}.toml"), route(name)));
    root.append(documents.to_vec());
    let routes = root.read::<Settings>().unwrap().settings.routes;
    let names: Vec<_> = routes.iter().map(|route| route.name.as_str()).collect();
    assert_eq!(names, ["main", "a", "b", "c"]);
    assert_eq!(routes[1].name.origin().to_string(), "routes/a.toml:2:8");
}

#[test]
fn further_documents_hold_lists_only() {
    let mut root = Root::new(None, &["routes"]);
    let texts = ["route = []\n", "threads = 1\nroutes = 1\n[[", "[[routes]]\nhosts = []"];
    root.append(texts.iter().zip(["a", "b", "c"]).map(|(text, name)| Document::parse(name, *text)).collect());
    let Err(Error::Invalid(found)) = root.read::<Settings>() else { panic!("expected mistakes") };
    let found: Vec<_> = found.iter().map(ToString::to_string).collect();
    assert_eq!(found[0], "a:1:1: error: \"route\" can't stand in this document (did you mean \"routes\"?)");
    assert_eq!(
        found[1],
        "b:1:1: error: \"threads\" can't stand in this document \
         (here only routes may stand; move it into the main document)"
    );
    assert_eq!(found[2], "b:2:10: error: expected [[routes]], found an integer");
    assert!(found[3].starts_with("b:3:"), "{}", found[3]);
    assert_eq!(found[4], "c:1:1: error: missing key \"name\"");
    assert_eq!(found.len(), 5);
}

/// What whoever made a document knows of it stands at its line, whatever lines there are.
#[test]
fn remarks_stand_at_their_lines() {
    let text = "a = 1\r\n  # b = 2  \n\nlast";
    for (line, place) in
        [(0, "1:1"), (1, "1:1"), (2, "2:3"), (3, "3:1"), (4, "4:1"), (5, "4:5"), (usize::MAX, "4:5")]
    {
        let mut document = Document::parse("made", text);
        document.remark(line, |origin| Diagnostic::warning(origin, "doubtful"));
        let mut root = Root::new(None, &["a"]);
        root.append(vec![document]);
        let Err(Error::Invalid(diagnostics)) = root.read::<Settings>() else { panic!("this is no TOML") };
        let found: Vec<_> = diagnostics.iter().filter(|found| found.message() == "doubtful").collect();
        let [remark] = found.as_slice() else { panic!("{found:?}") };
        assert_eq!(remark.origin().to_string(), format!("made:{place}"), "line {line}");
    }
    // What stands there is what is marked.
    let mut document = Document::parse("made", text);
    document
        .remark(2, |origin| Diagnostic::warning(origin, format!("ends at {}", origin.end().unwrap().column)));
    let mut root = Root::new(None, &["a"]);
    root.append(vec![document]);
    let Err(Error::Invalid(diagnostics)) = root.read::<Settings>() else { panic!("this is no TOML") };
    assert!(diagnostics.iter().any(|found| found.message() == "ends at 10"), "{diagnostics:?}");
}
