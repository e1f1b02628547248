use actix_web::web::Json;
use bhiv_auth::require::GatewayRead;
use bhiv_web::{Can, Result};
use serde::Serialize;
use utoipa::ToSchema;

use crate::compose::{Asking, Gaps, List, Question};

/// What somebody has to look at now: how much of each kind, and the newest. A part that is null is named in
/// `partial` or in `denied`.
#[derive(Debug, Serialize, ToSchema)]
pub struct Review {
    /// Events that broke a rule.
    violations: Option<List>,
    /// Tasks that need more attention than they have.
    escalated_tasks: Option<List>,
    /// Tasks that should be done by now.
    overdue_tasks: Option<List>,
    /// Tasks that cannot go on.
    blocked_tasks: Option<List>,
    /// Orders that were stopped.
    held_orders: Option<List>,
    /// Deliveries that are late.
    delayed_deliveries: Option<List>,
    /// Deliveries that came to nothing.
    failed_deliveries: Option<List>,
    /// Stock at its reorder level or below.
    low_stock: Option<List>,
    /// The worst ratings that customers gave.
    bad_feedback: Option<List>,
    /// What workflows could not do.
    failed_runs: Option<List>,
    /// What workflows wait for people to decide.
    pending_approvals: Option<List>,
    #[serde(flatten)]
    gaps: Gaps,
}

pub async fn read(_: Can<GatewayRead>, asking: Asking) -> Result<Json<Review>> {
    let list = |part, module, path: &str| {
        // The newest of each kind.
        asking.list(Question::new(part, module, format!("{path}limit=20")))
    };
    let (
        violations,
        escalated_tasks,
        overdue_tasks,
        blocked_tasks,
        held_orders,
        delayed_deliveries,
        failed_deliveries,
        low_stock,
        bad_feedback,
        failed_runs,
        pending_approvals,
    ) = tokio::join!(
        list("violations", "compliance", "/compliance/violations?"),
        list("escalated_tasks", "task", "/task/tasks?status=escalated&"),
        list("overdue_tasks", "task", "/task/tasks?overdue=true&"),
        list("blocked_tasks", "task", "/task/tasks?status=blocked&"),
        list("held_orders", "logistics", "/logistics/orders?status=on_hold&"),
        list("delayed_deliveries", "logistics", "/logistics/delivery?status=delayed&"),
        list("failed_deliveries", "logistics", "/logistics/delivery?status=failed&"),
        list("low_stock", "logistics", "/logistics/inventory?low=true&"),
        list("bad_feedback", "task", "/task/feedback?rating=1&"),
        list("failed_runs", "task", "/task/runs?outcome=failed&"),
        list("pending_approvals", "task", "/task/approvals?status=pending&"),
    );
    let mut gaps = Gaps::default();
    Ok(Json(Review {
        violations: gaps.take(violations),
        escalated_tasks: gaps.take(escalated_tasks),
        overdue_tasks: gaps.take(overdue_tasks),
        blocked_tasks: gaps.take(blocked_tasks),
        held_orders: gaps.take(held_orders),
        delayed_deliveries: gaps.take(delayed_deliveries),
        failed_deliveries: gaps.take(failed_deliveries),
        low_stock: gaps.take(low_stock),
        bad_feedback: gaps.take(bad_feedback),
        failed_runs: gaps.take(failed_runs),
        pending_approvals: gaps.take(pending_approvals),
        gaps,
    }))
}
