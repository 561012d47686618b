//! Files that are read whole: none without end, whatever is named. A device, a pipe that goes on or the wrong file is an error
//! before it is all of our memory.

use crate::failure::Failure;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use zeroize::Zeroizing;

/// More is read of no file, 128 MiB. The longest revocation lists of public authorities have some tens of megabytes.
const MOST: usize = 128 << 20;

/// What a file holds. It may be a key: no copy of its beginning stays behind where its length is known.
pub(crate) fn bytes(path: &Path) -> Result<Vec<u8>, Failure> {
    let file = File::open(path).map_err(|e| Failure::file(path, e))?;
    let length = file.metadata().map_or(0, |known| known.len());
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    let mut held = if length <= MOST { Vec::with_capacity(length + 1) } else { return Err(too_long(path)) };
    let most = u64::try_from(MOST).unwrap_or(u64::MAX);
    file.take(most + 1).read_to_end(&mut held).map_err(|e| Failure::file(path, e))?;
    if held.len() > MOST { Err(too_long(path)) } else { Ok(held) }
}

/// What a file holds, as text; it is wiped when it is dropped.
pub(crate) fn text(path: &Path) -> Result<Zeroizing<String>, Failure> {
    let held = String::from_utf8(bytes(path)?).map_err(|error| {
        let failure = Failure::file(path, error.utf8_error());
        drop(Zeroizing::new(error.into_bytes()));
        failure
    })?;
    Ok(Zeroizing::new(held))
}

fn too_long(path: &Path) -> Failure {
    Failure::file(path, format_args!("more than {} MiB, which is more than any file has that is read here", MOST >> 20))
        .hint("name the certificate, key, list or response itself; a device or a pipe without an end is none")
}
