//! Work beside requests and messages.

mod ship;

use std::sync::Arc;
use std::time::Duration;

use bhiv_service::{App, Context, repeat};
use chrono::TimeDelta;

use crate::commands::keep_months::KeepMonths;
use crate::commands::number_audit::{self, NumberAudit};
use crate::config::Config;
use crate::domain::notary::Notary;
use crate::elasticsearch::Elasticsearch;
use ship::Shipper;

/// How often it is looked which months are to be made or dropped. One is dropped at a time.
const MONTHS: Duration = Duration::from_mins(10);

const ACTOR: &str = "service/logging";

/// All of it.
pub fn add(
    app: App,
    config: &Config,
    context: &Context,
    notary: Option<Arc<Notary>>,
    elasticsearch: Option<Elasticsearch>,
) -> App {
    let (numbering, months) = (context.clone(), context.clone());
    let every = TimeDelta::milliseconds(i64::try_from(config.audit_checkpoint_ms).unwrap_or(i64::MAX / 2));
    let number = Duration::from_millis(config.audit_number_ms);
    let app = match elasticsearch {
        None => app,
        Some(to) => {
            let every = Duration::from_millis(config.ship_ms);
            let shipper = Shipper { context: context.clone(), to, every };
            app.with_job("ship", move |stop| shipper.run(stop))
        }
    };
    app.with_job("number", move |stop| {
        let command = move || NumberAudit { notary: notary.clone(), every };
        repeat(numbering, ACTOR, number, stop, command, number_audit::AT_A_TIME)
    })
    .with_job("months", move |stop| repeat(months, ACTOR, MONTHS, stop, || KeepMonths, 1))
}
