//! NGINX as a plain proxy: the least that a proxy can do.

use std::fmt::Write as _;
use std::process::Stdio;
use std::time::{Duration, Instant};

use tokio::net::TcpStream;
use tokio::process::{Child, Command as Process};

use crate::Result;
use crate::stack::Stack;

/// It ends with the bench, its workers too.
pub struct Nginx {
    process: Child,
}

impl Nginx {
    /// Passes on what comes to the first address of each pair to the second one.
    pub async fn start(stack: &Stack, workers: usize, pairs: &[(&str, &str)]) -> Result<Self> {
        let folder = stack.run.join("nginx");
        std::fs::create_dir_all(&folder)?;
        let mut text = format!(
            "daemon off;\nworker_processes {workers};\npid pid;\nerror_log errors;\n\
             events {{ worker_connections 1024; }}\nhttp {{\naccess_log off;\nkeepalive_requests 1000000000;\n\
             client_body_temp_path body;\nproxy_temp_path proxy;\nfastcgi_temp_path fastcgi;\n\
             scgi_temp_path scgi;\nuwsgi_temp_path uwsgi;\nproxy_http_version 1.1;\n\
             proxy_set_header Connection \"\";\n"
        );
        for (number, (from, to)) in pairs.iter().enumerate() {
            writeln!(
                text,
                "upstream u{number} {{ server {to}; keepalive 64; keepalive_requests 1000000000; }}\n\
                 server {{ listen {from}; location / {{ proxy_pass http://u{number}; }} }}"
            )?;
        }
        text += "}\n";
        std::fs::write(folder.join("nginx.conf"), text)?;
        // Told to end when we do: its workers would outlive one that is killed.
        let process = Process::new("setpriv")
            .args(["--pdeathsig=TERM", "nginx", "-e", "errors", "-c"])
            .arg(folder.join("nginx.conf"))
            .arg("-p")
            .arg(&folder)
            .stdin(Stdio::null())
            .spawn()?;
        let nginx = Self { process };
        let until = Instant::now() + Duration::from_secs(10);
        for (address, _) in pairs {
            while TcpStream::connect(address).await.is_err() {
                if Instant::now() > until {
                    let errors = std::fs::read_to_string(folder.join("errors"))?;
                    return Err(format!("nginx does not listen at {address}:\n{errors}").into());
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
        Ok(nginx)
    }

    pub async fn stop(mut self) -> Result {
        if let Some(id) = self.process.id() {
            Process::new("kill").arg(id.to_string()).status().await?;
        }
        self.process.wait().await?;
        Ok(())
    }
}

/// `NGINX 1.22.1`.
pub async fn version() -> Result<String> {
    let output = Process::new("nginx").arg("-v").output().await?;
    let text = String::from_utf8_lossy(&output.stderr);
    let (_, version) = text.trim().split_once('/').ok_or("nginx does not say its version")?;
    Ok(format!("NGINX {version}"))
}
