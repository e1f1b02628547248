//! The contracts as files: those of a folder, or of a commit.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

/// Every JSON file below `proto-docs/`, by its path there.
#[derive(Debug, Default)]
pub struct Documents(BTreeMap<String, Value>);

impl Documents {
    /// Those of a folder.
    ///
    /// # Errors
    /// When there are none, or one of them is no JSON.
    pub fn of_folder(folder: &Path) -> Result<Self, String> {
        let mut found = Self::default();
        found.read(folder, "")?;
        found.or_empty(&folder.display().to_string())
    }

    fn read(&mut self, folder: &Path, prefix: &str) -> Result<(), String> {
        let in_words = |error: std::io::Error| format!("{}: {error}", folder.display());
        for entry in fs::read_dir(folder).map_err(in_words)? {
            let path = entry.map_err(in_words)?.path();
            let Some(name) = path.file_name().and_then(OsStr::to_str) else { continue };
            let name = format!("{prefix}{name}");
            if path.is_dir() {
                self.read(&path, &format!("{name}/"))?;
            } else if is_json(&name) {
                self.add(name, &fs::read(&path).map_err(in_words)?)?;
            }
        }
        Ok(())
    }

    /// Those that `folder` had in a commit of its repository.
    ///
    /// # Errors
    /// When there is no such commit, or it had none.
    pub fn of_commit(folder: &Path, commit: &str) -> Result<Self, String> {
        let name = format!("{commit}^{{commit}}");
        git(folder, &["rev-parse", "--verify", "--quiet", "--end-of-options", &name])
            .map_err(|_| format!("there is no commit '{commit}' here; a shallow clone has no others"))?;
        let mut found = Self::default();
        let list = git(folder, &["ls-tree", "-r", "-z", "--name-only", commit, "."])?;
        for name in list.split(|byte| *byte == 0).map(String::from_utf8_lossy).filter(|name| is_json(name)) {
            found.add(name.to_string(), &git(folder, &["show", &format!("{commit}:./{name}")])?)?;
        }
        found.or_empty(commit)
    }

    fn add(&mut self, name: String, text: &[u8]) -> Result<(), String> {
        let document = serde_json::from_slice(text).map_err(|error| format!("{name}: {error}"))?;
        self.0.insert(name, document);
        Ok(())
    }

    fn or_empty(self, what: &str) -> Result<Self, String> {
        let has_contracts = self.0.keys().any(|name| name.starts_with("events/"));
        if has_contracts { Ok(self) } else { Err(format!("{what} has no contracts")) }
    }

    /// The document of a path.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    /// Those of a folder: name without folder and ending, and document.
    pub fn within<'a>(&'a self, folder: &'a str) -> impl Iterator<Item = (&'a str, &'a Value)> {
        self.0.iter().filter_map(move |(name, document)| {
            let name = name.strip_prefix(folder)?.strip_prefix('/')?.strip_suffix(".json")?;
            Some((name, document))
        })
    }

    #[cfg(test)]
    pub fn of<const N: usize>(files: [(&str, Value); N]) -> Self {
        Self(files.into_iter().map(|(name, document)| (name.to_owned(), document)).collect())
    }
}

fn is_json(name: &str) -> bool {
    Path::new(name).extension() == Some(OsStr::new("json"))
}

fn git(folder: &Path, arguments: &[&str]) -> Result<Vec<u8>, String> {
    let output = Command::new("git").arg("-C").arg(folder).args(arguments).output();
    let output = output.map_err(|error| format!("git cannot be run: {error}"))?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    Err(format!("git {}: {}", arguments.join(" "), String::from_utf8_lossy(&output.stderr).trim()))
}
