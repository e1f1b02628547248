//! What merges moved.

use bhiv_db::Conn;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::domain::ids::{ContactId, LeadId, OpportunityId};
use crate::schema::{activities, contacts, lead_merges, opportunities};

/// A merge of two leads.
#[derive(Clone, Debug, PartialEq, Queryable, Selectable, Insertable)]
#[diesel(table_name = lead_merges)]
pub struct Merge {
    pub id: Uuid,
    pub survivor: LeadId,
    pub merged: LeadId,
    /// Fields of the survivor that the other one filled.
    pub filled: Vec<String>,
    pub opportunities: Vec<OpportunityId>,
    pub activities: Vec<Uuid>,
    pub contacts: Vec<ContactId>,
    pub merged_at: DateTime<Utc>,
}

/// Writes a merge.
pub async fn insert(conn: &mut Conn, merge: &Merge) -> QueryResult<()> {
    diesel::insert_into(lead_merges::table).values(merge).execute(conn).await.map(drop)
}

/// The merge that ended this lead, if it was not taken back.
pub async fn of(conn: &mut Conn, merged: LeadId) -> QueryResult<Option<Merge>> {
    lead_merges::table
        .filter(lead_merges::merged.eq(merged).and(lead_merges::undone_at.is_null()))
        .order(lead_merges::id.desc())
        .select(Merge::as_select())
        .first(conn)
        .await
        .optional()
}

/// A merge is taken back.
pub async fn undo(conn: &mut Conn, id: Uuid, at: DateTime<Utc>) -> QueryResult<()> {
    let row = lead_merges::table.find(id);
    diesel::update(row).set(lead_merges::undone_at.eq(at)).execute(conn).await.map(drop)
}

/// Opportunities of a lead.
pub async fn opportunities(conn: &mut Conn, lead: LeadId) -> QueryResult<Vec<OpportunityId>> {
    let of = opportunities::table.filter(opportunities::lead_id.eq(lead));
    of.order(opportunities::id).select(opportunities::id).load(conn).await
}

/// Moves activities from one lead to another: all of them, or just these. Answers which it moved.
pub async fn move_activities(
    conn: &mut Conn,
    from: LeadId,
    to: LeadId,
    only: Option<&[Uuid]>,
) -> QueryResult<Vec<Uuid>> {
    let moved = activities::entity.eq(format!("lead/{to}"));
    let from = activities::table.filter(activities::entity.eq(format!("lead/{from}")));
    match only {
        None => diesel::update(from).set(moved).returning(activities::id).get_results(conn).await,
        Some(ids) => {
            let from = from.filter(activities::id.eq_any(ids.to_vec()));
            diesel::update(from).set(moved).returning(activities::id).get_results(conn).await
        }
    }
}

/// Moves contacts from one lead to another: all of them, or just these. Answers which it moved.
pub async fn move_contacts(
    conn: &mut Conn,
    from: LeadId,
    to: LeadId,
    only: Option<&[ContactId]>,
) -> QueryResult<Vec<ContactId>> {
    let from = contacts::table.filter(contacts::lead_id.eq(from));
    let moved = contacts::lead_id.eq(to);
    match only {
        None => diesel::update(from).set(moved).returning(contacts::id).get_results(conn).await,
        Some(ids) => {
            let from = from.filter(contacts::id.eq_any(ids.to_vec()));
            diesel::update(from).set(moved).returning(contacts::id).get_results(conn).await
        }
    }
}
