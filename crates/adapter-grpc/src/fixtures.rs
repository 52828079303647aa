//! What tests of several adapters have in common.

use crate::proto::{Address, MetaEntry, Target as Told};
use crate::service::Complaints;

/// A target as a service tells of it.
pub(crate) fn told(identifier: &str, hostname: &str, port: u32) -> Told {
    Told {
        identifier: identifier.to_owned(),
        address: Some(Address { hostname: hostname.to_owned(), port }),
        meta: vec![MetaEntry { key: "region".to_owned(), value: "eu".to_owned() }],
        priority: 7,
    }
}

/// Who complains where nobody reads it.
pub(crate) fn quiet() -> Complaints {
    Complaints::of("test".to_owned())
}
