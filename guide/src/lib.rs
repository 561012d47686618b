//! The programs of the guide (docs/guide), each compiled as an example of its own; that of reqwest in applications/. Its
//! commands are run by crates/clasp-cli/tests/guide.

macro_rules! pages {
    ($($name:ident $page:expr)*) => { $(
        #[cfg(doctest)]
        #[doc = $page]
        pub struct $name;
    )* };
}

pages! {
    ReadMe include_str!("../../README.md")
    ReadMeZh include_str!("../../README.zh.md")
    Axum include_str!("../../docs/guide/en/library/axum.md")
    HotReload include_str!("../../docs/guide/en/library/hot-reload.md")
    Http2Client include_str!("../../docs/guide/en/library/http2-client.md")
    HttpsClient include_str!("../../docs/guide/en/library/https-client.md")
    MutualTls include_str!("../../docs/guide/en/library/mutual-tls.md")
    PrivateCa include_str!("../../docs/guide/en/library/private-ca.md")
    AxumZh include_str!("../../docs/guide/zh/library/axum.md")
    HotReloadZh include_str!("../../docs/guide/zh/library/hot-reload.md")
    Http2ClientZh include_str!("../../docs/guide/zh/library/http2-client.md")
    HttpsClientZh include_str!("../../docs/guide/zh/library/https-client.md")
    MutualTlsZh include_str!("../../docs/guide/zh/library/mutual-tls.md")
    PrivateCaZh include_str!("../../docs/guide/zh/library/private-ca.md")
}
