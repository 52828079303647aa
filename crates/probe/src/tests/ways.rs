//! Names, addresses and connections, and the command line.

use super::super::fault::Fault;
use super::super::report::{Outcome, Step};
use super::super::run_into;
use super::dns::{self, Data};
use super::fixture::{block_on, line, run, status, unused_port};
use super::server::{Server, script};
use std::process::ExitCode;

const NAME: &str = "play.example.com";
const RECORD: &str = "_minecraft._tcp.play.example.com";

fn showing() -> Server {
    Server::start(vec![script(|client| {
        client.show(&status(777));
    })])
}

#[test]
fn a_port_keeps_clients_from_asking_for_srv() {
    let server = showing();
    let port = server.address.port();
    let nameserver =
        dns::serve(vec![(RECORD, Data::Srv(0, 0, 1, "wrong.example.com")), (NAME, Data::A([127, 0, 0, 1]))]);
    let report = run(&[&format!("{NAME}:{port}"), "--nameserver", &nameserver.to_string()]);
    server.stop();
    assert!(report.is_ok());
    assert_eq!(report.entry(Step::Srv).outcome, Outcome::Skipped);
    assert_eq!(report.entry(Step::Dns).detail, "127.0.0.1");
}

#[test]
fn of_several_srv_records_the_first_counts() {
    let server = showing();
    let port = server.address.port();
    let nameserver = dns::serve(vec![
        (RECORD, Data::Srv(9, 0, port, "a.example.com")),
        (RECORD, Data::Srv(1, 0, 1, "b.example.com")),
        ("a.example.com", Data::A([127, 0, 0, 1])),
    ]);
    let report = run(&[&format!("{NAME}:25565"), "--nameserver", &nameserver.to_string()]);
    server.stop();
    assert!(report.is_ok());
    let srv = report.entry(Step::Srv);
    assert_eq!(srv.facts["records"][1]["target"], "b.example.com.");
    assert!(srv.warnings[0].starts_with("there are 2 records"));
}

#[test]
fn an_srv_record_can_switch_the_service_off() {
    let nameserver = dns::serve(vec![(RECORD, Data::Srv(0, 0, 0, "."))]);
    let report = run(&[NAME, "--nameserver", &nameserver.to_string()]);
    assert_eq!(report.failed(), [Step::Srv]);
    assert_eq!(report.entry(Step::Connect).outcome, Outcome::Skipped);
}

#[test]
fn names_that_lead_nowhere_are_told_apart() {
    let nameserver = dns::serve(vec![("empty.example.com", Data::Srv(0, 0, 1, "x.example.com"))]).to_string();
    for (name, fault) in [
        (NAME, Fault::NoSuchName(NAME.into())),
        ("empty.example.com", Fault::NoAddress("empty.example.com".into())),
    ] {
        let report = run(&[name, "--nameserver", &nameserver]);
        assert_eq!(report.failed(), [Step::Dns]);
        let dns = report.entry(Step::Dns);
        assert_eq!((dns.detail.clone(), dns.meaning.clone()), (fault.to_string(), fault.meaning(Step::Dns)));
        assert!(report.entry(Step::Srv).detail.starts_with("no record"));
    }
}

#[test]
fn a_name_server_that_says_nothing_costs_no_more_than_the_deadline() {
    let (_socket, nameserver) = dns::silent();
    let report = run(&[NAME, "--nameserver", &nameserver.to_string(), "--timeout", "300ms"]);
    assert_eq!(report.failed(), [Step::Srv, Step::Dns]);
    assert!(report.entry(Step::Dns).meaning.contains("--nameserver"), "{:?}", report.entry(Step::Dns));
}

#[test]
fn every_address_is_tried() {
    let server = showing();
    let port = server.address.port();
    let records = vec![(NAME, Data::A([127, 0, 0, 2])), (NAME, Data::A([127, 0, 0, 1]))];
    let nameserver = dns::serve(records);
    let report = run(&[&format!("{NAME}:{port}"), "--nameserver", &nameserver.to_string()]);
    server.stop();
    assert!(report.is_ok());
    let connect = report.entry(Step::Connect);
    assert_eq!(connect.detail, format!("127.0.0.1:{port}"));
    assert_eq!(
        connect.warnings,
        [format!("127.0.0.2:{port}: connection refused. Clients try one address only, mostly the first.")]
    );
}

#[test]
fn a_close_without_a_word_hints_at_the_proxy_protocol() {
    let server = Server::start(vec![script(|_| ())]);
    let report = run(&[&server.address.to_string()]);
    server.stop();
    assert_eq!(report.failed(), [Step::Status]);
    let status = report.entry(Step::Status);
    assert_eq!(status.detail, "the connection was closed without a word");
    assert!(status.meaning.contains("PROXY protocol"));
}

#[test]
fn exit_codes_tell_how_it_went() {
    let exit = |arguments: &[&str]| {
        let (mut out, mut complaints) = (Vec::new(), Vec::new());
        let code = block_on(run_into(line(arguments).unwrap(), &mut out, &mut complaints));
        (code, String::from_utf8(out).unwrap(), String::from_utf8(complaints).unwrap())
    };
    let server = showing();
    let (code, out, _) = exit(&[&server.address.to_string()]);
    server.stop();
    assert!(code == ExitCode::SUCCESS && out.ends_with("Every step went well.\n"), "{out}");
    let (code, out, _) = exit(&[&format!("127.0.0.1:{}", unused_port()), "--json"]);
    assert_eq!(code, ExitCode::FAILURE);
    let object: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(object["ok"], false);
    let (code, out, complaints) = exit(&["127.0.0.1", "--join", "Notch", "--token", "secret"]);
    assert_eq!((code, out.as_str()), (ExitCode::from(2), ""));
    assert_eq!(complaints, "error: a token needs the --uuid of its account\n");
}

#[test]
fn arguments_that_make_no_sense_are_refused() {
    for arguments in [
        &[][..],
        &["http://play.example.com"],
        &["h", "--protocol", "latest"],
        &["h", "--timeout", "10"],
        &["h", "--nameserver", "dns.example.com"],
        &["h", "--uuid", "b50ad385-829d-3141-a216-7e7d7539ba7f"],
        &["h", "--session-server", "ftp://h"],
        &["h", "--join", "a name that is too long"],
    ] {
        assert!(line(arguments).is_err_and(|error| error.exit_code() == 2), "{arguments:?}");
    }
    let args = line(&["h", "--token", "secret"]).unwrap();
    assert!(!format!("{args:?}").contains("secret"));
}
