//! The gateway beside NGINX, and its cache beside itself.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use bhiv_auth::Role;
use reqwest::Client;
use serde_json::Value;

use super::Effort;
use super::town::{BARE_AT, BARE_PLAIN_AT, CRM_AT, GATEWAY_AT, KEEPING_AT, NGINX_AT, NGINX_PLAIN_AT};
use crate::http::LEAD;
use crate::page::{Page, median};
use crate::service::token;
use crate::stack::Stack;
use crate::wrk::{self, script};
use crate::{Result, say};

const TASK: &str = r#"{"title":"Call Asha Verma","priority":"high","assignee_id":"ravi"}"#;
const LIST: &str = "/crm/leads?limit=50";

/// A request that both sides pass on.
struct Passed<'a> {
    what: &'a str,
    path: &'a str,
    script: &'a Path,
    /// NGINX, and a proxy of actix-web and reqwest, before the same service.
    beside: [&'a str; 2],
    /// The part of NGINX's rate that is asked; 0 if none is.
    asked: f64,
    /// Whether it fills crm's tables.
    writes: bool,
}

pub async fn throughput(stack: &Stack, page: &mut Page, effort: Effort) -> Result {
    let lead = format!("/crm/leads/{}", make_lead(stack).await?);
    let of = |name: &str, method: &str, role, body: Option<&str>| -> Result<PathBuf> {
        script(stack, name, method, &token(stack, "bench", role)?, body)
    };
    let (read, read_uncounted) =
        (of("get", "GET", Role::Sales, None)?, of("get-admin", "GET", Role::Admin, None)?);
    let (write, write_task) =
        (of("lead", "POST", Role::Sales, Some(LEAD))?, of("task", "POST", Role::Sales, Some(TASK))?);
    let clients = effort.clients;
    let real = |what, path, script, asked, writes| {
        let beside = [NGINX_AT, BARE_AT];
        Passed { what, path, script, beside, asked, writes }
    };
    let plain = |what, path, script| {
        let beside = [NGINX_PLAIN_AT, BARE_PLAIN_AT];
        Passed { what, path, script, beside, asked: 0.0, writes: false }
    };
    for passed in [
        real("GET of a lead, forwarded", &lead, &read, 0.8, false),
        real("the same by an administrator, who is not counted", &lead, &read_uncounted, 0.0, false),
        real("POST of a lead, forwarded", "/crm/leads", &write, 0.8, true),
        plain("GET forwarded to a service that does nothing", "/task/tasks/1", &read),
        plain("POST forwarded to a service that does nothing", "/task/tasks", &write_task),
    ] {
        let mut rates = [Vec::new(), Vec::new(), Vec::new()];
        let [nginx, bare] = passed.beside;
        for run in 0..=effort.runs {
            for (rates, at) in rates.iter_mut().zip([GATEWAY_AT, nginx, bare]) {
                let rate = once(stack, &passed, at, effort).await?;
                say(&format!("{} at {at} {run}/{}: {rate:.0}/s", passed.what, effort.runs));
                if run > 0 {
                    rates.push(rate);
                }
            }
        }
        let [ours, nginx, bare] = rates;
        let what = format!("{}, {clients} clients", passed.what);
        page.rates(&what, ours.clone(), "NGINX", nginx, passed.asked, 0.0);
        page.rates(&what, ours, "actix-web and reqwest", bare, 0.0, 0.0);
    }
    stack.sql("TRUNCATE crm.leads, crm.outbox, crm.history CASCADE").await?;
    Ok(())
}

async fn once(stack: &Stack, passed: &Passed<'_>, at: &str, effort: Effort) -> Result<f64> {
    if passed.writes {
        stack.sql("TRUNCATE crm.leads, crm.outbox, crm.history CASCADE").await?;
        stack.sql("CHECKPOINT").await?;
    }
    let url = format!("http://{at}{}", passed.path);
    Ok(wrk::run(&url, passed.script, effort.seconds, effort.clients).await?.rate)
}

/// What one client waits longer for.
pub async fn latency(stack: &Stack, page: &mut Page, effort: Effort) -> Result {
    let path = format!("/crm/leads/{}", make_lead(stack).await?);
    let script = script(stack, "get", "GET", &token(stack, "bench", Role::Sales)?, None)?;
    let mut sides = [(CRM_AT, Vec::new()), (GATEWAY_AT, Vec::new()), (NGINX_AT, Vec::new())];
    for run in 0..=effort.runs {
        for (at, medians) in &mut sides {
            let load = wrk::run(&format!("http://{at}{path}"), &script, effort.seconds, 1).await?;
            say(&format!("latency at {at} {run}/{}: {:.3} ms", effort.runs, load.median));
            if run > 0 {
                medians.push(load.median);
            }
        }
    }
    let [direct, gateway, nginx] = sides.map(|(_, mut medians)| median(&mut medians));
    let (added, nginx) = (gateway - direct, nginx - direct);
    page.single(
        "added latency, one client, median",
        format!("{added:.2} ms"),
        &format!("NGINX: {nginx:.2} ms; crm itself: {direct:.2} ms"),
        "0.5 ms",
        added <= 0.5,
    );
    Ok(())
}

pub async fn cache(stack: &Stack, page: &mut Page, effort: Effort) -> Result {
    for _ in 0..60 {
        make_lead(stack).await?;
    }
    let token = token(stack, "bench", Role::Sales)?;
    let script = script(stack, "get", "GET", &token, None)?;
    let ask = async |at: &str| -> Result<f64> {
        let url = format!("http://{at}{LIST}");
        Ok(wrk::run(&url, &script, effort.seconds, effort.clients).await?.rate)
    };
    let (mut ours, mut bare) = (Vec::new(), Vec::new());
    for run in 0..=effort.runs {
        until_kept(&token).await?;
        let kept = ask(KEEPING_AT).await?;
        let forwarded = ask(GATEWAY_AT).await?;
        say(&format!("kept {run}/{}: {kept:.0}/s, forwarded {forwarded:.0}/s", effort.runs));
        if run > 0 {
            ours.push(kept);
            bare.push(forwarded);
        }
    }
    page.rates(
        &format!("GET of 50 leads, kept, {} clients", effort.clients),
        ours,
        "forwarded",
        bare,
        3.0,
        0.0,
    );
    Ok(())
}

/// Waits until what changed has been heard of, so that the answer is kept.
async fn until_kept(token: &str) -> Result {
    let client = Client::new();
    let until = Instant::now() + Duration::from_secs(30);
    let mut hits = 0;
    while hits < 3 {
        let answer = client.get(format!("http://{KEEPING_AT}{LIST}")).bearer_auth(token).send().await?;
        let answer = answer.error_for_status()?;
        let status = answer.headers().get("cache-status").and_then(|status| status.to_str().ok());
        hits = if status.is_some_and(|status| status.contains("hit")) { hits + 1 } else { 0 };
        if Instant::now() > until {
            return Err(format!("the list is not kept: {status:?}").into());
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    Ok(())
}

/// A new lead, by crm itself; answers its id.
pub async fn make_lead(stack: &Stack) -> Result<String> {
    let request = Client::new().post(format!("http://{CRM_AT}/crm/leads")).body(LEAD);
    let request = request.header("content-type", "application/json");
    let answer = request.bearer_auth(token(stack, "bench", Role::Sales)?).send().await?;
    let lead: Value = answer.error_for_status()?.json().await?;
    Ok(lead.get("id").and_then(Value::as_str).ok_or("the lead has no id")?.to_owned())
}
