use std::iter::once;

use actix_web::web::Json;
use bhiv_auth::require::GatewayRead;
use bhiv_web::{Can, Id, Problem, Result};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::compose::{Asking, Gaps, List, Missing, Question};

/// How many items of each kind are shown.
const SHOWN: usize = 100;

/// Everything about a customer. A part that is null is named in `partial` or in `denied`.
#[derive(Debug, Serialize, ToSchema)]
pub struct Customer {
    /// The lead that the customer came in as.
    lead_id: Uuid,
    /// The lead.
    #[schema(value_type = Option<Object>)]
    lead: Option<Value>,
    /// Opportunities on the lead.
    opportunities: Option<List>,
    /// Orders that fulfil them.
    orders: Option<List>,
    /// Deliveries of the orders.
    deliveries: Option<List>,
    /// Tasks about any of these.
    tasks: Option<List>,
    /// Where the person stands on each purpose, and everything that they said.
    #[schema(value_type = Option<Object>)]
    consents: Option<Value>,
    /// Decisions about any of these.
    decisions: Option<List>,
    #[serde(flatten)]
    gaps: Gaps,
}

pub async fn read(_: Can<GatewayRead>, Id(lead_id): Id<Uuid>, asking: Asking) -> Result<Json<Customer>> {
    let mut gaps = Gaps::default();
    let (lead, opportunities, consents) = tokio::join!(
        asking.get(Question::new("lead", "crm", format!("/crm/leads/{lead_id}"))),
        asking.list(list("opportunities", "crm", "/crm/opportunities?lead_id", &[lead_id.to_string()])),
        asking.get(Question::new("consents", "compliance", format!("/consent/lead%2F{lead_id}"))),
    );
    if lead.as_ref().is_err_and(Missing::is_absent) {
        return Err(Problem::not_found(format!("lead/{lead_id}")));
    }
    let (lead, opportunities, consents) = (gaps.take(lead), gaps.take(opportunities), gaps.take(consents));
    let orders =
        below(&asking, &mut gaps, opportunities.as_ref(), "orders", "/logistics/orders?opportunity_id");
    let orders = orders.await;
    let deliveries = below(&asking, &mut gaps, orders.as_ref(), "deliveries", "/logistics/delivery?order_id");
    let deliveries = deliveries.await;

    let about: Vec<String> = once(format!("lead/{lead_id}"))
        .chain(references("opportunity", opportunities.as_ref()))
        .chain(references("order", orders.as_ref()))
        .chain(references("delivery", deliveries.as_ref()))
        .collect();
    let (tasks, decisions) = tokio::join!(
        asking.list(list("tasks", "task", "/task/tasks?reference", &about)),
        asking.list(list("decisions", "rl", "/rl/decisions?reference", &about)),
    );
    let (tasks, decisions) = (gaps.take(tasks), gaps.take(decisions));
    Ok(Json(Customer { lead_id, lead, opportunities, orders, deliveries, tasks, consents, decisions, gaps }))
}

/// What logistics has that belongs to the items of `above`.
async fn below(
    asking: &Asking,
    gaps: &mut Gaps,
    above: Option<&List>,
    part: &'static str,
    path: &str,
) -> Option<List> {
    let Some(above) = above else {
        gaps.follows(part, "logistics");
        return None;
    };
    let ids = above.texts("id");
    if ids.is_empty() {
        return Some(List::default());
    }
    gaps.take(asking.list(list(part, "logistics", path, &ids)).await)
}

fn references(kind: &str, list: Option<&List>) -> impl Iterator<Item = String> {
    list.map(|list| list.texts("id")).unwrap_or_default().into_iter().map(move |id| format!("{kind}/{id}"))
}

fn list(part: &'static str, module: &'static str, path: &str, values: &[impl AsRef<str>]) -> Question {
    let values: Vec<_> = values.iter().map(AsRef::as_ref).collect();
    Question::new(part, module, format!("{path}={}&limit={SHOWN}", values.join(",")))
}
