use std::convert::Infallible;

use bhiv_auth::Reach;
use bhiv_outbox::{Command, Fault, Tx};
use bhiv_types::Patch;
use serde_json::{Value, json};
use uuid::Uuid;

use super::By;
use super::create_lead::CreateLead;
use super::patch_lead::PatchLead;
use crate::domain::conversion::OnDuplicates;
use crate::domain::ids::LeadId;
use crate::domain::import::{ImportStatus, RowOutcome};
use crate::domain::lead::{LeadChange, NewLead};
use crate::store::import::{self, Import, ImportRow};
use crate::store::lead;

/// Rows of one transaction.
const AT_A_TIME: i64 = 100;

/// Some rows of an import become leads, or all of them have. Answers whether there is more to do.
#[derive(Debug)]
pub struct ImportRows {
    /// Which import.
    pub id: Uuid,
}

impl Command for ImportRows {
    type Output = bool;
    type Refusal = Infallible;

    fn is_alone(&self) -> bool {
        true
    }

    async fn run(&self, tx: &mut Tx) -> Result<bool, Fault<Infallible>> {
        // Another replica may be at it.
        let Some(mut import) = import::lock(tx.conn(), self.id).await? else { return Ok(false) };
        if import.status != ImportStatus::Importing {
            return Ok(false);
        }
        let rows = import::pending(tx.conn(), self.id, AT_A_TIME).await?;
        let is_over = rows.is_empty();
        for row in rows {
            let settled = settle(tx, &import, row).await?;
            match settled.outcome {
                RowOutcome::Created => import.created += 1,
                RowOutcome::Updated => import.updated += 1,
                RowOutcome::Unchanged => import.unchanged += 1,
                RowOutcome::Refused | RowOutcome::Pending => import.refused += 1,
            }
            import::settle(tx.conn(), &settled).await?;
        }
        import.updated_at = tx.now();
        if is_over {
            import.status = ImportStatus::Done;
            tx.follow(import.id);
            tx.audit("import.end", format!("import/{}", import.id), None, Some(&import));
        }
        import::update(tx.conn(), &import).await?;
        Ok(!is_over)
    }
}

/// Makes the lead, or changes the one that was imported before.
async fn settle(tx: &mut Tx, import: &Import, row: ImportRow) -> Result<ImportRow, Fault<Infallible>> {
    let refused = |row: ImportRow, says: String| ImportRow {
        outcome: RowOutcome::Refused,
        faults: Some(json!([{ "pointer": "", "message": says }])),
        ..row
    };
    let new = row.data.clone().map(serde_json::from_value::<NewLead>);
    let (new, key) = match (new, row.key.clone()) {
        (Some(Ok(new)), Some(key)) => (new, key),
        (Some(Err(error)), _) => return Ok(refused(row, error.to_string())),
        _ => return Ok(refused(row, "it says nothing".to_owned())),
    };
    let reach = match (import.sees_all, import.owner.get()) {
        (true, _) => Reach::All,
        (false, user) => Reach::Own { user: user.unwrap_or_default().to_owned(), team: import.team.clone() },
    };
    let owner = import.owner.get().map(str::to_owned);
    let by = By { reach, team: import.team.clone(), owner };
    if let Some(id) = import::lead_of(tx.conn(), &key).await? {
        let before = lead::find(tx.conn(), id).await?.map(|lead| lead.version);
        // Each row is a story of its own, or a part of its lead's.
        if let Some(lead) = lead::find(tx.conn(), id).await? {
            tx.follow(lead.correlation_id);
        }
        return match (PatchLead { id, change: change(new), by }).run(tx).await {
            Ok(lead) => {
                let is_same = Some(lead.version) == before;
                let outcome = if is_same { RowOutcome::Unchanged } else { RowOutcome::Updated };
                Ok(ImportRow { outcome, lead_id: Some(id), ..row })
            }
            Err(Fault::Refused(refusal)) => Ok(refused(row, refusal.to_string())),
            Err(fault) => Err(kept(fault)),
        };
    }
    let story = tx.id();
    tx.follow(story);
    let create = CreateLead { new, by, duplicates: OnDuplicates::Allow };
    match create.run(tx).await {
        Ok(created) => {
            let id: LeadId = created.lead.id;
            import::name_lead(tx.conn(), &key, id).await?;
            Ok(ImportRow { outcome: RowOutcome::Created, lead_id: Some(id), ..row })
        }
        Err(Fault::Refused(refusal)) => Ok(refused(row, refusal.to_string())),
        Err(fault) => Err(kept(fault)),
    }
}

/// A fault that is no refusal.
fn kept<R>(fault: Fault<R>) -> Fault<Infallible> {
    match fault {
        Fault::Database(error) => Fault::Database(error),
        Fault::KeyReused => Fault::KeyReused,
        Fault::InFlight | Fault::Refused(_) => Fault::InFlight,
    }
}

/// What a row says again of a lead: what it does not say stays.
fn change(new: NewLead) -> LeadChange {
    fn set<T>(value: Option<T>) -> Patch<T> {
        value.map_or(Patch::Keep, Patch::Set)
    }
    LeadChange {
        name: Some(new.name),
        email: Some(new.email),
        phone: set(new.phone),
        source: set(new.source),
        company: set(new.company),
        budget: set(new.budget),
        need: set(new.need),
        timeline: set(new.timeline),
        authority: set(new.authority),
        owner: set(new.owner),
        team: set(new.team),
        archived: None,
        status: None,
    }
}

/// What imports call a lead: as its source does, or by its mailbox.
pub fn key_of(fields: &serde_json::Map<String, Value>) -> Option<String> {
    let text = |name: &str| fields.get(name).and_then(Value::as_str);
    let source = text("source").unwrap_or_default();
    match text("external_id") {
        Some(id) => Some(format!("id:{source}:{id}")),
        None => text("email").map(|email| format!("email:{}", email.trim().to_lowercase())),
    }
}
