use bhiv_db::Conn;
use bhiv_types::Purpose;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::Text;
use diesel_async::RunQueryDsl;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::domain::consent::{ConsentState, Evidence};
use crate::domain::standing::Said;
use crate::schema::consents;

/// What a person said to a purpose, once.
#[derive(Clone, Debug, PartialEq, Queryable, Selectable, Insertable, Serialize, Deserialize, ToSchema)]
#[diesel(table_name = consents, treat_none_as_default_value = false)]
pub struct ConsentRecord {
    /// Its id.
    pub id: Uuid,
    /// Id of the consent: the same for everything that this person says to this purpose.
    pub consent_id: Uuid,
    /// 1 for what the person said first to this purpose, and one more each time.
    pub version: i64,
    /// Who said it, for example `lead/0190...`.
    pub subject: String,
    /// What to.
    pub purpose: Purpose,
    /// What they said.
    pub action: ConsentState,
    /// The notice that they were shown.
    pub notice_version: Option<String>,
    /// Which version of the purpose it was said to; null in records of before purposes had versions.
    #[serde(default)]
    pub purpose_version: Option<i64>,
    /// Until when a consent holds; null for ever.
    #[serde(default)]
    pub expires_at: Option<DateTime<Utc>>,
    /// Whether the consent ended by itself: its `action` is `withdrawn` then, by the clock.
    #[serde(default)]
    pub expired: bool,
    /// What shows that they said it.
    pub evidence: Option<Evidence>,
    /// Who recorded it.
    pub actor: String,
    /// The event that it was learned from, if it was.
    pub source_event: Option<Uuid>,
    /// The causal story that it belongs to.
    pub correlation_id: Uuid,
    /// When it was recorded.
    pub created_at: DateTime<Utc>,
}

impl ConsentRecord {
    /// What holds since.
    pub fn state(&self) -> ConsentState {
        state(self.action, self.expired)
    }

    /// What it says of where the person stands.
    pub fn said(&self) -> Said {
        Said { version: self.version, state: self.state(), at: self.created_at }
    }
}

fn state(action: ConsentState, expired: bool) -> ConsentState {
    if expired { ConsentState::Expired } else { action }
}

/// Keeps others from recording what `subject` says to `purpose` until the end of the transaction. There is no
/// row to lock before the first record.
pub async fn lock(conn: &mut Conn, subject: &str, purpose: &Purpose) -> QueryResult<()> {
    diesel::sql_query("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))")
        .bind::<Text, _>(format!("compliance.consent {purpose} {subject}"))
        .execute(conn)
        .await
        .map(drop)
}

/// What `subject` said last to `purpose`.
pub async fn latest(conn: &mut Conn, subject: &str, purpose: &Purpose) -> QueryResult<Option<ConsentRecord>> {
    consents::table
        .filter(consents::subject.eq(subject).and(consents::purpose.eq(purpose)))
        .order(consents::version.desc())
        .select(ConsentRecord::as_select())
        .first(conn)
        .await
        .optional()
}

/// Writes a new record.
pub async fn insert(conn: &mut Conn, record: &ConsentRecord) -> QueryResult<()> {
    diesel::insert_into(consents::table).values(record).execute(conn).await.map(drop)
}

/// What `subject` said last to each purpose.
pub async fn states(conn: &mut Conn, subject: &str) -> QueryResult<Vec<(Purpose, ConsentState)>> {
    let said: Vec<(Purpose, ConsentState, bool)> = consents::table
        .filter(consents::subject.eq(subject))
        .distinct_on(consents::purpose)
        .order((consents::purpose, consents::version.desc()))
        .select((consents::purpose, consents::action, consents::expired))
        .load(conn)
        .await?;
    Ok(said.into_iter().map(|(purpose, action, expired)| (purpose, state(action, expired))).collect())
}

/// The record, if there is one.
pub async fn find(conn: &mut Conn, id: Uuid) -> QueryResult<Option<ConsentRecord>> {
    consents::table.find(id).select(ConsentRecord::as_select()).first(conn).await.optional()
}

/// Everything that `subject` said, the newest first.
pub async fn of_subject(conn: &mut Conn, subject: &str) -> QueryResult<Vec<ConsentRecord>> {
    consents::table
        .filter(consents::subject.eq(subject))
        .order(consents::id.desc())
        .select(ConsentRecord::as_select())
        .load(conn)
        .await
}
