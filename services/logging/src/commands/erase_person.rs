use bhiv_db::DieselError;
use bhiv_events::compliance::ErasureRequested;
use bhiv_events::{Kept, PersonErased, Removed};
use bhiv_outbox::Tx;

use crate::store::entry;
use crate::store::subject_key::{self, KeptKey};

const WHY: &str = "What happened stays, and the tree over audit rows proves it; what told who the person is can no \
                   longer be read";
const UNSEALED: &str = "They were kept before LOGGING_MASTER_KEY_FILE was set, and cannot be changed without breaking \
                        the proof: retention drops them with their month";

/// Forgets a person: destroys the keys that what tells who they are is sealed with, and tells of it.
pub async fn erase_person(tx: &mut Tx, asked: &ErasureRequested) -> Result<(), DieselError> {
    let mut subjects: Vec<String> = asked.names().map(str::to_owned).collect();
    // A customer is called so by the id alone.
    let customers: Vec<_> = subjects.iter().filter(|name| !name.contains('/')).cloned().collect();
    subjects.extend(customers.into_iter().map(|name| format!("customer/{name}")));
    let beside = subject_key::beside(tx.conn(), &subjects).await?;
    subjects.extend(beside);
    let now = tx.now();
    let entries = entry::about(tx.conn(), &subjects).await?;
    let keys = subject_key::destroy(tx.conn(), &subjects, asked.erasure_id, now).await?;
    let mut none = Vec::new();
    for subject in asked.names() {
        // Whatever is told of them later is not kept readable either.
        let (id, correlation_id) = (tx.id(), tx.correlation());
        let subject = subject.to_owned();
        none.push(KeptKey { id, subject, correlation_id, wrapped: None, created_at: now });
    }
    subject_key::insert(tx.conn(), &none).await?;
    let mut removed = Vec::new();
    if keys > 0 {
        removed.push(Removed {
            what: "keys of sealed fields".to_owned(),
            count: i64::try_from(keys).unwrap_or(i64::MAX),
        });
    }
    let mut kept = Vec::new();
    for (what, count, why) in
        [("entries", entries.sealed, WHY), ("entries with unsealed fields", entries.unsealed, UNSEALED)]
    {
        if count > 0 {
            kept.push(Kept { what: what.to_owned(), count, why: why.to_owned() });
        }
    }
    let (erasure_id, person) = (asked.erasure_id, asked.person.clone());
    tx.erased(&PersonErased { erasure_id, person, removed, kept });
    Ok(())
}
