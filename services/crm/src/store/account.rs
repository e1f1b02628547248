use bhiv_auth::Reach;
use bhiv_db::{Conn, keyset, words};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::domain::account::{AccountStatus, AccountType};
use crate::domain::ids::AccountId;
use crate::domain::owner::Owner;
use crate::schema::accounts;

/// An account.
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
#[diesel(table_name = accounts, treat_none_as_default_value = false, treat_none_as_null = true)]
pub struct Account {
    /// Its id.
    pub id: AccountId,
    /// Grows by one with each change.
    pub version: i64,
    /// The causal story that it began in.
    pub correlation_id: Uuid,
    /// Its name.
    pub name: String,
    /// What it is to us.
    #[diesel(column_name = type_)]
    pub r#type: AccountType,
    /// Whether we deal with it.
    pub status: AccountStatus,
    /// Where it is.
    pub territory: Option<String>,
    /// The account that it belongs to.
    pub parent_id: Option<AccountId>,
    /// What orders call it.
    pub customer_id: Option<String>,
    /// Where they are on the web.
    #[serde(default)]
    pub website: Option<String>,
    /// Who works on it; null is nobody.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub owner: Owner,
    /// The team that does.
    #[serde(default)]
    pub team: Option<String>,
    /// When it was opened.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
}

/// Which accounts a list has.
#[derive(Clone, Debug)]
pub struct Filter {
    /// Those that somebody may see.
    pub reach: Reach,
    /// Those with this status.
    pub status: Option<AccountStatus>,
    /// Those of this type.
    pub r#type: Option<AccountType>,
    /// Those that belong to this one.
    pub parent_id: Option<AccountId>,
    /// Those that are there.
    pub territory: Option<String>,
    /// The one that orders call by this name.
    pub customer_id: Option<String>,
    /// Those that this user works on.
    pub owner: Option<String>,
    /// Those that this team works on.
    pub team: Option<String>,
    /// Those with words in name, website or customer id that begin with the words of this text.
    pub text: Option<String>,
    /// None but these, which a search has found already.
    pub ids: Option<Vec<AccountId>>,
}

impl Filter {
    /// All that somebody may see.
    pub fn all(reach: Reach) -> Self {
        Self {
            reach,
            status: None,
            r#type: None,
            parent_id: None,
            territory: None,
            customer_id: None,
            owner: None,
            team: None,
            text: None,
            ids: None,
        }
    }

    fn query(&self) -> accounts::BoxedQuery<'static, diesel::pg::Pg> {
        let mut query = within!(accounts::table.into_boxed(), accounts, &self.reach);
        if let Some(status) = self.status {
            query = query.filter(accounts::status.eq(status));
        }
        if let Some(r#type) = self.r#type {
            query = query.filter(accounts::type_.eq(r#type));
        }
        if let Some(parent_id) = self.parent_id {
            query = query.filter(accounts::parent_id.eq(parent_id));
        }
        if let Some(territory) = &self.territory {
            query = query.filter(accounts::territory.eq(territory.clone()));
        }
        if let Some(customer_id) = &self.customer_id {
            query = query.filter(accounts::customer_id.eq(customer_id.clone()));
        }
        if let Some(owner) = &self.owner {
            query = query.filter(accounts::owner.eq(Owner::from(owner.clone())));
        }
        if let Some(team) = &self.team {
            query = query.filter(accounts::team.eq(team.clone()));
        }
        if let Some(text) = &self.text {
            query = query.filter(words!(accounts, text));
        }
        if let Some(ids) = &self.ids {
            query = query.filter(accounts::id.eq_any(ids.clone()));
        }
        query
    }
}

bhiv_db::narrowed!(Filter, accounts);

/// Writes a new account.
pub async fn insert(conn: &mut Conn, account: &Account) -> QueryResult<()> {
    diesel::insert_into(accounts::table).values(account).execute(conn).await.map(drop)
}

/// The account, if there is one.
pub async fn find(conn: &mut Conn, id: AccountId) -> QueryResult<Option<Account>> {
    accounts::table.find(id).select(Account::as_select()).first(conn).await.optional()
}

/// The account, locked until the end of the transaction.
pub async fn lock(conn: &mut Conn, id: AccountId) -> QueryResult<Option<Account>> {
    accounts::table.find(id).select(Account::as_select()).for_update().first(conn).await.optional()
}

/// The account that orders call by this name.
pub async fn of_customer(conn: &mut Conn, customer_id: &str) -> QueryResult<Option<Account>> {
    let row = accounts::table.filter(accounts::customer_id.eq(customer_id));
    row.select(Account::as_select()).first(conn).await.optional()
}

/// Writes an account that was changed.
pub async fn update(conn: &mut Conn, account: &Account) -> QueryResult<()> {
    diesel::update(account).set(account).execute(conn).await.map(drop)
}

/// A place in a list, in the order of the list.
#[derive(Clone, Debug)]
pub enum Order {
    /// By when they were opened.
    CreatedAt(Option<(DateTime<Utc>, AccountId)>),
    /// By when they were last changed.
    UpdatedAt(Option<(DateTime<Utc>, AccountId)>),
    /// By name.
    Name(Option<(String, AccountId)>),
}

/// Up to `limit` accounts in this order, or the reverse, beginning after the place.
pub async fn list(
    conn: &mut Conn,
    filter: &Filter,
    order: Order,
    descending: bool,
    limit: i64,
) -> QueryResult<Vec<Account>> {
    let query = filter.query();
    let query = match order {
        Order::CreatedAt(after) => keyset!(query, accounts::created_at, accounts::id, descending, after),
        Order::UpdatedAt(after) => keyset!(query, accounts::updated_at, accounts::id, descending, after),
        Order::Name(after) => keyset!(query, accounts::name, accounts::id, descending, after),
    };
    query.limit(limit).select(Account::as_select()).load(conn).await
}

/// How many accounts a list has.
pub async fn count(conn: &mut Conn, filter: &Filter) -> QueryResult<i64> {
    filter.query().count().get_result(conn).await
}

/// The account and those that it belongs to, one after the other; at most `most`. Whoever changes what belongs to
/// what locks all of them, so that no two changes make a circle together.
pub async fn line(conn: &mut Conn, id: AccountId, most: usize) -> QueryResult<Vec<AccountId>> {
    let mut line = vec![id];
    let mut next = Some(id);
    while let Some(id) = next {
        let parent = accounts::table.find(id).select(accounts::parent_id).for_update();
        next = parent.first::<Option<AccountId>>(conn).await.optional()?.flatten();
        line.extend(next);
        if line.len() > most {
            break;
        }
    }
    Ok(line)
}

/// Accounts that are called that, whatever the case; ten at most.
pub async fn named(conn: &mut Conn, name: &str) -> QueryResult<Vec<Account>> {
    let called = diesel::dsl::sql::<diesel::sql_types::Bool>("lower(accounts.name) = lower(")
        .bind::<diesel::sql_types::Text, _>(name.trim().to_owned())
        .sql(")");
    accounts::table.filter(called).limit(10).select(Account::as_select()).load(conn).await
}

/// Those that belong to one of these and that somebody may see, by name; `limit` at most.
pub async fn below(
    conn: &mut Conn,
    parents: &[AccountId],
    reach: &Reach,
    limit: i64,
) -> QueryResult<Vec<Account>> {
    let below = within!(accounts::table.into_boxed(), accounts, reach);
    below
        .filter(accounts::parent_id.eq_any(parents.to_vec()))
        .order((accounts::name, accounts::id))
        .limit(limit)
        .select(Account::as_select())
        .load(conn)
        .await
}
