use actix_web::web::{Data, Json};
use bhiv_auth::require::{CrmRead, CrmWrite};
use bhiv_service::Context;
use bhiv_web::{Can, Created, Cursor, Id, Limit, Page, Problem, Result, Valid, ValidQuery};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::commands::create_account::CreateAccount;
use crate::commands::patch_account::PatchAccount;
use crate::domain::account::{AccountChange, AccountStatus, AccountType, NewAccount};
use crate::domain::ids::AccountId;
use crate::store::account::{self, Account, Filter};

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
    /// Those with this text in their name.
    #[schema(min_length = 1, max_length = 200)]
    q: Option<String>,
    #[serde(default)]
    limit: Limit,
    cursor: Option<Cursor>,
}

pub async fn create(
    who: Can<CrmWrite>,
    Valid(new): Valid<NewAccount>,
    crm: Data<Context>,
) -> Result<Created<Account>> {
    let account = crm.run(who.origin(), CreateAccount(new)).await?;
    Ok(Created::at(format!("/crm/accounts/{}", account.id), account))
}

pub async fn list(
    _: Can<CrmRead>,
    ValidQuery(query): ValidQuery<ListAccounts>,
    crm: Data<Context>,
) -> Result<Json<Page<Account>>> {
    let ListAccounts { status, r#type, parent_id, q, limit, cursor } = query;
    let filter = Filter { status, r#type, parent_id, text: q };
    let mut conn = crm.read().await?;
    let found = account::list(&mut conn, &filter, Cursor::id(cursor), limit.and_one()).await?;
    let total = account::count(&mut conn, &filter).await?;
    Ok(Json(Page::new(found, limit, total, |account| account.id.0)))
}

pub async fn read(_: Can<CrmRead>, Id(id): Id<AccountId>, crm: Data<Context>) -> Result<Json<Account>> {
    let account = account::find(&mut *crm.read().await?, id).await?;
    account.map(Json).ok_or_else(|| Problem::not_found(format!("account/{id}")))
}

pub async fn patch(
    who: Can<CrmWrite>,
    Id(id): Id<AccountId>,
    Valid(change): Valid<AccountChange>,
    crm: Data<Context>,
) -> Result<Json<Account>> {
    Ok(Json(crm.run(who.origin(), PatchAccount { id, change }).await?))
}
