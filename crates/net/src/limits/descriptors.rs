//! How many sockets the operating system lets the edge have.

/// Taken where the system has no such limit, or none worth the name.
const PLENTY: u64 = 1 << 20;

/// Raises the soft limit of open descriptors to the hard one and returns what then holds. To be called while starting.
#[must_use]
pub fn raise_descriptor_limit() -> u64 {
    limit().min(PLENTY)
}

#[cfg(unix)]
fn limit() -> u64 {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

    let before = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: before.maximum, maximum: before.maximum };
    if before.current != before.maximum
        && let Err(error) = setrlimit(Resource::Nofile, raised)
    {
        // macOS refuses more than its own OPEN_MAX.
        tracing::debug!(%error, "the descriptor limit can't be raised");
    }
    getrlimit(Resource::Nofile).current.unwrap_or(PLENTY)
}

#[cfg(not(unix))]
fn limit() -> u64 {
    PLENTY
}

/// Connections that fit into `descriptors`, with room left for the edge's own: listeners, pollers, files being read, and
/// connections to a session server (some 300 at most) and the like. Three eighths are kept, but no more than 1,024.
///
/// `1024` → 640 · `20_000` → 18,976 · `1_048_576` → 1,047,552.
pub(super) fn connections_within(descriptors: u64) -> u32 {
    let own = (descriptors / 8 * 3).min(1024);
    u32::try_from((descriptors - own).max(1)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_is_left_for_the_edge_itself() {
        assert_eq!(connections_within(1024), 640);
        assert_eq!(connections_within(20_000), 18_976);
        assert_eq!(connections_within(1 << 20), 1_047_552);
        assert_eq!(connections_within(0), 1);
        assert_eq!(connections_within(u64::MAX), u32::MAX);
    }

    #[cfg(unix)]
    #[test]
    fn the_soft_limit_is_raised_to_the_hard_one() {
        use rustix::process::{Resource, getrlimit};

        let limit = raise_descriptor_limit();
        let now = getrlimit(Resource::Nofile);
        assert_eq!(now.current, now.maximum);
        assert_eq!(limit, now.current.unwrap_or(PLENTY).min(PLENTY));
    }
}
