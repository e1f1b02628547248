use actix_web::web::{Data, Json};
use aws_lc_rs::rand;
use bhiv_auth::require::{GatewayRead, GatewayWrite};
use bhiv_auth::{Caller, Permission};
use bhiv_service::Context;
use bhiv_web::{Can, Created, Cursor, Id, Limit, NoContent, Page, Problem, Result, Valid, ValidQuery, codes};
use bhiv_webhook::{CallbackUrl, Sender, secret};
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::commands::change_subscription::{ChangeSubscription, NoSubscription, OneOf};
use crate::commands::rotate_secret::RotateSecret;
use crate::commands::subscribe::{Subscribe, WithSecret};
use crate::commands::test_subscription::{TestSent, TestSubscription};
use crate::commands::unsubscribe::Unsubscribe;
use crate::config::WebhookSettings;
use crate::domain::visible::is_admin;
use crate::domain::webhook::{NewSubscription, SubscriptionChange};
use crate::store::subscription::{self, Owner, Subscription};
use crate::store::webhook::{self, Attempt};
use crate::webhooks::Doorbell;

/// How many.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ListThem {
    #[serde(default)]
    limit: Limit,
    cursor: Option<Cursor>,
}

pub async fn create(
    who: Can<GatewayWrite>,
    Valid(new): Valid<NewSubscription>,
    gateway: Data<Context>,
    sender: Data<Sender>,
    settings: Data<WebhookSettings>,
) -> Result<Created<WithSecret>> {
    check(&sender, Some(&new.callback_url))?;
    let Caller { id, roles, scope, team, .. } = (*who.caller).clone();
    let texts = |scope: Vec<Permission>| scope.iter().map(Permission::to_string).collect();
    let roles = roles.iter().map(|role| role.name().to_owned()).collect();
    let owner = Owner { id, roles, scope: scope.map(texts), team };
    let command = Subscribe { owner, new, secret: new_secret()?, most: settings.webhooks_per_user };
    let made = gateway.run(who.origin(), command).await?;
    Ok(Created::at(format!("/event/subscribe/{}", made.subscription.id), made))
}

pub async fn list(
    who: Can<GatewayRead>,
    ValidQuery(ListThem { limit, cursor }): ValidQuery<ListThem>,
    gateway: Data<Context>,
) -> Result<Json<Page<Subscription>>> {
    let owner = owner(&who.caller);
    let mut conn = gateway.read().await?;
    let after = Cursor::id(cursor);
    let found = subscription::list(&mut conn, owner.as_deref(), after, limit.and_one()).await?;
    let total = subscription::count(&mut conn, owner.as_deref()).await?;
    Ok(Json(Page::new(found, limit, total, |subscription| subscription.id)))
}

pub async fn read(
    who: Can<GatewayRead>,
    Id(id): Id<Uuid>,
    gateway: Data<Context>,
) -> Result<Json<Subscription>> {
    find(&one(&who.caller, id), &gateway).await.map(Json)
}

pub async fn patch(
    who: Can<GatewayWrite>,
    Id(id): Id<Uuid>,
    Valid(change): Valid<SubscriptionChange>,
    gateway: Data<Context>,
    sender: Data<Sender>,
) -> Result<Json<Subscription>> {
    check(&sender, change.callback_url.as_ref())?;
    let command = ChangeSubscription { of: one(&who.caller, id), change };
    Ok(Json(gateway.run(who.origin(), command).await?))
}

pub async fn delete(who: Can<GatewayWrite>, Id(id): Id<Uuid>, gateway: Data<Context>) -> Result<NoContent> {
    gateway.run(who.origin(), Unsubscribe(one(&who.caller, id))).await?;
    Ok(NoContent)
}

pub async fn rotate_secret(
    who: Can<GatewayWrite>,
    Id(id): Id<Uuid>,
    gateway: Data<Context>,
) -> Result<Json<WithSecret>> {
    let command = RotateSecret { of: one(&who.caller, id), secret: new_secret()? };
    Ok(Json(gateway.run(who.origin(), command).await?))
}

pub async fn test(
    who: Can<GatewayWrite>,
    Id(id): Id<Uuid>,
    gateway: Data<Context>,
    doorbell: Data<Doorbell>,
) -> Result<Json<TestSent>> {
    let sent = gateway.run(who.origin(), TestSubscription(one(&who.caller, id))).await?;
    doorbell.ring();
    Ok(Json(sent))
}

pub async fn deliveries(
    who: Can<GatewayRead>,
    Id(id): Id<Uuid>,
    ValidQuery(ListThem { limit, cursor }): ValidQuery<ListThem>,
    gateway: Data<Context>,
) -> Result<Json<Page<Attempt>>> {
    find(&one(&who.caller, id), &gateway).await?;
    let mut conn = gateway.read().await?;
    let found = webhook::attempts(&mut conn, id, Cursor::id(cursor), limit.and_one()).await?;
    let total = webhook::count_attempts(&mut conn, id).await?;
    Ok(Json(Page::new(found, limit, total, |attempt| attempt.id)))
}

async fn find(one: &OneOf, gateway: &Context) -> Result<Subscription> {
    let found = subscription::find(&mut *gateway.read().await?, one.id).await?;
    found.filter(|found| one.is(found)).ok_or_else(|| NoSubscription(one.id).into())
}

/// Whose subscriptions the caller sees: everybody's, or their own.
fn owner(caller: &Caller) -> Option<String> {
    (!is_admin(caller)).then(|| caller.id.clone())
}

fn one(caller: &Caller, id: Uuid) -> OneOf {
    OneOf { owner: owner(caller), id }
}

fn check(sender: &Sender, url: Option<&CallbackUrl>) -> Result<()> {
    let Some(url) = url else { return Ok(()) };
    sender.check(url).map_err(|why| Problem::invalid(Vec::new()).at("/callback_url", why))
}

fn new_secret() -> Result<String> {
    let mut bytes = [0; 32];
    rand::fill(&mut bytes).map_err(|_| codes::INTERNAL)?;
    Ok(secret(bytes))
}
