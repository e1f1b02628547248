use actix_web::web::{Data, Json};
use bhiv_auth::Reach;
use bhiv_auth::require::{CrmRead, CrmWrite};
use bhiv_db::Conn;
use bhiv_service::Context;
use bhiv_web::history::{self, AsOf, Change, ListHistory};
use bhiv_web::{Bulk, Can, Created, Cursor, Id, Ids, Limit, Page, Problem, Result, Sort, Valid, ValidQuery};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::commands::By;
use crate::commands::create_account::CreateAccount;
use crate::commands::patch_account::PatchAccount;
use crate::domain::account::{AccountChange, AccountStatus, AccountType, NewAccount};
use crate::domain::ids::AccountId;
use crate::store::Owned as _;
use crate::store::account::{self, Account, Filter, Order};

/// What accounts can be sorted by.
#[derive(Clone, Copy, Debug, strum::EnumString, strum::VariantNames)]
#[strum(serialize_all = "snake_case")]
pub enum AccountSort {
    CreatedAt,
    UpdatedAt,
    Name,
}

/// A field, or its reverse.
type AccountOrder = Sort<AccountSort>;

/// Which accounts, and how many of them.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ListAccounts {
    /// Those with this status.
    status: Option<AccountStatus>,
    /// Those of this type.
    r#type: Option<AccountType>,
    /// Those that belong to this one.
    parent_id: Option<AccountId>,
    /// Those that are there.
    territory: Option<String>,
    /// The one that orders call by this name.
    customer_id: Option<String>,
    /// Those that this user works on.
    owner: Option<String>,
    /// Those that this team works on.
    team: Option<String>,
    /// Those with words in name, website or customer id that begin with the words of this text.
    #[schema(min_length = 1, max_length = 200)]
    q: Option<String>,
    /// In this order; the newest first, unless it says otherwise.
    sort: Option<AccountOrder>,
    #[serde(default)]
    limit: Limit,
    cursor: Option<Cursor>,
}

pub async fn create(
    who: Can<CrmWrite>,
    Valid(new): Valid<NewAccount>,
    crm: Data<Context>,
) -> Result<Created<Account>> {
    let create = CreateAccount { new, by: By::from(&*who.caller) };
    let account = crm.run(who.origin(), create).await?;
    Ok(Created::at(format!("/crm/accounts/{}", account.id), account))
}

pub async fn list(
    who: Can<CrmRead>,
    ValidQuery(query): ValidQuery<ListAccounts>,
    crm: Data<Context>,
) -> Result<Json<Page<Account>>> {
    let ListAccounts {
        status,
        r#type,
        parent_id,
        territory,
        customer_id,
        owner,
        team,
        q,
        sort,
        limit,
        cursor,
    } = query;
    let filter = Filter {
        reach: who.reach(),
        status,
        r#type,
        parent_id,
        territory,
        customer_id,
        owner,
        team,
        text: q,
        ids: None,
    };
    let Sort { by, descending } = sort.unwrap_or(Sort { by: AccountSort::CreatedAt, descending: true });
    let order = match by {
        AccountSort::CreatedAt => Order::CreatedAt(Cursor::place(cursor)?),
        AccountSort::UpdatedAt => Order::UpdatedAt(Cursor::place(cursor)?),
        AccountSort::Name => Order::Name(Cursor::place(cursor)?),
    };
    let place = |account: &Account| match by {
        AccountSort::CreatedAt => Cursor::at(&account.created_at, account.id),
        AccountSort::UpdatedAt => Cursor::at(&account.updated_at, account.id),
        AccountSort::Name => Cursor::at(&account.name, account.id),
    };
    let mut conn = crm.read().await?;
    let total = account::count(&mut conn, &filter).await?;
    let filter = filter.narrowed(&mut conn, total).await?;
    let found = account::list(&mut conn, &filter, order, descending, limit.and_one()).await?;
    Ok(Json(Page::new(found, limit, total, place)))
}

