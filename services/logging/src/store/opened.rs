//! Entries as people may read them: what is sealed is opened, as long as its key is there.

use std::collections::{BTreeSet, HashMap};

use bhiv_db::Conn;
use diesel::QueryResult;
use uuid::Uuid;

use super::entry::LogEntry;
use super::subject_key;
use crate::domain::personal;
use crate::domain::vault::{SubjectKey, Vault};

/// Opens what is sealed in these; what was erased is null. Without the master key everything stays as it is stored.
pub async fn open(conn: &mut Conn, vault: Option<&Vault>, entries: &mut [LogEntry]) -> QueryResult<()> {
    let Some(vault) = vault else { return Ok(()) };
    let mut ids = BTreeSet::new();
    for entry in entries.iter() {
        personal::each_seal(&entry.data, &mut |sealed| ids.extend(key_id(sealed)));
    }
    let ids: Vec<_> = ids.into_iter().collect();
    let kept = if ids.is_empty() { Vec::new() } else { subject_key::with_ids(conn, &ids).await? };
    let keys: HashMap<Uuid, SubjectKey> =
        kept.into_iter().filter_map(|key| Some((key.id, vault.open(key.id, &key.wrapped?).ok()?))).collect();
    for entry in entries {
        let id = entry.id.0;
        personal::open(&mut entry.data, &|sealed| keys.get(&key_id(sealed)?)?.open(id, sealed).ok());
    }
    Ok(())
}

fn key_id(sealed: &str) -> Option<Uuid> {
    Uuid::try_parse(sealed.split_once('.')?.0).ok()
}
