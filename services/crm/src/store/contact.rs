use bhiv_auth::Reach;
use bhiv_db::{Conn, keyset, words};
use bhiv_types::Email;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::domain::ids::{AccountId, ContactId, LeadId};
use crate::domain::owner::Owner;
use crate::schema::contacts;

/// A person that we deal with.
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
#[diesel(table_name = contacts, treat_none_as_default_value = false, treat_none_as_null = true)]
#[expect(clippy::struct_field_names, reason = "do_not_contact is what the field calls it")]
pub struct Contact {
    /// Its id.
    pub id: ContactId,
    /// Grows by one with each change.
    pub version: i64,
    /// The causal story that it began in.
    pub correlation_id: Uuid,
    /// Name of the person.
    pub name: String,
    /// Their e-mail address.
    pub email: Option<Email>,
    /// Their phone number.
    pub phone: Option<String>,
    /// What they do there.
    pub title: Option<String>,
    /// Where they work.
    pub account_id: Option<AccountId>,
    /// The lead that they were.
    pub lead_id: Option<LeadId>,
    /// Whether they asked to be left alone.
    pub do_not_contact: bool,
    /// Who looks after them; null is nobody.
    #[schema(value_type = Option<String>)]
    pub owner: Owner,
    /// The team that does.
    pub team: Option<String>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
}

/// Which contacts a list has.
#[derive(Clone, Debug)]
pub struct Filter {
    /// Those that somebody may see.
    pub reach: Reach,
    /// Those who work there.
    pub account_id: Option<AccountId>,
    /// The one who was this lead.
    pub lead_id: Option<LeadId>,
    /// Those that this user looks after.
    pub owner: Option<String>,
    /// Those that this team looks after.
    pub team: Option<String>,
    /// Those with words in name, e-mail address or title that begin with the words of this text.
    pub text: Option<String>,
    /// None but these, which a search has found already.
    pub ids: Option<Vec<ContactId>>,
}

impl Filter {
    /// All that somebody may see.
    pub fn all(reach: Reach) -> Self {
        Self { reach, account_id: None, lead_id: None, owner: None, team: None, text: None, ids: None }
    }

    fn query(&self) -> contacts::BoxedQuery<'static, diesel::pg::Pg> {
        let mut query = within!(contacts::table.into_boxed(), contacts, &self.reach);
        if let Some(account_id) = self.account_id {
            query = query.filter(contacts::account_id.eq(account_id));
        }
        if let Some(lead_id) = self.lead_id {
            query = query.filter(contacts::lead_id.eq(lead_id));
        }
        if let Some(owner) = &self.owner {
            query = query.filter(contacts::owner.eq(Owner::from(owner.clone())));
        }
        if let Some(team) = &self.team {
            query = query.filter(contacts::team.eq(team.clone()));
        }
        if let Some(text) = &self.text {
            query = query.filter(words!(contacts, text));
        }
        if let Some(ids) = &self.ids {
            query = query.filter(contacts::id.eq_any(ids.clone()));
        }
        query
    }
}

bhiv_db::narrowed!(Filter, contacts);

/// Writes a new contact.
pub async fn insert(conn: &mut Conn, contact: &Contact) -> QueryResult<()> {
    diesel::insert_into(contacts::table).values(contact).execute(conn).await.map(drop)
}

/// The contact, if there is one.
pub async fn find(conn: &mut Conn, id: ContactId) -> QueryResult<Option<Contact>> {
    contacts::table.find(id).select(Contact::as_select()).first(conn).await.optional()
}

/// The contact, locked until the end of the transaction.
pub async fn lock(conn: &mut Conn, id: ContactId) -> QueryResult<Option<Contact>> {
    contacts::table.find(id).select(Contact::as_select()).for_update().first(conn).await.optional()
}

/// Writes a contact that was changed.
pub async fn update(conn: &mut Conn, contact: &Contact) -> QueryResult<()> {
    diesel::update(contact).set(contact).execute(conn).await.map(drop)
}

/// A place in a list, in the order of the list.
#[derive(Clone, Debug)]
pub enum Order {
    /// By when they were made.
    CreatedAt(Option<(DateTime<Utc>, ContactId)>),
    /// By when they were last changed.
    UpdatedAt(Option<(DateTime<Utc>, ContactId)>),
    /// By name.
    Name(Option<(String, ContactId)>),
}

/// Up to `limit` contacts in this order, or the reverse, beginning after the place.
pub async fn list(
    conn: &mut Conn,
    filter: &Filter,
    order: Order,
    descending: bool,
    limit: i64,
) -> QueryResult<Vec<Contact>> {
    let query = filter.query();
    let query = match order {
        Order::CreatedAt(after) => keyset!(query, contacts::created_at, contacts::id, descending, after),
        Order::UpdatedAt(after) => keyset!(query, contacts::updated_at, contacts::id, descending, after),
        Order::Name(after) => keyset!(query, contacts::name, contacts::id, descending, after),
    };
    query.limit(limit).select(Contact::as_select()).load(conn).await
}

/// How many contacts a list has.
pub async fn count(conn: &mut Conn, filter: &Filter) -> QueryResult<i64> {
    filter.query().count().get_result(conn).await
}

/// Contacts with that e-mail address or that phone number; ten at most.
pub async fn reached_by(conn: &mut Conn, email: &Email, phone: Option<&str>) -> QueryResult<Vec<Contact>> {
    let mut found = contacts::table.filter(contacts::email.eq(email.clone())).into_boxed();
    if let Some(phone) = phone {
        found = found.or_filter(contacts::phone.eq(phone.to_owned()));
    }
    found.limit(10).select(Contact::as_select()).load(conn).await
}
