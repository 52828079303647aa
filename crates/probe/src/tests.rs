//! The probe against servers that play a part.

mod dns;
mod fixture;
mod goldens;
mod hostile;
mod logins;
mod server;
mod ways;
