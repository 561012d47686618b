//! Nothing: the tests are what is here, and the guide's page on reqwest, which is compiled.

#[cfg(doctest)]
#[doc = include_str!("../../docs/guide/en/library/reqwest.md")]
pub struct Reqwest;

#[cfg(doctest)]
#[doc = include_str!("../../docs/guide/zh/library/reqwest.md")]
pub struct ReqwestZh;
