//! Checks: targets are asked now and then how they are, whether or not there are players.
//!
//! Worked example with `interval = "10s"` and `down_after = 3`: a target that was up freezes at 1 s. The checks at 10, 20 and 30 s go unanswered, and from
//! 32 s on it is tried last. It goes on at 55 s; with `up_after = 2` it is tried in its turn again from 70 s on.
//!
//! What must stay true: no check takes longer than its time, and no round asks too many targets at once, however many a discovery names.

use super::{Change, RouteHealth, Thresholds};
use crate::background::{Background, Running};
use crate::status::question::{Greeting, NoStatus, Question, connect};
use drawbridge_config::{Fields, keywords, section};
use drawbridge_model::{Client, DiscoveryAdapter, Target, TargetAddress};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::task::JoinSet;
use tokio::time::{sleep_until, timeout};

/// The most targets that a route asks at once.
const AT_ONCE: usize = 32;
/// The most targets of a route that are checked.
const CHECKED: usize = 1000;
/// For how many intervals a finding counts that no other follows.
const COUNTS: u32 = 3;
/// How often a target may fail, or answer, before that counts.
const TIMES: u32 = 100;

section! {
    /// How targets are checked.
    #[defaults]
    #[check(HealthSection::check)]
    pub struct HealthSection {
        /// How each target of the discovery is asked whether it is there; none is without. Who is down is tried last.
        pub check: Option<CheckKind>,
        /// How often.
        pub interval: Duration = Duration::from_secs(10),
        /// How long a target may take.
        pub timeout: Duration = Duration::from_secs(2),
        /// How many checks in a row have to fail until it is down.
        pub down_after: u32 = 3,
        /// How many checks in a row have to go well until it is up again.
        pub up_after: u32 = 2,
    }
}

keywords! {
    /// How a target is checked.
    pub enum CheckKind {
        /// It accepts a connection.
        "tcp" => Tcp,
        /// It answers the server list.
        "status" => Status,
    }
}

impl HealthSection {
    fn check(&self, fields: &mut Fields<'_, '_, '_>) {
        if self.interval < Duration::from_secs(1) {
            fields.error("interval", "targets are checked once in a second at most");
        }
        if fields.has("timeout") && (self.timeout.is_zero() || self.timeout > self.interval) {
            fields.error("timeout", "expected more than nothing, and no more than `interval`");
        } else if self.timeout > self.interval {
            let message =
                format!("a target may take {:?}: write a `timeout` of no more than this", self.timeout);
            fields.error("interval", message);
        }
        for (key, times) in [("down_after", self.down_after), ("up_after", self.up_after)] {
            if !(1..=TIMES).contains(&times) {
                fields.error(key, format!("expected 1 to {TIMES}"));
            }
        }
        let without = ["interval", "timeout", "down_after", "up_after"];
        let idle = without.into_iter().filter(|_| self.check.is_none()).find(|key| fields.has(key));
        if let Some(key) = idle {
            fields.error(key, "nothing is checked: add check = \"tcp\" or check = \"status\"");
        }
    }
}

/// The checks of a route's targets.
#[derive(Debug)]
pub struct Checks {
    section: HealthSection,
    of: Checked,
    health: RouteHealth,
}

/// Whose targets are checked, and how these are spoken to.
#[derive(Debug)]
pub struct Checked {
    /// The route's name, for the log.
    pub route: String,
    /// The host that targets are asked for where `greeting` has no other.
    pub host: String,
    /// Names them.
    pub discovery: Arc<dyn DiscoveryAdapter>,
    /// How they are spoken to.
    pub greeting: Greeting,
}

impl Checks {
    /// What they find is noted in `health`; `None` where the section asks for none.
    #[must_use]
    pub fn new(section: &HealthSection, of: Checked, health: &RouteHealth) -> Option<Self> {
        section.check?;
        Some(Self { section: section.clone(), of, health: health.clone() })
    }

    /// Begins, until the result is dropped. Those that a reload ends go on with what they knew, and no sooner than they would have.
    pub fn run(self, background: &Background) -> Running {
        background.run(async move {
            loop {
                let due = self.health.next_round(self.section.interval, Instant::now());
                sleep_until(due.into()).await;
                self.round().await;
            }
        })
    }

    /// Asks every target once.
    async fn round(&self) {
        let HealthSection { interval, timeout: within, .. } = self.section;
        let (began, counts) = (Instant::now(), COUNTS * interval + within);
        let client = Client::on_own_behalf(self.of.host.clone());
        // Who can't say which targets there are tells so itself where players ask.
        let named = timeout(interval, self.of.discovery.shared_targets(&client)).await;
        let named = named.ok().and_then(Result::ok);
        self.health.round_begins(named.as_deref(), began, counts);
        let mut targets = named.unwrap_or_default();
        targets.truncate(CHECKED);
        let mut asking = JoinSet::new();
        loop {
            while asking.len() < AT_ONCE
                && let Some(target) = targets.pop()
            {
                let asked = self.ask(target.address.clone());
                asking.spawn(async move { (target, asked.await) });
            }
            match asking.join_next().await {
                Some(Ok((target, answer))) => self.note(&target, &answer),
                Some(Err(_)) => {}
                None => return,
            }
        }
    }

    /// Asks one target, in its time.
    fn ask(&self, address: TargetAddress) -> impl Future<Output = Result<(), NoStatus>> + Send + use<> {
        let (kind, within) = (self.section.check, self.section.timeout);
        let Client { version, host, port, .. } = Client::on_own_behalf(self.of.host.clone());
        let question = Question { version, host, port, ping: false };
        let greeting = self.of.greeting.clone();
        async move {
            let asked = async {
                match kind {
                    Some(CheckKind::Status) => question.ask(&address, &greeting).await.map(drop),
                    _ => Ok(connect(&address).await.map(drop)?),
                }
            };
            timeout(within, asked).await.map_err(|_| NoStatus::Late(within))?
        }
    }

    /// Notes what a check came to, and tells when a target goes or comes back.
    fn note(&self, target: &Target, answer: &Result<(), NoStatus>) {
        let HealthSection { down_after, up_after, .. } = self.section;
        let Target { identifier, address, .. } = target;
        let change = self.health.found(address, answer.is_ok(), Thresholds { down_after, up_after });
        let route = &self.of.route;
        match (change, answer) {
            (Some(Change::Up), _) => {
                tracing::info!(route, target = identifier, %address, "a target is up again");
            }
            (Some(Change::Down), Err(error)) => {
                tracing::warn!(route, target = identifier, %address, %error, "a target is down");
            }
            _ => {}
        }
    }
}
