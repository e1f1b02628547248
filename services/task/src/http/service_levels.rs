use actix_web::web::{Data, Json};
use bhiv_auth::require::{TaskAdmin, TaskRead};
use bhiv_service::Context;
use bhiv_types::Priority;
use bhiv_web::{Can, NoContent, Result, Segment, Valid};
use serde::Serialize;
use utoipa::ToSchema;

use crate::commands::promise::{DeleteServiceLevel, PutServiceLevel};
use crate::domain::service_level::NewServiceLevel;
use crate::store::service_level::{self, ServiceLevel};

/// What is promised.
#[derive(Debug, Serialize, ToSchema)]
pub struct ServiceLevels {
    /// One for each priority that something is promised of.
    items: Vec<ServiceLevel>,
}

pub async fn list(_: Can<TaskRead>, service: Data<Context>) -> Result<Json<ServiceLevels>> {
    Ok(Json(ServiceLevels { items: service_level::all(&mut *service.read().await?).await? }))
}

pub async fn put(
    who: Can<TaskAdmin>,
    Segment(priority): Segment<Priority>,
    Valid(new): Valid<NewServiceLevel>,
    service: Data<Context>,
) -> Result<Json<ServiceLevel>> {
    Ok(Json(service.run(who.origin(), PutServiceLevel { priority, new }).await?))
}

pub async fn delete(
    who: Can<TaskAdmin>,
    Segment(priority): Segment<Priority>,
    service: Data<Context>,
) -> Result<NoContent> {
    service.run(who.origin(), DeleteServiceLevel(priority)).await?;
    Ok(NoContent)
}
