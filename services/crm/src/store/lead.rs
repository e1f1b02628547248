use bhiv_auth::Reach;
use bhiv_db::{Conn, keyset, words};
use bhiv_types::Email;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::domain::ids::LeadId;
use crate::domain::lead::{Authority, LeadStatus};
use crate::domain::owner::Owner;
use crate::schema::leads;

/// A lead.
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
#[diesel(table_name = leads, treat_none_as_default_value = false, treat_none_as_null = true)]
pub struct Lead {
    /// Its id.
    pub id: LeadId,
    /// Grows by one with each change.
    pub version: i64,
    /// The causal story that it began.
    pub correlation_id: Uuid,
    /// Name of the person.
    pub name: String,
    /// Their e-mail address.
    pub email: Email,
    /// Their phone number.
    pub phone: Option<String>,
    /// Their company.
    pub company: Option<String>,
    /// Where the lead came from.
    pub source: Option<String>,
    /// What they can spend.
    pub budget: Option<Decimal>,
    /// What they want.
    pub need: Option<String>,
    /// When they want it.
    pub timeline: Option<String>,
    /// What they may decide.
    #[serde(default)]
    pub authority: Option<Authority>,
    /// What they agreed to when the lead was made; compliance knows what holds now.
    pub consent_purposes: Vec<String>,
    /// Who works on it; null is nobody.
    #[schema(value_type = Option<String>)]
    pub owner: Owner,
    /// The team that does.
    #[serde(default)]
    pub team: Option<String>,
    /// Where it stands.
    pub status: LeadStatus,
    /// Predicted chance that it is won, 0 to 1; null until it is scored.
    pub score: Option<f64>,
    /// When it came in.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
    /// When it was archived.
    #[serde(default)]
    pub archived_at: Option<DateTime<Utc>>,
    /// The lead that it was merged into, being the same person.
    #[serde(default)]
    pub merged_into: Option<LeadId>,
}

impl Lead {
    /// What is missing for it to be qualified.
    pub fn lacks(&self) -> Vec<&'static str> {
        crate::domain::lead::lacks([
            self.budget.is_some(),
            self.authority.is_some(),
            self.need.is_some(),
            self.timeline.is_some(),
        ])
    }
}

/// Which leads a list has.
#[derive(Clone, Debug)]
pub struct Filter {
    /// Those that somebody may see.
    pub reach: Reach,
    /// Those that stand there.
    pub status: Option<LeadStatus>,
    /// Those that came from there.
    pub source: Option<String>,
    /// Those that this user works on.
    pub owner: Option<String>,
    /// Those that this team works on.
    pub team: Option<String>,
    /// Those that came in then or later.
    pub from: Option<DateTime<Utc>>,
    /// Those that came in before then.
    pub until: Option<DateTime<Utc>>,
    /// Those that are archived, instead of those that are not.
    pub archived: bool,
    /// Those with words in name, company or e-mail address that begin with the words of this text.
    pub text: Option<String>,
    /// None but these, which a search has found already.
    pub ids: Option<Vec<LeadId>>,
}

impl Filter {
    /// All that somebody may see.
    pub fn all(reach: Reach) -> Self {
        Self {
            reach,
            status: None,
            source: None,
            owner: None,
            team: None,
            from: None,
            until: None,
            archived: false,
            text: None,
            ids: None,
        }
    }

    fn query(&self) -> leads::BoxedQuery<'static, diesel::pg::Pg> {
        let mut query = within!(leads::table.into_boxed(), leads, &self.reach);
        query = if self.archived {
            query.filter(leads::archived_at.is_not_null())
        } else {
            query.filter(leads::archived_at.is_null())
        };
        if let Some(status) = self.status {
            query = query.filter(leads::status.eq(status));
        }
        if let Some(source) = &self.source {
            query = query.filter(leads::source.eq(source.clone()));
        }
        if let Some(owner) = &self.owner {
            query = query.filter(leads::owner.eq(Owner::from(owner.clone())));
        }
        if let Some(team) = &self.team {
            query = query.filter(leads::team.eq(team.clone()));
        }
        if let Some(from) = self.from {
            query = query.filter(leads::created_at.ge(from));
        }
        if let Some(until) = self.until {
            query = query.filter(leads::created_at.lt(until));
        }
        if let Some(text) = &self.text {
            query = query.filter(words!(leads, text));
        }
        if let Some(ids) = &self.ids {
            query = query.filter(leads::id.eq_any(ids.clone()));
        }
        query
    }
}

bhiv_db::narrowed!(Filter, leads);

/// The lead, if there is one.
pub async fn find(conn: &mut Conn, id: LeadId) -> QueryResult<Option<Lead>> {
    leads::table.find(id).select(Lead::as_select()).first(conn).await.optional()
}

/// The lead, locked until the end of the transaction.
pub async fn lock(conn: &mut Conn, id: LeadId) -> QueryResult<Option<Lead>> {
    leads::table.find(id).select(Lead::as_select()).for_update().first(conn).await.optional()
}

/// The lead, which is not removed before the end of the transaction.
pub async fn hold(conn: &mut Conn, id: LeadId) -> QueryResult<Option<Lead>> {
    leads::table.find(id).select(Lead::as_select()).for_key_share().first(conn).await.optional()
}

/// Writes a lead that was changed.
pub async fn update(conn: &mut Conn, lead: &Lead) -> QueryResult<()> {
    diesel::update(lead).set(lead).execute(conn).await.map(drop)
}

/// A place in a list, in the order of the list.
#[derive(Clone, Debug)]
pub enum Order {
    /// By when they came in.
    CreatedAt(Option<(DateTime<Utc>, LeadId)>),
    /// By when they were last changed.
    UpdatedAt(Option<(DateTime<Utc>, LeadId)>),
    /// By name.
    Name(Option<(String, LeadId)>),
}

/// Up to `limit` leads in this order, or the reverse, beginning after the place.
pub async fn list(
    conn: &mut Conn,
    filter: &Filter,
    order: Order,
    descending: bool,
    limit: i64,
) -> QueryResult<Vec<Lead>> {
    let query = filter.query();
    let query = match order {
        Order::CreatedAt(after) => keyset!(query, leads::created_at, leads::id, descending, after),
        Order::UpdatedAt(after) => keyset!(query, leads::updated_at, leads::id, descending, after),
        Order::Name(after) => keyset!(query, leads::name, leads::id, descending, after),
    };
    query.limit(limit).select(Lead::as_select()).load(conn).await
}

/// How many leads a list has.
pub async fn count(conn: &mut Conn, filter: &Filter) -> QueryResult<i64> {
    filter.query().count().get_result(conn).await
}
