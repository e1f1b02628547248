use bhiv_outbox::{Command, Fault, Refusal, Tx};

use crate::domain::delivery::DeliveryStatus;
use crate::domain::ids::DeliveryId;
use crate::domain::tracking::{MOST_PROOFS, ProofKind};
use crate::store::delivery;
use crate::store::proof::{self, Proof};

/// A picture shows that a delivery arrived.
#[derive(Debug)]
pub struct AddProof {
    /// Which delivery.
    pub delivery_id: DeliveryId,
    /// What it shows.
    pub kind: ProofKind,
    /// Who took the delivery, by name.
    pub received_by: Option<String>,
    /// `image/png`, `image/jpeg` or `image/webp`.
    pub media_type: &'static str,
    /// The picture.
    pub picture: Vec<u8>,
}

/// Why it is not kept.
#[derive(Debug, thiserror::Error)]
pub enum AddProofError {
    #[error("there is no delivery {0}")]
    NotFound(DeliveryId),
    #[error("the delivery has not left yet")]
    NotUnderWay,
    #[error("the delivery has {MOST_PROOFS} proofs already")]
    Enough,
}

impl Refusal for AddProofError {}

impl Command for AddProof {
    type Output = Proof;
    type Refusal = AddProofError;

    async fn run(&self, tx: &mut Tx) -> Result<Proof, Fault<AddProofError>> {
        let delivery = delivery::lock(tx.conn(), self.delivery_id).await?;
        let delivery = delivery.ok_or(AddProofError::NotFound(self.delivery_id))?;
        if delivery.status == DeliveryStatus::Scheduled {
            return Err(AddProofError::NotUnderWay.into());
        }
        if proof::of(tx.conn(), delivery.id).await?.len() >= MOST_PROOFS {
            return Err(AddProofError::Enough.into());
        }
        let proof = Proof {
            id: tx.id().into(),
            delivery_id: delivery.id,
            kind: self.kind,
            received_by: self.received_by.clone(),
            media_type: self.media_type.to_owned(),
            size: i32::try_from(self.picture.len()).unwrap_or(i32::MAX),
            actor: tx.actor().to_owned(),
            created_at: tx.now(),
        };
        proof::insert(tx.conn(), &proof, &self.picture).await?;
        tx.continue_story(delivery.correlation_id);
        tx.audit("delivery.prove", format!("delivery/{}", delivery.id), None, Some(&proof));
        Ok(proof)
    }
}
