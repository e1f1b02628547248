//! Purposes are registered and changed.

use bhiv_outbox::{Command, Fault, Refusal, Tx};
use bhiv_types::Purpose;

use crate::domain::purpose::{NewPurpose, PurposeChange};
use crate::store::purpose::{self, PurposeRecord};

/// A purpose is registered.
#[derive(Debug)]
pub struct CreatePurpose(pub NewPurpose);

/// A purpose changes: it gets a new version.
#[derive(Debug)]
pub struct PatchPurpose {
    /// Which.
    pub id: Purpose,
    /// What changes.
    pub change: PurposeChange,
}

/// Why not.
#[derive(Debug, thiserror::Error)]
pub enum PurposeError {
    #[error("there is no purpose {0}")]
    NotFound(Purpose),
    #[error("there is a purpose {0} already")]
    Exists(Purpose),
}

impl Refusal for PurposeError {}

impl Command for CreatePurpose {
    type Output = PurposeRecord;
    type Refusal = PurposeError;

    async fn run(&self, tx: &mut Tx) -> Result<PurposeRecord, Fault<PurposeError>> {
        let NewPurpose { id, name, description, lawful_basis, data_categories, recipients, valid_days } =
            self.0.clone();
        purpose::lock(tx.conn(), &id).await?;
        if purpose::find(tx.conn(), &id).await?.is_some() {
            return Err(PurposeError::Exists(id).into());
        }
        let record = PurposeRecord {
            id,
            version: 1,
            name,
            description,
            lawful_basis,
            data_categories,
            recipients,
            valid_days,
            enabled: true,
            actor: tx.actor().to_owned(),
            created_at: tx.now(),
        };
        purpose::insert(tx.conn(), &record).await?;
        tx.audit("purpose.create", format!("purpose/{}", record.id), None, Some(&record));
        Ok(record)
    }
}

impl Command for PatchPurpose {
    type Output = PurposeRecord;
    type Refusal = PurposeError;

    async fn run(&self, tx: &mut Tx) -> Result<PurposeRecord, Fault<PurposeError>> {
        purpose::lock(tx.conn(), &self.id).await?;
        let before = purpose::find(tx.conn(), &self.id).await?;
        let before = before.ok_or_else(|| PurposeError::NotFound(self.id.clone()))?;
        let mut after = before.clone();
        apply(self.change.clone(), &mut after);
        if after == before {
            return Ok(before);
        }
        after.version += 1;
        after.actor = tx.actor().to_owned();
        after.created_at = tx.now();
        purpose::insert(tx.conn(), &after).await?;
        tx.audit("purpose.update", format!("purpose/{}", after.id), Some(&before), Some(&after));
        Ok(after)
    }
}

fn apply(change: PurposeChange, purpose: &mut PurposeRecord) {
    let PurposeChange { name, description, lawful_basis, data_categories, recipients, valid_days, enabled } =
        change;
    if let Some(name) = name {
        purpose.name = name;
    }
    if let Some(description) = description {
        purpose.description = description;
    }
    if let Some(lawful_basis) = lawful_basis {
        purpose.lawful_basis = lawful_basis;
    }
    if let Some(data_categories) = data_categories {
        purpose.data_categories = data_categories;
    }
    if let Some(recipients) = recipients {
        purpose.recipients = recipients;
    }
    valid_days.apply(&mut purpose.valid_days);
    if let Some(enabled) = enabled {
        purpose.enabled = enabled;
    }
}
