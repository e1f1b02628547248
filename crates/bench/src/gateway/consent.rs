//! From a person's no to its effect, everywhere.

use std::time::{Duration, Instant};

use bhiv_auth::Role;
use reqwest::{Client, Response, StatusCode};
use serde_json::{Value, json};

use super::forwarding::make_lead;
use super::town::{GATEWAY_AT, KEEPING_AT};
use crate::page::Page;
use crate::service::token;
use crate::stack::Stack;
use crate::{Result, say};

const TIMES: usize = 100;

/// How often it is asked whether the no is in effect.
const PAUSE: Duration = Duration::from_millis(2);

const PATIENCE: Duration = Duration::from_secs(30);

/// A write about a person that their no to a purpose stops.
struct Write {
    purpose: &'static str,
    kind: &'static str,
    path: &'static str,
}

const WRITE: Write = Write { purpose: "contact", kind: "lead", path: "/crm/leads" };

pub async fn measure(stack: &Stack, page: &mut Page) -> Result {
    let token = token(stack, "bench", Role::Admin)?;
    let client = Client::new();
    let mut took = Vec::new();
    // The first ones are the warm-up.
    for number in 0..TIMES + 5 {
        let id = make_lead(stack).await?;
        let written = write(&client, &token, &id).await?;
        if written.status() != StatusCode::OK {
            return Err(format!("before the no: {} {}", written.status(), written.text().await?).into());
        }
        let said = Instant::now();
        let no = json!({"subject": format!("{}/{id}", WRITE.kind), "purpose": WRITE.purpose});
        let request = client.post(format!("http://{GATEWAY_AT}/consent/revoke")).json(&no);
        request.bearer_auth(&token).send().await?.error_for_status()?;
        until_refused(&client, &token, &id).await?;
        if number >= 5 {
            took.push(said.elapsed().as_secs_f64() * 1000.0);
        }
    }
    took.sort_by(f64::total_cmp);
    let at = |percent: usize| took.get(took.len() * percent / 100).copied().unwrap_or(f64::NAN);
    say(&format!("a no in effect: p50 {:.1}, p90 {:.1}, p99 {:.1} ms", at(50), at(90), at(99)));
    page.single(
        "a no in effect at another replica, p99",
        format!("{:.0} ms", at(99)),
        &format!("p50: {:.0} ms", at(50)),
        "1 s",
        at(99) <= 1000.0,
    );
    Ok(())
}

async fn until_refused(client: &Client, token: &str, id: &str) -> Result {
    let until = Instant::now() + PATIENCE;
    loop {
        let answer = write(client, token, id).await?;
        match answer.status() {
            StatusCode::OK if Instant::now() < until => tokio::time::sleep(PAUSE).await,
            StatusCode::FORBIDDEN => {
                let problem: Value = answer.json().await?;
                return match problem.get("code").and_then(Value::as_str) {
                    Some("consent_required") => Ok(()),
                    _ => Err(format!("refused for another reason: {problem}").into()),
                };
            }
            status => return Err(format!("the no has no effect: {status} {}", answer.text().await?).into()),
        }
    }
}

/// Through the replica that did not hear the no from the person.
async fn write(client: &Client, token: &str, id: &str) -> Result<Response> {
    let request = client.patch(format!("http://{KEEPING_AT}{}/{id}", WRITE.path));
    Ok(request.json(&json!({"need": "looms"})).bearer_auth(token).send().await?)
}
