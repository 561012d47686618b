//! One file per command.

pub(crate) mod ca;
pub(crate) mod connect;
pub(crate) mod demo;
pub(crate) mod ech;
pub(crate) mod inspect;
pub(crate) mod proxy;
pub(crate) mod scan;
pub(crate) mod serve;
pub(crate) mod trace;
pub(crate) mod verify;
