use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};

use bhiv_clock::Clock;
use bhiv_events::Producer;
use bhiv_ledger::{Finding, LogKeys, Record, Report, Verifier};
use bhiv_settings::Secret;
use clap::Args;
use diesel::sql_types::{BigInt, Jsonb, Text, Uuid as SqlUuid};
use diesel_async::RunQueryDsl as _;
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::Outcome;
use crate::flow::{Client, http};
use crate::operator::{DatabaseUrl, Tables};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// Rows that are read from the tables at once.
const AT_A_TIME: i64 = 1_000;

/// `bhiv verify audit`
#[derive(Args, Debug)]
pub struct Audit {
    /// A file that `GET /audit/export` answered. Without it and without --database the system is asked.
    #[arg(long, value_name = "FILE")]
    export: Option<PathBuf>,
    /// Read the tables themselves, as DATABASE_ADMIN_URL.
    #[arg(long, conflicts_with = "export")]
    database: bool,
    /// A checkpoint that was kept outside: the note, or what `GET /audit/checkpoint` answered. Only such a one shows
    /// that the end was cut off. May be given several times.
    #[arg(long, value_name = "FILE")]
    checkpoint: Vec<PathBuf>,
    /// Public keys that were kept outside: a JWKS, or what `GET /audit/keys` answered. Without it those count that the
    /// source itself names.
    #[arg(long, value_name = "FILE")]
    keys: Option<PathBuf>,
    /// PostgreSQL as an administrator.
    #[arg(long, env = "DATABASE_ADMIN_URL", hide_env_values = true)]
    database_admin_url: Option<Secret>,
    /// The gateway.
    #[arg(long, env = "BHIV_URL", default_value = "http://127.0.0.1:8005")]
    url: String,
    /// Who asks: e-mail address.
    #[arg(long, env = "ADMIN_EMAIL")]
    email: Option<String>,
    /// Their password.
    #[arg(long, env = "ADMIN_PASSWORD", hide_env_values = true)]
    password: Option<Secret>,
}

impl Audit {
    pub async fn run(self) -> Outcome {
        let outside = self.checkpoint.iter().map(|file| note(file)).collect::<Result<Vec<_>>>()?;
        let keys = self.keys.as_deref().map(keys).transpose()?;
        let report = match &self.export {
            Some(file) => of_file(file, keys.ok_or("--export needs --keys")?, &outside)?,
            None if self.database => self.of_tables(keys, outside).await?,
            None => {
                let email = self.email.as_deref().ok_or("set ADMIN_EMAIL, or name --export or --database")?;
                let password = self.password.as_ref().ok_or("set ADMIN_PASSWORD")?;
                let client = Client::log_in(http(None)?, &self.url, email, password, Clock::system()).await?;
                over_http(&client, keys, outside).await?
            }
        };
        say(&report)
    }

    async fn of_tables(&self, keys: Option<LogKeys>, mut notes: Vec<String>) -> Result<Report> {
        let url = self.database_admin_url.clone().ok_or("set DATABASE_ADMIN_URL")?;
        let tables = Tables::of(&DatabaseUrl::new(url), Producer::Logging).await?;
        let mut conn = tables.connection().await?;
        let stored: Vec<Document> =
            diesel::sql_query("SELECT jwk AS document FROM audit_keys").load(&mut conn).await?;
        let keys = match keys {
            Some(keys) => keys,
            None => key_set(json!(stored.into_iter().map(|key| key.document).collect::<Vec<_>>()))?,
        };
        let signed: Vec<Note> =
            diesel::sql_query("SELECT note FROM audit_checkpoints").load(&mut conn).await?;
        notes.extend(signed.into_iter().map(|note| note.note));
        let mut verifier = Verifier::new(&keys, notes.iter().map(String::as_str));
        loop {
            let from = i64::try_from(verifier.size())?;
            let records: Vec<Document> = diesel::sql_query(LEAVES)
                .bind::<BigInt, _>(from)
                .bind::<BigInt, _>(AT_A_TIME)
                .load(&mut conn)
                .await?;
            if take(&mut verifier, records)? == 0 {
                break;
            }
        }
        let mut after = Uuid::nil();
        loop {
            let records: Vec<Document> = diesel::sql_query(ROWS)
                .bind::<SqlUuid, _>(after)
                .bind::<BigInt, _>(AT_A_TIME)
                .load(&mut conn)
                .await?;
            let Some(last) = records.last().and_then(|record| record.document.get("entry_id")).cloned()
            else {
                break;
            };
            after = serde_json::from_value(last)?;
            take(&mut verifier, records)?;
        }
        Ok(verifier.finish(true))
    }
}

