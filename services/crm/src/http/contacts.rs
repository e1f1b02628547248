use actix_web::web::{Data, Json};
use bhiv_auth::Reach;
use bhiv_auth::require::{CrmRead, CrmWrite};
use bhiv_db::Conn;
use bhiv_service::Context;
use bhiv_web::history::{self, AsOf, Change, ListHistory};
use bhiv_web::{Bulk, Can, Created, Cursor, Id, Ids, Limit, Page, Problem, Result, Sort, Valid, ValidQuery};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::commands::By;
use crate::commands::create_contact::CreateContact;
use crate::commands::patch_contact::PatchContact;
use crate::domain::contact::{ContactChange, NewContact};
use crate::domain::ids::{AccountId, ContactId, LeadId};
use crate::store::Owned as _;
use crate::store::contact::{self, Contact, Filter, Order};

/// What contacts can be sorted by.
#[derive(Clone, Copy, Debug, strum::EnumString, strum::VariantNames)]
#[strum(serialize_all = "snake_case")]
pub enum ContactSort {
    CreatedAt,
    UpdatedAt,
    Name,
}

/// A field, or its reverse.
type ContactOrder = Sort<ContactSort>;

/// Which contacts, and how many of them.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ListContacts {
    /// Those who work there.
    account_id: Option<AccountId>,
    /// The one who was this lead.
    lead_id: Option<LeadId>,
    /// Those that this user looks after.
    owner: Option<String>,
    /// Those that this team looks after.
    team: Option<String>,
    /// Those with words in name, e-mail address or title that begin with the words of this text.
    #[schema(min_length = 1, max_length = 200)]
    q: Option<String>,
    /// In this order; the newest first, unless it says otherwise.
    sort: Option<ContactOrder>,
    #[serde(default)]
    limit: Limit,
    cursor: Option<Cursor>,
}

pub async fn create(
    who: Can<CrmWrite>,
    Valid(new): Valid<NewContact>,
    crm: Data<Context>,
) -> Result<Created<Contact>> {
    let create = CreateContact { new, lead_id: None, by: By::from(&*who.caller) };
    let contact = crm.run(who.origin(), create).await?;
    Ok(Created::at(format!("/crm/contacts/{}", contact.id), contact))
}

pub async fn list(
    who: Can<CrmRead>,
    ValidQuery(query): ValidQuery<ListContacts>,
    crm: Data<Context>,
) -> Result<Json<Page<Contact>>> {
    let ListContacts { account_id, lead_id, owner, team, q, sort, limit, cursor } = query;
    let filter = Filter { reach: who.reach(), account_id, lead_id, owner, team, text: q, ids: None };
    let Sort { by, descending } = sort.unwrap_or(Sort { by: ContactSort::CreatedAt, descending: true });
    let order = match by {
        ContactSort::CreatedAt => Order::CreatedAt(Cursor::place(cursor)?),
        ContactSort::UpdatedAt => Order::UpdatedAt(Cursor::place(cursor)?),
        ContactSort::Name => Order::Name(Cursor::place(cursor)?),
    };
    let place = |contact: &Contact| match by {
        ContactSort::CreatedAt => Cursor::at(&contact.created_at, contact.id),
        ContactSort::UpdatedAt => Cursor::at(&contact.updated_at, contact.id),
        ContactSort::Name => Cursor::at(&contact.name, contact.id),
    };
    let mut conn = crm.read().await?;
    let total = contact::count(&mut conn, &filter).await?;
    let filter = filter.narrowed(&mut conn, total).await?;
    let found = contact::list(&mut conn, &filter, order, descending, limit.and_one()).await?;
    Ok(Json(Page::new(found, limit, total, place)))
}

/// The contact, if the caller may see it.
async fn seen(conn: &mut Conn, id: ContactId, reach: &Reach) -> Result<Contact> {
    let contact = contact::find(conn, id).await?.and_then(|contact| contact.within(reach));
    contact.ok_or_else(|| Problem::not_found(format!("contact/{id}")))
}

pub async fn read(
    who: Can<CrmRead>,
    Id(id): Id<ContactId>,
    ValidQuery(AsOf { as_of }): ValidQuery<AsOf>,
    crm: Data<Context>,
) -> Result<Json<Contact>> {
    let mut conn = crm.read().await?;
    let contact = seen(&mut conn, id, &who.reach()).await?;
    match as_of {
        Some(at) => history::as_of(&mut conn, &format!("contact/{id}"), at).await.map(Json),
        None => Ok(Json(contact)),
    }
}

pub async fn history(
    who: Can<CrmRead>,
    Id(id): Id<ContactId>,
    ValidQuery(query): ValidQuery<ListHistory>,
    crm: Data<Context>,
) -> Result<Json<Page<Change>>> {
    let mut conn = crm.read().await?;
    seen(&mut conn, id, &who.reach()).await?;
    history::changes(&mut conn, &format!("contact/{id}"), query).await.map(Json)
}

pub async fn patch(
    who: Can<CrmWrite>,
    Id(id): Id<ContactId>,
    Valid(change): Valid<ContactChange>,
    crm: Data<Context>,
) -> Result<Json<Contact>> {
    let by = By::from(&*who.caller);
    Ok(Json(crm.run(who.origin(), PatchContact { id, change, by }).await?))
}

/// The same change to many contacts.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeContacts {
    /// Which.
    ids: Ids,
    /// What changes.
    change: ContactChange,
}

pub async fn bulk(
    who: Can<CrmWrite>,
    Valid(ChangeContacts { ids, change }): Valid<ChangeContacts>,
    crm: Data<Context>,
) -> Result<Json<Bulk>> {
    let by = By::from(&*who.caller);
    let command = |id| (id, PatchContact { id: ContactId(id), change: change.clone(), by: by.clone() });
    Ok(Json(crm.run_each(&who.origin(), ids.0.into_iter().map(command).collect()).await))
}
