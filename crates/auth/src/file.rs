use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

/// Which state of a file was read. A file that was replaced has another one, whatever its age.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stamp(Option<(u64, i64, i64, u64)>);

impl Stamp {
    /// That of `path` now.
    pub(crate) fn of(path: &Path) -> Self {
        let state = |data: fs::Metadata| (data.ino(), data.mtime(), data.mtime_nsec(), data.size());
        Self(fs::metadata(path).ok().map(state))
    }

    /// Whether the file is still as it was read. One that is gone counts as unchanged: what was read goes on.
    pub(crate) fn is_current(self, path: &Path) -> bool {
        let now = Self::of(path);
        now.0.is_none() || now == self
    }
}
