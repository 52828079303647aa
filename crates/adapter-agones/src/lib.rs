//! Discovery by Agones: allocated game servers, and watched fleets.

#![forbid(unsafe_code)]
