//! Requests as fast as they are answered, by wrk.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::process::Command as Process;

use crate::Result;
use crate::stack::Stack;

/// What came of them.
#[derive(Clone, Copy, Debug)]
pub struct Load {
    /// Requests per second, all of them accepted.
    pub rate: f64,
    /// Half of them took no longer, in milliseconds.
    pub median: f64,
}

/// `clients` ask `url`, each again as soon as it has its answer.
pub async fn run(url: &str, script: &Path, seconds: u64, clients: usize) -> Result<Load> {
    let output = Process::new("wrk")
        .args(["-t1", "--latency", &format!("-c{clients}"), &format!("-d{seconds}s"), "-s"])
        .arg(script)
        .arg(url)
        .stderr(Stdio::inherit())
        .output()
        .await?;
    let text = String::from_utf8_lossy(&output.stdout);
    if text.contains("Non-2xx") || text.contains("Socket errors") {
        return Err(format!("not every request was accepted:\n{text}").into());
    }
    let rate = word_after(&text, "Requests/sec:")?.parse()?;
    let (_, distribution) = text.split_once("Latency Distribution").ok_or("no distribution of wrk")?;
    Ok(Load { rate, median: milliseconds(word_after(distribution, "50%")?)? })
}

/// Stands in a body for what is another number in each request.
pub const NUMBER: &str = "0000000";

/// A script of wrk: what it sends.
pub fn script(stack: &Stack, name: &str, method: &str, token: &str, body: Option<&str>) -> Result<PathBuf> {
    let mut text = format!("wrk.method = '{method}'\nwrk.headers['authorization'] = 'Bearer {token}'\n");
    if let Some(body) = body {
        let _ = write!(
            text,
            "wrk.headers['content-type'] = 'application/json'\nlocal body, sent = '{body}', os.time() % 100000 * 1000000\n\
             request = function()\n  sent = sent + 1\n  \
             return wrk.format(nil, nil, nil, (body:gsub('{NUMBER}', string.format('%d', sent):reverse())))\nend\n"
        );
    }
    let file = stack.run.join(format!("{name}.lua"));
    std::fs::write(&file, text)?;
    Ok(file)
}

/// `1.23ms`, `45.00us`, `1.00s`.
fn milliseconds(text: &str) -> Result<f64> {
    for (unit, milliseconds) in [("us", 0.001), ("ms", 1.0), ("s", 1000.0)] {
        if let Some(number) = text.strip_suffix(unit) {
            return Ok(number.parse::<f64>()? * milliseconds);
        }
    }
    Err(format!("'{text}' is no time").into())
}

/// What stands after `word`, up to the next space.
pub fn word_after<'a>(text: &'a str, word: &str) -> Result<&'a str> {
    let (_, rest) = text.split_once(word).ok_or_else(|| format!("no '{word}' in:\n{text}"))?;
    Ok(rest.split_whitespace().next().unwrap_or_default())
}
