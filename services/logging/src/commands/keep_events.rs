use std::sync::Arc;

use bhiv_db::DieselError;
use bhiv_events::Event;
use bhiv_outbox::Tx;
use chrono::{DateTime, Utc};

use super::seal::seal;
use crate::domain::facts::Facts;
use crate::domain::storable;
use crate::domain::vault::Vault;
use crate::domain::words::Words;
use crate::store::entry::{self, LogEntry};
use crate::store::shipping;

/// How entries are kept.
#[derive(Clone, Debug, Default)]
pub struct Keeping {
    /// Seals what is personal, if a master key is configured.
    pub vault: Option<Arc<Vault>>,
    /// Whether they are to be shipped.
    pub ships: bool,
}

/// Keeps what happened, all of it with one statement. What was kept before stays as it is.
pub async fn keep_events(tx: &mut Tx, how: &Keeping, events: &[&Event]) -> Result<(), DieselError> {
    let received_at = tx.now();
    let mut entries: Vec<_> = events.iter().map(|event| entry_of(event, received_at)).collect();
    if let Some(vault) = &how.vault {
        seal(tx, vault, &mut entries).await?;
    }
    let words: Vec<_> = entries.iter().map(words_of).collect();
    entry::insert(tx.conn(), &entries, &words).await?;
    if how.ships {
        let ids: Vec<_> = entries.iter().map(|entry| entry.id).collect();
        shipping::wait(tx.conn(), &ids).await?;
    }
    Ok(())
}

fn entry_of(event: &Event, received_at: DateTime<Utc>) -> LogEntry {
    let facts = Facts::of(event);
    LogEntry {
        id: event.id.into(),
        kind: facts.kind,
        event_type: storable::attribute(&event.name()),
        r#type: storable::attribute(&event.type_),
        source: storable::attribute(&event.source),
        subject: storable::attribute(&event.subject),
        entity: facts.entity,
        actor: storable::attribute(&event.actor),
        correlation_id: event.correlationid,
        causation_id: event.causationid.map(Into::into),
        sequence: event.sequence,
        trace_id: facts.trace_id,
        task_id: facts.task_id,
        user_id: facts.user_id,
        rl_score: facts.rl_score,
        consent_flag: facts.consent_flag,
        action: facts.action,
        timestamp: event.time,
        received_at,
        data: storable::json(&event.data),
    }
}

/// What it is found by.
fn words_of(entry: &LogEntry) -> String {
    let mut words = Words::default();
    for text in [&entry.event_type, &entry.subject, &entry.entity] {
        words.add(text);
    }
    words.add(entry.action.as_deref().unwrap_or_default());
    words.add_all(&entry.data);
    words.text()
}
