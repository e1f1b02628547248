//! An erasure begins: every module is told, and compliance takes away its own part in the same transaction.

use bhiv_db::DieselError;
use bhiv_events::PersonErased;
use bhiv_outbox::Tx;

use crate::domain::erasure::{AllKept, AllRemoved, ErasureStatus, Names, pseudonym};
use crate::events;
use crate::store::erasure::{self, Erasure, ErasureAnswer};
use crate::store::forget;

/// Why consent records stay.
const PROVABLE: &str = "That consent was given, refused or withdrawn has to be provable (GDPR Article 7(1)); \
                        nothing in them tells who the person is";

/// Why verdicts stay.
const ACCOUNTED: &str = "What was found compliant or not has to be accounted for (GDPR Article 5(2)); \
                         nothing in them tells who the person is";

/// Tells the modules of `erasure`, which is locked, and takes away what compliance has.
pub async fn begin_erasure(tx: &mut Tx, erasure: &mut Erasure) -> Result<(), DieselError> {
    let before = without_names(erasure);
    erasure.status = ErasureStatus::Running;
    erasure.started_at = Some(tx.now());
    erasure.version += 1;
    erasure.updated_at = tx.now();
    erasure::update(tx.conn(), erasure).await?;
    events::erasure_requested(tx, erasure);
    tx.audit(
        "erasure.begin",
        format!("erasure/{}", erasure.id),
        Some(&before),
        Some(&without_names(erasure)),
    );

    let (removed, kept) = erase_own(tx, erasure).await?;
    let person = pseudonym(&erasure.subject, 0, erasure.id);
    let told = PersonErased {
        erasure_id: erasure.id,
        person,
        removed: removed.0.iter().cloned().map(events::told_removed).collect(),
        kept: kept.0.iter().cloned().map(events::told_kept).collect(),
    };
    tx.erased(&told);
    let answered_at = tx.now();
    let module = "compliance".to_owned();
    let answer = ErasureAnswer { erasure_id: erasure.id, module, removed, kept, answered_at };
    erasure::answer(tx.conn(), &answer).await.map(drop)
}

async fn erase_own(tx: &mut Tx, erasure: &Erasure) -> Result<(AllRemoved, AllKept), DieselError> {
    let names = erasure.names();
    let (mut removed, mut kept) = (AllRemoved::default(), AllKept::default());
    let (said, judged) = forget::left(tx.conn(), &names).await?;
    removed.note("evidence of consents", forget::evidence(tx.conn(), &names).await?);
    let (mut spoke, mut acted) = (0, 0);
    for (place, name) in names.iter().enumerate() {
        let pseudonym = pseudonym(name, place, erasure.id);
        if pseudonym != *name {
            spoke += forget::speaker(tx.conn(), name, &pseudonym).await?;
            acted += forget::actor(tx.conn(), name, &pseudonym).await?;
        }
    }
    removed.note("names in consents", spoke);
    removed.note("names in records of who did what", acted);
    kept.note("consents", said, PROVABLE);
    kept.note("checks", judged, ACCOUNTED);
    Ok((removed, kept))
}

/// As it may be written where it is not taken away again.
pub fn without_names(erasure: &Erasure) -> Erasure {
    let names = erasure.names();
    let place = names.iter().position(|name| *name == erasure.requested_by);
    let requested_by = place.map(|place| pseudonym(&erasure.requested_by, place, erasure.id));
    Erasure {
        subject: pseudonym(&erasure.subject, 0, erasure.id),
        also: Names::default(),
        requested_by: requested_by.unwrap_or_else(|| erasure.requested_by.clone()),
        ..erasure.clone()
    }
}
