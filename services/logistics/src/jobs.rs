//! Work beside requests and messages.

mod delays;
mod plans;

use std::time::Duration;

use bhiv_service::{App, Context};

use crate::config::Config;

/// All of it.
pub fn add(app: App, config: &Config, context: &Context) -> App {
    let (late, routes) = (context.clone(), context.clone());
    let delay_check = Duration::from_millis(config.delay_check_ms);
    let plan_check = Duration::from_millis(config.plan_check_ms);
    let app = app.with_job("delays", move |stop| delays::find(late, delay_check, stop));
    if plan_check.is_zero() {
        return app;
    }
    app.with_job("routes", move |stop| plans::compute(routes, plan_check, stop))
}
