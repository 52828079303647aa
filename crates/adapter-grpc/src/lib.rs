//! Adapters that ask services over gRPC.

#![forbid(unsafe_code)]
