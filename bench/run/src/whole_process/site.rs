//! What every server serves, and with which certificate.

use crate::certificates;
use anyhow::Result;
use bench_harness::scenario::Key;
use std::path::Path;

/// The page: 1 KiB of HTML.
fn page() -> String {
    format!("<html><body>{}</body></html>\n", "x".repeat(1024 - 28))
}

/// Files that all servers use.
pub(crate) struct Site {
    pub directory: tempfile::TempDir,
}

impl Site {
    pub(crate) fn make() -> Result<Self> {
        let directory = tempfile::tempdir()?;
        let family = certificates::family(Key::EcdsaP256)?;
        let write = |name: &str, text: &str| std::fs::write(directory.path().join(name), text);
        write("root.pem", &family.root.pem)?;
        write("cert.pem", &family.server.chain_pem())?;
        write("key.pem", &family.server.key_pem)?;
        std::fs::create_dir(directory.path().join("www"))?;
        write("www/index.html", &page())?;
        // nginx's workers are another user.
        open_to_all(directory.path())?;
        Ok(Self { directory })
    }

    pub(crate) fn path(&self, name: &str) -> String {
        self.directory.path().join(name).display().to_string()
    }
}

fn open_to_all(directory: &Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    Ok(std::fs::set_permissions(directory, std::fs::Permissions::from_mode(0o755))?)
}
