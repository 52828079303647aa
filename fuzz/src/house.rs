//! Files of the house that are compiled here once more: those that nobody else sees, and those whose crates have dependencies that would take longer to
//! build than all else.
#![allow(dead_code, missing_docs, unreachable_pub, reason = "they are documented and used at home")]

/// Of the edge.
#[path = "../../crates/edge/src"]
pub(crate) mod edge {
    pub(crate) mod cookie;
}

/// Of the tests of configuration.
#[path = "../../crates/config/tests/config"]
pub(crate) mod config {
    pub(crate) mod settings;
}

/// Of the program.
#[cfg(feature = "program")]
#[path = "../../crates/drawbridge/src"]
pub(crate) mod program {
    mod kept;
    mod provided;
    pub(crate) mod settings;
}

/// Of routing.
#[path = "../../crates/routing/src"]
pub(crate) mod routing {
    pub(crate) mod host;
}

/// Of the adapters of a status.
#[path = "../../crates/adapter/src/status"]
pub(crate) mod status {
    pub(crate) mod document;
    mod favicon;
    mod pointer;
}
