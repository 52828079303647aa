//! What there is to be scraped, by the names that Prometheus sees. Dashboard and manual are compared with it, and it with what is exported.

/// A metric with all its labels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Family {
    /// Its name as Prometheus sees it.
    pub name: &'static str,
    /// What it is.
    pub kind: Kind,
    /// Its labels, in alphabetical order.
    pub labels: &'static [&'static str],
}

/// What a metric is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Only grows, until the process starts anew.
    Counter,
    /// Grows and shrinks.
    Gauge,
    /// Counts by size.
    Histogram,
}

impl Kind {
    /// The word of the text format.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }
}

const fn family(name: &'static str, kind: Kind, labels: &'static [&'static str]) -> Family {
    Family { name, kind, labels }
}

/// All.
pub const FAMILIES: &[Family] = &[
    family("drawbridge_connections_undecided", Kind::Gauge, &[]),
    family("drawbridge_connections_accepted_total", Kind::Counter, &[]),
    family("drawbridge_connections_ended_total", Kind::Counter, &["outcome", "phase", "refusal"]),
    family("drawbridge_phase_duration_seconds", Kind::Histogram, &["outcome", "phase"]),
    family("drawbridge_adapter_duration_seconds", Kind::Histogram, &["asked", "kind", "outcome"]),
    family("drawbridge_adapter_breaker_opened_total", Kind::Counter, &["asked", "kind"]),
    family("drawbridge_status_cache_total", Kind::Counter, &["result"]),
    family("drawbridge_cookies_total", Kind::Counter, &["result"]),
    family("drawbridge_transfers_total", Kind::Counter, &["route", "target"]),
    family("drawbridge_players_carried", Kind::Gauge, &["route"]),
    family("drawbridge_target_players_carried", Kind::Gauge, &["route", "target"]),
    family("drawbridge_carried_ended_total", Kind::Counter, &["end", "route"]),
    family("drawbridge_carried_bytes_total", Kind::Counter, &["direction", "route"]),
    family("drawbridge_limited_total", Kind::Counter, &["limit"]),
    family("drawbridge_bans", Kind::Gauge, &[]),
    family("drawbridge_bans_unread_total", Kind::Counter, &[]),
    family("drawbridge_discovery_stale_total", Kind::Counter, &["kind"]),
    family("drawbridge_orphaned_allocations_total", Kind::Counter, &["outcome"]),
    family("drawbridge_control_requests_total", Kind::Counter, &["outcome", "request"]),
    family("drawbridge_reloads_total", Kind::Counter, &["outcome"]),
    family("drawbridge_last_reload_timestamp_seconds", Kind::Gauge, &[]),
    family("drawbridge_routes", Kind::Gauge, &[]),
    family("drawbridge_ready", Kind::Gauge, &[]),
    family("drawbridge_key_exchanges_waiting", Kind::Gauge, &[]),
    family("drawbridge_runtime_tasks", Kind::Gauge, &[]),
    family("drawbridge_runtime_queue", Kind::Gauge, &[]),
    family("drawbridge_log_lines_lost_total", Kind::Counter, &[]),
    family("drawbridge_build_info", Kind::Gauge, &["version"]),
    family("process_start_time_seconds", Kind::Gauge, &[]),
    family("process_cpu_seconds_total", Kind::Counter, &[]),
    family("process_resident_memory_bytes", Kind::Gauge, &[]),
    family("process_open_fds", Kind::Gauge, &[]),
    family("process_max_fds", Kind::Gauge, &[]),
];
