//! The verifiers of docs/tickets.md, run as they stand there.

use std::fs;
use std::process::Command;

const MANUAL: &str = include_str!("../../../../docs/tickets.md");

fn code(language: &str) -> &'static str {
    MANUAL.split(&format!("```{language}\n")).nth(1).unwrap().split("```").next().unwrap()
}

fn line(name: &str) -> &'static str {
    MANUAL.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": ")).unwrap()
}

/// What a program that prints the JSON of a ticket makes of the manual's, and of each that differs in one digit.
fn judge(mut run: impl FnMut(&[String]) -> String) {
    let (good, key) = (line("ticket"), line("public key"));
    let changed = |place: usize| {
        let mut digits = good.as_bytes().to_vec();
        digits[place] = if digits[place] == b'0' { b'1' } else { b'0' };
        String::from_utf8(digits).unwrap()
    };
    // The format, both ends of the signature, both ends of the text.
    let places = [1, 2, 129, 130, good.len() - 1];
    let tickets =
        [good.to_owned()].into_iter().chain(places.map(changed)).chain(["01".to_owned(), String::new()]);
    let arguments: Vec<_> = [key.to_owned()].into_iter().chain(tickets).collect();
    let judged = run(&arguments);
    let expected = format!("{}\n{}", line("json"), "none\n".repeat(arguments.len() - 2));
    assert_eq!(judged, expected);
}

fn output(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| {
        panic!("{command:?} can't be run: {error}; `cargo xtask interop` installs it")
    });
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
#[ignore = "run by cargo xtask interop"]
fn the_verifier_in_java_takes_what_the_edge_signs() {
    let folder = tempfile::tempdir().unwrap();
    let program = format!(
        "public class Tickets {{\n{}\n\
         public static void main(String[] arguments) throws Exception {{\n\
         var hex = java.util.HexFormat.of();\n\
         for (int i = 1; i < arguments.length; i++) {{\n\
         var json = ticket(hex.parseHex(arguments[0]), hex.parseHex(arguments[i]));\n\
         System.out.print((json == null ? \"none\" : json) + \"\\n\");\n}}\n}}\n}}\n",
        code("java")
    );
    let file = folder.path().join("Tickets.java");
    fs::write(&file, program).unwrap();
    judge(|arguments| output(Command::new("java").arg(&file).args(arguments)));
}

#[test]
#[ignore = "run by cargo xtask interop"]
fn the_verifier_in_go_takes_what_the_edge_signs() {
    let folder = tempfile::tempdir().unwrap();
    let program = format!(
        "package main\n\nimport (\n\"crypto/ed25519\"\n\"encoding/hex\"\n\"fmt\"\n\"os\"\n)\n\n{}\n\
         func main() {{\n\
         key, _ := hex.DecodeString(os.Args[1])\n\
         for _, argument := range os.Args[2:] {{\n\
         cookie, _ := hex.DecodeString(argument)\n\
         if json := ticket(key, cookie); json != nil {{ fmt.Println(string(json)) }} else {{ fmt.Println(\"none\") }}\n\
         }}\n}}\n",
        code("go")
    );
    let file = folder.path().join("tickets.go");
    fs::write(&file, program).unwrap();
    judge(|arguments| {
        let cache = folder.path().join("cache");
        output(
            Command::new("go")
                .env("GOCACHE", cache)
                .env("GO111MODULE", "off")
                .arg("run")
                .arg(&file)
                .args(arguments),
        )
    });
}
