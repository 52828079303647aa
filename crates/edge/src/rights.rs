//! Who may use which of the edge's commands in the game, by the main file and one beside it.
//!
//! What must stay true: a name that is merely claimed is nobody's, unless its route says so; what a player may do is looked up anew whenever
//! they do it, so that a reload counts at once.

use drawbridge_config::{
    DocumentPath, Json, Located, Reader, Schemas, Setting, Value, json, keywords, parsed, section,
};
use drawbridge_model::identity::folded;
use drawbridge_model::{Profile, Subject, SubjectError};
use std::collections::{BTreeMap, HashMap};
use std::str::FromStr;
use std::sync::Arc;
use thiserror::Error;
use uuid::Uuid;

keywords! {
    /// What a player may be allowed.
    pub enum Right {
        /// All there is.
        "*" => All,
        /// `/server`: go to another server.
        "server" => Server,
        /// `/send`: have others go.
        "send" => Send,
        /// `/find`: on which server somebody is.
        "find" => Find,
        /// `/glist`: how many players are on which server, and who.
        "glist" => List,
        /// All words of `/drawbridge`.
        "drawbridge.*" => Drawbridge,
        /// `/drawbridge version`: what runs.
        "drawbridge.version" => Version,
        /// `/drawbridge status`: how the edge is.
        "drawbridge.status" => Status,
        /// `/drawbridge routes`: the routes.
        "drawbridge.routes" => Routes,
        /// `/drawbridge targets`: targets, with their addresses and health.
        "drawbridge.targets" => Targets,
        /// `/drawbridge players`: who is there.
        "drawbridge.players" => Players,
        /// `/drawbridge kick`: end connections.
        "drawbridge.kick" => Kick,
        /// `/drawbridge maintenance`: put routes under maintenance, and out of it.
        "drawbridge.maintenance" => Maintenance,
        /// `/drawbridge reload`: read the configuration anew.
        "drawbridge.reload" => Reload,
        /// `/drawbridge drain`: stop the edge.
        "drawbridge.drain" => Drain,
    }
}

impl Right {
    const fn rights(self) -> Rights {
        match self {
            Self::All => Rights(u32::MAX),
            // Its words are behind it.
            Self::Drawbridge => Rights(u32::MAX << Self::Drawbridge as u32),
            one => Rights(1 << one as u32),
        }
    }
}

/// All that a player may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Rights(u32);

impl Rights {
    fn of(rights: &[Right]) -> Self {
        rights.iter().fold(Self::default(), |all, right| all.and(right.rights()))
    }

    const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether this is among it.
    pub(crate) const fn has(self, right: Right) -> bool {
        self.0 & right.rights().0 == right.rights().0
    }

    /// Whether any word of `/drawbridge` is among it.
    pub(crate) const fn has_any_word(self) -> bool {
        self.0 & Right::Drawbridge.rights().0 != 0
    }
}

/// Somebody in a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Member {
    /// Whoever has the name, whatever its case.
    Name(Arc<str>),
    /// Whoever has the UUID.
    Id(Uuid),
}

/// Why a text is no player.
#[derive(Debug, Error)]
pub enum MemberError {
    /// It is neither a name nor a UUID.
    #[error(transparent)]
    Nobody(#[from] SubjectError),
    /// It is an address or a network.
    #[error("an address isn't a player: expected a name or a UUID")]
    Network,
}

impl FromStr for Member {
    type Err = MemberError;

    fn from_str(text: &str) -> Result<Self, MemberError> {
        match text.parse()? {
            Subject::Name(name) => Ok(Self::Name(name)),
            Subject::Id(id) => Ok(Self::Id(id)),
            Subject::Network(_) => Err(MemberError::Network),
        }
    }
}

impl Setting for Member {
    fn read(value: &Value, reader: &mut Reader<'_>) -> Option<Self> {
        parsed(value, reader, "a player")
    }

    fn schema(_: &mut Schemas) -> Json {
        json!({ "type": "string", "minLength": 1 })
    }
}

section! {
    /// Players, and what they may do.
    #[defaults]
    pub struct GroupSection {
        /// Names or UUIDs.
        pub players: Vec<Member> = Vec::new(),
        /// What they may do beside what everybody may.
        pub allow: Vec<Right> = Vec::new(),
    }
}

section! {
    /// Commands of the edge's in the game, for players in sessions. Whoever may not use one doesn't see it, and what they type goes to the server.
    #[defaults]
    pub struct CommandsSection {
        /// What everybody may do.
        pub default: Vec<Right> = vec![Right::Server],
        /// Who may do more, by the names of groups.
        pub groups: BTreeMap<String, GroupSection> = BTreeMap::new(),
        /// A file with more of `groups`, watched as this one is; players and rights of groups of one name are taken together.
        pub permissions_file: Option<Located<DocumentPath>>,
    }
}

section! {
    /// The file that `commands.permissions_file` names.
    #[defaults]
    pub struct PermissionsFile {
        /// Who may do more, by the names of groups.
        pub groups: BTreeMap<String, GroupSection> = BTreeMap::new(),
    }
}

/// Who may do what.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Permissions {
    everybody: Rights,
    names: HashMap<Arc<str>, Rights>,
    ids: HashMap<Uuid, Rights>,
}

