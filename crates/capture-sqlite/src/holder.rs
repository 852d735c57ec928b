//! Who is alive: each holder keeps a file locked, and the system unlocks it when the process ends,
//! however it ends.

use std::fs::{self, File, TryLockError};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use capture_journal::{Fence, Holder};

use crate::place;

/// The directory of the holders' files, beside the journal.
#[derive(Debug)]
pub(crate) struct Holders(PathBuf);

/// This opening's own file, locked until it is dropped.
#[derive(Debug)]
pub(crate) struct Alive {
    path: PathBuf,
    _locked: File,
}

impl Holders {
    /// Of the journal at this path.
    pub(crate) fn of(journal: &Path) -> io::Result<Self> {
        let holders = Self::beside(journal);
        place::make_directory(&holders.0)?;
        Ok(holders)
    }

    /// The same, whether the directory is there or not.
    pub(crate) fn beside(journal: &Path) -> Self {
        let mut path = journal.as_os_str().to_owned();
        path.push(".holders");
        Self(PathBuf::from(path))
    }

    /// Locks the file of a new opening, and removes those of openings that have ended. Only within the
    /// transaction that made the fence: no other opening is on its way then.
    pub(crate) fn enter(&self, fence: Fence) -> io::Result<Alive> {
        for entry in fs::read_dir(&self.0)? {
            let entry = entry?;
            let number = entry.file_name().to_str().and_then(|name| name.parse().ok());
            if number.is_some_and(|number| !self.is_alive(Fence(number))) {
                // Its own process may have removed it just now.
                match fs::remove_file(entry.path()) {
                    Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                    _ => {}
                }
            }
        }
        let path = self.file(fence);
        let file = place::own_file(&path)?;
        file.try_lock().map_err(|error| match error {
            TryLockError::WouldBlock => io::Error::other("a number was used twice"),
            TryLockError::Error(error) => error,
        })?;
        Ok(Alive { path, _locked: file })
    }

    /// Whether that opening's process still has the journal open.
    pub(crate) fn is_alive(&self, fence: Fence) -> bool {
        // Whatever keeps us from knowing it (no file handles, no locks) is no sign of an end.
        match File::open(self.file(fence)) {
            Ok(file) => file.try_lock_shared().is_err(),
            Err(error) => error.kind() != io::ErrorKind::NotFound,
        }
    }

    /// The number of the latest opening, which is not in the journal itself: an older copy of the
    /// journal in its place does not know it.
    pub(crate) fn latest(&self) -> Option<i64> {
        let mut text = String::new();
        File::open(self.0.join(LATEST)).ok()?.take(32).read_to_string(&mut text).ok()?;
        text.trim().parse().ok()
    }

    /// Notes the number of this opening, once the journal has it: noted before, a crash in between would
    /// make the journal look older than it is.
    pub(crate) fn note(&self, fence: Fence) -> io::Result<()> {
        if self.latest().is_some_and(|latest| latest >= fence.0) {
            return Ok(());
        }
        let mut file = place::own_file(&self.0.join(LATEST))?;
        file.set_len(0)?;
        file.write_all(fence.0.to_string().as_bytes())
    }

    fn file(&self, fence: Fence) -> PathBuf {
        self.0.join(fence.0.to_string())
    }
}

const LATEST: &str = "latest";

impl Drop for Alive {
    fn drop(&mut self) {
        // What stays behind is removed by the next opening.
        let _ = fs::remove_file(&self.path);
    }
}

/// This process.
pub(crate) fn this() -> Holder {
    #[cfg(unix)]
    let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
    #[cfg(not(unix))]
    let host = std::env::var("COMPUTERNAME").unwrap_or_default();
    Holder { host, process: std::process::id() }
}
