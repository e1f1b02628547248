use bhiv_auth::Reach;
use bhiv_db::{Conn, keyset, words};
use bhiv_types::Currency;
use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::domain::ids::{AccountId, ContactId, LeadId, OpportunityId};
use crate::domain::opportunity::Stage;
use crate::domain::owner::Owner;
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
    /// What it is called.
    #[serde(default)]
    pub name: Option<String>,
    /// The account that would buy.
    #[serde(default)]
    pub account_id: Option<AccountId>,
    /// The person there.
    #[serde(default)]
    pub contact_id: Option<ContactId>,
    /// Who works on it; null is nobody.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub owner: Owner,
    /// The team that does.
    #[serde(default)]
    pub team: Option<String>,
    /// Why it was lost.
    #[serde(default)]
    pub lost_reason: Option<String>,
    /// When it was won or lost.
    #[serde(default)]
    pub closed_at: Option<DateTime<Utc>>,
    /// When it was opened.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
}

/// Which opportunities a list has.
#[derive(Clone, Debug)]
pub struct Filter {
    /// Those that somebody may see.
    pub reach: Reach,
    /// Those of this lead.
    pub lead_id: Option<LeadId>,
    /// Those of this account.
    pub account_id: Option<AccountId>,
    /// Those at this stage.
    pub stage: Option<Stage>,
    /// Those that this user works on.
    pub owner: Option<String>,
    /// Those that this team works on.
    pub team: Option<String>,
    /// Those that should be decided then or later.
    pub closing_from: Option<NaiveDate>,
    /// Those that should be decided before then.
    pub closing_until: Option<NaiveDate>,
    /// Those in this currency.
    pub currency: Option<Currency>,
    /// Those worth that or more.
    pub value_from: Option<Decimal>,
    /// Those worth less than that.
    pub value_until: Option<Decimal>,
    /// Those with words in their name that begin with the words of this text.
    pub text: Option<String>,
    /// None but these, which a search has found already.
    pub ids: Option<Vec<OpportunityId>>,
}

impl Filter {
    /// All that somebody may see.
    pub fn all(reach: Reach) -> Self {
        Self {
            reach,
            lead_id: None,
            account_id: None,
            stage: None,
            owner: None,
            team: None,
            closing_from: None,
            closing_until: None,
            currency: None,
            value_from: None,
            value_until: None,
            text: None,
            ids: None,
        }
    }

    fn query(&self) -> opportunities::BoxedQuery<'static, diesel::pg::Pg> {
        let mut query = within!(opportunities::table.into_boxed(), opportunities, &self.reach);
        if let Some(lead_id) = self.lead_id {
            query = query.filter(opportunities::lead_id.eq(lead_id));
        }
        if let Some(account_id) = self.account_id {
            query = query.filter(opportunities::account_id.eq(account_id));
        }
        if let Some(stage) = self.stage {
            query = query.filter(opportunities::stage.eq(stage));
        }
        if let Some(owner) = &self.owner {
            query = query.filter(opportunities::owner.eq(Owner::from(owner.clone())));
        }
        if let Some(team) = &self.team {
            query = query.filter(opportunities::team.eq(team.clone()));
        }
        if let Some(from) = self.closing_from {
            query = query.filter(opportunities::expected_close_date.ge(from));
        }
        if let Some(until) = self.closing_until {
            query = query.filter(opportunities::expected_close_date.lt(until));
        }
        if let Some(currency) = self.currency {
            query = query.filter(opportunities::currency.eq(currency));
        }
        if let Some(from) = self.value_from {
            query = query.filter(opportunities::value.ge(from));
        }
        if let Some(until) = self.value_until {
            query = query.filter(opportunities::value.lt(until));
        }
        if let Some(text) = &self.text {
            query = query.filter(words!(opportunities, text));
        }
        if let Some(ids) = &self.ids {
            query = query.filter(opportunities::id.eq_any(ids.clone()));
        }
        query
    }
}

bhiv_db::narrowed!(Filter, opportunities);

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

/// A place in a list, in the order of the list.
#[derive(Clone, Debug)]
pub enum Order {
    /// By when they were opened.
    CreatedAt(Option<(DateTime<Utc>, OpportunityId)>),
    /// By when they were last changed.
    UpdatedAt(Option<(DateTime<Utc>, OpportunityId)>),
    /// By value, whatever the currency.
    Value(Option<(Decimal, OpportunityId)>),
}

/// Up to `limit` opportunities in this order, or the reverse, beginning after the place.
pub async fn list(
    conn: &mut Conn,
    filter: &Filter,
    order: Order,
    descending: bool,
    limit: i64,
) -> QueryResult<Vec<Opportunity>> {
    let query = filter.query();
    let query = match order {
        Order::CreatedAt(after) => {
            keyset!(query, opportunities::created_at, opportunities::id, descending, after)
        }
        Order::UpdatedAt(after) => {
            keyset!(query, opportunities::updated_at, opportunities::id, descending, after)
        }
        Order::Value(after) => keyset!(query, opportunities::value, opportunities::id, descending, after),
    };
    query.limit(limit).select(Opportunity::as_select()).load(conn).await
}

/// How many opportunities a list has.
pub async fn count(conn: &mut Conn, filter: &Filter) -> QueryResult<i64> {
    filter.query().count().get_result(conn).await
}
