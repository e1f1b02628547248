//! What PostgreSQL does for a request, from its own log.

use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::PathBuf;

use crate::Result;
use crate::stack::Stack;

use super::seed::LARGE;

/// Every statement's plan is in the server's log, as long as connections begin in this time.
#[derive(Debug)]
pub struct Plans {
    log: PathBuf,
    large: Vec<String>,
}

const SETTINGS: [(&str, &str); 3] = [
    ("session_preload_libraries", "auto_explain"),
    ("auto_explain.log_min_duration", "0"),
    ("auto_explain.log_format", "text"),
];

impl Plans {
    pub async fn watch(stack: &Stack) -> Result<Self> {
        // Its settings are known only where it is loaded.
        stack.sql_all(&["LOAD 'auto_explain'".to_owned()], &settings(true)).await?;
        let log = stack.postgres_log.clone();
        Ok(Self { log, large: LARGE.iter().map(|table| (*table).to_owned()).collect() })
    }

    /// The large tables that were read from end to end while `act` ran.
    pub async fn during(&self, act: impl AsyncFnOnce() -> Result) -> Result<Vec<String>> {
        let mut log = std::fs::File::open(&self.log)?;
        log.seek(SeekFrom::End(0))?;
        act().await?;
        let mut text = Vec::new();
        log.read_to_end(&mut text)?;
        let text = String::from_utf8_lossy(&text);
        let mut found: Vec<_> = text.lines().filter_map(scanned).map(str::to_owned).collect();
        found.retain(|table| self.large.contains(table));
        found.sort();
        found.dedup();
        Ok(found)
    }

    pub async fn stop(self, stack: &Stack) -> Result {
        stack.sql_all(&["LOAD 'auto_explain'".to_owned()], &settings(false)).await
    }
}

fn settings(on: bool) -> Vec<String> {
    let each = SETTINGS.iter().map(|(name, value)| {
        let how = if on { format!("SET {name} = '{value}'") } else { format!("RESET {name}") };
        format!("ALTER DATABASE bench {how}")
    });
    each.collect()
}

/// `->  Seq Scan on leads  (cost=...` names leads; a parallel one, too.
fn scanned(line: &str) -> Option<&str> {
    let (_, rest) = line.split_once("Seq Scan on ")?;
    rest.split_whitespace().next().map(|name| name.rsplit('.').next().unwrap_or(name))
}
