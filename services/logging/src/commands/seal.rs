use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use bhiv_db::DieselError;
use bhiv_outbox::Tx;

use crate::domain::personal;
use crate::domain::vault::{SubjectKey, Vault};
use crate::store::entry::LogEntry;
use crate::store::subject_key::{self, KeptKey};

/// Seals what is personal in entries, each with the key of whom it is about, which is made if there is none.
pub async fn seal(tx: &mut Tx, vault: &Arc<Vault>, entries: &mut [LogEntry]) -> Result<(), DieselError> {
    let mut subjects = BTreeMap::new();
    for entry in entries.iter().filter(|entry| personal::is_in(&entry.entity, &entry.data)) {
        subjects.entry(personal::subject(&entry.entity, &entry.data)).or_insert(entry.correlation_id);
    }
    if subjects.is_empty() {
        return Ok(());
    }
    let keys = keys(tx, vault, subjects).await?;
    for entry in entries {
        if !personal::is_in(&entry.entity, &entry.data) {
            continue;
        }
        // Without a key the person was erased: nothing of what is told later is kept.
        let key = keys.get(&personal::subject(&entry.entity, &entry.data)).and_then(Option::as_ref);
        let id = entry.id.0;
        let mut failed = None;
        personal::seal(&entry.entity, &mut entry.data, &mut |value| {
            key?.seal(id, value).map_err(|error| failed = Some(error)).ok()
        });
        if let Some(error) = failed {
            return Err(DieselError::SerializationError(error.into()));
        }
    }
    Ok(())
}

/// The key of each subject; none of one who was erased.
async fn keys(
    tx: &mut Tx,
    vault: &Vault,
    subjects: BTreeMap<String, uuid::Uuid>,
) -> Result<HashMap<String, Option<SubjectKey>>, DieselError> {
    let names: Vec<_> = subjects.keys().cloned().collect();
    let mut kept = subject_key::of_subjects(tx.conn(), &names).await?;
    if kept.len() < names.len() {
        let mut new = Vec::new();
        // In the order of their names, so that two transactions do not wait for each other.
        for (subject, correlation_id) in subjects {
            if kept.iter().any(|key| key.subject == subject) {
                continue;
            }
            let (id, created_at) = (tx.id(), tx.now());
            let wrapped = vault.make(id).map_err(|error| DieselError::SerializationError(error.into()))?;
            new.push(KeptKey { id, subject, correlation_id, wrapped: Some(wrapped), created_at });
        }
        subject_key::insert(tx.conn(), &new).await?;
        kept = subject_key::of_subjects(tx.conn(), &names).await?;
    }
    let mut keys = HashMap::with_capacity(kept.len());
    for key in kept {
        let open = key.wrapped.map(|wrapped| vault.open(key.id, &wrapped)).transpose();
        let open = open.map_err(|error| DieselError::DeserializationError(error.into()))?;
        keys.insert(key.subject, open);
    }
    Ok(keys)
}
