//! How players are handed over: to which address, and what they are offered before.

use drawbridge_model::target::TargetAddressError;
use drawbridge_model::{Target, TargetAddress};
use drawbridge_protocol::ProtocolVersion;
use drawbridge_protocol::packet::Packet as _;
use drawbridge_protocol::packet::configuration::AddResourcePack;
use drawbridge_protocol::text::Component;
use thiserror::Error;

/// How a route hands players over.
#[derive(Debug, Clone, Default)]
pub struct Transfer {
    /// The metadata key that holds the address which clients are sent to; the target's own address without.
    pub(crate) address: Option<String>,
    /// Offered before the hand-over, in this order.
    pub resource_packs: Vec<ResourcePack>,
    /// Whether a target has to accept a connection first.
    pub probe: bool,
    /// Whether players take a ticket along.
    pub ticket: bool,
}

/// A resource pack that players are offered.
#[derive(Debug, Clone, PartialEq)]
pub struct ResourcePack {
    /// Where clients load it.
    pub url: String,
    /// SHA-1 of the file, in 40 hexadecimal digits of lower case.
    pub sha1: String,
    /// Whether who declines it can't join.
    pub required: bool,
    /// What players read when they are asked.
    pub prompt: Option<Component>,
}

/// Why a target has no address that clients can be sent to.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum TransferAddressError {
    /// The metadata has no such key.
    #[error("the target has no {0:?} in its meta")]
    Missing(String),
    /// What it holds is no address.
    #[error("{key:?} in the target's meta is no address: {reason}")]
    Malformed {
        /// The metadata key.
        key: String,
        /// What is wrong with its value.
        #[source]
        reason: TargetAddressError,
    },
}

impl Transfer {
    /// Whether clients of this version can be offered the packs that they must take. Of the newest versions the packet's id may
    /// not be known yet.
    pub(crate) fn serves(&self, version: ProtocolVersion) -> bool {
        AddResourcePack::id(version).is_some() || !self.resource_packs.iter().any(|pack| pack.required)
    }

    /// The address that clients are sent to for `target`.
    ///
    /// # Errors
    /// When its metadata should hold one and doesn't.
    pub fn address_of(&self, target: &Target) -> Result<TargetAddress, TransferAddressError> {
        let Some(key) = &self.address else { return Ok(target.address.clone()) };
        let value = target.meta.get(key).ok_or_else(|| TransferAddressError::Missing(key.clone()))?;
        value.parse().map_err(|reason| TransferAddressError::Malformed { key: key.clone(), reason })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(meta: &[(&str, &str)]) -> Target {
        Target {
            identifier: "hub-1".into(),
            address: "10.0.0.1:25565".parse().unwrap(),
            priority: 0,
            meta: std::sync::Arc::new(
                meta.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect(),
            ),
            lease: None,
        }
    }

    #[test]
    fn clients_are_sent_to_the_target_or_where_its_metadata_says() {
        let plain = Transfer::default();
        assert_eq!(plain.address_of(&target(&[])).unwrap().to_string(), "10.0.0.1:25565");
        let public = Transfer { address: Some("public".into()), ..Transfer::default() };
        let address = |meta| public.address_of(&target(meta)).map(|address| address.to_string());
        assert_eq!(address(&[("public", "hub.example.com:25570")]).unwrap(), "hub.example.com:25570");
        assert_eq!(address(&[]), Err(TransferAddressError::Missing("public".into())));
        let error = address(&[("public", "hub.example.com")]).unwrap_err().to_string();
        assert!(error.contains("expected host:port"), "{error}");
    }
}
