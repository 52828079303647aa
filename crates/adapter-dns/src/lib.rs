//! Discovery by DNS: SRV and addresses.

#![forbid(unsafe_code)]