/// The account, if the caller may see it.
async fn seen(conn: &mut Conn, id: AccountId, reach: &Reach) -> Result<Account> {
    let account = account::find(conn, id).await?.and_then(|account| account.within(reach));
    account.ok_or_else(|| Problem::not_found(format!("account/{id}")))
}

pub async fn read(
    who: Can<CrmRead>,
    Id(id): Id<AccountId>,
    ValidQuery(AsOf { as_of }): ValidQuery<AsOf>,
    crm: Data<Context>,
) -> Result<Json<Account>> {
    let mut conn = crm.read().await?;
    let account = seen(&mut conn, id, &who.reach()).await?;
    match as_of {
        Some(at) => history::as_of(&mut conn, &format!("account/{id}"), at).await.map(Json),
        None => Ok(Json(account)),
    }
}

pub async fn history(
    who: Can<CrmRead>,
    Id(id): Id<AccountId>,
    ValidQuery(query): ValidQuery<ListHistory>,
    crm: Data<Context>,
) -> Result<Json<Page<Change>>> {
    let mut conn = crm.read().await?;
    seen(&mut conn, id, &who.reach()).await?;
    history::changes(&mut conn, &format!("account/{id}"), query).await.map(Json)
}

pub async fn patch(
    who: Can<CrmWrite>,
    Id(id): Id<AccountId>,
    Valid(change): Valid<AccountChange>,
    crm: Data<Context>,
) -> Result<Json<Account>> {
    let by = By::from(&*who.caller);
    Ok(Json(crm.run(who.origin(), PatchAccount { id, change, by }).await?))
}

/// The same change to many accounts.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeAccounts {
    /// Which.
    ids: Ids,
    /// What changes.
    change: AccountChange,
}

pub async fn bulk(
    who: Can<CrmWrite>,
    Valid(ChangeAccounts { ids, change }): Valid<ChangeAccounts>,
    crm: Data<Context>,
) -> Result<Json<Bulk>> {
    let by = By::from(&*who.caller);
    let command = |id| (id, PatchAccount { id: AccountId(id), change: change.clone(), by: by.clone() });
    Ok(Json(crm.run_each(&who.origin(), ids.0.into_iter().map(command).collect()).await))
}

/// How many accounts a tree shows.
const MOST: usize = 500;
/// How many accounts stand above one another in it.
const DEPTH: usize = 20;

/// An account among those that it belongs to and those that belong to it.
#[derive(Debug, Serialize, ToSchema)]
pub struct AccountTree {
    /// What it belongs to, the topmost first, as far as the caller may see it.
    above: Vec<Account>,
    /// The account.
    account: Account,
    /// What belongs to it: level by level, each by name; `parent_id` says to which.
    below: Vec<Account>,
    /// Whether there is more below than is shown.
    truncated: bool,
}

pub async fn tree(who: Can<CrmRead>, Id(id): Id<AccountId>, crm: Data<Context>) -> Result<Json<AccountTree>> {
    let (mut conn, reach) = (crm.read().await?, who.reach());
    let account = seen(&mut conn, id, &reach).await?;
    let (mut above, mut next) = (Vec::new(), account.parent_id);
    while let Some(id) = next.filter(|_| above.len() < DEPTH) {
        let parent = account::find(&mut conn, id).await?.and_then(|parent| parent.within(&reach));
        next = parent.as_ref().and_then(|parent| parent.parent_id);
        above.extend(parent);
    }
    above.reverse();
    let (mut below, mut level, mut depth) = (Vec::<Account>::new(), vec![id], 0);
    while !level.is_empty() && below.len() <= MOST && depth < DEPTH {
        let limit = i64::try_from(MOST + 1 - below.len()).unwrap_or(1);
        let found = account::below(&mut conn, &level, &reach, limit).await?;
        level = found.iter().map(|account| account.id).collect();
        below.extend(found);
        depth += 1;
    }
    let truncated = below.len() > MOST || (depth == DEPTH && !level.is_empty());
    below.truncate(MOST);
    Ok(Json(AccountTree { above, account, below, truncated }))
}
