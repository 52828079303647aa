use super::*;
use crate::Counts;
use drawbridge_adapter::background::Background;
use drawbridge_config::read_text;
use drawbridge_model::{Claim, TraceContext};
use drawbridge_protocol::ProtocolVersion;
use drawbridge_testkit::{Mood, NameServer, PATIENCE, Record as Known, eventually};
use tokio::runtime::Handle;
use tokio::task::block_in_place;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

const SRV: &str = "_minecraft._tcp.example.com";

/// Discovery at `server`, whose tasks are tracked.
fn discovery(server: &NameServer, more: &str) -> (DnsDiscovery, Dns, TaskTracker) {
    let text = format!("domain = 'example.com'\nnameservers = ['{}']\n{more}", server.address());
    let section: DnsSection = read_text("dns.toml", &text).unwrap();
    let (background, tasks) = (Arc::<Background>::default(), TaskTracker::new());
    background.start(&Handle::current(), &tasks);
    let dns = Dns::new(background);
    (DnsDiscovery::new(&section, &dns), dns, tasks)
}

async fn targets(discovery: &DnsDiscovery) -> Result<Vec<Target>, AdapterError> {
    let client = Client {
        address: ([127, 0, 0, 1], 4711).into(),
        version: ProtocolVersion::newest(),
        host: "play.example.com".into(),
        port: 25565,
        trace: TraceContext { trace_id: 1, span_id: 1, flags: 0 },
    };
    let identity = Identity::Claimed(Claim { name: "Notch".into(), id: Uuid::nil() });
    discovery.targets(&client, &identity).await
}

fn comes(what: &str, is_so: impl Fn() -> bool) {
    let so = block_in_place(|| eventually(PATIENCE, || is_so().then_some(())));
    assert!(so.is_some(), "{what}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_becomes_of_questions_is_counted() {
    let server = NameServer::start().unwrap();
    server.set(SRV, 1, [Known::srv(7, 9, 25570, "localhost"), Known::srv(0, 0, 25570, "gone.example.com")]);
    let (discovery, dns, _tasks) = discovery(&server, "");
    let found = targets(&discovery).await.unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(
        (found[0].identifier.as_str(), found[0].priority, &*found[0].meta["weight"]),
        ("localhost:25570", 7, "9")
    );
    assert_eq!(dns.counts(), Counts { answered: 1, failed: 0, stale: 0, left_out: 1 });
    server.mood(Mood::Failing);
    comes("a failure", || dns.counts().failed > 0);
    // The answer is good for a second, which is over before it is asked for again.
    assert_eq!(targets(&discovery).await.unwrap(), found);
    assert_eq!(dns.counts().stale, 1);
    server.mood(Mood::Well);
    let answered = dns.counts().answered;
    comes("an answer", || dns.counts().answered > answered);
    targets(&discovery).await.unwrap();
    assert_eq!(dns.counts().stale, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_asks_the_same_shares_the_answer_and_the_last_ends_it() {
    let server = NameServer::start().unwrap();
    let (one, dns, tasks) = discovery(&server, "");
    let text = format!("domain = 'EXAMPLE.com'\nnameservers = ['{}']", server.address());
    let other = DnsDiscovery::new(&read_text::<DnsSection>("dns.toml", &text).unwrap(), &dns);
    assert_eq!(targets(&one).await, Ok(Vec::new()));
    assert_eq!(targets(&other).await, Ok(Vec::new()));
    assert_eq!((server.asked(SRV), tasks.len()), (1, 1));
    drop(one);
    assert_eq!((targets(&other).await, tasks.len()), (Ok(Vec::new()), 1));
    drop(other);
    comes("no task is left", || tasks.is_empty());
}

/// As many hosts as are looked at, each of which has to be looked up.
#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_hosts_are_looked_up_in_time() {
    let server = NameServer::start().unwrap();
    let hosts: Vec<_> = (0..1_000).map(|number| format!("host-{number}.example.com")).collect();
    server.set(SRV, 60, hosts.iter().map(|host| Known::srv(0, 1, 25565, host)));
    for host in &hosts {
        server.set(host, 60, [Known::A([10, 0, 0, 1].into())]);
    }
    let (discovery, dns, _tasks) = discovery(&server, "timeout = '20s'");
    assert_eq!(targets(&discovery).await.unwrap().len(), 1_000);
    assert_eq!(dns.counts().left_out, 0);
}