#[derive(diesel::QueryableByName)]
struct Document {
    #[diesel(sql_type = Jsonb)]
    document: Value,
}

#[derive(diesel::QueryableByName)]
struct Note {
    #[diesel(sql_type = Text)]
    note: String,
}

/// Leaves with their rows, in the form of the export.
const LEAVES: &str = "
    SELECT jsonb_build_object(
        'leaf_index', leaf.leaf_index, 'entry_id', leaf.entry_id,
        'leaf_hash', encode(leaf.leaf_hash, 'base64'),
        'state', CASE WHEN EXISTS (
            SELECT FROM partitions AS part WHERE part.kind = 'audit' AND part.dropped_at IS NOT NULL
              AND leaf.entry_id >= part.from_id AND leaf.entry_id < part.to_id) THEN 'retired' ELSE 'kept' END,
        'row', CASE WHEN entry.id IS NOT NULL THEN to_jsonb(entry) - 'search' END) AS document
    FROM audit_leaves AS leaf
    LEFT JOIN entries AS entry ON entry.id = leaf.entry_id AND entry.kind = 'audit'
    WHERE leaf.leaf_index >= $1 ORDER BY leaf.leaf_index LIMIT $2";

/// Rows without a leaf.
const ROWS: &str = "
    SELECT jsonb_build_object(
        'leaf_index', null, 'entry_id', entry.id, 'leaf_hash', null, 'row', null,
        'state', CASE WHEN waiting.entry_id IS NULL THEN 'kept' ELSE 'waiting' END) AS document
    FROM entries AS entry LEFT JOIN audit_waiting AS waiting ON waiting.entry_id = entry.id
    WHERE entry.kind = 'audit' AND entry.id > $1
      AND NOT EXISTS (SELECT FROM audit_leaves AS leaf WHERE leaf.entry_id = entry.id)
    ORDER BY entry.id LIMIT $2";

fn take(verifier: &mut Verifier, records: Vec<Document>) -> Result<usize> {
    let count = records.len();
    for record in records {
        verifier.take(&serde_json::from_value(record.document)?);
    }
    Ok(count)
}

fn of_file(file: &Path, keys: LogKeys, notes: &[String]) -> Result<Report> {
    let mut verifier = Verifier::new(&keys, notes.iter().map(String::as_str));
    for (number, line) in BufReader::new(fs::File::open(file)?).lines().enumerate() {
        let record: Record = serde_json::from_str(&line?)
            .map_err(|error| format!("{}, line {}: {error}", file.display(), number + 1))?;
        verifier.take(&record);
    }
    Ok(verifier.finish(true))
}

/// Everything that the system exports, compared with its own checkpoints and with `notes` that were kept outside.
pub async fn over_http(client: &Client, keys: Option<LogKeys>, mut notes: Vec<String>) -> Result<Report> {
    let keys = match keys {
        Some(keys) => keys,
        None => key_set(get(client, "/audit/keys").await?)?,
    };
    let mut below = i64::MAX;
    loop {
        let page = get(client, &format!("/audit/checkpoints?limit=200&below={below}")).await?;
        let items = page.get("items").and_then(Value::as_array).cloned().unwrap_or_default();
        let texts = items.iter().filter_map(|item| item.get("note")?.as_str());
        notes.extend(texts.map(str::to_owned));
        match page.get("next_below").and_then(Value::as_i64) {
            Some(next) => below = next,
            None => break,
        }
    }
    let mut verifier = Verifier::new(&keys, notes.iter().map(String::as_str));
    let mut answer = client.download("/audit/export").await?;
    let mut text = Vec::new();
    while let Some(chunk) = answer.chunk().await? {
        text.extend_from_slice(&chunk);
        while let Some(end) = text.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = text.drain(..=end).collect();
            verifier.take(&serde_json::from_slice(&line)?);
        }
    }
    Ok(verifier.finish(true))
}

