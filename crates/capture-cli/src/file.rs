//! The files that the command reads and writes: small, in UTF-8, and replaced in one step.

use std::fs::{self, File};
use std::io::{self, BufWriter, Read, Write as _};
use std::path::Path;

use tempfile::{Builder, NamedTempFile};

/// Who may read a file that is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Readers {
    Owner,
    Everyone,
}

/// The whole of a file, which may be a pipe, without a byte order mark.
pub(crate) fn read(path: &Path, most: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(most as u64 + 1).read_to_end(&mut bytes)?;
    if bytes.len() > most {
        return Err(io::Error::other(format!("is larger than {} KiB", most / 1024)));
    }
    // What PowerShell and old editors write. Text in UTF-8 holds no NUL.
    if matches!(bytes[..], [0xff, 0xfe, ..] | [0xfe, 0xff, ..] | [0, ..] | [_, 0, ..]) {
        return Err(io::Error::other("is in UTF-16; save it as UTF-8"));
    }
    if bytes.starts_with(b"\xef\xbb\xbf") {
        bytes.drain(..3);
    }
    Ok(bytes)
}

/// Writes a file, or replaces it in one step, so that a crash never leaves half of it.
pub(crate) fn write(path: &Path, bytes: &[u8], readers: Readers) -> io::Result<()> {
    write_with(path, readers, |file| file.write_all(bytes))
}

/// The same for what is too much to be held in memory.
pub(crate) fn write_with(
    path: &Path,
    readers: Readers,
    write: impl FnOnce(&mut dyn io::Write) -> io::Result<()>,
) -> io::Result<()> {
    beside(path, readers, write)?.persist(path)?;
    Ok(())
}

/// A new file in the same directory, on the disk, that replaces this one once it is persisted. Its
/// name is its own, and no file or link that is there is ever opened.
fn beside(
    path: &Path,
    readers: Readers,
    write: impl FnOnce(&mut dyn io::Write) -> io::Result<()>,
) -> io::Result<NamedTempFile> {
    // A link would be replaced, not what it points to, and a device must not be.
    if fs::symlink_metadata(path).is_ok_and(|there| !there.is_file()) {
        return Err(io::Error::other("there is a link, or something other than a file"));
    }
    let new = builder(readers).tempfile_in(directory(path))?;
    let mut file = BufWriter::new(new.as_file());
    write(&mut file)?;
    file.flush()?;
    drop(file);
    new.as_file().sync_all()?;
    Ok(new)
}

fn directory(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn builder(readers: Readers) -> Builder<'static, 'static> {
    let mut builder = Builder::new();
    builder.prefix(".capture-");
    #[cfg(unix)]
    if readers == Readers::Everyone {
        use std::os::unix::fs::PermissionsExt as _;
        builder.permissions(fs::Permissions::from_mode(0o644));
    }
    #[cfg(not(unix))]
    let _ = readers;
    builder
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn byte_order_marks() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("text");
        let (utf_16, limit) = ("is in UTF-16; save it as UTF-8", "is larger than 0 KiB");
        for (bytes, expect) in [
            (&b"{}"[..], Ok("{}")),
            (b"\xef\xbb\xbf{}", Ok("{}")),
            (b"\xef\xbb\xbf\xef\xbb\xbf", Ok("\u{feff}")),
            (b"", Ok("")),
            (b"{", Ok("{")),
            (b"\xff\xfe{\0}\0", Err(utf_16)),
            (b"\xfe\xff\0{\0}", Err(utf_16)),
            (b"{\0}\0", Err(utf_16)),
            (b"\0{\0}", Err(utf_16)),
            (b"1234567", Err(limit)),
        ] {
            fs::write(&path, bytes).unwrap();
            let found = read(&path, 6).map_err(|error| error.to_string());
            let expect = expect.map(|text| text.as_bytes().to_vec()).map_err(str::to_owned);
            assert_eq!(found, expect, "{bytes:?}");
        }
    }

    /// A rename replaces a file only within its file system.
    #[test]
    fn a_new_file_begins_beside_the_old_one() {
        for (path, beside) in [("name", "."), ("there/name", "there"), ("/name", "/")] {
            assert_eq!(directory(Path::new(path)), Path::new(beside), "{path}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_file_is_replaced_for_its_readers_and_never_through_a_link() {
        use std::os::unix::fs::{PermissionsExt as _, symlink};
        let directory = tempfile::tempdir().unwrap();
        let [path, other, link] = ["file", "other", "link"].map(|name| directory.path().join(name));
        for readers in [Readers::Owner, Readers::Everyone] {
            write(&path, b"old", readers).unwrap();
            write(&path, b"new", readers).unwrap();
            assert_eq!(fs::read(&path).unwrap(), b"new");
            let mode = fs::metadata(&path).unwrap().permissions().mode() & 0o077;
            assert_eq!(mode != 0, readers == Readers::Everyone, "{mode:o}");
        }
        fs::write(&other, "kept").unwrap();
        for target in [&other, &directory.path().join("nothing")] {
            symlink(target, &link).unwrap();
            assert!(write(&link, b"new", Readers::Owner).is_err());
            fs::remove_file(&link).unwrap();
        }
        assert!(write(directory.path(), b"new", Readers::Owner).is_err());
        assert_eq!(fs::read(&other).unwrap(), b"kept");
        let names = fs::read_dir(directory.path()).unwrap().count();
        assert_eq!(names, 2, "nothing is left behind");
    }
}
