//! padding of a ClientHello: RFC 7685. A client of ours sends none, and what a peer's has in it is not looked at.

use super::row::Block::ClientHello;
use super::row::Row;
use crate::code::ExtensionType;

pub(super) static ROW: Row = Row { may_change: true, ..Row::new(ExtensionType::Padding, &[ClientHello]) };
