//! Packs, and the rows that they are made of, as they are at one moment.

use bhiv_db::Conn;
use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::check::Check;
use super::consent::ConsentRecord;
use super::duty::{Duty, DutyEvidence};
use super::erasure::Erasure;
use super::notice::Notice;
use super::policy::PolicyVersion;
use super::purpose::PurposeRecord;
use crate::domain::pack::{Content, PackFiles};
use crate::domain::period::Period;
use crate::schema::{
    checks, consents, duties, duty_evidence, erasures, notices, pack_files, packs, policy_versions, purposes,
};

/// Evidence of a period.
#[derive(Clone, Debug, PartialEq, Queryable, Selectable, Insertable, Serialize, Deserialize, ToSchema)]
#[diesel(table_name = packs)]
pub struct Pack {
    /// Its id.
    pub id: Uuid,
    /// The first day that it is about, UTC.
    pub start_date: NaiveDate,
    /// The last day, UTC.
    pub end_date: NaiveDate,
    /// What its files are.
    pub files: PackFiles,
    /// Who had it made.
    pub created_by: String,
    /// When.
    pub created_at: DateTime<Utc>,
}

/// Writes a pack with its files.
pub async fn insert(conn: &mut Conn, pack: &Pack, contents: &[Content]) -> QueryResult<()> {
    diesel::insert_into(packs::table).values(pack).execute(conn).await?;
    for Content { name, text, .. } in contents {
        let row = (pack_files::pack_id.eq(pack.id), pack_files::name.eq(name), pack_files::content.eq(text));
        diesel::insert_into(pack_files::table).values(row).execute(conn).await?;
    }
    Ok(())
}

/// The pack, if there is one.
pub async fn find(conn: &mut Conn, id: Uuid) -> QueryResult<Option<Pack>> {
    packs::table.find(id).select(Pack::as_select()).first(conn).await.optional()
}

/// What is left of a pack's files: names and contents.
pub async fn files(conn: &mut Conn, id: Uuid) -> QueryResult<Vec<(String, String)>> {
    pack_files::table
        .filter(pack_files::pack_id.eq(id))
        .order(pack_files::name)
        .select((pack_files::name, pack_files::content))
        .load(conn)
        .await
}

/// Up to `limit` packs, the newest first, beginning below the id `after`.
pub async fn list(conn: &mut Conn, after: Option<Uuid>, limit: i64) -> QueryResult<Vec<Pack>> {
    let mut query = packs::table.into_boxed();
    if let Some(after) = after {
        query = query.filter(packs::id.lt(after));
    }
    query.order(packs::id.desc()).limit(limit).select(Pack::as_select()).load(conn).await
}

/// How many packs there are.
pub async fn count(conn: &mut Conn) -> QueryResult<i64> {
    packs::table.count().get_result(conn).await
}

/// Forgets the files of up to `limit` packs that were made before then; answers of how many.
pub async fn forget(conn: &mut Conn, before: DateTime<Utc>, limit: i64) -> QueryResult<usize> {
    let old = packs::table.filter(packs::created_at.lt(before)).select(packs::id);
    let left =
        pack_files::table.filter(pack_files::pack_id.eq_any(old)).select(pack_files::pack_id).distinct();
    let ids: Vec<Uuid> = left.limit(limit).load(conn).await?;
    diesel::delete(pack_files::table.filter(pack_files::pack_id.eq_any(&ids))).execute(conn).await?;
    Ok(ids.len())
}

/// Up to `limit` verdicts of a period, the oldest first.
pub async fn verdicts(conn: &mut Conn, period: Period, limit: i64) -> QueryResult<Vec<Check>> {
    checks::table
        .filter(checks::created_at.ge(period.from).and(checks::created_at.lt(period.until)))
        .order(checks::id)
        .limit(limit)
        .select(Check::as_select())
        .load(conn)
        .await
}

/// Up to `limit` records of consent of a period, the oldest first.
pub async fn said(conn: &mut Conn, period: Period, limit: i64) -> QueryResult<Vec<ConsentRecord>> {
    consents::table
        .filter(consents::created_at.ge(period.from).and(consents::created_at.lt(period.until)))
        .order(consents::id)
        .limit(limit)
        .select(ConsentRecord::as_select())
        .load(conn)
        .await
}

/// Every version of every policy from before then.
pub async fn policies(conn: &mut Conn, until: DateTime<Utc>) -> QueryResult<Vec<PolicyVersion>> {
    policy_versions::table
        .filter(policy_versions::created_at.lt(until))
        .order((policy_versions::policy_id, policy_versions::version))
        .select(PolicyVersion::as_select())
        .load(conn)
        .await
}

/// Every version of every purpose from before then.
pub async fn all_purposes(conn: &mut Conn, until: DateTime<Utc>) -> QueryResult<Vec<PurposeRecord>> {
    purposes::table
        .filter(purposes::created_at.lt(until))
        .order((purposes::id, purposes::version))
        .select(PurposeRecord::as_select())
        .load(conn)
        .await
}

/// Every notice from before then.
pub async fn all_notices(conn: &mut Conn, until: DateTime<Utc>) -> QueryResult<Vec<Notice>> {
    notices::table
        .filter(notices::created_at.lt(until))
        .order(notices::id)
        .select(Notice::as_select())
        .load(conn)
        .await
}

/// Up to `limit` erasures that were asked for in a period, the oldest first.
pub async fn asked_erasures(conn: &mut Conn, period: Period, limit: i64) -> QueryResult<Vec<Erasure>> {
    erasures::table
        .filter(erasures::created_at.ge(period.from).and(erasures::created_at.lt(period.until)))
        .order(erasures::id)
        .limit(limit)
        .select(Erasure::as_select())
        .load(conn)
        .await
}

/// Up to `limit` duties of a period, the oldest first, and what was done about them.
pub async fn done(
    conn: &mut Conn,
    period: Period,
    limit: i64,
) -> QueryResult<(Vec<Duty>, Vec<DutyEvidence>)> {
    let duties: Vec<Duty> = duties::table
        .filter(duties::received_at.ge(period.from).and(duties::received_at.lt(period.until)))
        .order(duties::id)
        .limit(limit)
        .select(Duty::as_select())
        .load(conn)
        .await?;
    let ids: Vec<Uuid> = duties.iter().map(|duty| duty.id).collect();
    let evidence = duty_evidence::table
        .filter(duty_evidence::duty_id.eq_any(ids))
        .order((duty_evidence::duty_id, duty_evidence::id))
        .select(DutyEvidence::as_select())
        .load(conn)
        .await?;
    Ok((duties, evidence))
}
