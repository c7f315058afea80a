//! A disk and a keychain in memory that fail, or stop for good, at a chosen step. What was not synced is lost with power.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};

use strongroom_vault_store::{Anchor, AnchorRecord, FileLayer, KeychainError};
use zeroize::Zeroizing;

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Fault {
    /// The operation fails; the program goes on.
    Error(io::ErrorKind),
    /// The program stops before the operation and never comes back.
    Death,
    /// A write keeps other bytes and says that all is well; other operations do what they should.
    Lie,
}

#[derive(Default)]
struct Inner {
    /// Names and contents as the running program sees them, and as a power loss leaves them.
    live: BTreeMap<PathBuf, usize>,
    durable: BTreeMap<PathBuf, usize>,
    files: Vec<(Vec<u8>, Vec<u8>)>,
    record: Option<AnchorRecord>,
    steps: usize,
    faults: BTreeMap<usize, Fault>,
    dead: bool,
}

#[derive(Clone, Default)]
pub(crate) struct World(Arc<Mutex<Inner>>);

pub(crate) enum Handle {
    File(usize),
    Dir(PathBuf),
}

impl World {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap()
    }

    /// Fails or dies at the given steps, counted from now.
    pub(crate) fn plan(&self, faults: &[(usize, Fault)]) {
        let mut inner = self.inner();
        (inner.steps, inner.faults) = (0, faults.iter().copied().collect());
    }

    pub(crate) fn steps(&self) -> usize {
        self.inner().steps
    }

    pub(crate) fn is_dead(&self) -> bool {
        self.inner().dead
    }

    /// A new start without faults; after a power loss only what was synced is there.
    pub(crate) fn restart(&self, power_lost: bool) {
        let mut inner = self.inner();
        (inner.dead, inner.steps, inner.faults) = (false, 0, BTreeMap::new());
        if power_lost {
            inner.live = inner.durable.clone();
            inner.files.iter_mut().for_each(|(live, durable)| live.clone_from(durable));
        } else {
            inner.durable = inner.live.clone();
            inner.files.iter_mut().for_each(|(live, durable)| durable.clone_from(live));
        }
    }

    pub(crate) fn names_with(&self, part: &str) -> Vec<PathBuf> {
        self.inner().live.keys().filter(|path| path.to_string_lossy().contains(part)).cloned().collect()
    }

    /// What a file holds; nothing, where there is none.
    pub(crate) fn content(&self, path: impl AsRef<Path>) -> Vec<u8> {
        let inner = self.inner();
        inner.live.get(path.as_ref()).map(|file| inner.files[*file].0.clone()).unwrap_or_default()
    }

    pub(crate) fn record(&self) -> Option<AnchorRecord> {
        self.inner().record
    }

    fn step(&self) -> io::Result<MutexGuard<'_, Inner>> {
        let mut inner = self.inner();
        if inner.dead {
            return Err(io::Error::other("dead"));
        }
        inner.steps += 1;
        match inner.faults.get(&inner.steps).copied() {
            Some(Fault::Error(kind)) => Err(kind.into()),
            Some(Fault::Death) => {
                inner.dead = true;
                Err(io::Error::other("dead"))
            }
            Some(Fault::Lie) | None => Ok(inner),
        }
    }
}

fn not_found() -> io::Error {
    io::ErrorKind::NotFound.into()
}

impl FileLayer for World {
    type File = Handle;

    fn make_dir(&self, _: &Path) -> io::Result<()> {
        self.step().map(|_| ())
    }

    fn make(&self, path: &Path) -> io::Result<Handle> {
        let mut inner = self.step()?;
        if inner.live.contains_key(path) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let file = inner.files.len();
        inner.files.push((Vec::new(), Vec::new()));
        inner.live.insert(path.to_owned(), file);
        Ok(Handle::File(file))
    }

    fn allocate(&self, _: &mut Handle, _: usize) -> io::Result<()> {
        self.step().map(|_| ())
    }

    fn write(&self, file: &mut Handle, bytes: &[u8]) -> io::Result<()> {
        let Handle::File(file) = file else { return Err(io::ErrorKind::IsADirectory.into()) };
        let lies = {
            let inner = self.inner();
            inner.faults.get(&(inner.steps + 1)) == Some(&Fault::Lie)
        };
        let step = self.step().map(|_| ());
        // A write that fails may have written a part.
        let len = if step.is_ok() { bytes.len() } else { bytes.len() / 2 };
        let kept = &mut self.inner().files[*file].0;
        kept.extend_from_slice(&bytes[..len]);
        if let (true, Some(last)) = (lies, kept.last_mut()) {
            *last ^= 1;
        }
        step
    }

    fn sync(&self, file: &mut Handle) -> io::Result<()> {
        let Handle::File(file) = file else { return Err(io::ErrorKind::IsADirectory.into()) };
        let mut inner = self.step()?;
        let (live, durable) = &mut inner.files[*file];
        durable.clone_from(live);
        Ok(())
    }

    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        let inner = self.step()?;
        inner.live.get(path).map(|file| inner.files[*file].0.clone()).ok_or_else(not_found)
    }

    fn link(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut inner = self.step()?;
        let file = *inner.live.get(from).ok_or_else(not_found)?;
        if inner.live.contains_key(to) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        inner.live.insert(to.to_owned(), file);
        Ok(())
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut inner = self.step()?;
        let file = inner.live.remove(from).ok_or_else(not_found)?;
        inner.live.insert(to.to_owned(), file);
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.step()?.live.remove(path).map(|_| ()).ok_or_else(not_found)
    }

    fn open_dir(&self, path: &Path) -> io::Result<Handle> {
        self.step().map(|_| Handle::Dir(path.to_owned()))
    }

    fn sync_dir(&self, dir: &mut Handle) -> io::Result<()> {
        let Handle::Dir(dir) = dir else { return Err(io::ErrorKind::NotADirectory.into()) };
        let mut inner = self.step()?;
        let inner = &mut *inner;
        inner.durable.retain(|path, _| path.parent() != Some(dir));
        inner.durable.extend(inner.live.iter().filter(|(path, _)| path.parent() == Some(dir)).map(|(path, file)| (path.clone(), *file)));
        Ok(())
    }

    fn names(&self, dir: &Path) -> io::Result<Vec<String>> {
        let inner = self.step()?;
        let children = inner.live.keys().filter(|path| path.parent() == Some(dir));
        Ok(children.filter_map(|path| path.file_name()).map(|name| name.to_string_lossy().into_owned()).collect())
    }
}

impl Anchor for World {
    fn device_secret(&self) -> Result<Option<Zeroizing<[u8; 32]>>, KeychainError> {
        Ok(None)
    }

    fn set_device_secret(&self, _: &[u8; 32]) -> Result<(), KeychainError> {
        Ok(())
    }

    fn record(&self) -> Result<Option<AnchorRecord>, KeychainError> {
        self.step().map(|inner| inner.record).map_err(|_| KeychainError::Failed)
    }

    fn set_record(&self, record: &AnchorRecord) -> Result<(), KeychainError> {
        let mut inner = self.step().map_err(|_| KeychainError::Failed)?;
        inner.record = Some(*record);
        Ok(())
    }

    fn forget(&self) -> Result<(), KeychainError> {
        Ok(())
    }
}