async fn get(client: &Client, path: &str) -> Result<Value> {
    let answer = client.send(Method::GET, path, None).await?;
    if answer.status.is_success() {
        return Ok(answer.body);
    }
    Err(format!("GET {path} was answered with {}: {}", answer.status, answer.body).into())
}

fn note(file: &Path) -> Result<String> {
    let text = fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
    let value: Value = serde_json::from_str(&text).unwrap_or_default();
    Ok(value.get("note").and_then(Value::as_str).map_or(text, str::to_owned))
}

fn keys(file: &Path) -> Result<LogKeys> {
    let text = fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
    key_set(serde_json::from_str(&text)?)
}

/// Those of a JWKS, of an answer that has one, or of a list.
fn key_set(keys: Value) -> Result<LogKeys> {
    let keys = keys.get("keys").cloned().unwrap_or(keys);
    Ok(LogKeys::new(serde_json::from_value(json!({"keys": keys}))?))
}

/// Prints what was found; an error that names the first of it if anything was.
pub fn say(report: &Report) -> Outcome {
    out!(
        "{} rows in the tree: {} are what they were, {} were retired, {} wait for their place",
        report.leaves,
        report.intact,
        report.retired,
        report.waiting
    );
    out!("{} checkpoints fit, the largest of {} rows", report.checkpoints, report.proved);
    out!("root {}", report.root);
    for finding in &report.findings {
        out!("  {}", words(finding));
    }
    match report.findings.as_slice() {
        [] => Ok(()),
        [first, ..] => Err(format!("tampered with: {}", words(first)).into()),
    }
}

fn words(finding: &Finding) -> String {
    match finding {
        Finding::Changed { leaf_index, entry_id } => format!("row {leaf_index} ({entry_id}) was changed"),
        Finding::Removed { leaf_index, entry_id } => format!("row {leaf_index} ({entry_id}) was removed"),
        Finding::LeavesMissing { leaf_index, count } => {
            format!("{count} leaves are missing, the first is {leaf_index}")
        }
        Finding::Inserted { entry_id } => format!("row {entry_id} has no leaf: it was put in"),
        Finding::Rewritten { from, size } => {
            format!("a row from {from} up to {} was changed together with its leaf", size.saturating_sub(1))
        }
        Finding::Truncated { leaf_index, size } => {
            format!("the end was cut off: row {leaf_index} is missing, and there were {size}")
        }
        Finding::BadCheckpoint { size, why } => format!("the checkpoint of {size} rows: {why}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_read_however_they_are_kept() {
        let jwk = json!({"kty": "OKP", "crv": "Ed25519", "kid": "k", "alg": "EdDSA",
                         "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"});
        for text in [json!({"keys": [jwk]}), json!({"origin": "o", "keys": [jwk]}), json!([jwk])] {
            assert!(format!("{:?}", key_set(text).unwrap()).contains('k'));
        }
        assert!(key_set(json!("none")).is_err());
    }

    #[test]
    fn every_finding_names_its_row() {
        let id = Uuid::from_u128(7);
        for finding in [
            Finding::Changed { leaf_index: 7, entry_id: id },
            Finding::Removed { leaf_index: 7, entry_id: id },
            Finding::Inserted { entry_id: id },
            Finding::Truncated { leaf_index: 7, size: 9 },
            Finding::Rewritten { from: 7, size: 9 },
        ] {
            assert!(words(&finding).contains('7'), "{finding:?}");
        }
    }
}
