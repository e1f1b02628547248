use bhiv_db::Conn;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::domain::account::{AccountStatus, AccountType};
use crate::domain::ids::AccountId;
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
    /// When it was opened.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
}

/// Which accounts a list has.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Those with this status.
    pub status: Option<AccountStatus>,
    /// Those of this type.
    pub r#type: Option<AccountType>,
    /// Those that belong to this one.
    pub parent_id: Option<AccountId>,
    /// Those with this text in their name.
    pub text: Option<String>,
}

impl Filter {
    fn query(&self) -> accounts::BoxedQuery<'static, diesel::pg::Pg> {
        let mut query = accounts::table.into_boxed();
        if let Some(status) = self.status {
            query = query.filter(accounts::status.eq(status));
        }
        if let Some(r#type) = self.r#type {
            query = query.filter(accounts::type_.eq(r#type));
        }
        if let Some(parent_id) = self.parent_id {
            query = query.filter(accounts::parent_id.eq(parent_id));
        }
        if let Some(text) = &self.text {
            query = query.filter(accounts::name.ilike(bhiv_db::contains(text)));
        }
        query
    }
}

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

/// Up to `limit` accounts, the newest first, beginning below the id `after`.
pub async fn list(
    conn: &mut Conn,
    filter: &Filter,
    after: Option<Uuid>,
    limit: i64,
) -> QueryResult<Vec<Account>> {
    let mut query = filter.query();
    if let Some(after) = after {
        query = query.filter(accounts::id.lt(AccountId(after)));
    }
    query.order(accounts::id.desc()).limit(limit).select(Account::as_select()).load(conn).await
}

/// How many accounts a list has.
pub async fn count(conn: &mut Conn, filter: &Filter) -> QueryResult<i64> {
    filter.query().count().get_result(conn).await
}
