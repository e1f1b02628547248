//! An erasure begins: every module is told, and compliance takes away its own part in the same transaction.

use bhiv_db::DieselError;
use bhiv_events::compliance::ErasureRequested;
use bhiv_outbox::Tx;
use bhiv_outbox::erasure::Column;

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

/// Tells the modules of `erasure`, which is locked, and takes away what compliance has. From then on the erasure does
/// not know the person's names any more.
pub async fn begin_erasure(tx: &mut Tx, erasure: &mut Erasure) -> Result<(), DieselError> {
    let before = without_names(erasure);
    let names = erasure.names();
    erasure.version += 1;
    let request = events::erasure_requested(tx, erasure);
    *erasure = Erasure {
        version: erasure.version,
        status: ErasureStatus::Running,
        started_at: Some(tx.now()),
        updated_at: tx.now(),
        ..before.clone()
    };
    erasure::update(tx.conn(), erasure).await?;
    tx.audit("erasure.begin", format!("erasure/{}", erasure.id), Some(&before), Some(&*erasure));
    erase_own(tx, &request, &names).await
}

async fn erase_own(tx: &mut Tx, request: &ErasureRequested, names: &[String]) -> Result<(), DieselError> {
    let erasure_id = request.erasure_id;
    let mut own = tx.begin_erasure(request).await?;
    let (said, judged) = forget::left(tx.conn(), names).await?;
    own.removed("evidence of consents", forget::evidence(tx.conn(), names).await?);
    // What shows that others agreed may tell of the person, too.
    own.removed("evidence of consents", own.redact(tx.conn(), Column::json("consents", "evidence")).await?);
    own.removed(
        "events kept for trials",
        own.delete_telling(tx.conn(), Column::json("heard_events", "event")).await?,
    );
    let files = own.delete_telling(tx.conn(), Column::text("pack_files", "content")).await?;
    own.removed("files of evidence packs", files);
    own.removed("words of requests", forget::words(tx.conn(), names).await?);
    for column in [Column::text("duties", "details"), Column::text("duty_evidence", "what")] {
        own.removed("names in duties", own.redact(tx.conn(), column).await?);
    }
    for (place, name) in names.iter().enumerate() {
        let pseudonym = pseudonym(name, place, erasure_id);
        if pseudonym != *name {
            own.removed("names in consents", forget::speaker(tx.conn(), name, &pseudonym).await?);
            own.removed(
                "names in records of who did what",
                forget::actor(tx.conn(), name, &pseudonym).await?,
            );
        }
    }
    own.kept("consents", said, PROVABLE);
    own.kept("checks", judged, ACCOUNTED);
    let told = tx.tell_erasure(own).await?;
    let answer = ErasureAnswer {
        erasure_id,
        module: "compliance".to_owned(),
        removed: AllRemoved(told.removed.into_iter().map(events::heard_removed).collect()),
        kept: AllKept(told.kept.into_iter().map(events::heard_kept).collect()),
        answered_at: tx.now(),
    };
    erasure::answer(tx.conn(), &answer).await.map(drop)
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
