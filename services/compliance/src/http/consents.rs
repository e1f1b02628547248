use std::fmt::Write as _;

use actix_web::web::{Data, Json};
use bhiv_auth::require::{ComplianceRead, ComplianceWrite};
use bhiv_service::Context;
use bhiv_web::{Can, Created, MayAnswer, Result, Segment, Valid};

use crate::commands::grant_consent::GrantConsent;
use crate::commands::revoke_consent::RevokeConsent;
use crate::domain::consent::{Grant, Revocation};
use crate::store::consent::ConsentRecord;
use crate::store::standing::{self, Standing};

pub async fn grant(
    who: Can<ComplianceWrite>,
    _: MayAnswer<409>,
    Valid(grant): Valid<Grant>,
    compliance: Data<Context>,
) -> Result<Created<ConsentRecord>> {
    let record = compliance.run(who.origin(), GrantConsent { grant, source_event: None }).await?;
    Ok(Created::at(address(&record.subject), record))
}

pub async fn revoke(
    who: Can<ComplianceWrite>,
    Valid(revocation): Valid<Revocation>,
    compliance: Data<Context>,
) -> Result<Created<ConsentRecord>> {
    let record = compliance.run(who.origin(), RevokeConsent(revocation)).await?;
    Ok(Created::at(address(&record.subject), record))
}

pub async fn read(
    _: Can<ComplianceRead>,
    Segment(subject): Segment<String>,
    compliance: Data<Context>,
) -> Result<Json<Standing>> {
    Ok(Json(standing::of(&mut *compliance.read().await?, subject).await?))
}

/// Where a subject's records are read: it is one segment of the path, its slashes too.
fn address(subject: &str) -> String {
    subject.bytes().fold("/consent/".to_owned(), |mut path, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            path.push(char::from(byte));
        } else {
            let _ = write!(path, "%{byte:02X}");
        }
        path
    })
}
