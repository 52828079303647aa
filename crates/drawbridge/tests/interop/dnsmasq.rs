//! With dnsmasq: its SRV and address records lead players, it changes them, fails and comes back.

use crate::support::{edge, sent};
use drawbridge_testkit::{Backend, Edge, Join, NodeClient, Signal, eventually, sees};
use rustix::process::{Pid, kill_process};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tempfile::TempDir;

/// dnsmasq on a port of 127.0.0.1, which asks nobody else.
struct Dnsmasq {
    process: Child,
    address: SocketAddr,
    folder: TempDir,
}

impl Dnsmasq {
    /// `srv` are values of `srv-host`, `hosts` the lines of a hosts file. All are good for a second.
    fn start(srv: &[&str], hosts: &str) -> Self {
        let address = Backend::nobody().unwrap();
        let folder = TempDir::new().unwrap();
        let process = Self::spawn(&folder, address, srv, hosts);
        Self { process, address, folder }
    }

    fn spawn(folder: &TempDir, address: SocketAddr, srv: &[&str], hosts: &str) -> Child {
        std::fs::write(folder.path().join("hosts"), hosts).unwrap();
        let user = Command::new("id").arg("-un").output().unwrap().stdout;
        let srv: String = srv.iter().map(|record| format!("srv-host={record}\n")).collect();
        let config = format!(
            "port={}\nlisten-address=127.0.0.1\nbind-interfaces\nno-resolv\nno-hosts\naddn-hosts={}\npid-file=\n\
             local=/example.com/\nlocal-ttl=1\nneg-ttl=1\nuser={}\n{srv}",
            address.port(),
            folder.path().join("hosts").display(),
            String::from_utf8(user).unwrap().trim(),
        );
        let file = folder.path().join("dnsmasq.conf");
        std::fs::write(&file, config).unwrap();
        let process = Command::new("dnsmasq")
            .arg("--keep-in-foreground")
            .arg(format!("--conf-file={}", file.display()))
            .stderr(Stdio::inherit())
            .spawn();
        let process = process.unwrap_or_else(|error| {
            panic!("dnsmasq can't be run ({error}): `cargo xtask interop` installs it, as does `apt-get install dnsmasq-base`")
        });
        let listens = eventually(Duration::from_secs(10), || TcpStream::connect(address).ok());
        assert!(listens.is_some(), "dnsmasq doesn't listen");
        process
    }

    /// Ends it, and starts it at the same place with other records.
    fn restart(&mut self, srv: &[&str], hosts: &str) {
        self.stop();
        self.process = Self::spawn(&self.folder, self.address, srv, hosts);
    }

    /// Has it read another hosts file.
    fn rewrite_hosts(&self, hosts: &str) {
        std::fs::write(self.folder.path().join("hosts"), hosts).unwrap();
        self.signal(Signal::HUP);
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.process), signal).unwrap();
    }

    fn stop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Drop for Dnsmasq {
    fn drop(&mut self) {
        self.stop();
    }
}

fn house(dnsmasq: &Dnsmasq, more: &str) -> Edge {
    let config = format!(
        "[[routes]]\nname = \"lobby\"\nhosts = [\"*\"]\nmode = \"transfer\"\nauthentication.type = \"disabled\"\n\
         [routes.discovery]\ntype = \"dns\"\ndomain = \"lobby.example.com\"\nnameservers = [\"{}\"]\ntimeout = \"1s\"\n{more}\n",
        dnsmasq.address
    );
    edge().config(config).start()
}

#[track_caller]
fn comes_to_send(edge: &Edge, to: &str) {
    let there = eventually(Duration::from_secs(15), || sent(edge).starts_with(to).then_some(()));
    assert!(there.is_some(), "players are still sent to {}, not {to}", sent(edge));
}

const HOSTS: &str = "10.0.0.1 a.example.com\n10.0.0.2 b.example.com\n2001:db8::3 c.example.com\n";
const NO_TARGET: &str = "No server is configured or available";

#[test]
#[ignore = "run by cargo xtask interop"]
fn srv_records_of_dnsmasq_lead_players_while_they_change_and_it_fails() {
    sees!("routes[].discovery(dns).domain");
    let srv = "_minecraft._tcp.lobby.example.com";
    let records = [
        format!("{srv},gone.example.com,25570,5,100"),
        format!("{srv},a.example.com,25571,10,60"),
        format!("{srv},b.example.com,25572,10,20"),
        format!("{srv},c.example.com,25573,20,0"),
    ];
    let mut dnsmasq = Dnsmasq::start(&records.each_ref().map(String::as_str), HOSTS);
    let edge = house(&dnsmasq, "");
    let logins = 100;
    let first = (0..logins).filter(|_| match sent(&edge).as_str() {
        "a.example.com:25571" => true,
        "b.example.com:25572" => false,
        other => panic!("sent to {other}"),
    });
    let first = first.count();
    assert!((53..=96).contains(&first), "{first} of {logins} were sent to the heavier one");
    let node = NodeClient::start();
    let visit = node.join(&Join::new("Notch", "1.21.4"), edge.address());
    assert!(visit.transferred().0.ends_with(".example.com"), "{visit:?}");

    // A host goes away.
    dnsmasq.rewrite_hosts("2001:db8::3 c.example.com\n");
    comes_to_send(&edge, "c.example.com:25573");
    // Others take over.
    dnsmasq.restart(&[&format!("{srv},d.example.com,25574")], "10.0.0.4 d.example.com\n");
    comes_to_send(&edge, "d.example.com:25574");

    // It hangs, then it dies: the last answer serves.
    dnsmasq.signal(Signal::STOP);
    edge.wait_for_messages("DNS fails", 1);
    edge.wait_for_message("DNS still fails");
    assert_eq!(sent(&edge), "d.example.com:25574");
    dnsmasq.signal(Signal::CONT);
    edge.wait_for_messages("DNS answers again", 1);
    dnsmasq.stop();
    edge.wait_for_messages("DNS fails", 2);
    assert_eq!(sent(&edge), "d.example.com:25574");
    dnsmasq.restart(&[&format!("{srv},a.example.com,25571")], HOSTS);
    comes_to_send(&edge, "a.example.com:25571");
    // There is nothing any more.
    dnsmasq.restart(&[], HOSTS);
    comes_to_send(&edge, NO_TARGET);
}

#[test]
#[ignore = "run by cargo xtask interop"]
fn addresses_of_dnsmasq_lead_players_while_they_change() {
    let dnsmasq = Dnsmasq::start(&[], "10.0.0.1 lobby.example.com\n2001:db8::1 lobby.example.com\n");
    let edge = house(&dnsmasq, "record = \"a\"\n");
    assert_eq!(sent(&edge), "10.0.0.1:25565");
    dnsmasq.rewrite_hosts("10.0.0.2 lobby.example.com\n");
    comes_to_send(&edge, "10.0.0.2:25565");
    dnsmasq.rewrite_hosts("2001:db8::1 lobby.example.com\n");
    comes_to_send(&edge, "2001:db8::1:25565");
    dnsmasq.rewrite_hosts("");
    comes_to_send(&edge, NO_TARGET);
}
