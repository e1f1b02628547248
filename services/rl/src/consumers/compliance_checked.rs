use bhiv_events::Event;
use bhiv_events::compliance::{ComplianceChecked, ComplianceViolation};
use bhiv_outbox::{Command as _, Failure, Handle, Tx};

use crate::commands::note_verdict::{NoteCompliance, NoteViolation};
use crate::store::Json;
use crate::store::verdict::Verdict;

/// compliance_violation -> decisions about it know.
pub struct NoteTheViolation;

impl Handle<ComplianceViolation> for NoteTheViolation {
    async fn handle(&self, tx: &mut Tx, event: &Event, found: ComplianceViolation) -> Result<(), Failure> {
        if tx.mentions_erased(event).await? {
            return Ok(());
        }
        let verdict = Verdict {
            entity: found.entity,
            event_type: found.event_type,
            check_id: found.check_id,
            rules: Json(found.rules),
            heard_at: tx.now(),
        };
        NoteViolation(verdict).run(tx).await?;
        Ok(())
    }
}

/// compliance_checked, compliant -> an older violation of the same kind is over.
pub struct NoteTheVerdict;

impl Handle<ComplianceChecked> for NoteTheVerdict {
    async fn handle(&self, tx: &mut Tx, _: &Event, found: ComplianceChecked) -> Result<(), Failure> {
        if found.verdict == "compliant" {
            let ComplianceChecked { entity, event_type, check_id, .. } = found;
            NoteCompliance { entity, event_type, check_id }.run(tx).await?;
        }
        Ok(())
    }
}
