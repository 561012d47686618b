//! One file per command.

pub(crate) mod ca;
mod ca_status;
pub(crate) mod connect;
pub(crate) mod demo;
pub(crate) mod inspect;
pub(crate) mod serve;
pub(crate) mod verify;
