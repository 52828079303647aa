//! How much is measured.

/// Figures of one thing, one a round.
pub(crate) type Samples = Vec<f64>;

/// How many rounds, and how much in each. Things that are compared are measured in turn within every round.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plan {
    /// Rounds of everything but pings and memory.
    pub(crate) rounds: usize,
    /// Rounds of pings: many short ones, so that what disturbs the machine disturbs all servers alike.
    pub(crate) ping_rounds: usize,
    /// Status pings a round, of each kind.
    pub(crate) pings: usize,
    /// Logins a round, of each kind.
    pub(crate) logins: usize,
    /// How often memory is measured, each time with edges of its own.
    pub(crate) memory_rounds: usize,
    /// Connections that wait the while.
    pub(crate) waiting: usize,
    /// Lookups of a route a round.
    pub(crate) lookups: usize,
    /// Bytes that go through each cipher a round.
    pub(crate) ciphered: usize,
    /// Starts of the edge.
    pub(crate) starts: usize,
    /// Rounds of relays.
    pub(crate) relay_rounds: usize,
    /// Bytes that are relayed a round in large pieces; a quarter of them in smaller ones.
    pub(crate) relayed: usize,
    /// Packets of each connection a round.
    pub(crate) relayed_packets: usize,
    /// Relays that are held at once.
    pub(crate) relays: usize,
    /// Frames that are carried a round, of each mix.
    pub(crate) carried: usize,
    /// Ticks a round in which every player of an edge has frames.
    pub(crate) ticks: usize,
    /// Frames a round for each of the players who get as many as get through.
    pub(crate) carried_through: usize,
}

impl Plan {
    /// A minute or two: figures to publish.
    pub(crate) const FULL: Self = Self {
        rounds: 15,
        ping_rounds: 60,
        pings: 1_000,
        logins: 400,
        memory_rounds: 3,
        waiting: 2_000,
        lookups: 1_000_000,
        ciphered: 4 << 20,
        starts: 20,
        relay_rounds: 9,
        relayed: 2 << 30,
        relayed_packets: 150,
        relays: 9_000,
        carried: 20_000,
        ticks: 20,
        carried_through: 100_000,
    };

    /// A few seconds: whether something is badly wrong.
    pub(crate) const QUICK: Self = Self {
        rounds: 3,
        ping_rounds: 8,
        pings: 500,
        logins: 100,
        memory_rounds: 1,
        waiting: 500,
        lookups: 100_000,
        ciphered: 512 << 10,
        starts: 5,
        relay_rounds: 3,
        relayed: 512 << 20,
        relayed_packets: 50,
        relays: 1_000,
        carried: 8_000,
        ticks: 10,
        carried_through: 20_000,
    };
}
