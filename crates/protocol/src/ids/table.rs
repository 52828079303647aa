//! Tables of ids, put together by the compiler from the steps of [`generated`], each of which says what changed since the
//! table before it.

use super::generated::{self, Kind};
use super::{Direction, State};

/// More ids than any state has; what has more doesn't compile.
const SLOTS: usize = 160;

/// Stands for "no id" in [`Table::ids`].
const NONE: u8 = u8::MAX;

/// The ids of one version, state and direction, both ways.
pub struct Table {
    /// By id.
    kinds: [Option<Kind>; SLOTS],
    /// By kind.
    ids: [u8; Kind::ALL.len()],
}

/// The table that holds from a version on: the one before it, with some edits.
pub(super) struct Step {
    pub(super) since: i32,
    pub(super) edits: &'static [Edit],
}

/// In the table before, `removed` stood from id `at` on; now `inserted` stands there. All ids behind move.
pub(super) struct Edit {
    pub(super) at: usize,
    pub(super) removed: &'static [Kind],
    pub(super) inserted: &'static [Kind],
}

impl Table {
    /// The id of a packet.
    #[must_use]
    pub const fn id(&self, kind: Kind) -> Option<i32> {
        match self.ids[kind as usize] {
            NONE => None,
            id => Some(id as i32),
        }
    }

    /// The packet with an id; any number may be asked.
    #[must_use]
    pub const fn kind(&self, id: i32) -> Option<Kind> {
        if id < 0 || id >= SLOTS as i32 { None } else { self.kinds[id as usize] }
    }

    /// All packets with their ids, in the order of the ids.
    pub fn iter(&self) -> impl Iterator<Item = (i32, Kind)> {
        (0..).zip(&self.kinds).filter_map(|(id, kind)| Some((id, (*kind)?)))
    }

    const EMPTY: Self = Self { kinds: [None; SLOTS], ids: [NONE; Kind::ALL.len()] };

    /// A table that has gaps.
    pub(super) const fn sparse(entries: &[(Kind, u8)]) -> Self {
        let mut table = Self::EMPTY;
        let mut entry = 0;
        while entry < entries.len() {
            let (kind, id) = entries[entry];
            table.put(kind, id as usize);
            entry += 1;
        }
        table
    }

    const fn put(&mut self, kind: Kind, id: usize) {
        assert!(self.kinds[id].is_none(), "an id stands for one packet");
        assert!(self.ids[kind as usize] == NONE, "a packet has one id");
        self.kinds[id] = Some(kind);
        self.ids[kind as usize] = id as u8;
    }

    /// The table after this one. The compiler refuses a step that doesn't fit.
    const fn edited(&self, edits: &[Edit]) -> Self {
        let mut table = Self::EMPTY;
        let (mut old, mut new, mut edit) = (0, 0, 0);
        loop {
            if edit < edits.len() && edits[edit].at == old {
                let Edit { removed, inserted, .. } = &edits[edit];
                let mut index = 0;
                while index < removed.len() {
                    assert!(self.ids[removed[index] as usize] as usize == old, "what is removed stood there");
                    old += 1;
                    index += 1;
                }
                index = 0;
                while index < inserted.len() {
                    table.put(inserted[index], new);
                    new += 1;
                    index += 1;
                }
                edit += 1;
                continue;
            }
            let Some(kind) = self.kinds[old] else { break };
            table.put(kind, new);
            old += 1;
            new += 1;
        }
        assert!(edit == edits.len(), "edits are in order and inside the table");
        table
    }
}

impl std::fmt::Debug for Table {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

const fn tables<const N: usize>(steps: &[Step; N]) -> [Table; N] {
    let mut tables = [const { Table::EMPTY }; N];
    let mut step = 0;
    while step < N {
        let before = if step == 0 { &Table::EMPTY } else { &tables[step - 1] };
        tables[step] = before.edited(steps[step].edits);
        step += 1;
    }
    tables
}

const fn since<const N: usize>(steps: &[Step; N]) -> [i32; N] {
    let mut since = [0; N];
    let mut step = 0;
    while step < N {
        since[step] = steps[step].since;
        assert!(step == 0 || since[step] > since[step - 1], "steps are in order");
        step += 1;
    }
    since
}

/// A packet that must have the same id in all tables, on its own: for versions that aren't known.
const fn steady(kind: Kind, tables: &[Table]) -> Table {
    let id = tables[0].ids[kind as usize];
    let mut index = 1;
    while index < tables.len() {
        assert!(tables[index].ids[kind as usize] == id, "its id never changed");
        index += 1;
    }
    Table::sparse(&[(kind, id)])
}

pub(super) static HANDSHAKING_SERVERBOUND: [Table; 1] = tables(&generated::HANDSHAKING_SERVERBOUND);
pub(super) static STATUS_CLIENTBOUND: [Table; 1] = tables(&generated::STATUS_CLIENTBOUND);
pub(super) static STATUS_SERVERBOUND: [Table; 1] = tables(&generated::STATUS_SERVERBOUND);
pub(super) static ANY_LOGIN_CLIENTBOUND: Table =
    steady(Kind::Disconnect, &tables(&generated::LOGIN_CLIENTBOUND));
pub(super) static ANY_LOGIN_SERVERBOUND: Table =
    steady(Kind::LoginStart, &tables(&generated::LOGIN_SERVERBOUND));

/// For the states that differ between versions: since when which table holds.
pub(super) fn history(state: State, direction: Direction) -> Option<(&'static [i32], &'static [Table])> {
    macro_rules! of {
        ($steps:ident) => {{
            static SINCE: [i32; generated::$steps.len()] = since(&generated::$steps);
            static TABLES: [Table; generated::$steps.len()] = tables(&generated::$steps);
            Some((&SINCE, &TABLES))
        }};
    }
    match (state, direction) {
        (State::Handshaking | State::Status, _) => None,
        (State::Login, Direction::Clientbound) => of!(LOGIN_CLIENTBOUND),
        (State::Login, Direction::Serverbound) => of!(LOGIN_SERVERBOUND),
        (State::Configuration, Direction::Clientbound) => of!(CONFIGURATION_CLIENTBOUND),
        (State::Configuration, Direction::Serverbound) => of!(CONFIGURATION_SERVERBOUND),
        (State::Play, Direction::Clientbound) => of!(PLAY_CLIENTBOUND),
        (State::Play, Direction::Serverbound) => of!(PLAY_SERVERBOUND),
    }
}
