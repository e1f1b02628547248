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
    let mut said: BTreeMap<&Purpose, Vec<&ConsentRecord>> = BTreeMap::new();
    for record in records {
        said.entry(&record.purpose).or_default().push(record);
    }
    let state = |mut said: Vec<&ConsentRecord>| {
        said.sort_by_key(|record| std::cmp::Reverse(record.version));
        let last = *said.first()?;
        let unbroken = said.iter().take_while(|record| record.state() == last.state());
        Some(PurposeState {
            purpose: last.purpose.clone(),
            state: last.state(),
            since: unbroken.last()?.created_at,
            expires_at: last.expires_at,
            notice_version: last.notice_version.clone(),
            record_id: last.id,
            modules: modules(&said, applied),
        })
    };
    said.into_values().filter_map(state).collect()
}

/// Of one purpose, the newest first.
fn modules(said: &[&ConsentRecord], applied: &[TakenUp]) -> Vec<ModuleConsent> {
    let is_yes = |record: &&&ConsentRecord| record.state() == ConsentState::Granted;
    let Some(last) = said.first() else { return Vec::new() };
    if said.iter().all(|record| is_yes(&record)) {
        return Vec::new();
    }
    // To say the same once more changes nothing either.
    let same = said.iter().take_while(|record| is_yes(record) == is_yes(&last));
    let since = same.last().map_or(last.version, |record| record.version);
    let of_them = |module: &str| {
        let theirs = applied.iter().filter(|applied| {
            applied.consent_id == last.consent_id && applied.version >= since && applied.module == module
        });
        ModuleConsent {
            module: module.to_owned(),
            applied_at: theirs.map(|applied| applied.applied_at).min(),
        }
    };
    acting().map(of_them).collect()
}