impl Permissions {
    /// As the section and the file that it names say.
    #[must_use]
    pub fn new(section: &CommandsSection, file: &PermissionsFile) -> Self {
        let mut permissions = Self { everybody: Rights::of(&section.default), ..Self::default() };
        let mut groups: BTreeMap<&str, (Vec<&Member>, Rights)> = BTreeMap::new();
        for (name, group) in section.groups.iter().chain(&file.groups) {
            let (members, rights) = groups.entry(name).or_default();
            members.extend(&group.players);
            *rights = rights.and(Rights::of(&group.allow));
        }
        for (members, rights) in groups.into_values() {
            for member in members {
                let all = match member {
                    Member::Name(name) => permissions.names.entry(Arc::clone(name)).or_default(),
                    Member::Id(id) => permissions.ids.entry(*id).or_default(),
                };
                *all = all.and(rights);
            }
        }
        permissions
    }

    /// Whether it matters who somebody is.
    pub(crate) fn has_groups(&self) -> bool {
        !(self.names.is_empty() && self.ids.is_empty())
    }

    /// What somebody may do who is known by this profile; `None`: who they are counts for nothing.
    pub(crate) fn of(&self, profile: Option<&Profile>) -> Rights {
        let Some(profile) = profile else { return self.everybody };
        let by_name = self.names.get(&*folded(&profile.name)).copied().unwrap_or_default();
        let by_id = self.ids.get(&profile.id).copied().unwrap_or_default();
        self.everybody.and(by_name).and(by_id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use drawbridge_config::read_text;

    fn permissions(section: &str, file: &str) -> Permissions {
        Permissions::new(&read_text("a.toml", section).unwrap(), &read_text("b.toml", file).unwrap())
    }

    fn profile(name: &str) -> Profile {
        Profile { id: Uuid::from_u128(7), name: name.to_owned(), properties: Vec::new() }
    }

    #[test]
    fn everybody_may_go_elsewhere_and_nothing_else() {
        let rights = permissions("", "").of(Some(&profile("Alice")));
        assert!(rights.has(Right::Server) && !rights.has(Right::List) && !rights.has_any_word());
        let none = permissions("default = []", "").of(Some(&profile("Alice")));
        assert!(!none.has(Right::Server));
    }

    #[test]
    fn groups_of_both_files_count_together_for_who_is_known() {
        let permissions = permissions(
            "[groups.staff]\nplayers = [\"ALICE\"]\nallow = [\"send\"]\n[groups.all]\nallow = [\"*\"]",
            "[groups.staff]\nplayers = [\"00000000-0000-0000-0000-000000000007\"]\nallow = [\"drawbridge.reload\"]",
        );
        for name in ["alice", "Bob"] {
            let rights = permissions.of(Some(&profile(name)));
            assert!(rights.has(Right::Send) && rights.has(Right::Reload) && rights.has(Right::Server));
            assert!(!rights.has(Right::Drain) && !rights.has(Right::Drawbridge) && rights.has_any_word());
        }
        let nobody = permissions.of(None);
        assert!(nobody.has(Right::Server) && !nobody.has(Right::Send));
    }

    #[test]
    fn stars_stand_for_all_and_for_all_words() {
        let words = Rights::of(&[Right::Drawbridge]);
        assert!(words.has(Right::Version) && words.has(Right::Drain) && !words.has(Right::List));
        let all = Rights::of(&[Right::All]);
        assert!(all.has(Right::Drawbridge) && all.has(Right::Server) && all.has(Right::All));
        assert!(!words.has(Right::All));
    }

    #[test]
    fn addresses_are_no_players() {
        for (text, reason) in [("10.0.0.1", "an address isn't a player"), ("", "nobody's name")] {
            let section = format!("groups.staff.players = [\"{text}\"]");
            let error = read_text::<CommandsSection>("a.toml", &section).unwrap_err();
            let drawbridge_config::Error::Invalid(mistakes) = error else { panic!("{error}") };
            assert!(mistakes.iter().any(|mistake| format!("{mistake:?}").contains(reason)), "{mistakes:?}");
        }
    }
}
