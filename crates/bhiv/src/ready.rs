use std::time::Duration;

use clap::Args;
use reqwest::Client;
use serde_json::Value;
use tokio::time::Instant;

use crate::Outcome;

/// `bhiv ready`
#[derive(Args, Debug)]
pub struct Ready {
    /// Addresses of services, for example `http://127.0.0.1:8011`.
    #[arg(required = true)]
    urls: Vec<String>,
    /// How long to wait.
    #[arg(long, default_value_t = 60)]
    seconds: u64,
}

impl Ready {
    pub async fn run(self) -> Outcome {
        let client = Client::builder().no_proxy().timeout(Duration::from_secs(5)).build()?;
        let until = Instant::now() + Duration::from_secs(self.seconds);
        for url in &self.urls {
            let mut told = String::new();
            while let Err(reason) = ask(&client, url).await {
                if Instant::now() >= until {
                    return Err(format!("{url} is not ready after {} s: {reason}", self.seconds).into());
                }
                if reason != told {
                    eprintln!("{url}: {reason}");
                    told = reason;
                }
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
        Ok(())
    }
}

async fn ask(client: &Client, url: &str) -> Result<(), String> {
    let answer = client.get(format!("{url}/health/ready")).send().await;
    let answer = answer.map_err(|_| "does not answer yet".to_owned())?;
    if answer.status().is_success() {
        return Ok(());
    }
    let report: Value = answer.json().await.map_err(|_| "does not answer yet".to_owned())?;
    let checks = report.get("checks").and_then(Value::as_object).cloned().unwrap_or_default();
    let waiting: Vec<_> = checks
        .iter()
        .filter_map(|(name, check)| Some(format!("{name}: {}", check.get("reason")?.as_str()?)))
        .collect();
    Err(waiting.join("; "))
}
