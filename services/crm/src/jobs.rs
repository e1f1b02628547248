//! Work beside requests and messages.

use std::time::Duration;

use bhiv_broker::Backoff;
use bhiv_outbox::Origin;
use bhiv_service::{App, Context};
use tokio_util::sync::CancellationToken;

use crate::commands::import_rows::ImportRows;
use crate::config::Config;
use crate::store::import;

/// All of it.
pub fn add(app: App, config: &Config, context: &Context) -> App {
    let (context, every) = (context.clone(), Duration::from_millis(config.import_check_ms));
    app.with_job("imports", move |stop| go_on(context, every, stop))
}

/// Makes leads of the rows of imports, until `stop`. An import goes on where it was, at whichever replica.
async fn go_on(context: Context, every: Duration, stop: CancellationToken) {
    let mut backoff = Backoff::reconnect();
    while !stop.is_cancelled() {
        let pause = match advance(&context).await {
            Ok(true) => continue,
            Ok(false) => {
                backoff.reset();
                every
            }
            Err(error) => {
                tracing::warn!(error, "imports do not go on");
                backoff.next_delay()
            }
        };
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = stop.cancelled() => {}
        }
    }
}

/// A step of every import that is under way; answers whether there is more to do.
async fn advance(context: &Context) -> Result<bool, String> {
    let mut conn = context.read().await.map_err(|error| error.to_string())?;
    let imports = import::under_way(&mut conn).await.map_err(|error| error.to_string())?;
    drop(conn);
    let mut is_more = false;
    for import in imports {
        let origin = Origin { actor: import.actor, ..Origin::default() };
        let step = context.run(origin, ImportRows { id: import.id }).await;
        is_more |= step.map_err(|fault| format!("{fault:?}"))?;
    }
    Ok(is_more)
}
