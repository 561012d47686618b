//! What the proxy is told, by options or by a file: typed, and nothing of it looked into yet.

use super::header::Version;
use serde::Deserialize;
use std::path::PathBuf;

/// All of it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(super) struct Settings {
    pub(super) log: Form,
    pub(super) quiet: bool,
    pub(super) admin: Option<String>,
    pub(super) max_connections: u32,
    pub(super) max_handshakes: u32,
    pub(super) handshake_timeout: u64,
    pub(super) idle_timeout: u64,
    pub(super) connect_timeout: u64,
    pub(super) drain: u64,
    pub(super) watch: u64,
    pub(super) listener: Vec<ListenerSettings>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            log: Form::Text,
            quiet: false,
            admin: None,
            max_connections: 16_384,
            max_handshakes: 512,
            handshake_timeout: 15,
            idle_timeout: 600,
            connect_timeout: 10,
            drain: 30,
            watch: 5,
            listener: Vec::new(),
        }
    }
}

impl Settings {
    /// The files that it names.
    pub(super) fn files(&self) -> Vec<PathBuf> {
        self.clone().files_mut().map(|file| file.clone()).collect()
    }

    /// The same, to be named otherwise.
    pub(super) fn files_mut(&mut self) -> impl Iterator<Item = &mut PathBuf> {
        self.listener.iter_mut().flat_map(|listener| &mut listener.route).flat_map(|route| {
            let lists = route.cert.iter_mut().chain(&mut route.key).chain(&mut route.ca);
            let single = route.key_password_file.iter_mut().chain(&mut route.client_ca);
            lists.chain(single).chain(&mut route.client_cert).chain(&mut route.client_key)
        })
    }
}

/// How connections are logged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Form {
    /// To stderr, for people
    #[default]
    Text,
    /// To stdout, an object a line
    Json,
}

/// A socket, and where its clients go.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct ListenerSettings {
    pub(super) listen: String,
    #[serde(default, deserialize_with = "at_least_one")]
    pub(super) proxy_from: Vec<String>,
    #[serde(default)]
    pub(super) route: Vec<RouteSettings>,
}

/// Which clients go where, and how.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(super) struct RouteSettings {
    #[serde(deserialize_with = "at_least_one")]
    pub(super) names: Vec<String>,
    #[serde(deserialize_with = "at_least_one")]
    pub(super) match_alpn: Vec<String>,
    pub(super) to: String,
    pub(super) pass_through: bool,
    #[serde(deserialize_with = "one_or_more")]
    pub(super) cert: Vec<PathBuf>,
    #[serde(deserialize_with = "one_or_more")]
    pub(super) key: Vec<PathBuf>,
    pub(super) key_password_file: Option<PathBuf>,
    pub(super) policy: Option<String>,
    pub(super) tls: Option<String>,
    #[serde(deserialize_with = "at_least_one")]
    pub(super) groups: Vec<String>,
    #[serde(deserialize_with = "at_least_one")]
    pub(super) alpn: Vec<String>,
    pub(super) client_ca: Option<PathBuf>,
    pub(super) client_auth: Option<Ask>,
    pub(super) profile: Option<String>,
    #[serde(deserialize_with = "at_least_one")]
    pub(super) allow_cn: Vec<String>,
    #[serde(deserialize_with = "at_least_one")]
    pub(super) allow_san: Vec<String>,
    #[serde(deserialize_with = "at_least_one")]
    pub(super) allow_uri: Vec<String>,
    pub(super) originate: bool,
    pub(super) name: Option<String>,
    #[serde(deserialize_with = "one_or_more")]
    pub(super) ca: Vec<PathBuf>,
    pub(super) client_cert: Option<PathBuf>,
    pub(super) client_key: Option<PathBuf>,
    pub(super) send_proxy: Option<Version>,
    pub(super) client_cert_header: bool,
}

/// Whether clients must have a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Ask {
    Request,
    Require,
}

/// A list that says something: an empty one would be the same as none, which lets everybody in where it was to let nobody in.
fn at_least_one<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Vec<String>, D::Error> {
    let list = Vec::deserialize(from)?;
    if list.is_empty() { Err(nobody()) } else { Ok(list) }
}

fn nobody<E: serde::de::Error>() -> E {
    E::custom("an empty list: leave it out, which sets no limit, or name at least one")
}

/// A file, or a list of files.
fn one_or_more<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Vec<PathBuf>, D::Error> {
    struct Visitor;
    impl<'de> serde::de::Visitor<'de> for Visitor {
        type Value = Vec<PathBuf>;

        fn expecting(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
            f.write_str("a file's name, or a list of such")
        }

        fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Self::Value, E> {
            Ok(vec![text.into()])
        }

        fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
            let mut files = Vec::new();
            while let Some(file) = list.next_element()? {
                files.push(file);
            }
            if files.is_empty() { Err(nobody()) } else { Ok(files) }
        }
    }
    from.deserialize_any(Visitor)
}
