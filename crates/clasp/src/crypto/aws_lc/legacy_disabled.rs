//! The feature `legacy` is off: nothing of the classic suites is compiled in.

use crate::crypto::Legacy;

pub(super) const LEGACY: Option<&'static dyn Legacy> = None;
