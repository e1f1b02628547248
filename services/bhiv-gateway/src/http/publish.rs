use actix_web::web::Data;
use bhiv_auth::require::GatewayWrite;
use bhiv_service::Context;
use bhiv_web::{Can, Created, Result, Valid};

use crate::commands::publish_event::{PublishEvent, Published};
use crate::domain::custom::NewCustom;

pub async fn publish(
    who: Can<GatewayWrite>,
    Valid(new): Valid<NewCustom>,
    gateway: Data<Context>,
) -> Result<Created<Published>> {
    let published = gateway.run(who.origin(), PublishEvent(new)).await?;
    Ok(Created::at(format!("/event/events/{}", published.id), published))
}
