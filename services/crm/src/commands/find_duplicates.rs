use bhiv_db::DieselError;
use bhiv_outbox::Tx;

use crate::domain::duplicate::{ALIKE, Traits, likeness};
use crate::store::duplicate::{self, Candidate, Duplicate};
use crate::store::lead::Lead;

/// Notes which of the candidates look like the same person as this lead: a part of other commands.
pub async fn find_duplicates(
    tx: &mut Tx,
    lead: &Lead,
    candidates: Vec<Candidate>,
) -> Result<Vec<Duplicate>, DieselError> {
    let this = Traits {
        name: &lead.name,
        email: Some(lead.email.as_str()),
        phone: lead.phone.as_deref(),
        company: lead.company.as_deref(),
    };
    let mut pairs = Vec::new();
    for other in candidates {
        let alike = likeness(
            &this,
            &Traits {
                name: &other.name,
                email: Some(&other.email),
                phone: other.phone.as_deref(),
                company: other.company.as_deref(),
            },
        );
        if alike.score < ALIKE {
            continue;
        }
        // A pair is kept once, whichever of the two was changed last.
        let (lead_id, other_id) = (lead.id.max(other.id), lead.id.min(other.id));
        let reasons = alike.reasons.into_iter().map(str::to_owned).collect();
        pairs.push(Duplicate { id: tx.id(), lead_id, other_id, score: alike.score, reasons });
    }
    pairs.sort_by(|one, other| other.score.total_cmp(&one.score));
    if !pairs.is_empty() {
        duplicate::insert(tx.conn(), &pairs).await?;
    }
    Ok(pairs)
}
