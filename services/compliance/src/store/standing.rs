use std::collections::BTreeMap;

use bhiv_db::Conn;
use bhiv_types::Purpose;
use chrono::{DateTime, Utc};
use diesel::QueryResult;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::applied::{self, TakenUp};
use super::consent::{self, ConsentRecord};
use crate::domain::consent::{ConsentState, acting};
use crate::domain::standing::{acted_by_from, since};

/// Where a person stands, and everything that they said.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Standing {
    /// Who, for example `lead/0190...`.
    pub subject: String,
    /// What holds now, by purpose. What is not there was never spoken of, which is no consent.
    pub purposes: Vec<PurposeState>,
    /// Everything that they said, the newest first.
    pub records: Vec<ConsentRecord>,
}

/// Where a person stands on a purpose.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct PurposeState {
    /// Which purpose.
    pub purpose: Purpose,
    /// What holds.
    pub state: ConsentState,
    /// Since when, without a break.
    pub since: DateTime<Utc>,
    /// Until when it holds; null if for ever.
    pub expires_at: Option<DateTime<Utc>>,
    /// The notice that they were shown last, if they agreed to one.
    pub notice_version: Option<String>,
    /// The record that says so.
    pub record_id: Uuid,
    /// Who acts by that, and from when. Nobody, where everything that they ever said was yes: that changes nothing.
    pub modules: Vec<ModuleConsent>,
}

/// A module that acts by what a person says.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct ModuleConsent {
    /// Which one: `core` is the gateway, which refuses writes to all the others.
    pub module: String,
    /// From when it acts by what holds now; null as long as it has not said so.
    pub applied_at: Option<DateTime<Utc>>,
}

/// Where `subject` stands; nowhere, if nothing was heard of them.
pub async fn of(conn: &mut Conn, subject: String) -> QueryResult<Standing> {
    let records = consent::of_subject(conn, &subject).await?;
    let consents: Vec<_> = records.iter().map(|record| record.consent_id).collect();
    let applied = applied::of(conn, &consents).await?;
    Ok(Standing { subject, purposes: purposes(&records, &applied), records })
}

fn purposes(records: &[ConsentRecord], applied: &[TakenUp]) -> Vec<PurposeState> {
    let mut by_purpose: BTreeMap<&Purpose, Vec<&ConsentRecord>> = BTreeMap::new();
    for record in records {
        by_purpose.entry(&record.purpose).or_default().push(record);
    }
    let state = |mut records: Vec<&ConsentRecord>| {
        records.sort_by_key(|record| std::cmp::Reverse(record.version));
        let said: Vec<_> = records.iter().map(|record| record.said()).collect();
        let last = *records.first()?;
        let acting =
            acted_by_from(&said).into_iter().flat_map(|from| acting().map(move |module| (module, from)));
        Some(PurposeState {
            purpose: last.purpose.clone(),
            state: last.state(),
            since: since(&said)?,
            expires_at: last.expires_at,
            notice_version: last.notice_version.clone(),
            record_id: last.id,
            modules: acting
                .map(|(module, from)| ModuleConsent {
                    module: module.to_owned(),
                    applied_at: applied_at(applied, last.consent_id, module, from),
                })
                .collect(),
        })
    };
    by_purpose.into_values().filter_map(state).collect()
}

/// When `module` began to act by the version `from` of a consent, or by a later one.
fn applied_at(applied: &[TakenUp], consent_id: Uuid, module: &str, from: i64) -> Option<DateTime<Utc>> {
    let theirs = applied.iter().filter(|applied| {
        applied.consent_id == consent_id && applied.version >= from && applied.module == module
    });
    theirs.map(|applied| applied.applied_at).min()
}
