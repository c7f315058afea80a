//! Limits of an organisation, as they lie in the system's folder. Invariant: only what root alone can write is handed on, and what is there
//! in part, or cannot be read, is told as trouble.

use std::io::Read as _;
use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::fs::{FileType, Mode, OFlags, fstat, open, openat};
use rustix::io::Errno;
use strongroom_signer_api::managed::{DOCUMENT_LEN_MAX, ManagedFiles, Offered, TEXT_LEN_MAX};

/// The system's folder.
const FOLDER: &str = "/etc/strongroom";
/// Document, signature over it, public key that it is checked with.
const NAMES: [&str; 3] = ["policy.json", "policy.json.sig", "policy.pub"];
/// Most that is read of each.
const LENS_MAX: [usize; 3] = [DOCUMENT_LEN_MAX, TEXT_LEN_MAX, TEXT_LEN_MAX];
/// Write for the group, or for everybody.
const OTHERS_WRITE: u32 = 0o022;

/// What an organisation laid down on this computer.
pub(crate) fn look() -> Offered {
    look_into(Path::new(FOLDER), 0)
}

/// `owner`: to whom folder and files have to belong. For a daemon in a user namespace of its own that is who made the namespace.
fn look_into(folder: &Path, owner: u32) -> Offered {
    let trouble = |name: &str, why: &str| Offered::Trouble(format!("{}/{name}: {why}", folder.display()));
    let dir = match open(folder, OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC, Mode::empty()) {
        Ok(dir) => dir,
        Err(Errno::NOENT) => return Offered::Nothing,
        Err(error) => return trouble("", &error.to_string()),
    };
    let mut found = Vec::new();
    for (name, len_max) in NAMES.into_iter().zip(LENS_MAX) {
        match openat(&dir, name, OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC, Mode::empty()) {
            Ok(file) => found.push((name, Some((file, len_max)))),
            Err(Errno::NOENT) => found.push((name, None)),
            Err(error) => return trouble(name, &error.to_string()),
        }
    }
    if found.iter().all(|(_, file)| file.is_none()) {
        return Offered::Nothing;
    }
    if let Err(why) = is_trusted(&dir, owner) {
        return trouble("", &why);
    }
    let mut parts = Vec::new();
    for (name, file) in found {
        match file.ok_or_else(|| "is missing, and the others are there".to_owned()).and_then(|(file, most)| read(file, most, owner)) {
            Ok(bytes) => parts.push(bytes),
            Err(why) => return trouble(name, &why),
        }
    }
    match <[Vec<u8>; 3]>::try_from(parts) {
        Ok([document, signature, key]) => Offered::Files(ManagedFiles { document, signature, key }),
        Err(_) => trouble("", "cannot be read"),
    }
}

fn read(file: OwnedFd, len_max: usize, owner: u32) -> Result<Vec<u8>, String> {
    let stat = fstat(&file).map_err(|error| error.to_string())?;
    if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
        return Err("is no file".to_owned());
    }
    is_trusted(&file, owner)?;
    let mut bytes = Vec::new();
    let most = u64::try_from(len_max).unwrap_or(u64::MAX).saturating_add(1);
    std::fs::File::from(file).take(most).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    if bytes.len() > len_max { Err(format!("is larger than {len_max} bytes")) } else { Ok(bytes) }
}

fn is_trusted(file: &OwnedFd, owner: u32) -> Result<(), String> {
    let stat = fstat(file).map_err(|error| error.to_string())?;
    if stat.st_uid != owner {
        return Err(format!("belongs to user {}, not to root", stat.st_uid));
    }
    if stat.st_mode & OTHERS_WRITE != 0 {
        return Err("can be written by others than root".to_owned());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;

    fn mode(path: &Path, mode: u32) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn half_of_it_and_what_others_can_write_is_trouble() {
        let folder = tempfile::tempdir().unwrap();
        let (dir, me) = (folder.path(), rustix::process::getuid().as_raw());
        let trouble = |part: &str| matches!(look_into(dir, me), Offered::Trouble(words) if words.contains(part));
        mode(dir, 0o755);
        assert_eq!(look_into(&dir.join("nowhere"), me), Offered::Nothing);
        assert_eq!(look_into(dir, me), Offered::Nothing);
        for (at, name) in NAMES.into_iter().enumerate() {
            fs::write(dir.join(name), name).unwrap();
            mode(&dir.join(name), 0o644);
            assert_eq!(trouble("is missing"), at < 2, "{name}");
        }
        let [document, signature, key] = NAMES.map(|name| name.as_bytes().to_vec());
        let whole = Offered::Files(ManagedFiles { document, signature, key });
        assert_eq!(look_into(dir, me), whole);
        assert!(matches!(look_into(dir, me + 1), Offered::Trouble(words) if words.contains("not to root")));
        for path in [dir.to_path_buf(), dir.join(NAMES[0]), dir.join(NAMES[2])] {
            let before = fs::metadata(&path).unwrap().permissions().mode();
            for by in [0o020, 0o002] {
                mode(&path, before | by);
                assert!(trouble("written by others"), "{}", path.display());
            }
            mode(&path, before);
        }
        assert_eq!(look_into(dir, me), whole);
        fs::write(dir.join(NAMES[1]), vec![b'A'; TEXT_LEN_MAX + 1]).unwrap();
        assert!(trouble("is larger than"));
        fs::remove_file(dir.join(NAMES[1])).unwrap();
        symlink("/dev/zero", dir.join(NAMES[1])).unwrap();
        assert!(trouble("policy.json.sig"));
        fs::remove_file(dir.join(NAMES[1])).unwrap();
        fs::create_dir(dir.join(NAMES[1])).unwrap();
        assert!(trouble("is no file"));
    }
}
