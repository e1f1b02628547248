//! `--tamper`: a row of the audit log is changed behind everybody's back, found, and put back.

#![expect(clippy::indexing_slicing, reason = "JSON answers null for what it lacks")]

use std::time::Duration;

use bhiv_events::Producer;
use bhiv_ledger::Finding;
use bhiv_settings::Secret;
use diesel::sql_types::{Text, Uuid as SqlUuid};
use diesel_async::RunQueryDsl as _;
use reqwest::Method;
use tokio::time::Instant;
use uuid::Uuid;

use super::client::Client;
use crate::Outcome;
use crate::operator::{DatabaseUrl, Tables};
use crate::verify::{over_http, say};

/// What the row is said to be about, for a while.
const FORGED: &str = "lead/nobody";

/// Changes an audit row of the story as the database's administrator, shows that it is found, and puts it back.
pub async fn run(client: &Client, database: Secret, patience: Duration) -> Outcome {
    out!("\nSomebody who may do anything to the database changes an audit row of the story");
    let (id, entity) = row(client, patience).await?;
    say(&over_http(client, None, Vec::new()).await?)?;
    let tables = Tables::of(&DatabaseUrl::new(database), Producer::Logging).await?;
    change(&tables, id, FORGED).await?;
    out!("\n  UPDATE entries SET entity = '{FORGED}' WHERE id = '{id}'   -- it was {entity}\n");
    let report = over_http(client, None, Vec::new()).await;
    // Whatever comes of it.
    change(&tables, id, &entity).await?;
    let report = report?;
    if let Err(tampered) = say(&report) {
        out!("  -> {tampered}");
    }
    let is_found =
        matches!(report.findings.as_slice(), [Finding::Changed { entry_id, .. }] if *entry_id == id);
    if !is_found {
        return Err(format!("the changed row {id} is not what was found: {:?}", report.findings).into());
    }
    out!("\nIt is put back\n");
    say(&over_http(client, None, Vec::new()).await?)
}

/// An audit row of the story that is in the signed tree, and what it is about.
async fn row(client: &Client, patience: Duration) -> Result<(Uuid, String), Box<dyn std::error::Error>> {
    let path = format!("/logs?type=audit&limit=1&correlation_id={}", client.story);
    let page = client.send(Method::GET, &path, None).await?.body;
    let row = &page["logs"][0];
    let id: Uuid = serde_json::from_value(row["id"].clone()).map_err(|_| "the story has no audit row")?;
    let until = Instant::now() + patience;
    loop {
        let answer = client.send(Method::GET, &format!("/audit/{id}/proof"), None).await?;
        if answer.status.is_success() {
            let checkpoint = answer.body["checkpoint"]["size"].clone();
            out!("  row {} ({id}) is in the signed tree of {checkpoint} rows", answer.body["leaf_index"]);
            return Ok((id, row["entity"].as_str().unwrap_or_default().to_owned()));
        }
        if Instant::now() >= until || answer.body["code"] != "not_numbered" {
            return Err(format!("the row cannot be proved: {} {}", answer.status, answer.body).into());
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

async fn change(tables: &Tables, id: Uuid, entity: &str) -> Outcome {
    let mut conn = tables.connection().await?;
    let changed = diesel::sql_query("UPDATE entries SET entity = $1 WHERE id = $2 AND kind = 'audit'")
        .bind::<Text, _>(entity)
        .bind::<SqlUuid, _>(id)
        .execute(&mut conn)
        .await?;
    if changed == 1 { Ok(()) } else { Err(format!("{changed} rows have the id {id}").into()) }
}
