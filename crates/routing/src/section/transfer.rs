//! How a route's players are handed over, as it is written.

use crate::transfer::{ResourcePack, Transfer};
use drawbridge_adapter::setting::Text;
use drawbridge_config::{Fields, Located, section};

section! {
    /// How players are handed over.
    #[defaults]
    #[check(TransferSection::check)]
    pub struct TransferSection {
        /// Which address clients are sent to; the target's own when left out.
        pub address: Option<AddressSection>,
        /// Packs that players are offered before the hand-over.
        pub resource_packs: Vec<ResourcePackSection> = Vec::new(),
        /// Whether players are handed over only to a target that accepts a connection.
        pub probe: bool = false,
        /// Whether players take a ticket along, by which the target knows that they came through the edge. Needs `tickets.key`.
        pub ticket: Located<bool> = Located::built_in(false),
    }
}

section! {
    /// Where the address stands that clients are sent to.
    pub struct AddressSection {
        /// The key of the target's metadata that holds it, as `host:port`.
        pub meta: String,
    }
}

section! {
    /// A resource pack that players are offered.
    #[check(ResourcePackSection::check)]
    pub struct ResourcePackSection {
        /// Where clients load it.
        pub url: String,
        /// SHA-1 of the file in 40 hexadecimal digits, by which clients know it again.
        pub sha1: String,
        /// Whether who declines it can't join.
        pub required: bool = true,
        /// What players read when they are asked.
        pub prompt: Option<Text>,
    }
}

impl ResourcePackSection {
    fn check(&self, fields: &mut Fields<'_, '_, '_>) {
        let web = self.url.starts_with("http://") || self.url.starts_with("https://");
        if !web || self.url.len() > 2_048 || self.url.contains(char::is_whitespace) {
            fields.error("url", "expected an http(s) URL of at most 2,048 characters");
        }
        if self.sha1.len() != 40 || !self.sha1.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            fields.error("sha1", "expected 40 hexadecimal digits, as sha1sum prints them");
        }
    }

    fn build(&self) -> ResourcePack {
        ResourcePack {
            url: self.url.clone(),
            sha1: self.sha1.to_ascii_lowercase(),
            required: self.required,
            prompt: self.prompt.as_deref().cloned(),
        }
    }
}

/// More packs than any server has; a client answers each with several packets, of which a login may have so many.
const MOST_PACKS: usize = 32;

impl TransferSection {
    fn check(&self, fields: &mut Fields<'_, '_, '_>) {
        if self.resource_packs.len() > MOST_PACKS {
            fields.error("resource_packs", format!("expected at most {MOST_PACKS} packs"));
        }
    }

    pub(crate) fn build(&self) -> Transfer {
        Transfer {
            address: self.address.as_ref().map(|address| address.meta.clone()),
            resource_packs: self.resource_packs.iter().map(ResourcePackSection::build).collect(),
            probe: self.probe,
            ticket: *self.ticket,
        }
    }
}
