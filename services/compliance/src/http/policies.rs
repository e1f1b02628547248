use actix_web::web::{Data, Json};
use bhiv_auth::require::ComplianceRead;
use bhiv_service::Context;
use bhiv_web::{Can, Result};
use serde::Serialize;
use utoipa::ToSchema;

use crate::store::policy::{self, Policy};

/// The rules that events are judged by.
#[derive(Debug, Serialize, ToSchema)]
pub struct Policies {
    /// Every policy, by its id.
    items: Vec<Policy>,
}

pub async fn list(_: Can<ComplianceRead>, compliance: Data<Context>) -> Result<Json<Policies>> {
    let items = policy::all(&mut *compliance.read().await?).await?;
    Ok(Json(Policies { items }))
}
