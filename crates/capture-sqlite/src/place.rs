//! Where the file may lie, and who may read it.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use crate::OpenError;

/// Makes sure of the directory and the file: both for the owner alone, neither on a network file system.
/// An existing file is left as it is.
pub(crate) fn prepare(path: &Path) -> Result<PathBuf, OpenError> {
    let refused = |source| OpenError::Place { path: path.to_owned(), source };
    make_directory(directory_of(path)).map_err(refused)?;
    let path = local(path)?;
    match new_file(&path) {
        Ok(_) => sync(directory_of(&path)).map_err(refused)?,
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            is_file(&path)?;
            owned().open(&path).map_err(refused)?;
        }
        Err(error) => return Err(refused(error)),
    }
    Ok(path)
}

/// Makes sure that there is a file, and not on a network file system.
pub(crate) fn existing(path: &Path) -> Result<PathBuf, OpenError> {
    let path = local(path)?;
    is_file(&path)?;
    Ok(path)
}

fn directory_of(path: &Path) -> &Path {
    path.parent().filter(|it| !it.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// The path without links in its directory.
fn local(path: &Path) -> Result<PathBuf, OpenError> {
    let refused = |source| OpenError::Place { path: path.to_owned(), source };
    let directory = directory_of(path).canonicalize().map_err(refused)?;
    if let Some(kind) = network(&directory).map_err(refused)? {
        return Err(OpenError::Network { path: path.to_owned(), kind });
    }
    let name = path.file_name().ok_or_else(|| refused(io::ErrorKind::InvalidInput.into()))?;
    Ok(directory.join(name))
}

fn is_file(path: &Path) -> Result<(), OpenError> {
    let refused = |source| OpenError::Place { path: path.to_owned(), source };
    match fs::metadata(path).map_err(refused)?.is_file() {
        true => Ok(()),
        false => Err(refused(io::Error::other("there is something other than a file"))),
    }
}

fn owned() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// A file that must not be there yet.
pub(crate) fn new_file(path: &Path) -> io::Result<File> {
    owned().create_new(true).open(path)
}

/// A file of the owner's beside the journal.
pub(crate) fn own_file(path: &Path) -> io::Result<File> {
    owned().create(true).truncate(false).open(path)
}

pub(crate) fn make_directory(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// What tells one file from another, as long as it exists.
#[cfg(unix)]
pub(crate) fn identity(path: &Path) -> io::Result<(u64, u64)> {
    use std::os::unix::fs::MetadataExt as _;
    fs::metadata(path).map(|it| (it.dev(), it.ino()))
}

/// An open file can be neither removed nor replaced here.
#[cfg(not(unix))]
pub(crate) fn identity(path: &Path) -> io::Result<(u64, u64)> {
    fs::metadata(path).map(|_| (0, 0))
}

#[cfg(unix)]
fn sync(directory: &Path) -> io::Result<()> {
    File::open(directory)?.sync_all()
}

#[cfg(not(unix))]
fn sync(_: &Path) -> io::Result<()> {
    Ok(())
}

/// The kind of network file system that a directory is on. Locks and shared memory do not work there as
/// SQLite needs them.
#[cfg(target_os = "linux")]
fn network(directory: &Path) -> io::Result<Option<&'static str>> {
    Ok(kind(rustix::fs::statfs(directory)?.f_type as u32))
}

#[cfg(not(target_os = "linux"))]
fn network(_: &Path) -> io::Result<Option<&'static str>> {
    Ok(None)
}

/// By the magic numbers of `statfs(2)`.
#[cfg(target_os = "linux")]
fn kind(magic: u32) -> Option<&'static str> {
    match magic {
        0x6969 => Some("NFS"),
        0x517b | 0xff53_4d42 | 0xfe53_4d42 => Some("SMB"),
        0x5346_414f => Some("AFS"),
        0x00c3_6400 => Some("Ceph"),
        0x564c => Some("NCP"),
        _ => None,
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn network_file_systems_are_told_by_their_numbers() {
        for (magic, expect) in [
            (0x6969, Some("NFS")),
            (0xff53_4d42, Some("SMB")),
            (0xfe53_4d42, Some("SMB")),
            (0xef53, None),      // ext4
            (0x0102_1994, None), // tmpfs
        ] {
            assert_eq!(kind(magic), expect, "{magic:x}");
        }
    }
}
