//! Files that are trusted: a module that is loaded, an authority's certificate. Invariant: only their owner, or root, could
//! have put them there.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

/// Others than the owner may write.
const OTHERS_WRITE: u32 = 0o022;
/// In such a folder only the owner of a file can replace it.
const STICKY: u32 = 0o1000;

/// The file itself behind all links; `None`: the path is relative, there is no such file, or others could have changed it.
pub(crate) fn trusted(path: &str) -> Option<PathBuf> {
    let path = Path::new(path);
    let real = path.is_absolute().then(|| path.canonicalize().ok()).flatten()?;
    let facts = std::fs::metadata(&real).ok()?;
    let is_ours = facts.is_file() && is_owned(&facts) && facts.mode() & OTHERS_WRITE == 0;
    // A link may stand in a folder that others write to, while its target does not.
    let folders = real.ancestors().skip(1).chain(path.ancestors().skip(1));
    (is_ours && folders.map(std::fs::metadata).all(|folder| folder.is_ok_and(|folder| is_closed(&folder)))).then_some(real)
}

fn is_closed(folder: &Metadata) -> bool {
    is_owned(folder) && (folder.mode() & OTHERS_WRITE == 0 || folder.mode() & STICKY != 0)
}

fn is_owned(facts: &Metadata) -> bool {
    facts.uid() == 0 || facts.uid() == rustix::process::getuid().as_raw()
}

#[cfg(test)]
mod tests {
    use std::fs::Permissions;
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    /// Rows: rights of the file and of its folder, and whether it is trusted.
    #[test]
    fn a_file_that_others_can_write_is_not_trusted() {
        let world = tempfile::tempdir().unwrap();
        let folder = world.path().join("folder");
        std::fs::create_dir(&folder).unwrap();
        let file = folder.join("module.so");
        std::fs::write(&file, b"module").unwrap();
        let link = folder.join("link.so");
        std::os::unix::fs::symlink(&file, &link).unwrap();
        for (file_mode, folder_mode, is_trusted) in [
            (0o644, 0o755, true),
            (0o600, 0o700, true),
            (0o666, 0o755, false),
            (0o664, 0o755, false),
            (0o644, 0o777, false),
            (0o644, 0o1777, true),
        ] {
            std::fs::set_permissions(&file, Permissions::from_mode(file_mode)).unwrap();
            std::fs::set_permissions(&folder, Permissions::from_mode(folder_mode)).unwrap();
            for path in [&file, &link] {
                assert_eq!(trusted(path.to_str().unwrap()).is_some(), is_trusted, "{file_mode:o} in {folder_mode:o}");
            }
        }
        assert_eq!(trusted("module.so"), None);
        assert_eq!(trusted(folder.to_str().unwrap()), None);
        assert_eq!(trusted("/nonexistent/module.so"), None);
    }
}
