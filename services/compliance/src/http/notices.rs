use actix_web::web::{Data, Json};
use bhiv_auth::require::{ComplianceAdmin, ComplianceRead};
use bhiv_service::Context;
use bhiv_types::Purpose;
use bhiv_web::{Can, Created, Cursor, Id, Limit, MayAnswer, Page, Problem, Result, Valid, ValidQuery};
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::commands::create_notice::CreateNotice;
use crate::domain::notice::NewNotice;
use crate::store::notice::{self, Filter, Notice};

/// Which notices, and how many of them.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ListNotices {
    /// Those about this purpose.
    purpose: Option<Purpose>,
    /// Those of this version.
    version: Option<String>,
    /// Those in this language.
    language: Option<String>,
    #[serde(default)]
    limit: Limit,
    cursor: Option<Cursor>,
}

pub async fn create(
    who: Can<ComplianceAdmin>,
    _: MayAnswer<409>,
    Valid(new): Valid<NewNotice>,
    compliance: Data<Context>,
) -> Result<Created<Notice>> {
    let notice = compliance.run(who.origin(), CreateNotice(new)).await?;
    Ok(Created::at(format!("/compliance/notices/{}", notice.id), notice))
}

pub async fn list(
    _: Can<ComplianceRead>,
    ValidQuery(query): ValidQuery<ListNotices>,
    compliance: Data<Context>,
) -> Result<Json<Page<Notice>>> {
    let ListNotices { purpose, version, language, limit, cursor } = query;
    let filter = Filter { purpose, version, language };
    let mut conn = compliance.read().await?;
    let found = notice::list(&mut conn, &filter, Cursor::id(cursor), limit.and_one()).await?;
    let total = notice::count(&mut conn, &filter).await?;
    Ok(Json(Page::new(found, limit, total, |notice| notice.id)))
}

pub async fn read(
    _: Can<ComplianceRead>,
    Id(id): Id<Uuid>,
    compliance: Data<Context>,
) -> Result<Json<Notice>> {
    let notice = notice::find(&mut *compliance.read().await?, id).await?;
    notice.map(Json).ok_or_else(|| Problem::not_found(format!("notice/{id}")))
}
