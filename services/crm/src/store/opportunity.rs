use bhiv_db::Conn;
use bhiv_types::Currency;
use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::domain::ids::{LeadId, OpportunityId};
use crate::domain::opportunity::Stage;
use crate::schema::opportunities;

/// An opportunity.
#[derive(
    Clone,
    Debug,
    PartialEq,
    Queryable,
    Selectable,
    Insertable,
    AsChangeset,
    Identifiable,
    Serialize,
    Deserialize,
    ToSchema,
)]
#[diesel(table_name = opportunities, treat_none_as_default_value = false, treat_none_as_null = true)]
pub struct Opportunity {
    /// Its id.
    pub id: OpportunityId,
    /// Grows by one with each change.
    pub version: i64,
    /// The causal story that it belongs to.
    pub correlation_id: Uuid,
    /// The lead it comes from.
    pub lead_id: LeadId,
    /// Expected revenue, in `currency`.
    pub value: Decimal,
    /// ISO 4217 code.
    pub currency: Currency,
    /// Its place in the pipeline.
    pub stage: Stage,
    /// Chance of winning it, 0 to 1.
    pub probability: f64,
    /// When it should be decided.
    pub expected_close_date: Option<NaiveDate>,
    /// When it was opened.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
}

/// Which opportunities a list has.
#[derive(Clone, Copy, Debug, Default)]
pub struct Filter {
    /// Those of this lead.
    pub lead_id: Option<LeadId>,
    /// Those at this stage.
    pub stage: Option<Stage>,
}

impl Filter {
    fn query(self) -> opportunities::BoxedQuery<'static, diesel::pg::Pg> {
        let mut query = opportunities::table.into_boxed();
        if let Some(lead_id) = self.lead_id {
            query = query.filter(opportunities::lead_id.eq(lead_id));
        }
        if let Some(stage) = self.stage {
            query = query.filter(opportunities::stage.eq(stage));
        }
        query
    }
}

/// Writes a new opportunity.
pub async fn insert(conn: &mut Conn, opportunity: &Opportunity) -> QueryResult<()> {
    diesel::insert_into(opportunities::table).values(opportunity).execute(conn).await.map(drop)
}

/// The opportunity, if there is one.
pub async fn find(conn: &mut Conn, id: OpportunityId) -> QueryResult<Option<Opportunity>> {
    opportunities::table.find(id).select(Opportunity::as_select()).first(conn).await.optional()
}

/// The opportunity, locked until the end of the transaction.
pub async fn lock(conn: &mut Conn, id: OpportunityId) -> QueryResult<Option<Opportunity>> {
    let row = opportunities::table.find(id).select(Opportunity::as_select());
    row.for_update().first(conn).await.optional()
}

/// Writes an opportunity that was changed.
pub async fn update(conn: &mut Conn, opportunity: &Opportunity) -> QueryResult<()> {
    diesel::update(opportunity).set(opportunity).execute(conn).await.map(drop)
}

/// Up to `limit` opportunities, the newest first, beginning below the id `after`.
pub async fn list(
    conn: &mut Conn,
    filter: Filter,
    after: Option<Uuid>,
    limit: i64,
) -> QueryResult<Vec<Opportunity>> {
    let mut query = filter.query();
    if let Some(after) = after {
        query = query.filter(opportunities::id.lt(OpportunityId(after)));
    }
    query.order(opportunities::id.desc()).limit(limit).select(Opportunity::as_select()).load(conn).await
}

/// How many opportunities a list has.
pub async fn count(conn: &mut Conn, filter: Filter) -> QueryResult<i64> {
    filter.query().count().get_result(conn).await
}
